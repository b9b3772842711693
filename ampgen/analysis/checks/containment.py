"""A struct or union that holds itself, with nothing between that may be empty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen import model
from ampgen.analysis.graph import Edge, walk
from ampgen.analysis.rules import shape as rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.analysis.draft import Draft
    from ampgen.analysis.findings import Findings


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
            "a value of it would have no end",
            related=[(edge.span, "and goes on here") for edge in others],
            help="put a list, a map or a `?` between",
        )


def _held(
    holder: model.Struct | model.Union,
) -> Iterator[Edge[model.Struct | model.Union]]:
    fields = holder.fields if isinstance(holder, model.Struct) else holder.members
    for field in fields:
        if isinstance(field.type, model.Struct | model.Union) and not field.optional:
            yield Edge(holder, field.type, field.span)
