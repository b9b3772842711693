"""A tree without its places: what a file says, wherever it says it."""

from __future__ import annotations

import dataclasses
from typing import Any

from ampgen.source import Source, Span


def bare(node: Any) -> Any:
    """Plain tuples, equal for two files that say the same."""
    if dataclasses.is_dataclass(node):
        values = (getattr(node, field.name) for field in dataclasses.fields(node))
        kept = (bare(value) for value in values if not isinstance(value, Source | Span))
        return (type(node).__name__, *kept)
    if isinstance(node, tuple):
        items: tuple[Any, ...] = node
        return tuple(map(bare, items))
    return repr(node)  # nan is equal to itself, and -0.0 is not 0.0
