"""All files of the generated package: modules, their packages, ``py.typed``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.runtime.version import __version__
from ampgen.targets.python import names
from ampgen.targets.python.layout import Group, statement, string
from ampgen.targets.python.module import render_module, uses_deprecated
from ampgen.targets.python.ordering import dunder_all
from ampgen.targets.python.scope import Scope, public_names
from ampgen.targets.templates import environment

if TYPE_CHECKING:
    from ampgen.model import Module, Schema


def render(schema: Schema) -> dict[str, str]:
    """Path inside the output folder -> text. A pure function of the schema.

    The schema has passed :func:`ampgen.targets.python.check`.
    """
    files = {"__init__.py": _top(schema), "py.typed": ""}
    scopes: dict[Module, Scope] = {}
    for module in schema.modules:
        text = render_module(module, scopes, __version__)
        path = names.module_path(module.path)
        for depth in range(1, len(path)):
            files.setdefault("/".join((*path[:depth], "__init__.py")), _package([]))
        files["/".join(path) + ".py"] = text
    return dict(sorted(files.items()))


def _top(schema: Schema) -> str:
    """``__init__.py``: the public names of the schemas named on the command line.

    In whatever order they are named: a shell's ``*.amp`` is sorted otherwise elsewhere.
    """
    imports: list[str] = []
    exported: list[str] = []
    for module in sorted(schema.roots, key=lambda module: module.path):
        public = dunder_all(public_names(module))
        if not public:
            continue
        exported += public
        group = Group("(", tuple(public), ")", bare=True)
        path = ".".join(names.module_path(module.path))
        imports.append(statement(f"from .{path} import ", group))
    everything = statement(
        "__all__ = ", Group("[", tuple(map(string, dunder_all(exported))), "]")
    )
    return _package(
        imports, everything, deprecated=any(map(uses_deprecated, schema.roots))
    )


def _package(
    imports: list[str], all_: str | None = None, *, deprecated: bool = False
) -> str:
    template = environment().get_template("python/package.py.j2")
    return template.render(
        version=__version__, imports=imports, all=all_, deprecated=deprecated
    )
