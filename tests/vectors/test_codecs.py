"""The codecs of scalars and of lists of them, value for value against Twisted's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime.composites import decode_list, encode_list
from ampgen.runtime.errors import Fault
from ampgen.runtime.values import SCALARS, Scalar
from tests.vectors.cases import EXACT, exact, list_of, load, text, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

DEPTH = 64
READERS: dict[Scalar, Callable[[Any], Any]] = {
    Scalar.BOOL: bool,
    Scalar.INT: int,
    Scalar.FLOAT: float,
    Scalar.STR: text,
    Scalar.BYTES: unpack,
    Scalar.DECIMAL: EXACT["Decimal"],
    Scalar.DATETIME: EXACT["datetime"],
}
COMMANDS = {f"Echo{scalar.capitalize()}": (scalar, False) for scalar in READERS} | {
    f"Echo{scalar.capitalize()}s": (scalar, True) for scalar in READERS
}
COMMANDS["EchoBlobs"] = COMMANDS.pop("EchoBytess")


def cases(name: str) -> pytest.MarkDecorator:
    found = [case for case in load(name) if case["command"] in COMMANDS]
    return pytest.mark.parametrize("case", found, ids=lambda case: case["command"])


def value_of(case: dict[str, Any]) -> Any:
    scalar, many = COMMANDS[case["command"]]
    read = READERS[scalar]
    return (list_of(read) if many else read)(case["value"])


def encode(command: str, value: Any) -> bytes:
    scalar, many = COMMANDS[command]
    one: Any = SCALARS[scalar].encode
    data: bytes = encode_list(value, one, DEPTH) if many else one(value)
    return data


def decode(command: str, data: bytes) -> Any:
    scalar, many = COMMANDS[command]
    one: Any = SCALARS[scalar].decode
    return decode_list(data, one, DEPTH) if many else one(data)


@cases("values.json")
def test_we_write_what_twisted_writes(case: dict[str, Any]) -> None:
    assert encode(case["command"], value_of(case)) == unpack(case["bytes"])


@cases("values.json")
def test_we_read_what_twisted_writes(case: dict[str, Any]) -> None:
    read = decode(case["command"], unpack(case["bytes"]))
    assert repr(read) == repr(value_of(case))  # -0.0 is not 0.0, and nan is nan


@cases("read.json")
def test_we_read_what_twisted_reads(case: dict[str, Any]) -> None:
    read = decode(case["command"], unpack(case["bytes"]))
    assert repr(read) == repr(value_of(case))


@cases("refused_values.json")
def test_we_do_not_write_what_is_not_of_the_type(case: dict[str, Any]) -> None:
    if "over 65535 bytes" in case["refused"] and "item" not in case["refused"]:
        assert len(encode(case["command"], exact(case["value"]))) > 65535
        return  # a value alone is not too long: the box refuses it
    with pytest.raises((Fault, ValueError)):
        encode(case["command"], exact(case["value"]))


@cases("refused_bytes.json")
def test_we_do_not_read_what_is_not_of_the_form(case: dict[str, Any]) -> None:
    with pytest.raises((Fault, ValueError)):
        decode(case["command"], unpack(case["bytes"]))
