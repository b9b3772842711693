"""All files of the generated package: modules, their packages, what they share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.runtime.version import __version__
from ampgen.targets.mark import generated
from ampgen.targets.python import names
from ampgen.targets.python.docstrings import docstring
from ampgen.targets.python.layout import Group, statement, string
from ampgen.targets.python.module import module_import
from ampgen.targets.python.ordering import dunder_all
from ampgen.targets.python.reflection import schema_path
from ampgen.targets.python.scope import Scope
from ampgen.targets.twisted import imports
from ampgen.targets.twisted.planning import ATTRIBUTES, plan_module, public_names

if TYPE_CHECKING:
    from ampgen.model import Module, Schema
    from ampgen.targets.templates import Templates


def render(schema: Schema, templates: Templates) -> dict[str, str]:
    """Path inside the output folder -> text. A pure function of schema and templates.

    The schema has passed :func:`ampgen.targets.twisted.check`.
    """
    package = _Package(schema, templates)
    files = {
        "__init__.py": package.top(),
        "py.typed": "",
        f"{imports.ARGUMENTS}.py": templates.render(
            "twisted/arguments.py.j2",
            schema=schema,
            version=__version__,
            generated=generated(),
        ),
    }
    scopes: dict[Module, Scope] = {}
    for module in schema.modules:
        path = names.module_path(module.path)
        for depth in range(1, len(path)):
            files.setdefault("/".join((*path[:depth], "__init__.py")), package.file([]))
        files["/".join(path) + ".py"] = _module(schema, module, scopes, templates)
    return dict(sorted(files.items()))


def _module(
    schema: Schema, module: Module, scopes: dict[Module, Scope], templates: Templates
) -> str:
    scope = Scope(module, scopes, imports.IMPORTABLE, ATTRIBUTES)
    plan = plan_module(module, scope)
    given = {
        "schema": schema,
        "module": module,
        "generated": generated(schema_path(module)),
        "version": __version__,
    }
    body = templates.render("twisted/module.py.j2", **given, parts=plan)
    code = f"{body}\n{plan.quoted}"
    near = [
        module_import(scope, name, path)
        for name, path in sorted(scope.module_imports.items())
    ]
    if imports.uses_arguments(code):
        near.insert(0, f"from {'.' * len(scope.path)} import {imports.ARGUMENTS}")
    return templates.render(
        "twisted/head.py.j2",
        **given,
        docstring=docstring(module.doc or "", indent=0, always=False),
        annotations=scope.future_annotations,
        standard=imports.standard(code),
        others=imports.others(code),
        modules=near,
        all=_all(list(public_names(module))),
        body=body,
    )


class _Package:
    """The files ``__init__.py``."""

    def __init__(self, schema: Schema, templates: Templates) -> None:
        self._schema = schema
        self._templates = templates

    def top(self) -> str:
        """The public names of the schemas named on the command line."""
        lines: list[str] = []
        exported: list[str] = []
        for module in sorted(self._schema.roots, key=lambda module: module.path):
            public = dunder_all(public_names(module))
            if public:
                exported += public
                group = Group("(", tuple(public), ")", bare=True)
                path = ".".join(names.module_path(module.path))
                lines.append(statement(f"from .{path} import ", group))
        return self.file(lines, _all(exported))

    def file(self, lines: list[str], all_: str | None = None) -> str:
        return self._templates.render(
            "python/package.py.j2",
            schema=self._schema,
            version=__version__,
            generated=generated(),
            imports=lines,
            all=all_,
            deprecated=False,
        )


def _all(public: list[str]) -> str:
    names_ = tuple(map(string, dunder_all(public)))
    return statement("__all__ = ", Group("[", names_, "]"))
