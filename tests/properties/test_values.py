"""What is written is read again, and where Twisted has the type, its bytes are ours."""

# Twisted's AMP has next to no annotations.
# mypy: disable-error-code="no-untyped-call"
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.protocols import amp
from twisted.python.filepath import FilePath

from ampgen.runtime.composites import (
    decode_deep_list,
    decode_list,
    decode_map,
    encode_deep_list,
    encode_list,
    encode_map,
)
from ampgen.runtime.errors import FAULTS
from ampgen.runtime.values import SCALARS as ROWS
from ampgen.runtime.values import Scalar
from tests.properties.values import SCALARS

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH = 64
KEYS = (Scalar.STR, Scalar.INT, Scalar.UUID)
TWISTED: dict[Scalar, Any] = {
    Scalar.BOOL: amp.Boolean(),
    Scalar.INT: amp.Integer(),
    Scalar.FLOAT: amp.Float(),
    Scalar.STR: amp.Unicode(),
    Scalar.BYTES: amp.String(),
    Scalar.DECIMAL: amp.Decimal(),
    Scalar.DATETIME: amp.DateTime(),
}
each_scalar = pytest.mark.parametrize("scalar", SCALARS)


def codec(scalar: Scalar) -> tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
    row: Any = ROWS[scalar]
    if row.deep:
        return partial(row.encode, depth=DEPTH), partial(row.decode, depth=DEPTH)
    return row.encode, row.decode


def same(one: Any, other: Any) -> bool:
    """Also told apart: 0.0 and -0.0, 1.0 and 1, two decimals of other digits."""
    return one == other and repr(one) == repr(other)


def test_every_scalar_has_a_strategy() -> None:
    assert set(SCALARS) == set(Scalar)


@each_scalar
@given(data=st.data())
def test_a_scalar_is_read_as_it_was_written(scalar: Scalar, data: Any) -> None:
    encode, decode = codec(scalar)
    value = data.draw(SCALARS[scalar])
    assert same(decode(encode(value)), value)


@each_scalar
@given(data=st.data())
def test_what_is_read_is_written_in_one_form(scalar: Scalar, data: Any) -> None:
    """Bytes that decode at all decode to a value whose own bytes decode to it."""
    encode, decode = codec(scalar)
    good = data.draw(SCALARS[scalar].map(encode))
    at = data.draw(st.integers(0, len(good)))
    raw = good[:at] + data.draw(st.binary(max_size=3)) + good[at:]
    try:
        value = decode(raw)
    except FAULTS:
        return
    again = decode(encode(value))
    assert again == value or value != value  # nan


@each_scalar
@given(raw=st.binary(max_size=60))
def test_garbage_is_a_value_or_a_fault(scalar: Scalar, raw: bytes) -> None:
    encode, decode = codec(scalar)
    try:
        value = decode(raw)
    except FAULTS:
        return
    encode(value)


@pytest.mark.parametrize("scalar", [one for one in SCALARS if one != Scalar.JSON])
@given(data=st.data())
def test_lists_are_read_as_they_were_written(scalar: Scalar, data: Any) -> None:
    encode, decode = codec(scalar)
    values = data.draw(st.lists(st.lists(SCALARS[scalar], max_size=4), max_size=4))

    def encode_inner(inner: Any, depth: int) -> bytes:
        return encode_list(inner, encode, depth)

    def decode_inner(inner: bytes, depth: int) -> Any:
        return decode_list(inner, decode, depth)

    raw = encode_deep_list(values, encode_inner, DEPTH)
    assert same(decode_deep_list(raw, decode_inner, DEPTH), values)
    if raw:
        with pytest.raises(FAULTS):
            decode_deep_list(raw + b"\0", decode_inner, DEPTH)


@pytest.mark.parametrize("key", KEYS)
@given(data=st.data())
def test_maps_are_read_as_they_were_written(key: Scalar, data: Any) -> None:
    encode_key, decode_key = codec(key)
    value = data.draw(st.sampled_from([one for one in SCALARS if one != Scalar.JSON]))
    encode, decode = codec(value)
    values = data.draw(st.dictionaries(SCALARS[key], SCALARS[value], max_size=5))
    raw = encode_map(values, encode_key, encode, DEPTH)
    read = decode_map(raw, decode_key, decode, DEPTH)
    assert same(read, values)
    assert list(read) == list(values)


# --- Twisted's bytes ----------------------------------------------------------------


@pytest.mark.parametrize("scalar", TWISTED)
@given(data=st.data())
def test_twisted_writes_the_same(scalar: Scalar, data: Any) -> None:
    encode, _ = codec(scalar)
    value = data.draw(SCALARS[scalar])
    assert encode(value) == TWISTED[scalar].toString(value)


@pytest.mark.parametrize("scalar", TWISTED)
@given(data=st.data())
def test_twisted_reads_what_we_write(scalar: Scalar, data: Any) -> None:
    encode, _ = codec(scalar)
    value = data.draw(SCALARS[scalar])
    assert TWISTED[scalar].fromString(encode(value)) == value


@pytest.mark.parametrize("scalar", TWISTED)
@given(data=st.data())
def test_twisted_writes_the_same_lists(scalar: Scalar, data: Any) -> None:
    encode, _ = codec(scalar)
    values = data.draw(st.lists(SCALARS[scalar], max_size=5))
    twisted = amp.ListOf(TWISTED[scalar])
    assert encode_list(values, encode, DEPTH) == twisted.toString(values)


@pytest.mark.parametrize("key", [Scalar.STR, Scalar.INT])
@given(data=st.data())
def test_twisted_writes_the_same_maps(key: Scalar, data: Any) -> None:
    scalar = data.draw(st.sampled_from(list(TWISTED)))
    values = data.draw(st.dictionaries(SCALARS[key], SCALARS[scalar], max_size=5))
    twisted = amp.AmpList([(b"key", TWISTED[key]), (b"value", TWISTED[scalar])])
    boxes = [{"key": one, "value": value} for one, value in values.items()]
    written = encode_map(values, codec(key)[0], codec(scalar)[0], DEPTH)
    assert written == twisted.toStringProto(boxes, None)


@given(value=SCALARS[Scalar.PATH])
def test_twisted_reads_our_paths_as_absolute_ones(value: Path) -> None:
    absolute = Path("/") / value
    raw = codec(Scalar.PATH)[0](absolute)
    if "\0" not in str(absolute) and ".." not in absolute.parts:
        assert raw == amp.Path().toString(FilePath(str(absolute)))
