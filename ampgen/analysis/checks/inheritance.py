"""A service and all that it extends: no circle, one command per name and wire name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ampgen.analysis.checks.keys import quoted
from ampgen.analysis.checks.values import command_span
from ampgen.analysis.graph import Edge, walk
from ampgen.analysis.rules import names as name_rule
from ampgen.analysis.rules import wire as rule
from ampgen.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ampgen.analysis.draft import BoundCommand, BoundService, Draft
    from ampgen.analysis.findings import Findings
    from ampgen.language import tree
    from ampgen.source import Span


def check_extends_cycles(draft: Draft, findings: Findings) -> None:
    for cycle in walk(draft.services, _bases(draft)).cycles:
        first, *others = cycle
        names = [f"`{edge.source.service.name}`" for edge in cycle]
        findings.add(
            name_rule.EXTENDS_CYCLE,
            f"`extends` cycle: {' → '.join([*names, names[0]])}"
            if others
            else f"service {names[0]} extends itself",
            first.span,
            "the cycle starts here" if others else "it has its own commands anyway",
            related=[(edge.span, "and goes on here") for edge in others],
            help="move what they share into a service that all of them extend"
            if others
            else "remove it",
        )


@dataclass(slots=True)
class _Table:
    """What a service has with all that it extends."""

    by_name: dict[str, BoundCommand] = field(default_factory=dict[str, "BoundCommand"])
    by_wire: dict[str, BoundCommand] = field(default_factory=dict[str, "BoundCommand"])
    reserved: dict[str, tree.StringLiteral] = field(
        default_factory=dict[str, "tree.StringLiteral"]
    )


def check_inherited(draft: Draft, findings: Findings) -> None:
    """Own and inherited commands of each service, bases first.

    Two commands that clash are reported once, in the first service that has both.
    """
    bases = _bases(draft)
    tables: dict[int, _Table] = {}
    reported: set[frozenset[int]] = set()
    for service in walk(draft.services, bases).order:
        table = _Table()
        merge = _Merge(table, reported, findings)
        for edge in bases(service):
            inherited = tables.get(id(edge.target))  # not there in a cycle
            if inherited is None:
                continue
            for command in inherited.by_name.values():
                merge.inherit(command, edge.span)
            table.reserved |= inherited.reserved
        table.reserved |= {literal.value: literal for literal in service.reserved}
        for command in service.commands:
            if not command.duplicate:
                merge.own(command)
        merge.refuse_reserved(service)
        tables[id(service)] = table


def _bases(draft: Draft) -> Callable[[BoundService], Iterator[Edge[BoundService]]]:
    by_service = {id(bound.service): bound for bound in draft.services}

    def edges(bound: BoundService) -> Iterator[Edge[BoundService]]:
        for name, base in bound.extends:
            yield Edge(bound, by_service[id(base)], name.span)

    return edges


@frozen
class _Merge:
    table: _Table
    reported: set[frozenset[int]]
    findings: Findings

    def inherit(self, command: BoundCommand, at: Span) -> None:
        clash = self._enter(command)
        if clash is None:
            return
        earlier, by_name = clash
        first, second = _described(earlier), _described(command)
        wire = quoted(command.command.wire)
        self.findings.add(
            name_rule.INHERITED_TWICE if by_name else rule.DUPLICATE_COMMAND,
            f"{first} and {second} have one name"
            if by_name
            else f"{first} and {second} have one wire name, {wire}",
            at,
            "extends both",
            related=[
                (_place(earlier, by_name), "one is here"),
                (_place(command, by_name), "the other one is here"),
            ],
            help="rename one of them"
            if by_name
            else 'pin another wire name with `@wire("…")`',
        )

    def own(self, command: BoundCommand) -> None:
        wire = command.command.wire
        clash = self._enter(command)
        if clash is None:
            return
        earlier, by_name = clash
        name = command.command.name
        if by_name:
            self.findings.add(
                name_rule.INHERITED_TWICE,
                f"command `{name}` is inherited already",
                command.node.name.span,
                "declared again here",
                related=[
                    (
                        earlier.node.name.span,
                        f"inherited from `{earlier.command.service.name}`",
                    )
                ],
                help="rename it, or leave it out if it is the same",
            )
        else:
            self.findings.add(
                rule.DUPLICATE_COMMAND,
                f"commands `{earlier.command.name}` and `{name}` have one wire name, "
                f"{quoted(wire)}",
                command_span(command),
                "used again here",
                related=[(command_span(earlier), "first used here")],
                help='pin another wire name with `@wire("…")`',
            )

    def refuse_reserved(self, service: BoundService) -> None:
        """Commands, own or inherited, whose wire name is reserved here or in a base."""
        for wire, command in self.table.by_wire.items():
            literal = self.table.reserved.get(wire)
            if literal is None or not self._is_news(literal, command):
                continue
            here = (command_span(command), "an old peer would mean the old command")
            there = (literal.span, "reserved here")
            if command.command.service is not service.service:
                here = (command_span(command), "the command is here")
                if literal not in service.reserved:
                    name = service.node.name.span
                    self._refuse_reserved(wire, (name, "has both"), [there, here])
                    continue
                here, there = there, here
            self._refuse_reserved(wire, here, [there])

    def _refuse_reserved(
        self, wire: str, at: tuple[Span, str], related: list[tuple[Span, str]]
    ) -> None:
        self.findings.add(
            rule.RESERVED_KEY,
            f"wire name {quoted(wire)} is reserved",
            *at,
            related=related,
            help='choose another name, or pin another wire name with `@wire("…")`',
        )

    def _is_news(self, one: object, other: object) -> bool:
        """Has this pair not been reported in a base?"""
        pair = frozenset({id(one), id(other)})
        if pair in self.reported:
            return False
        self.reported.add(pair)
        return True

    def _enter(self, command: BoundCommand) -> tuple[BoundCommand, bool] | None:
        """Note a command; if another has its name or wire name, that one.

        The second half of the answer tells that it is the name.
        """
        same_name = self.table.by_name.setdefault(command.command.name, command)
        same_wire = self.table.by_wire.setdefault(command.command.wire, command)
        earlier = same_wire if same_name is command else same_name
        if earlier is command or not self._is_news(earlier, command):
            return None
        return earlier, same_name is not command


def _place(command: BoundCommand, by_name: bool) -> Span:
    return command.node.name.span if by_name else command_span(command)


def _described(command: BoundCommand) -> str:
    return f"`{command.command.name}` of `{command.command.service.name}`"
