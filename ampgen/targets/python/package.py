"""All files of the generated package: modules, their packages, ``py.typed``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.runtime.version import __version__
from ampgen.targets.mark import generated
from ampgen.targets.python import names
from ampgen.targets.python.layout import Group, statement, string
from ampgen.targets.python.module import render_module, uses_deprecated
from ampgen.targets.python.ordering import dunder_all
from ampgen.targets.python.scope import Scope, public_names
from ampgen.targets.templates import Templates, ours

if TYPE_CHECKING:
    from ampgen.model import Module, Schema


def render(schema: Schema, templates: Templates | None = None) -> dict[str, str]:
    """Path inside the output folder -> text. A pure function of the schema.

    Of the templates as well, where they are not ours. The schema has passed
    :func:`ampgen.targets.python.check`.
    """
    templates = templates or ours()
    package = _Package(schema, templates)
    files = {"__init__.py": package.top(), "py.typed": ""}
    scopes: dict[Module, Scope] = {}
    for module in schema.modules:
        text = render_module(schema, module, scopes, __version__, templates)
        path = names.module_path(module.path)
        for depth in range(1, len(path)):
            files.setdefault("/".join((*path[:depth], "__init__.py")), package.file([]))
        files["/".join(path) + ".py"] = text
    return dict(sorted(files.items()))


class _Package:
    """The files ``__init__.py``."""

    def __init__(self, schema: Schema, templates: Templates) -> None:
        self._schema = schema
        self._templates = templates

    def top(self) -> str:
        """The public names of the schemas named on the command line.

        In whatever order they are named: a shell's ``*.amp`` is sorted otherwise
        elsewhere.
        """
        imports: list[str] = []
        exported: list[str] = []
        roots = self._schema.roots
        for module in sorted(roots, key=lambda module: module.path):
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
        deprecated = any(map(uses_deprecated, roots))
        return self.file(imports, everything, deprecated=deprecated)

    def file(
        self, imports: list[str], all_: str | None = None, *, deprecated: bool = False
    ) -> str:
        return self._templates.render(
            "python/package.py.j2",
            schema=self._schema,
            version=__version__,
            generated=generated(),
            imports=imports,
            all=all_,
            deprecated=deprecated,
        )
