"""A schema's text in its canonical form, of the parts that somebody asks for."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ampgen.language import tree
from ampgen.language.parser import parse
from ampgen.language.printer import canonical_docs
from ampgen.model import Alias, ListType, MapType, ScalarType, Struct, Union
from ampgen.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ampgen.model import Command, Declaration, Enum, Error, Field, Module, Type


def module_text(module: Module) -> str:
    """All of it, with docs and without other comments."""
    return canonical_docs(module.source.text)


def declaration_text(declaration: Declaration) -> str:
    return _shown(_node(declaration))


def command_text(command: Command) -> str:
    """The command, and what one has to know to call it: types, aliases and errors."""
    named = ((one.module, _node(one)) for one in _named_by(command))
    own = command.service.module, _command(command)
    return "\n".join(_with_aliases([own, *named]))


# --- what a command names -------------------------------------------------------------


def _with_aliases(
    written: Iterable[tuple[Module, tree.Declaration | tree.CommandDeclaration]],
) -> Iterator[str]:
    """Each, and behind it the aliases that it is the first to be written with.

    The model sees through them, and has no place of them to go by.
    """
    shown: set[Alias] = set()
    waiting = list(written)[::-1]
    while waiting:
        module, node = waiting.pop()
        yield _shown(node)
        found = [one for one in _aliases(module, node) if one not in shown]
        shown.update(found)
        waiting += ((one.module, _node(one)) for one in reversed(found))


def _aliases(
    module: Module, node: tree.Declaration | tree.CommandDeclaration
) -> dict[Alias, None]:
    """Those that a declaration of this module is written with."""
    found: dict[Alias, None] = {}
    for name in _names_in(node):
        *prefix, last = name.text.split(".")
        for home in module.imports if prefix else (module,):
            for one in home.declarations:
                if isinstance(one, Alias) and one.name == last:
                    found[one] = None
    return found


def _names_in(
    node: tree.Declaration | tree.CommandDeclaration,
) -> Iterator[tree.QualifiedName]:
    """The names of types, as a declaration is written."""
    match node:
        case tree.TypeAliasDeclaration():
            types = [node.type]
        case tree.CommandDeclaration(result=tree.BareResult(type=bare)):
            types = [*_types(node.arguments), bare]
        case tree.CommandDeclaration(result=tree.ResultList(members=results)):
            types = [*_types(node.arguments), *_types(results)]
        case tree.CommandDeclaration():
            types = _types(node.arguments)
        case (
            tree.StructDeclaration() | tree.UnionDeclaration() | tree.ErrorDeclaration()
        ):
            types = _types(node.members)
        case tree.EnumDeclaration() | tree.ServiceDeclaration():
            types = []
    for type_ in types:
        yield from tree.names_in(type_)


def _types(members: Sequence[tree.Field | tree.Reserved]) -> list[tree.Type | None]:
    return [member.type for member in members if isinstance(member, tree.Field)]


def _named_by(command: Command) -> list[Enum | Struct | Union | Error]:
    """What one has to know to call it: errors and types, and the types in those."""
    found: dict[Enum | Struct | Union | Error, None] = {}

    def visit(type_: Type) -> None:
        match type_:
            case ScalarType():
                pass
            case ListType(item):
                visit(item)
            case MapType(key, value):
                visit(key)
                visit(value)
            case _ if type_ not in found:
                found[type_] = None
                if isinstance(type_, Struct):
                    visit_all(type_.fields)
                elif isinstance(type_, Union):
                    visit_all(type_.members)
            case _:
                pass

    def visit_all(fields: Sequence[Field]) -> None:
        for field in fields:
            visit(field.type)

    visit_all(command.arguments)
    if command.result is not None:
        visit_all(command.result.fields)
    for error in command.errors:
        found[error] = None
        visit_all(error.fields)
    return list(found)


# --- the text of one declaration ------------------------------------------------------


def _command(command: Command) -> tree.CommandDeclaration:
    service = _node(command.service)
    if isinstance(service, tree.ServiceDeclaration):
        for member in service.members:
            if (
                isinstance(member, tree.CommandDeclaration)
                and member.name.text == command.name
            ):
                return member
    raise AssertionError("the text has all that the model has")


def _node(declaration: Declaration) -> tree.Declaration:
    module = declaration.module
    file, _ = parse(Source(module.source.path, module_text(module)))
    for node in file.declarations:
        if node.name.text == declaration.name:
            return node
    raise AssertionError("the text has all that the model has")


def _shown(node: tree.Declaration | tree.CommandDeclaration) -> str:
    """Whole lines, from the docs on."""
    text = node.span.source.text
    starts = [node.span.start, *(one.span.start for one in node.annotations)]
    if node.doc is not None:
        starts.append(node.doc.span.start)
    start = text.rfind("\n", 0, min(starts)) + 1
    end = text.find("\n", node.span.end)
    return textwrap.dedent(text[start : len(text) if end < 0 else end]) + "\n"
