"""Depth-first order and cycles, without recursion: chains may be a thousand long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from ampgen.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ampgen.source import Span

Node = TypeVar("Node")


@frozen
class Edge(Generic[Node]):
    """``source`` refers to ``target`` at ``span``."""

    source: Node
    target: Node
    span: Span


@frozen
class Walk(Generic[Node]):
    """``order``: every node, behind those it refers to. ``cycles``: their edges."""

    order: tuple[Node, ...]
    cycles: tuple[tuple[Edge[Node], ...], ...]


def walk(
    nodes: Iterable[Node], edges: Callable[[Node], Iterable[Edge[Node]]]
) -> Walk[Node]:
    """Visit ``nodes`` and all they lead to; nodes are told apart by identity.

    A cycle is listed once, from the node that was reached first; one whose nodes have
    all been seen in other cycles is left out, so that a knot does not give a hundred
    reports.
    """
    order: list[Node] = []
    cycles: list[tuple[Edge[Node], ...]] = []
    knotted: set[int] = set()
    done: set[int] = set()
    for start in nodes:
        if id(start) in done:
            continue
        path: list[Edge[Node]] = []
        stack: list[tuple[Node, Iterator[Edge[Node]]]] = [(start, iter(edges(start)))]
        depth_of = {id(start): 0}
        while stack:
            node, waiting = stack[-1]
            edge = next(waiting, None)
            if edge is None:
                stack.pop()
                del depth_of[id(node)]
                done.add(id(node))
                order.append(node)
                if path:
                    path.pop()
            elif (depth := depth_of.get(id(edge.target))) is not None:
                cycle = (*path[depth:], edge)
                members = {id(link.source) for link in cycle}
                if not members <= knotted:
                    cycles.append(cycle)
                    knotted |= members
            elif id(edge.target) not in done:
                depth_of[id(edge.target)] = len(stack)
                path.append(edge)
                stack.append((edge.target, iter(edges(edge.target))))
    return Walk(tuple(order), tuple(cycles))
