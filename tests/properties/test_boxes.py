"""Boxes: in any pieces the same, in Twisted's bytes, and garbage costs little."""

# Twisted's AMP has next to no annotations.
# mypy: disable-error-code="no-untyped-call"
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
from __future__ import annotations

import tracemalloc
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.protocols import amp

from ampgen.runtime.errors import Malformed
from ampgen.runtime.wire import BoxParser, read_box, write_box

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BOUND = 1 << 17
boxes = st.dictionaries(
    st.binary(min_size=1, max_size=255) | st.binary(min_size=1, max_size=3),
    st.binary(max_size=300) | st.just(b"\0" * 65535) | st.binary(max_size=2),
    max_size=6,
)
runs = st.lists(boxes, max_size=4)


def parse(
    pieces: Iterable[bytes], limit: int = 1 << 20
) -> Iterator[dict[bytes, bytes]]:
    """Every box of the pieces, as a connection takes them."""
    parser = BoxParser(limit)
    for piece in pieces:
        at = 0
        while at < len(piece):
            at = parser.feed(piece, at)
            if parser.done:
                yield parser.box
                parser = BoxParser(limit)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = [0, *sorted(places), len(data)]
    return [data[start:stop] for start, stop in pairwise(at)]


@given(box=boxes)
def test_a_box_is_written_as_twisted_writes_it(box: dict[bytes, bytes]) -> None:
    assert write_box(box) == amp.Box(box).serialize()


@given(run=runs, data=st.data())
def test_any_pieces_give_the_same_boxes(
    run: list[dict[bytes, bytes]], data: st.DataObject
) -> None:
    written = b"".join(write_box(box) for box in run)
    places = data.draw(st.lists(st.integers(0, len(written)), max_size=12))
    assert list(parse(cut(written, places))) == run


@given(run=runs)
def test_byte_by_byte_gives_the_same_boxes(run: list[dict[bytes, bytes]]) -> None:
    small = [{key: value[:40] for key, value in box.items()} for box in run]
    written = b"".join(write_box(box) for box in small)
    assert list(parse(written[at : at + 1] for at in range(len(written)))) == small


@given(run=runs)
def test_a_box_is_read_in_one_go_as_in_pieces(run: list[dict[bytes, bytes]]) -> None:
    written = b"".join(write_box(box) for box in run)
    at, found = 0, list[dict[bytes, bytes]]()
    while at < len(written):
        box, at = read_box(written, at)
        found.append(box)
    assert found == run


@given(noise=st.binary(max_size=2000), data=st.data())
def test_garbage_is_boxes_or_malformed_in_any_pieces(
    noise: bytes, data: st.DataObject
) -> None:
    def outcome(pieces: list[bytes]) -> tuple[list[dict[bytes, bytes]], str]:
        found: list[dict[bytes, bytes]] = []
        try:
            found.extend(parse(pieces, limit=1000))
        except Malformed as fault:
            return found, fault.rule
        return found, ""

    places = data.draw(st.lists(st.integers(0, len(noise)), max_size=12))
    assert outcome(cut(noise, places)) == outcome([noise])


def endless(pair: bytes) -> Iterator[bytes]:
    """A box that never ends."""
    piece = pair * (65536 // len(pair) + 1)
    while True:
        yield piece


def numbered() -> Iterator[bytes]:
    """The same, of as many different keys as there can be."""
    for number in range(1 << 24):
        yield b"\0\3" + number.to_bytes(3, "big") + b"\0\0"


@pytest.mark.parametrize(
    ("pieces", "times"),
    [
        (endless(b"\0\1k\xff\xff" + b"x" * 65535), 4),
        (endless(b"\0\1k\0\0"), 4),
        (endless(b"\0\xff" + b"k" * 255 + b"\0\1v"), 4),
        (
            numbered(),
            64,
        ),  # what a dict takes for a key of three bytes is over a hundred
    ],
    ids=["large values", "one key", "large keys", "many keys"],
)
def test_a_box_without_end_is_refused_at_its_bound(
    pieces: Iterator[bytes], times: int
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(Malformed):
            list(parse(pieces, BOUND))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < times * BOUND


def test_pieces_of_one_byte_cost_no_more_than_they_hold() -> None:
    """Nothing is kept for a piece: what is held is the box, about twice."""
    written = write_box({b"k%d" % one: b"x" * 30000 for one in range(4)})
    tracemalloc.start()
    try:
        [box] = parse(written[at : at + 1] for at in range(len(written)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(box) == 4
    assert peak < 3 * len(written)
