"""A tree without its places: what a file says, wherever it says it."""

from __future__ import annotations

import dataclasses
from typing import Any

from ampgen.source import Source, Span


def bare(node: Any) -> Any:
    """Plain tuples, equal for two files that say the same."""
    if dataclasses.is_dataclass(node):
        values = (getattr(node, field.name) for field in dataclasses.fields(node))
        kept = (value for value in values if not isinstance(value, Source | Span))
        return (type(node).__name__, *map(bare, kept))
    if isinstance(node, tuple):
        return _each(node)
    return repr(node)  # nan is equal to itself, and -0.0 is not 0.0


def _each(nodes: Any) -> tuple[Any, ...]:
    return tuple(map(bare, nodes))
