"""Values of any length: Twisted's bytes, in any pieces the same, never a silent cut."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
from __future__ import annotations

import operator
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampgen.runtime.errors import Fault
from ampgen.runtime.large import LargeBox, get_large
from ampgen.runtime.wire import read_box
from tests.interop.twisted_commands import request
from tests.interop.twisted_large import Echo
from tests.properties.shell import Shell, pieces

if TYPE_CHECKING:
    from tests.conftest import CompileSchema

FULL = 65_535
SCHEMA = Path(__file__).parents[1] / "interop" / "large.amp"

# around the places where another piece begins, which is where it can go wrong
lengths = st.integers(0, 5 * FULL) | st.builds(
    operator.add, st.sampled_from(range(FULL, 6 * FULL, FULL)), st.integers(-2, 2)
)


def noise(length: int) -> bytes:
    return random.Random(length).randbytes(length)


@given(length=lengths)
def test_any_length_is_put_together_as_it_was(length: int) -> None:
    value = noise(length)
    writer = LargeBox()
    writer.put_large(b"k", value)
    box, _end = read_box(writer.write(b""), 0)
    assert get_large(box, b"k") == value
    whole = [size for size in map(len, box.values()) if size == FULL]
    assert len(box) - len(whole) <= 1
    assert len(box) == max(1, -(-length // FULL))


@given(length=lengths, data=st.data())
def test_a_piece_less_or_one_byte_less_is_noticed(
    length: int, data: st.DataObject
) -> None:
    """But where the last bytes are gone: nothing tells how many there were."""
    writer = LargeBox()
    writer.put_large(b"k", noise(length + 2 * FULL))
    box, _end = read_box(writer.write(b""), 0)
    *others, _last = sorted(box, key=lambda key: (len(key), key))
    key = data.draw(st.sampled_from(others))
    if data.draw(st.booleans()):
        del box[key]
    else:
        box[key] = box[key][: data.draw(st.integers(0, FULL - 1))]
    with pytest.raises(Fault):
        get_large(box, b"k")


@given(text=lengths, raw=lengths | st.none(), words=st.integers(0, 12_000))
def test_twisted_writes_the_same_but_for_what_comes_first(
    text: int, raw: int | None, words: int, compile_schema: CompileSchema
) -> None:
    module = compile_schema(SCHEMA)
    (command, _), *_others = module.StoreServer.__ampgen_commands__
    values: dict[str, Any] = {
        "text": "x" * text,
        "size": 3,
        "raw": None if raw is None else noise(raw),
        "points": [],
        "Words": ["a word"] * words,
    }
    head = b"\0\4_ask\0\0019" + command.head
    ours = command.write_request(head, tuple(values.values()), 64)
    twisted = request(Echo, b"9", **values)
    if max(text, raw or 0, 8 * words) <= FULL:
        assert ours == twisted
    else:
        assert ours.startswith(head)
        assert ours.replace(head, b"", 1) == twisted.replace(head, b"", 1)


def answering(module: Any) -> Any:
    """A service that echoes what it was asked."""

    def echo(_: Any, *values: Any) -> Any:
        names = ("text", "size", "raw", "points", "words")
        return module.EchoResult(**dict(zip(names, values, strict=True)))

    return type(
        "Store", (module.StoreServer,), {"echo": echo, "make": None, "small": None}
    )()


@given(length=lengths, more=lengths, data=st.data())
def test_a_large_request_comes_to_the_same_in_any_pieces(
    length: int, more: int, data: st.DataObject, compile_schema: CompileSchema
) -> None:
    module = compile_schema(SCHEMA)
    values: dict[str, Any] = {"raw": noise(more), "points": [], "Words": ["a"]}
    asked = request(Echo, b"9", text="x" * length, size=3, **values)
    whole, split = Shell(answering(module)), Shell(answering(module))
    whole.protocol.receive_data(asked)
    places = data.draw(st.lists(st.integers(0, len(asked)), max_size=10))
    for piece in pieces(asked, places):
        split.protocol.receive_data(piece)
    answer = whole.sent()
    assert split.sent() == answer
    box, _end = read_box(answer, 0)
    assert get_large(box, b"text") == b"x" * length
    assert get_large(box, b"raw") == noise(more)
