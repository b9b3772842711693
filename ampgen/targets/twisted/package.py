"""All files of the generated package: modules, their packages, what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.runtime.version import __version__
from ampgen.targets.python import names
from ampgen.targets.python.docstrings import docstring
from ampgen.targets.python.layout import Group, statement, string
from ampgen.targets.python.module import module_import
from ampgen.targets.python.ordering import dunder_all
from ampgen.targets.python.reflection import schema_path
from ampgen.targets.python.scope import Scope
from ampgen.targets.templates import environment
from ampgen.targets.twisted import imports
from ampgen.targets.twisted.planning import ATTRIBUTES, plan_module, public_names

if TYPE_CHECKING:
    from ampgen.model import Module, Schema


def render(schema: Schema) -> dict[str, str]:
    """Path inside the output folder -> text. A pure function of the schema.

    The schema has passed :func:`ampgen.targets.twisted.check`.
    """
    shared = environment().get_template("twisted/arguments.py.j2")
    files = {
        "__init__.py": _top(schema),
        "py.typed": "",
        f"{imports.ARGUMENTS}.py": shared.render(version=__version__),
    }
    scopes: dict[Module, Scope] = {}
    for module in schema.modules:
        path = names.module_path(module.path)
        for depth in range(1, len(path)):
            files.setdefault("/".join((*path[:depth], "__init__.py")), _package([]))
        files["/".join(path) + ".py"] = _module(module, scopes)
    return dict(sorted(files.items()))


def _module(module: Module, scopes: dict[Module, Scope]) -> str:
    scope = Scope(module, scopes, imports.IMPORTABLE, ATTRIBUTES)
    plan = plan_module(module, scope)
    body = environment().get_template("twisted/module.py.j2").render(module=plan)
    code = f"{body}\n{plan.quoted}"
    near = [
        module_import(scope, name, path)
        for name, path in sorted(scope.module_imports.items())
    ]
    if imports.uses_arguments(code):
        near.insert(0, f"from {'.' * len(scope.path)} import {imports.ARGUMENTS}")
    head = environment().get_template("twisted/head.py.j2")
    return head.render(
        schema=schema_path(module),
        version=__version__,
        docstring=docstring(module.doc or "", indent=0, always=False),
        annotations=scope.future_annotations,
        standard=imports.standard(code),
        others=imports.others(code),
        modules=near,
        all=_all(list(public_names(module))),
        body=body,
    )


def _top(schema: Schema) -> str:
    """``__init__.py``: the public names of the schemas named on the command line."""
    lines: list[str] = []
    exported: list[str] = []
    for module in sorted(schema.roots, key=lambda module: module.path):
        public = dunder_all(public_names(module))
        if public:
            exported += public
            group = Group("(", tuple(public), ")", bare=True)
            path = ".".join(names.module_path(module.path))
            lines.append(statement(f"from .{path} import ", group))
    return _package(lines, _all(exported))


def _all(public: list[str]) -> str:
    names_ = tuple(map(string, dunder_all(public)))
    return statement("__all__ = ", Group("[", names_, "]"))


def _package(lines: list[str], all_: str | None = None) -> str:
    template = environment().get_template("python/package.py.j2")
    return template.render(
        version=__version__, imports=lines, all=all_, deprecated=False
    )
