"""Fill the model: bind every name, see through every alias, read every default.

What is refused on the way is reported and left out, so that nothing follows from it;
the checks that need the whole schema run afterwards, over the draft that is returned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen import model
from ampgen.analysis.annotations import Place, read_annotations
from ampgen.analysis.boxes import BoxReader
from ampgen.analysis.draft import BoundCommand, BoundEnum, BoundService, Draft
from ampgen.analysis.graph import Edge, walk
from ampgen.analysis.names import check_names
from ampgen.analysis.rules import names as rule
from ampgen.analysis.scope import BUILT_IN_TYPES, ERROR, SERVICE
from ampgen.analysis.types import Slot, TypeResolver
from ampgen.diagnostics.fixes import Edit, Fix
from ampgen.language import tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeVar

    from ampgen.analysis.defaults import MayHold
    from ampgen.analysis.findings import Findings
    from ampgen.analysis.scope import Kind, Scope
    from ampgen.source import Span

    Found = TypeVar("Found", bound=model.Declaration)


def resolve(scopes: Sequence[Scope], findings: Findings) -> Draft:
    draft = Draft(scopes)
    _resolve_enums(draft, findings)  # first: a default may be a member
    _resolve_aliases(scopes, findings)  # then: a field may be of any of them
    by_module = {id(scope.module): scope for scope in scopes}

    def may_hold(enum: model.Enum, member: str, used_at: Span) -> bool:
        return by_module[id(enum.module)].file.may_mention(member, used_at)

    for scope in scopes:
        _Resolver(draft, scope, may_hold, findings).resolve()
    return draft


def _resolve_enums(draft: Draft, findings: Findings) -> None:
    for scope in draft.scopes:
        for node, enum in scope.bound:
            if isinstance(node, tree.EnumDeclaration) and isinstance(enum, model.Enum):
                draft.enums.append(_resolve_enum(node, enum, findings))


def _resolve_enum(
    node: tree.EnumDeclaration, enum: model.Enum, findings: Findings
) -> BoundEnum:
    enum.notes = read_annotations(
        node.annotations, node.doc, Place.ENUM, findings
    ).notes
    duplicates = check_names([m.name for m in node.members], "member", findings)
    members: list[tuple[tree.EnumMember, model.EnumMember]] = []
    for member in node.members:
        annotated = read_annotations(
            member.annotations, member.doc, Place.ENUM_MEMBER, findings
        )
        if id(member.name) not in duplicates:
            value = member.name.text if member.value is None else member.value.value
            bound = model.EnumMember(
                member.name.text, value, member.name.span, annotated.notes
            )
            members.append((member, bound))
    enum.members = tuple(bound for _, bound in members)
    return BoundEnum(node, tuple(members))


def _resolve_aliases(scopes: Sequence[Scope], findings: Findings) -> None:
    """Aliases in the order in which they refer to one another, cycles refused."""
    home: dict[int, tuple[tree.TypeAliasDeclaration, Scope]] = {}
    aliases: list[model.Alias] = []
    for scope in scopes:
        for node, alias in scope.bound:
            if isinstance(node, tree.TypeAliasDeclaration) and isinstance(
                alias, model.Alias
            ):
                home[id(alias)] = node, scope
                aliases.append(alias)

    def edges(alias: model.Alias) -> Iterator[Edge[model.Alias]]:
        node, scope = home[id(alias)]
        for name in _names_in(node.type):
            target = scope.peek(name)
            if isinstance(target, model.Alias) and name.text not in BUILT_IN_TYPES:
                yield Edge(alias, target, name.span)

    found = walk(aliases, edges)
    in_cycle: set[int] = set()
    for cycle in found.cycles:
        in_cycle |= {id(edge.source) for edge in cycle}
        first, *others = cycle
        shown = [f"`{edge.source.name}`" for edge in cycle]
        findings.add(
            rule.ALIAS_CYCLE,
            f"alias cycle: {' → '.join([*shown, shown[0]])}"
            if others
            else f"alias {shown[0]} stands for itself",
            first.span,
            "it names no type in the end",
            related=[(edge.span, "and goes on here") for edge in others],
            help="declare one of them as a struct"
            if others
            else "write the type that it stands for",
        )
    for alias in found.order:
        node, scope = home[id(alias)]
        alias.notes = read_annotations(
            node.annotations, node.doc, Place.ALIAS, findings
        ).notes
        if node.type is not None:
            resolved = TypeResolver(scope, findings).alias(node.type)
            alias.type = None if id(alias) in in_cycle else resolved


def _names_in(type_: tree.Type | None) -> Iterator[tree.QualifiedName]:
    waiting = [] if type_ is None else [type_]
    while waiting:
        node = waiting.pop()
        match node:
            case tree.NamedType():
                yield node.name
            case tree.MapType():
                waiting += (node.value, node.key)
            case _:
                waiting.append(node.item)


class _Resolver:
    """Resolves what one file declares, but for its enums and aliases."""

    def __init__(
        self,
        draft: Draft,
        scope: Scope,
        may_hold: MayHold,
        findings: Findings,
    ) -> None:
        self._draft = draft
        self._scope = scope
        self._findings = findings
        self._boxes = BoxReader(
            TypeResolver(scope, findings), may_hold, draft.boxes, findings
        )

    def resolve(self) -> None:
        for pair in self._scope.bound:
            match pair:
                case tree.StructDeclaration() as node, model.Struct() as struct:
                    struct.notes = self._notes(node, Place.STRUCT)
                    struct.fields = self._boxes.read(node.members, Slot.STRUCT_FIELD)
                    struct.reserved = _reserved(node.members)
                case tree.UnionDeclaration() as node, model.Union() as union:
                    union.notes = self._notes(node, Place.UNION)
                    union.members = self._boxes.read(node.members, Slot.UNION_MEMBER)
                    union.reserved = _reserved(node.members)
                case tree.ErrorDeclaration() as node, model.Error() as error:
                    error.notes = self._notes(node, Place.ERROR)
                    error.fields = self._boxes.read(node.members, Slot.ERROR_FIELD)
                    error.reserved = _reserved(node.members)
                    self._draft.errors.append((node, error))
                case tree.ServiceDeclaration() as node, model.Service() as service:
                    self._service(node, service)
                case _:
                    pass  # enums and aliases are resolved already

    def _notes(self, node: tree.Declaration, place: Place) -> model.Notes:
        return read_annotations(node.annotations, node.doc, place, self._findings).notes

    def _service(self, node: tree.ServiceDeclaration, service: model.Service) -> None:
        service.notes = self._notes(node, Place.SERVICE)
        extends = self._listed(node.extends, SERVICE, model.Service, "extends")
        calls = self._listed(node.calls, SERVICE, model.Service, "calls")
        service.extends = tuple(base for _, base in extends)
        service.calls = tuple(called for _, called in calls)
        commands = [m for m in node.members if isinstance(m, tree.CommandDeclaration)]
        duplicates = check_names([c.name for c in commands], "command", self._findings)
        bound = tuple(
            self._command(command, service, id(command.name) in duplicates)
            for command in commands
        )
        service.commands = tuple(command.command for command in bound)
        service.reserved = _reserved(node.members)
        self._draft.services.append(
            BoundService(
                node,
                service,
                bound,
                tuple(extends),
                tuple(
                    key
                    for member in node.members
                    if isinstance(member, tree.Reserved)
                    for key in member.keys
                ),
            )
        )

    def _command(
        self, node: tree.CommandDeclaration, service: model.Service, duplicate: bool
    ) -> BoundCommand:
        annotated = read_annotations(
            node.annotations, node.doc, Place.COMMAND, self._findings
        )
        errors = self._listed(node.raises, ERROR, model.Error, "raises")
        arguments = self._boxes.read(node.arguments, Slot.ARGUMENT)
        streams = tuple(
            member.type.keyword.span
            for member in node.arguments
            if isinstance(member, tree.Field)
            and isinstance(member.type, tree.ModifiedType)
            and member.type.keyword.text == "stream"
        )
        result, result_stream = self._result(node.result)
        command = model.Command(
            name=node.name.text,
            wire=node.name.text if annotated.wire is None else annotated.wire.value,
            service=service,
            span=node.name.span,
            notes=annotated.notes,
            arguments=arguments,
            result=result,
            errors=tuple(error for _, error in errors),
            oneway=node.oneway,
            timeout=annotated.timeout,
            idempotent=annotated.idempotent,
            reserved=_reserved(node.arguments),
        )
        return BoundCommand(
            node, command, annotated, streams, result_stream, tuple(errors), duplicate
        )

    def _result(
        self, node: tree.ResultList | tree.BareResult | None
    ) -> tuple[model.Result | None, Span | None]:
        match node:
            case None:
                return None, None
            case tree.ResultList():
                slot = Slot.RESULT if node.stream is None else Slot.ITEM
                fields = self._boxes.read(node.members, slot)
                stream = None if node.stream is None else node.stream.span
                return (
                    model.Result(
                        fields,
                        bare=False,
                        stream=stream is not None,
                        reserved=_reserved(node.members),
                    ),
                    stream,
                )
            case tree.BareResult():
                field, stream = self._boxes.read_bare(node)
                if field is None:
                    return None, stream
                return model.Result((field,), bare=True, stream=field.stream), stream

    def _listed(
        self,
        names: Sequence[tree.QualifiedName],
        kind: Kind,
        wanted: type[Found],
        clause: str,
    ) -> list[tuple[tree.QualifiedName, Found]]:
        """What a ``raises``, ``extends`` or ``calls`` lists, each once."""
        found: list[tuple[tree.QualifiedName, Found]] = []
        first: dict[int, tree.QualifiedName] = {}
        for name in names:
            declared = self._scope.find(name, kind, self._findings)
            if not isinstance(declared, wanted):
                continue
            earlier = first.setdefault(id(declared), name)
            if earlier is name:
                found.append((name, declared))
                continue
            self._findings.add(
                rule.LISTED_TWICE,
                f"`{name.text}` is listed twice behind `{clause}`",
                name.span,
                "listed again here",
                related=[(earlier.span, "first listed here")],
                help="remove one of them",
                fix=_without_item(name),
            )
        return found


def _without_item(name: tree.QualifiedName) -> Fix | None:
    """An item of a list goes, and the comma before it."""
    span = name.span
    before = span.source.text[: span.start].rstrip()
    if not before.endswith(","):
        return None  # a comment lies between
    whole = type(span)(span.source, len(before) - 1, span.end)
    return Fix(f"remove `{name.text}`", (Edit(whole, ""),), safe=True)


def _reserved(members: Sequence[object]) -> tuple[str, ...]:
    return tuple(
        key.value
        for member in members
        if isinstance(member, tree.Reserved)
        for key in member.keys
    )
