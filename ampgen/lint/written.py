"""The text behind a sound model: where names are declared, and where they are used.

The model does not lead back to the tree. A lint whose fix changes more than the place
that it reports reads the files again for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

from ampgen.diagnostics.fixes import Edit, Fix
from ampgen.language import tree
from ampgen.language.parser import parse
from ampgen.model import Error, ListValue, MemberValue, Service, Struct
from ampgen.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ampgen.model import Declaration, Default, EnumMember, Field, Module, Schema

Named: TypeAlias = (
    tree.Declaration | tree.CommandDeclaration | tree.Field | tree.EnumMember
)


@dataclass(eq=False, slots=True)
class Written:
    """The trees of a schema's files, each read when it is asked for."""

    schema: Schema
    _files: dict[Module, tree.File] = field(default_factory=dict["Module", tree.File])
    _nodes: dict[Span, Named] = field(default_factory=dict[Span, Named])
    _uses: dict[tuple[Module, str], list[Span]] | None = None
    _defaults: dict[EnumMember, list[Span]] | None = None

    def node(self, module: Module, name: Span) -> Named:
        """What is declared in a module by the name at a place."""
        self._file(module)
        return self._nodes[name]

    def whole(self, declaration: Declaration) -> Span:
        """A declaration with its docs and annotations."""
        node = self.node(declaration.module, declaration.span)
        start = node.span.start if node.doc is None else node.doc.span.start
        source = node.span.source
        return Span(source, min(start, node.span.start), node.span.end)

    def uses(self, declaration: Declaration) -> Sequence[Span]:
        """The places of a declared name but for its own, in all files."""
        if self._uses is None:
            self._uses = {}
            for module in self.schema.modules:
                file = self._file(module)
                imports = zip(file.imports, module.imports, strict=True)
                homes = {_prefix(one): home for one, home in imports}
                for name in _names(file):
                    *before, last = name.parts
                    home = homes[before[0].text] if before else module
                    self._uses.setdefault((home, last.text), []).append(last.span)
        return self._uses.get((declaration.module, declaration.name), ())

    def defaults(self, member: EnumMember) -> Sequence[Span]:
        """The places where an enum's member is a default, or in one."""
        if self._defaults is None:
            self._defaults = {}
            for module in self.schema.modules:
                for one in _with_default(module):
                    node = self.node(module, one.span)
                    if one.default is not None and isinstance(node, tree.Field):
                        for found, span in _in_default(one.default, node.default):
                            self._defaults.setdefault(found, []).append(span)
        return self._defaults.get(member, ())

    def renamed(self, module: Module, name: Span, better: str, wire: str | None) -> Fix:
        """A field or command gets a better name, and keeps the one on the wire.

        ``wire`` is ``None`` where it has none.
        """
        node = self.node(module, name)
        edits = [Edit(name, better)]
        pinned = any(one.name.text == "wire" for one in node.annotations)
        if wire is not None and not pinned:
            start = Span(name.source, node.span.start, node.span.start)
            edits.insert(0, Edit(start, f'@wire("{wire}") '))
        return _renaming(better, edits)

    def replaced(
        self, name: Span, better: str, behind: str, uses: Iterable[Span]
    ) -> Fix:
        """A name is another where it is declared, with a text behind it, and used."""
        declared = Edit(name, f"{better}{behind}")
        return _renaming(better, [declared, *(Edit(use, better) for use in uses)])

    def _file(self, module: Module) -> tree.File:
        if module not in self._files:
            file, _ = parse(module.source)
            self._files[module] = file
            for node in _nodes(file):
                self._nodes[node.name.span] = node
        return self._files[module]


@lru_cache(maxsize=1)
def written(schema: Schema) -> Written:
    """Of the schema that is looked at: several lints ask."""
    return Written(schema)


def _renaming(better: str, edits: Iterable[Edit]) -> Fix:
    return Fix(f"call it `{better}`", tuple(edits))


def _prefix(one: tree.Import) -> str:
    if one.alias is not None:
        return one.alias.text
    return one.path.value.rpartition("/")[2].partition(".")[0]


def _nodes(file: tree.File) -> Iterator[Named]:
    for declaration in file.declarations:
        yield declaration
        match declaration:
            case tree.EnumDeclaration():
                yield from declaration.members
            case tree.ServiceDeclaration():
                for command in declaration.members:
                    if isinstance(command, tree.CommandDeclaration):
                        yield command
                        yield from _fields(command.arguments)
                        if isinstance(command.result, tree.ResultList):
                            yield from _fields(command.result.members)
            case tree.TypeAliasDeclaration():
                pass
            case _:
                yield from _fields(declaration.members)


def _fields(members: tuple[tree.Field | tree.Reserved, ...]) -> list[tree.Field]:
    return [member for member in members if isinstance(member, tree.Field)]


def _names(file: tree.File) -> Iterator[tree.QualifiedName]:
    for node in _nodes(file):
        match node:
            case tree.Field() | tree.TypeAliasDeclaration():
                yield from tree.names_in(node.type)
            case tree.ServiceDeclaration():
                yield from node.extends
                yield from node.calls
            case tree.CommandDeclaration():
                yield from node.raises
                if isinstance(node.result, tree.BareResult):
                    yield from tree.names_in(node.result.type)
            case _:
                pass


def _with_default(module: Module) -> Iterator[Field]:
    for declaration in module.declarations:
        match declaration:
            case Struct() | Error():
                yield from (one for one in declaration.fields if one.default)
            case Service():
                for command in declaration.commands:
                    yield from (one for one in command.arguments if one.default)
                    if command.result is not None:
                        results = command.result.fields
                        yield from (one for one in results if one.default)
            case _:
                pass


def _in_default(
    default: Default, literal: tree.Literal | None
) -> Iterator[tuple[EnumMember, Span]]:
    match default, literal:
        case MemberValue(member), tree.NameLiteral():
            yield member, literal.span
        case ListValue(items), tree.ListLiteral():
            for item, written in zip(items, literal.items, strict=True):
                yield from _in_default(item, written)
        case _:
            pass
