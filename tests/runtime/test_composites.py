"""Lists, maps, enums and lone boxes."""

# pyright: reportUnnecessaryIsInstance=false

from __future__ import annotations

import contextlib
from collections import deque
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ampgen.runtime.composites import (
    closed_enum_decoder,
    closed_enum_encoder,
    decode_boxes,
    decode_deep_list,
    decode_deep_map,
    decode_list,
    decode_map,
    decode_one,
    decode_strs,
    encode_boxes,
    encode_deep_list,
    encode_deep_map,
    encode_list,
    encode_map,
    encode_strs,
    open_enum_decoder,
    open_enum_encoder,
)
from ampgen.runtime.errors import Fault, wrong_type
from ampgen.runtime.values import decode_int, decode_str, encode_int, encode_str
from ampgen.runtime.wire import read_box, write_box

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH = 64


class Level(StrEnum):
    INFO = "info"
    LOUD = "LOUD"


encode_level = closed_enum_encoder(Level)
decode_level = closed_enum_decoder(Level)
encode_region = open_enum_encoder(Level)
decode_region = open_enum_decoder(Level)


def encode_row(value: list[int], depth: int) -> bytes:
    return encode_list(value, encode_int, depth)


def decode_row(raw: bytes, depth: int) -> list[int]:
    return decode_list(raw, decode_int, depth)


def encode_box(value: int, depth: int) -> bytes:
    if depth < 1:
        raise Fault("too deep for the box")
    if not isinstance(value, int):
        raise wrong_type("a box", value)
    return write_box({b"n": encode_int(value)})


def read_number(data: bytes, at: int, depth: int) -> tuple[int, int]:
    if depth < 1:
        raise Fault("too deep for the box")
    box, end = read_box(data, at)
    return decode_int(box[b"n"]), end


PAIR = b"\0\3key%b\0\5value%b\0\0"

BOTH_WAYS: list[tuple[str, Any, bytes]] = [
    ("list", [], b""),
    ("list", [0, -17, 5], b"\0\0010\0\3-17\0\0015"),
    ("strs", [], b""),
    ("strs", ["a", "", "ü", "x" * 200], b"\0\1a\0\0\0\2\xc3\xbc\0\xc8" + b"x" * 200),
    ("deep list", [[], [1, 2]], b"\0\0\0\6\0\0011\0\0012"),
    ("boxes", [], b""),
    ("boxes", [1, 2], b"\0\1n\0\0011\0\0\0\1n\0\0012\0\0"),
    ("map", {}, b""),
    (
        "map",
        {"b": 2, "a": 1},
        PAIR % (b"\0\1b", b"\0\0012") + PAIR % (b"\0\1a", b"\0\0011"),
    ),
    ("deep map", {"a": [1]}, PAIR % (b"\0\1a", b"\0\3\0\0011")),
]

ENCODE: dict[str, Callable[[Any, int], bytes]] = {
    "list": lambda v, depth: encode_list(v, encode_int, depth),
    "strs": encode_strs,
    "deep list": lambda v, depth: encode_deep_list(v, encode_row, depth),
    "boxes": lambda v, depth: encode_boxes(v, encode_box, depth),
    "map": lambda v, depth: encode_map(v, encode_str, encode_int, depth),
    "deep map": lambda v, depth: encode_deep_map(v, encode_str, encode_row, depth),
}
DECODE: dict[str, Callable[[bytes, int], Any]] = {
    "list": lambda raw, depth: decode_list(raw, decode_int, depth),
    "strs": decode_strs,
    "deep list": lambda raw, depth: decode_deep_list(raw, decode_row, depth),
    "boxes": lambda raw, depth: decode_boxes(raw, read_number, depth),
    "map": lambda raw, depth: decode_map(raw, decode_str, decode_int, depth),
    "deep map": lambda raw, depth: decode_deep_map(raw, decode_str, decode_row, depth),
}


@pytest.mark.parametrize(("kind", "value", "raw"), BOTH_WAYS)
def test_a_container_is_written_and_read(kind: str, value: Any, raw: bytes) -> None:
    assert ENCODE[kind](value, DEPTH) == raw
    back = DECODE[kind](raw, DEPTH)
    assert back == value
    assert list(back) == list(value)  # a dict keeps its order


@pytest.mark.parametrize(("kind", "value", "raw"), [c for c in BOTH_WAYS if c[1]])
def test_a_container_that_is_cut_short_anywhere_is_a_fault(
    kind: str, value: Any, raw: bytes
) -> None:
    read: list[Any] = []
    for end in range(len(raw)):
        with contextlib.suppress(Fault):
            read.append(DECODE[kind](raw[:end], DEPTH))
    # cut between two items it is simply shorter
    assert all(len(back) < len(value) for back in read)
    assert len(read) == (1 if "map" in kind and len(value) == 1 else len(value))


@pytest.mark.parametrize(
    ("kind", "value"),
    [("list", [1]), ("deep list", [[1]]), ("boxes", [1]), ("map", {"a": 1})],
)
def test_each_container_takes_one_level(kind: str, value: Any) -> None:
    needs = 1 if kind in ("list", "map") else 2
    raw = ENCODE[kind](value, needs)
    assert DECODE[kind](raw, needs) == value
    for depth in range(needs):
        with pytest.raises(Fault, match="too deep"):
            ENCODE[kind](value, depth)
        with pytest.raises(Fault, match="too deep"):
            DECODE[kind](raw, depth)


@pytest.mark.parametrize(
    ("kind", "value", "path", "rule"),
    [
        ("list", [1, "x"], "[1]", "expected an int, got str"),
        ("list", "12", "", "expected a list, got str"),
        ("list", b"12", "", "expected a list, got bytes"),
        ("list", bytearray(b"12"), "", "expected a list, got bytearray"),
        ("list", memoryview(b"12"), "", "expected a list, got memoryview"),
        ("list", {1, 2}, "", "expected a list, got set"),
        ("list", None, "", "expected a list, got NoneType"),
        ("boxes", "12", "", "expected a list, got str"),
        ("boxes", [1, 2, None], "[2]", "expected a box, got NoneType"),
        ("deep list", [[1], [1, None]], "[1][1]", "expected an int, got NoneType"),
        ("map", [("a", 1)], "", "expected a dict, got list"),
        ("map", {"a": 1, "b": None}, "[1]", "expected an int, got NoneType"),
        ("map", {"a": 1, 2: 2}, "[1]", "expected a str, got int"),
        ("deep map", {"a": [None]}, "[0][0]", "expected an int, got NoneType"),
    ],
)
def test_a_fault_inside_names_its_place(
    kind: str, value: Any, path: str, rule: str
) -> None:
    with pytest.raises(Fault, match=rule) as caught:
        ENCODE[kind](value, DEPTH)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("kind", "raw", "path", "rule"),
    [
        ("list", b"\0\0011\0\1x", "[1]", "an int is written"),
        ("list", b"\0\0011\0", "[1]", "cut short"),
        ("list", b"\0\0011\0\5x", "[1]", "cut short"),
        ("boxes", b"\0\1n\0\0011\0\0\0\1n\0\1x\0\0", "[1]", "an int is written"),
        ("boxes", b"\0\1n\0\0011\0\0\0", "[1]", "cut short"),
        ("boxes", b"\1\0", "[0]", "a key of 256 bytes"),
        ("map", b"\0\3key\0\1a\0\0", "[0]", "a key and a value"),
        ("map", b"\0\5value\0\0011\0\0", "[0]", "a key and a value"),
        (
            "map",
            b"\0\3key\0\1a\0\5value\xff\xff%b\0\7value.2\0\1x\0\0" % (b"1" * 65_535),
            "[0].value",
            "over 65,535 bytes",
        ),
        ("map", PAIR % (b"\0\1a", b"\0\0011") * 2, "[1]", "a key comes twice"),
        ("map", PAIR % (b"\0\1a", b"\0\1x"), "[0]", "an int is written"),
    ],
)
def test_what_does_not_decode_names_its_place(
    kind: str, raw: bytes, path: str, rule: str
) -> None:
    with pytest.raises(Fault, match=rule) as caught:
        DECODE[kind](raw, DEPTH)
    assert caught.value.path == path


def test_any_sequence_and_any_mapping_is_written() -> None:
    assert encode_list((1, 2), encode_int, DEPTH) == b"\0\0011\0\0012"
    assert encode_list(deque([1]), encode_int, DEPTH) == b"\0\0011"
    assert encode_list(range(2), encode_int, DEPTH) == b"\0\0010\0\0011"
    frozen = MappingProxyType({"a": 1})
    assert encode_map(frozen, encode_str, encode_int, DEPTH) == PAIR % (
        b"\0\1a",
        b"\0\0011",
    )


def test_an_item_is_at_most_as_long_as_its_length_can_say() -> None:
    assert len(encode_list(["x" * 65535], encode_str, DEPTH)) == 65537
    with pytest.raises(Fault, match="over 65,535 bytes") as caught:
        encode_list(["x", "x" * 65536], encode_str, DEPTH)
    assert caught.value.path == "[1]"


def test_two_keys_that_are_written_alike_are_one_key_twice() -> None:
    class Loose(dict[Any, int]):
        def items(self) -> Any:
            return [("info", 1), (Level.INFO, 2)]

    with pytest.raises(Fault, match="a key comes twice"):
        encode_map(Loose(), encode_region, encode_int, DEPTH)


def test_a_lone_box_has_nothing_behind_it() -> None:
    raw = encode_box(7, 1)
    assert decode_one(raw, read_number, 1) == 7
    with pytest.raises(Fault, match="2 bytes left over"):
        decode_one(raw + b"\0\0", read_number, 1)


def test_a_closed_enum_takes_its_members_alone() -> None:
    for member in Level:
        assert encode_level(member) == member.value.encode()
        assert decode_level(member.value.encode()) is member
    with pytest.raises(Fault, match="expected a member of Level, got str"):
        encode_level("info")  # type: ignore[arg-type]
    with pytest.raises(Fault, match=r"none of Level's info, LOUD"):
        decode_level(b"secret")


def test_an_open_enum_keeps_what_it_does_not_know_as_a_plain_string() -> None:
    assert encode_region(Level.INFO) == b"info"
    assert encode_region("other") == b"other"
    assert decode_region(b"info") is Level.INFO
    other = decode_region(b"other")
    assert (other, type(other)) == ("other", str)
    with pytest.raises(Fault, match="UTF-8"):
        decode_region(b"\xff")


@given(st.dictionaries(st.text(max_size=5), st.lists(st.integers(), max_size=5)))
def test_a_random_map_of_lists_comes_back(value: dict[str, list[int]]) -> None:
    raw = encode_deep_map(value, encode_str, encode_row, DEPTH)
    assert decode_deep_map(raw, decode_str, decode_row, DEPTH) == value


@given(st.binary(max_size=60))
@pytest.mark.parametrize("kind", DECODE)
def test_garbage_is_a_fault_or_a_value(kind: str, raw: bytes) -> None:
    if kind == "boxes" and b"\0\0" in raw:
        return  # the reader above wants its key
    try:
        value = DECODE[kind](raw, DEPTH)
    except Fault:
        return
    assert DECODE[kind](ENCODE[kind](value, DEPTH), DEPTH) == value


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Fault as fault:
        return fault.rule, fault.path


LIKE_STRINGS = st.lists(st.text() | st.text("ab") | st.just("\ud800") | st.integers())


@given(LIKE_STRINGS | LIKE_STRINGS.map(tuple) | st.text(), st.sampled_from([0, 1]))
def test_strings_are_written_as_every_list_is(values: Any, depth: int) -> None:
    assert outcome(encode_strs, values, depth) == outcome(
        encode_list, values, encode_str, depth
    )


@example(b"\1\0" + b"x" * 256 + b"\0\0", 1)
@given(
    st.binary()
    | st.lists(st.sampled_from([b"\0\1a", b"\0\2\xc3\xbc", b"\0"])).map(b"".join),
    st.sampled_from([0, 1]),
)
def test_strings_are_read_as_every_list_is(raw: bytes, depth: int) -> None:
    assert outcome(decode_strs, raw, depth) == outcome(
        decode_list, raw, decode_str, depth
    )
