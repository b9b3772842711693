"""Boxes: one table of bytes drives both readers, whole and in pieces."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampgen.runtime.errors import Fault, Incomplete, Malformed
from ampgen.runtime.wire import (
    SIZE,
    BoxParser,
    Limits,
    box_size,
    read_box,
    read_only_pair,
    read_rest,
    write_box,
)

LIMIT = Limits().box

BOXES: list[tuple[dict[bytes, bytes], bytes]] = [
    ({}, b"\0\0"),
    ({b"a": b""}, b"\0\1a\0\0\0\0"),
    ({b"a": b"1", b"b": b"22"}, b"\0\1a\0\0011\0\1b\0\00222\0\0"),
    (
        {b"a": b"", b"_ask": b"1", b"A": b""},
        b"\0\1A\0\0\0\4_ask\0\0011\0\1a\0\0\0\0",
    ),
    ({b"k" * 255: b"v" * 65535}, b"\0\xff" + b"k" * 255 + b"\xff\xff" + b"v" * 65535),
]


@pytest.mark.parametrize(("box", "raw"), BOXES)
def test_a_box_is_its_pairs_sorted_bytewise_and_an_empty_key(
    box: dict[bytes, bytes], raw: bytes
) -> None:
    raw = raw.removesuffix(b"\0\0") + b"\0\0" if box else raw
    assert write_box(box) == raw
    assert read_box(b"xx" + raw + b"trailing", 2) == (box, 2 + len(raw))
    assert box_size(box) == sum(len(k) + len(v) for k, v in box.items())


@pytest.mark.parametrize(("box", "raw"), BOXES[:4])
def test_a_box_that_is_cut_short_anywhere_is_incomplete(
    box: dict[bytes, bytes], raw: bytes
) -> None:
    for end in range(len(raw)):
        with pytest.raises(Incomplete):
            read_box(raw[:end], 0)


def test_of_a_key_that_comes_twice_the_last_one_counts() -> None:
    raw = b"\0\1a\0\0011\0\1a\0\0012\0\0"
    assert read_box(raw, 0)[0] == {b"a": b"2"}
    parser = BoxParser(LIMIT)
    parser.feed(raw, 0)
    assert parser.box == {b"a": b"2"}


def feed(raw: bytes, cuts: list[int], limit: int = LIMIT) -> list[dict[bytes, bytes]]:
    """All boxes of ``raw``, given in the pieces that ``cuts`` make."""
    boxes: list[dict[bytes, bytes]] = []
    parser = BoxParser(limit)
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        piece = raw[start:end]
        at = 0
        while at < len(piece):
            at = parser.feed(piece, at)
            if parser.done:
                boxes.append(parser.box)
                parser = BoxParser(limit)
    return boxes


boxes = st.dictionaries(
    st.binary(min_size=1, max_size=8), st.binary(max_size=40), max_size=6
)


@given(st.lists(boxes, max_size=4), st.data())
def test_any_split_of_the_bytes_gives_the_same_boxes(
    these: list[dict[bytes, bytes]], data: st.DataObject
) -> None:
    raw = b"".join(map(write_box, these))
    cuts = data.draw(st.lists(st.integers(0, len(raw)), max_size=8).map(sorted))
    assert feed(raw, cuts) == these
    assert feed(raw, list(range(1, len(raw)))) == these or not raw


@given(st.binary(max_size=400))
def test_garbage_is_refused_or_waits_for_more_and_both_readers_agree(
    raw: bytes,
) -> None:
    try:
        box, end = read_box(raw, 0)
    except Malformed:
        with pytest.raises(Malformed):
            BoxParser(LIMIT).feed(raw, 0)
    except Incomplete:
        parser = BoxParser(LIMIT)
        assert parser.feed(raw, 0) == len(raw)
        assert not parser.done
    else:
        parser = BoxParser(LIMIT)
        assert parser.feed(raw, 0) == end
        assert (parser.done, parser.box) == (True, box)


def test_a_long_key_is_refused_at_its_length() -> None:
    with pytest.raises(Malformed, match="a key of 256 bytes"):
        BoxParser(LIMIT).feed(b"\1\0", 0)
    with pytest.raises(Malformed, match="a key of 65,535 bytes"):
        read_box(b"\xff\xff", 0)


@pytest.mark.parametrize(
    ("head", "limit"),
    [
        (b"\0\3key\0\4", 6),  # the value goes over
        (b"\0\7", 6),  # the key alone does
        (b"\0\1a\0\0011\0\1b\0\4", 6),  # the second pair does
    ],
)
def test_a_box_over_its_bound_is_refused_before_it_is_there(
    head: bytes, limit: int
) -> None:
    with pytest.raises(Malformed, match="over 6 bytes"):
        BoxParser(limit).feed(head, 0)
    parser = BoxParser(limit + 1)
    parser.feed(head, 0)
    assert not parser.done


def test_a_box_exactly_at_its_bound_is_read() -> None:
    box = {b"a": b"123", b"b": b"1"}
    assert feed(write_box(box), [], limit=box_size(box)) == [box]


def test_one_byte_pieces_cost_no_more_memory_than_the_box() -> None:
    raw = b"\0\1k\xff\xff" + b"v" * 65535
    parser = BoxParser(LIMIT)
    tracemalloc.start()
    for at in range(len(raw)):
        parser.feed(raw[at : at + 1], 0)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(raw)


def test_the_table_of_sizes_ends_where_two_bytes_do() -> None:
    for length in (0, 1, 255, 256, 1023, 1024, 65535):
        assert SIZE[length] == length.to_bytes(2, "big")
    with pytest.raises(IndexError):
        SIZE[65536]
    with pytest.raises(Fault, match="over 65,535 bytes"):
        write_box({b"k": bytes(65536)})


def test_the_rest_of_a_request_has_no_keys_of_the_protocol() -> None:
    assert read_rest(b"\0\1a\0\0\0\0", 0) == ({b"a": b""}, 7)
    with pytest.raises(Malformed):
        read_rest(b"\0\4_ask\0\0\0\0", 0)


def test_a_union_is_exactly_one_pair() -> None:
    assert read_only_pair(b"\0\1a\0\0011\0\0", 0) == (b"a", b"1", 8)
    for raw in (b"\0\0", b"\0\1a\0\0\0\1b\0\0\0\0"):
        with pytest.raises(Fault, match="exactly one key"):
            read_only_pair(raw, 0)


@pytest.mark.parametrize("name", ["box", "depth", "calls", "given_up", "unsent"])
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"Limits: {name}"):
        Limits(**{name: 0})
