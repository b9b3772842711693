"""One schema file as the text of a module: planned, laid out, with its imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.model import Error, Union
from ampgen.targets.mark import generated
from ampgen.targets.python.imports import standard_imports, stub_import, used
from ampgen.targets.python.layout import Group, statement, string
from ampgen.targets.python.ordering import dunder_all
from ampgen.targets.python.planning import plan_module
from ampgen.targets.python.reflection import schema_path
from ampgen.targets.python.scope import Scope, public_names

if TYPE_CHECKING:
    from ampgen.model import Declaration, Module, Schema
    from ampgen.targets.templates import Templates


def render_module(
    schema: Schema,
    module: Module,
    scopes: dict[Module, Scope],
    version: str,
    templates: Templates,
) -> str:
    """The text of the module; ``scopes`` holds those of the modules before it."""
    scope = Scope(module, scopes)
    plan = plan_module(module, scope)
    given = {
        "schema": schema,
        "module": module,
        "generated": generated(schema_path(module)),
        "version": version,
    }
    body = templates.render(
        "python/module.py.j2",
        **given,
        parts=plan,
        b=_Builtins(scope),
    )
    imported = used(body) - {"_require_runtime"}
    deprecated = uses_deprecated(module)
    return templates.render(
        "python/head.py.j2",
        **given,
        pyright=[
            "reportPrivateUsage",  # a struct's codec is called from other modules
            "reportUnusedFunction",
            "reportUnnecessaryIsInstance",  # a caller need not use a type checker
            *(["reportIncompatibleMethodOverride"] if "_Unpack" in imported else []),
            *(["reportDeprecated"] if deprecated else []),
            *(["reportConstantRedefinition"] if _has_upper_attribute(module) else []),
        ],
        deprecated=deprecated,
        docstring=plan.docstring,
        annotations=scope.future_annotations,
        compatible=string(".".join(version.split(".")[:2])),
        standard=standard_imports(imported),
        stubs=stub_import(imported) if imported else None,
        modules=[
            module_import(scope, name, path)
            for name, path in sorted(scope.module_imports.items())
        ],
        all=statement(
            "__all__ = ",
            Group("[", tuple(map(string, dunder_all(public_names(module)))), "]"),
        ),
        body=body,
    )


class _Builtins:
    """The builtins that the templates name, as the module has to write them."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __getattr__(self, name: str) -> str:
        return self._scope.builtin(name)


def module_import(scope: Scope, name: str, path: tuple[str, ...]) -> str:
    """A relative import of another generated module."""
    here = scope.path[:-1]
    shared = 0
    while shared < min(len(here), len(path) - 1) and here[shared] == path[shared]:
        shared += 1
    package = "." * (len(here) - shared + 1) + ".".join(path[shared:-1])
    return statement(
        f"from {package} import ",
        Group("(", (f"{path[-1]} as {name}",), ")", bare=True),
    )


def uses_deprecated(module: Module) -> bool:
    """May the module name a class that is deprecated: one of its own, or an imported
    one?
    """
    reached = [module]
    for (
        near
    ) in reached:  # grows: an alias may lead further than the imports of this module
        reached += [other for other in near.imports if other not in reached]
    return any(_has_deprecated(d) for near in reached for d in near.declarations)


def _has_upper_attribute(module: Module) -> bool:
    """Is a field of an error, which its constructor sets, called like a constant?"""
    return any(
        field.name.isupper()
        for declaration in module.declarations
        if isinstance(declaration, Error)
        for field in declaration.fields
    )


def _has_deprecated(declaration: Declaration) -> bool:
    """Is a class made of it, or of a member, deprecated?"""
    members = declaration.members if isinstance(declaration, Union) else ()
    notes = (declaration.notes, *(member.notes for member in members))
    return any(note.deprecated is not None for note in notes)
