"""Generated code without files: a schema is compiled, and imported from memory."""

from __future__ import annotations

import io
import itertools
import os
import sys
from dataclasses import dataclass
from importlib.abc import InspectLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ampgen.diagnostics.printers import print_diagnostics
from ampgen.disk import DISK, Disk
from ampgen.pipeline import compile_schemas
from ampgen.source import StandardInput
from ampgen.targets import python
from ampgen.targets.python.names import module_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import CodeType, ModuleType

    from ampgen.diagnostics import Diagnostic
    from ampgen.model import Module, Schema

_numbers = itertools.count(1)


class SchemaError(Exception):
    """A schema has errors, or cannot be read. The text shows them in their places.

    ``diagnostics`` has all that was found, warnings as well.
    """

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        super().__init__(tuple(diagnostics))
        self.diagnostics = tuple(diagnostics)

    def __str__(self) -> str:
        shown = io.StringIO()
        print_diagnostics(self.diagnostics, shown)
        return shown.getvalue().rstrip()


def load(
    schema: str | os.PathLike[str], include: Sequence[str | os.PathLike[str]] = ()
) -> ModuleType:
    """The module that ``ampgen compile`` would make of a schema, without any files.

    ``include`` are the folders where imports are looked up, too, as with ``-I``. Each
    call makes a module of its own, of classes of their own, which stays for as long as
    the process does. Values pickle, but only this process can read them again.

    Raises :class:`SchemaError`.
    """
    loaded = load_schemas([Path(schema)], [Path(folder) for folder in include])
    return loaded.modules[loaded.schema.roots[0]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A schema, and the Python module that was made of each of its modules."""

    schema: Schema
    modules: Mapping[Module, ModuleType]

    def python(self, module: Module, name: str) -> Any:
        """What has this name in the Python module."""
        return getattr(self.modules[module], name)


def load_schemas(
    schemas: Sequence[Path | StandardInput],
    include: Sequence[Path] = (),
    disk: Disk = DISK,
) -> Loaded:
    """Compile schemas and import what comes of it; :class:`SchemaError`."""
    compiled = compile_schemas(schemas, include, disk)
    if compiled.files is None or compiled.schema is None:
        raise SchemaError(compiled.diagnostics)
    return _loaded(compiled.schema, compiled.files)


def load_schema(schema: Schema) -> Loaded:
    """The same for a schema that has been read; :class:`SchemaError`."""
    found = python.check(schema)
    if any(diagnostic.is_error for diagnostic in found):
        raise SchemaError(found)
    return _loaded(schema, python.render(schema))


def _loaded(schema: Schema, files: Mapping[str, str]) -> Loaded:
    package = f"ampgen_loaded{next(_numbers)}"
    _import(package, files, schema)
    modules = {
        module: sys.modules[".".join((package, *module_path(module.path)))]
        for module in schema.modules
    }
    return Loaded(schema, modules)


def load_texts(texts: Mapping[str, str], roots: Sequence[str]) -> Loaded:
    """The same for schemas that are no files: each text by its path, which is relative.

    ``roots`` are the paths of those that are asked for. The disk is not looked at,
    whatever a path says. Raises :class:`SchemaError`.
    """
    disk = _Texts(texts)
    named = [StandardInput(path, texts[path].encode()) for path in dict.fromkeys(roots)]
    return load_schemas(named, [Path()], disk)


class _Texts(Disk):
    """Texts, as if they lay in the working directory."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._contents = {
            self.real_path(path): text.encode() for path, text in texts.items()
        }

    def real_path(self, path: str | os.PathLike[str]) -> str:
        return os.path.abspath(path)

    def read(self, path: Path) -> bytes | None:
        return self._contents.get(self.real_path(path))


class _Loader(InspectLoader):
    """Makes modules of texts, and shows the texts to tracebacks."""

    def __init__(self, sources: Mapping[str, tuple[str, bool]]) -> None:
        self._sources = sources

    def get_source(self, fullname: str) -> str:
        return self._sources[fullname][0]

    def is_package(self, fullname: str) -> bool:
        return self._sources[fullname][1]

    def get_code(self, fullname: str) -> CodeType:
        return compile(self.get_source(fullname), f"{fullname}.py", "exec")


def _import(package: str, files: Mapping[str, str], schema: Schema) -> None:
    """Import all modules, each after what it imports, the package's own one last."""
    sources: dict[str, tuple[str, bool]] = {}
    for path, text in files.items():
        parts = path.removesuffix(".py").split("/")
        if parts[-1] == "__init__":
            sources[".".join((package, *parts[:-1]))] = text, True
        elif path.endswith(".py"):
            sources[".".join((package, *parts))] = text, False
    in_order = [
        ".".join((package, *module_path(module.path))) for module in schema.modules
    ]
    loader = _Loader(sources)
    made: dict[str, ModuleType] = {}
    for name in sorted(sources):  # a package before what is in it
        spec = spec_from_loader(name, loader)
        assert spec is not None  # noqa: S101 (there is a loader)
        made[name] = module_from_spec(spec)
    sys.modules.update(made)
    for name, module in made.items():
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(made[parent], last, module)
    packages = [name for name in made if sources[name][1] and name != package]
    for name in (*packages, *in_order, package):
        loader.exec_module(made[name])
