"""JSON as a value: compact, and stricter than Python's own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampgen.runtime.errors import Fault
from ampgen.runtime.jsonvalue import decode_json, encode_json

DEPTH = 64


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


BOTH_WAYS: list[tuple[Any, bytes]] = [
    (None, b"null"),
    (True, b"true"),
    (10**20, b"100000000000000000000"),
    (1.5, b"1.5"),
    ("ß\n\U0001f600", '"ß\\n\U0001f600"'.encode()),
    ([], b"[]"),
    ({"b": [1, {}], "a": None}, b'{"b":[1,{}],"a":null}'),
]


@pytest.mark.parametrize(("value", "raw"), BOTH_WAYS)
def test_json_is_compact_utf8(value: Any, raw: bytes) -> None:
    assert encode_json(value, DEPTH) == raw
    assert decode_json(raw, DEPTH) == value


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        (float("nan"), "NaN"),
        ([float("inf")], "infinity"),
        ("\ud800", "surrogate"),
        ({"\ud800": 1}, "surrogate"),
        ({1: 2}, "expected a str as the key of a JSON object, got int"),
        ((1, 2), "expected a JSON value, got tuple"),
        ({"a": b"x"}, "expected a JSON value, got bytes"),
        (10**5000, "too many digits"),
        (nested(65), "too deep"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_does_not_have_is_not_written(value: Any, rule: str) -> None:
    with pytest.raises(Fault, match=rule):
        encode_json(value, DEPTH)


def test_a_cycle_ends_as_nested_too_deep() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    with pytest.raises(Fault, match="too deep"):
        encode_json(cycle, DEPTH)


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", "not JSON"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "infinity"),
        (b"1e999", "infinity"),
        (b'{"a":1,"a":2}', "one key twice"),
        (b'"\xff"', "not UTF-8"),
        (b'"\\ud800"', "surrogate"),
        (b"\xef\xbb\xbf1", "not JSON"),
        ("1".encode("utf-16"), "not UTF-8"),
        (b"01", "not JSON"),
        (b"1 2", "not JSON"),
        (b'"\n"', "not JSON: Invalid control character at character 1"),
        (b"1" * 5000, "too many digits"),
        (b"[" * 65 + b"]" * 65, "too deep"),
        (b"[" * 60000, "too deep"),
        (b'{"a":' * 60000, "too deep"),
    ],
    ids=lambda value: repr(value[:16]),
)
def test_what_is_no_strict_json_is_not_read(raw: bytes, rule: str) -> None:
    with pytest.raises(Fault, match=rule):
        decode_json(raw, DEPTH)


def test_lists_and_objects_count_as_levels_and_scalars_do_not() -> None:
    assert encode_json(1, 0) == b"1"
    assert decode_json(encode_json(nested(2), 2), 2) == nested(2)
    with pytest.raises(Fault, match="too deep"):
        decode_json(encode_json(nested(2), 2), 1)


def test_an_escaped_pair_of_surrogates_is_one_character() -> None:
    assert decode_json(b'"\\ud83d\\ude00"', DEPTH) == "\U0001f600"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(values)
def test_random_json_comes_back(value: Any) -> None:
    assert decode_json(encode_json(value, DEPTH), DEPTH) == value


@given(st.text('[]{},:"\\u0123eE+-. tfn', max_size=30))
def test_whatever_is_read_can_be_written(text: str) -> None:
    try:
        value = decode_json(text.encode(), DEPTH)
    except Fault:
        return
    assert decode_json(encode_json(value, DEPTH), DEPTH) == value
