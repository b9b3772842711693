"""Templates of a project's before ours: rendered, and what they make looked at."""

from __future__ import annotations

import warnings
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from ampgen.diagnostics import Diagnostic, Label
from ampgen.diagnostics.suggest import did_you_mean
from ampgen.runtime.version import __version__
from ampgen.source import Source, shown_path
from ampgen.targets.mark import generated, is_marked
from ampgen.targets.owntemplates.faults import describe, line_span
from ampgen.targets.owntemplates.loading import (
    OURS,
    Loader,
    UnreadableTemplate,
    ours,
)
from ampgen.targets.owntemplates.rules import BAD_FILE, FAILS, NO_PYTHON, UNUSED
from ampgen.targets.owntemplates.vocabulary import FILTERS, TESTS
from ampgen.targets.python import names
from ampgen.targets.python.reflection import schema_path
from ampgen.targets.templates import Templates, environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ampgen.disk import Disk
    from ampgen.model import Schema

FILES = "files"
SUFFIX = ".j2"
MODULE = "{module}"

# What a template is told of where it asks for something else.
_GIVEN = ("schema", "module", "generated", "version")
_IN_CLASSES = "plan"


class Fault(Exception):
    """Nothing can be made, for what the diagnostic tells."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic.message)
        self.diagnostic = diagnostic


class Own(Templates):
    """:class:`Fault` where there is no such folder, and where a template fails."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._loader = Loader(folder, disk)
        super().__init__(environment(self._loader))
        self.environment.filters |= FILTERS
        self.environment.tests |= TESTS
        self._folder = folder
        self._made_by: dict[str, str] = {}
        try:
            found = disk.below(folder, SUFFIX)
        except OSError as error:
            message = f"cannot read `{shown_path(folder)}`: {error.strerror}"
            raise Fault(Diagnostic(FAILS, message, None)) from None
        self._found = [path.relative_to(folder).as_posix() for path in found]

    def render(self, name: str, **values: Any) -> str:
        try:
            return super().render(name, **values)
        except UnreadableTemplate as error:
            raise Fault(Diagnostic(FAILS, str(error), None)) from None
        except Exception as error:
            helpers = {
                "filter": self.environment.filters,
                "test": self.environment.tests,
            }
            known = [*ours(), *(OURS + one for one in ours()), *self._found]
            given = [one for one in _GIVEN if one in values]
            given += [_IN_CLASSES] if "parts" in values else []
            sources = self._loader.sources
            told = describe(error, name, sources, known, given, helpers)
            raise Fault(told) from None

    def further(self, schema: Schema, made: Mapping[str, str]) -> dict[str, str]:
        """What the templates in ``files/`` make, beside what is ``made``."""
        files: dict[str, str] = {}
        for template in self._found:
            path = PurePosixPath(template)
            if path.parts[0] != FILES or path.name.startswith("."):
                continue
            name = str(path.relative_to(FILES)).removesuffix(SUFFIX)
            for file, text in self._files(template, name, schema):
                self._made_by[file] = template
                label = self._maker(file)[1]
                if file in made or file in files:
                    what = (
                        f"template `{template}` makes `{file}`, which is made already"
                    )
                    help_ = "give it another name"
                    raise Fault(Diagnostic(BAD_FILE, what, label, help=help_))
                if not is_marked(file, text.encode(errors="replace")):
                    raise Fault(self._unmarked(template, file, label))
                files[file] = text
        self._refuse_nested({*made, *files})
        return files

    def _refuse_nested(self, files: set[str]) -> None:
        """A path cannot be a file, and a folder for another file."""
        for file in sorted(files):
            for outer in files.intersection(map(str, PurePosixPath(file).parents)):
                own = file if file in self._made_by else outer
                template, label = self._maker(own)
                what = (
                    f"template `{template}` makes `{own}`, and `{outer}` would be"
                    " a file and a folder"
                )
                help_ = "give it another name"
                raise Fault(Diagnostic(BAD_FILE, what, label, help=help_))

    def _files(
        self, template: str, name: str, schema: Schema
    ) -> Iterator[tuple[str, str]]:
        given = {"schema": schema, "version": __version__}
        if MODULE not in name:
            yield name, self.render(template, **given, generated=generated())
            return
        for module in schema.modules:
            path = "/".join(names.module_path(module.path))
            yield (
                name.replace(MODULE, path),
                self.render(
                    template,
                    **given,
                    module=module,
                    generated=generated(schema_path(module)),
                ),
            )

    # --- what was made ----------------------------------------------------------------

    def faults(self, files: Mapping[str, str]) -> tuple[Diagnostic, ...]:
        """What is wrong with all that was made."""
        return (*self._unused(), *self._ill_made(files))

    def _unused(self) -> Iterator[Diagnostic]:
        known = ours()
        for name in self._found:
            near = did_you_mean(name, known)
            if name in self._loader.loaded or name in known or near is None:
                continue
            path = shown_path(self._folder / name)
            yield Diagnostic(
                UNUSED,
                f"nothing uses the template `{path}`",
                None,
                help=f"ours is called `{near}`",
            )
        if not any(
            name in known or name.startswith(f"{FILES}/") for name in self._found
        ):
            yield Diagnostic(
                UNUSED,
                f"nothing uses the templates in `{shown_path(self._folder)}`",
                None,
                help=f"ours are {', '.join(known)}; files of your own are made by what"
                f" lies in {FILES}/",
            )

    def _ill_made(self, files: Mapping[str, str]) -> Iterator[Diagnostic]:
        """Files that are no text, no Python, or would not be known again."""
        for path, text in files.items():
            template, label = self._maker(path)
            odd = _unencodable(text)
            if odd is not None:
                message = f"template `{template}` makes `{path}`, which is no text"
                help_ = f"UTF-8 has no character {odd!r}"
                yield Diagnostic(BAD_FILE, message, label, help=help_)
                continue
            if not path.endswith(".py"):
                continue
            if not is_marked(path, text.encode()):
                yield self._unmarked(template, path, label)
                continue
            problem = _syntax_error(text)
            if problem is not None:
                what, line = problem
                at = Label(line_span(Source(f"<{path}>", text), line), what)
                message = f"template `{template}` makes `{path}`, which is no Python"
                yield Diagnostic(NO_PYTHON, message, label, (at,))

    def _unmarked(self, template: str, file: str, label: Label | None) -> Diagnostic:
        comment = "`# {{ generated }}`" if file.endswith(".py") else "a comment"
        return Diagnostic(
            BAD_FILE,
            f"template `{template}` makes `{file}`, which has no mark",
            label,
            help=f"begin it with {comment}"
            + ("" if file.endswith(".py") else " that says `{{ generated }}`"),
        )

    def _maker(self, file: str) -> tuple[str, Label | None]:
        """The template of the project's that made the file, or may have."""
        used = [n for n in self._loader.loaded if not n.startswith(f"{FILES}/")]
        name = self._made_by.get(file) or min(used, default="")
        source = self._loader.sources.get(shown_path(self._folder / name))
        return name, Label(line_span(source, 1)) if source else None


def _unencodable(text: str) -> str | None:
    """The first character that cannot be written, if there is one."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return text[error.start]
    return None


def _syntax_error(text: str) -> tuple[str, int] | None:
    """What Python has against it, and in which line."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an escape, say: it is Python
            compile(text, "<generated>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return error.msg, error.lineno or 1
    except ValueError as error:  # a character that Python does not take
        return str(error), 1
    return None
