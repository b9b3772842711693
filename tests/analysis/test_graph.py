"""Order and cycles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ampgen.analysis.graph import Edge, Walk, walk
from ampgen.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

NOWHERE = Span(Source("", ""), 0, 0)


def walked(graph: dict[str, str]) -> Walk[str]:
    nodes = {name: name for name in graph}  # told apart by identity

    def edges(node: str) -> Iterator[Edge[str]]:
        for target in graph[node]:
            yield Edge(node, nodes[target], NOWHERE)

    return walk(nodes.values(), edges)


def cycles(graph: dict[str, str]) -> list[str]:
    return ["".join(edge.source for edge in cycle) for cycle in walked(graph).cycles]


@pytest.mark.parametrize(
    ("graph", "order"),
    [
        ({}, ""),
        ({"a": "bc", "b": "d", "c": "d", "d": ""}, "dbca"),
        ({"a": "", "b": "a", "c": "ab"}, "abc"),
        ({"a": "b", "b": "a"}, "ba"),
    ],
)
def test_what_is_referred_to_comes_first(graph: dict[str, str], order: str) -> None:
    assert "".join(walked(graph).order) == order


@pytest.mark.parametrize(
    ("graph", "found"),
    [
        ({"a": "bb", "b": ""}, []),
        ({"a": "bc", "b": "d", "c": "d", "d": ""}, []),
        ({"a": "a"}, ["a"]),
        ({"a": "b", "b": "c", "c": "a"}, ["abc"]),
        ({"a": "b", "b": "c", "c": "b"}, ["bc"]),
        ({"a": "b", "b": "a", "c": "d", "d": "ca"}, ["ab", "cd"]),
        ({"a": "bc", "b": "a", "c": "a"}, ["ab", "ac"]),
        ({"a": "abc", "b": "abc", "c": "abc"}, ["a", "ab", "abc"]),
    ],
)
def test_a_knot_is_told_without_repeating_it(
    graph: dict[str, str], found: list[str]
) -> None:
    assert cycles(graph) == found
