"""A struct or union that holds itself, with nothing between that may be empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen import model
from ampgen.analysis.graph import Edge, walk
from ampgen.analysis.rules import shape as rule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from ampgen.analysis.draft import Draft
    from ampgen.analysis.findings import Findings

    _Cycle: TypeAlias = tuple[Edge[model.Struct | model.Union], ...]


def check_containment(draft: Draft, findings: Findings) -> None:
    holders = [
        declared
        for scope in draft.scopes
        for _, declared in scope.bound
        if isinstance(declared, model.Struct | model.Union)
    ]
    for cycle in walk(holders, _held).cycles:
        names = [f"`{edge.source.name}`" for edge in cycle]
        first, *others = cycle
        message = (
            f"{names[0]} contains itself: {' → '.join([*names, names[0]])}"
            if others
            else f"{names[0]} contains itself"
        )
        findings.add(
            rule.CONTAINS_ITSELF,
            message,
            first.span,
            _label(cycle),
            related=[(edge.span, "and goes on here") for edge in others],
            help=_help(cycle),
        )


def _label(cycle: _Cycle) -> str:
    if any(isinstance(edge.source, model.Union) for edge in cycle):
        return "nothing between can be empty or absent"  # another member may end it
    return "a value of it would have no end"


def _help(cycle: _Cycle) -> str:
    if any(isinstance(edge.source, model.Struct) for edge in cycle):
        return "put a list, a map or a `?` between"
    return "put a list, a map or a struct with an optional field between"


def _held(
    holder: model.Struct | model.Union,
) -> Iterator[Edge[model.Struct | model.Union]]:
    fields = holder.fields if isinstance(holder, model.Struct) else holder.members
    for field in fields:
        if isinstance(field.type, model.Struct | model.Union) and not field.optional:
            yield Edge(holder, field.type, field.span)
