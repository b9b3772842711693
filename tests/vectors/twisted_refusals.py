"""What we neither write nor read, and what Twisted makes of it."""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from twisted.python.filepath import FilePath

from tests.vectors.notation import note, pack
from tests.vectors.twisted_types import read, write
from tests.vectors.twisted_values import box


def exact(value: Any) -> Any:
    """A value with its type, where the schema's type does not tell it."""
    kind = {FilePath: "path"}.get(type(value), type(value).__name__)
    written = [exact(item) for item in value] if kind == "list" else note(value)
    return {"a": kind, "is": written}


SECONDS = datetime(1900, 1, 1, tzinfo=timezone(timedelta(minutes=19, seconds=32)))
REFUSED_VALUES: list[tuple[str, str, Any]] = [
    ("EchoBool", "an int is no bool", 1),
    ("EchoBool", "a str is no bool", "False"),
    ("EchoInt", "a bool is no int", True),
    ("EchoInt", "a float is no int", 1.9),
    ("EchoInt", "a str is no int", "5"),
    ("EchoFloat", "a bool is no float", True),
    ("EchoFloat", "a str is no float", "1.5"),
    ("EchoFloat", "a decimal is no float", Decimal("1.5")),
    ("EchoStr", "a lone surrogate", "\ud800"),
    ("EchoStr", "a lone surrogate", "a\udfffb"),
    ("EchoStr", "bytes are no str", b"abc"),
    ("EchoStr", "over 65535 bytes", "x" * 65536),
    ("EchoStr", "over 65535 bytes of UTF-8", "ä" * 32768),
    ("EchoBytes", "a str is no bytes", "abc"),
    ("EchoBytes", "over 65535 bytes", b"\0" * 65536),
    ("EchoDecimal", "a float is no decimal", 1.5),
    ("EchoDecimal", "an int is no decimal", 1),
    ("EchoDecimal", "a signalling NaN", Decimal("sNaN")),
    ("EchoDecimal", "a NaN with a payload", Decimal("NaN123")),
    ("EchoDatetime", "without an offset", datetime(2026, 1, 31)),
    ("EchoDatetime", "an offset with seconds", SECONDS),
    ("EchoDatetime", "a str is no datetime", "2026-01-31T12:00:00.000001-00:00"),
    ("EchoPath", "bytes are no path", b"/tmp"),
    ("EchoLevel", "not a member", "medium"),
    ("EchoInts", "a str is no list", "12"),
    ("EchoInts", "an item is no int", [1, True]),
    ("EchoStrs", "a str is no list", "abc"),
    ("EchoStrs", "an item is a lone surrogate", ["a", "\udc80"]),
    ("EchoStrs", "an item over 65535 bytes", ["x" * 65536]),
    ("EchoStrs", "over 65535 bytes with its length", ["x" * 65534]),
    ("EchoBlobs", "bytes are no list", b"abc"),
    ("EchoBlobs", "over 65535 bytes in all", [b"\0" * 32767] * 2),
    ("EchoLevels", "an item is not a member", ["low", "medium"]),
    ("EchoGrid", "an item is no list", [1]),
]


def twisted_writes(command: str, value: Any) -> str | list[Any]:
    try:
        return pack(write(command, value))
    except Exception as refusal:
        return f"refused: {type(refusal).__name__}"


def refused_values() -> list[dict[str, Any]]:
    return [
        {
            "command": command,
            "value": exact(value),
            "refused": reason,
            "twisted": twisted_writes(command, value),
        }
        for command, reason, value in REFUSED_VALUES
    ]


ONE = box((b"id", b"1"), (b"name", b"one"))
REFUSED_BYTES: list[tuple[str, str, bytes]] = [
    *(
        ("EchoBool", "neither True nor False", data)
        for data in (b"", b"true", b"TRUE", b"1", b"True ", b"True\0", b"None")
    ),
    *(
        ("EchoInt", "not -?[0-9]+", data)
        for data in (
            *(b"", b"-", b"+5", b" 12 ", b"12\n", b"1_000", b"0x1f", b"1.0", b"1e3"),
            *("\N{DEVANAGARI DIGIT ONE}".encode(), b"--1", b"1\0"),
        )
    ),
    ("EchoInt", "over 4,300 digits", b"1" * 4301),
    *(
        ("EchoFloat", "not a numeral", data)
        for data in (
            *(b"", b"+1.5", b" 1.5", b"1.5\n", b"1_0.0", b".5", b"1.", b"1e", b"0x1p3"),
            *(b"infinity", b"INF", b"+inf", b"NAN", b"-nan", b"nan(1)", b"1,5"),
        )
    ),
    ("EchoFloat", "too large for a float", b"1e999"),
    ("EchoFloat", "too large for a float", b"-1e999"),
    *(
        ("EchoDecimal", "not a numeral", data)
        for data in (
            *(b"", b"+1", b" 1", b"1_0", b".5", b"1.", b"sNaN", b"NaN123", b"INFINITY"),
            "\N{DEVANAGARI DIGIT ONE}".encode(),
        )
    ),
    *(
        ("EchoDatetime", "not the 32 characters of a datetime", data)
        for data in (
            *(b"", b"2026-01-31", b"2026-01-31T12:00:00.000001Z"),
            b"2026-01-31T12:00:00+01:00",
            b"2026-01-31T12:00:00.000001+01:00 ",
            b"2026/01/31T12:00:00.000001+01:00",
            b"2026-01-31 12:00:00.000001+01:00",
            b"2026-01-31T12:00:00,000001+01:00",
            b"2026-01-31T12:00:00.000001+01-00",
            b"2026-01-31T12:00:00.000001x01:00",
            b"2026-01-31T 1:00:00.000001+01:00",
            b"2026-01-31T+1:00:00.000001+01:00",
            b"2026-01-31T12:00:00.0_0_01+01:00",
        )
    ),
    *(
        ("EchoDatetime", "out of range", data)
        for data in (
            b"0000-01-31T12:00:00.000001+01:00",
            b"2026-13-31T12:00:00.000001+01:00",
            b"2026-02-29T12:00:00.000001+01:00",
            b"2026-01-31T24:00:00.000001+01:00",
            b"2026-01-31T12:60:00.000001+01:00",
            b"2026-01-31T12:00:60.000001+01:00",
            b"2026-01-31T12:00:00.000001+24:00",
            b"2026-01-31T12:00:00.000001+00:60",
        )
    ),
    *(
        ("EchoStr", "not UTF-8", data)
        for data in (b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"a\x80")
    ),
    ("EchoPath", "not UTF-8", b"/\xff"),
    ("EchoLevel", "not a member", b"medium"),
    ("EchoLevel", "not a member", b"LOW"),
    *(
        ("EchoInts", "a list cut short", data)
        for data in (b"\0", b"\0\1", b"\0\x021", b"\0\0011\0", b"\0\0011\0\x05123")
    ),
    ("EchoInts", "an item is no int", b"\0\0"),
    ("EchoInts", "an item is no int", b"\0\0011\0\2+2"),
    ("EchoGrid", "an inner list cut short", b"\0\1\0"),
    ("EchoGrid", "an inner list cut short", b"\0\4\0\0021"),
    ("EchoItems", "a box cut short", b"\0"),
    ("EchoItems", "a box cut short", ONE[:-1]),
    ("EchoItems", "a box cut short", ONE[:-2]),
    ("EchoItems", "a box cut short", ONE + ONE[:7]),
    ("EchoItems", "a required key is missing", b"\0\0"),
    ("EchoItems", "a required key is missing", box((b"id", b"1"))),
    ("EchoItems", "a value does not decode", box((b"id", b""), (b"name", b""))),
    ("EchoItems", "a key over 255 bytes", box((b"k" * 256, b""), (b"id", b"1"))),
    ("EchoItem", "no box", b""),
    ("EchoItem", "leftovers", ONE + b"\0"),
    ("EchoItem", "leftovers", ONE + ONE),
    ("EchoChoice", "no box", b""),
    ("EchoChoice", "no member", b"\0\0"),
    ("EchoChoice", "an unknown member", box((b"newer", b"x"))),
    ("EchoChoice", "two members", box((b"number", b"1"), (b"text", b"x"))),
    ("EchoChoice", "two members", box((b"newer", b"1"), (b"text", b"x"))),
    (
        "EchoPrices",
        "a key twice",
        box((b"key", b"a"), (b"value", b"1")) + box((b"key", b"a"), (b"value", b"2")),
    ),
    (
        "EchoIndex",
        "a key twice",
        box((b"key", b"1"), (b"value", b"")) + box((b"key", b"01"), (b"value", b"")),
    ),
    ("EchoPrices", "a required key is missing", box((b"key", b"a"))),
    ("EchoPrices", "a box cut short", b"\0\3key"),
]


def twisted_reads(command: str, data: bytes) -> Any:
    try:
        return {"gives": note(read(command, data))}
    except Exception as refusal:
        return f"refused: {type(refusal).__name__}"


def refused_bytes() -> list[dict[str, Any]]:
    return [
        {
            "command": command,
            "bytes": pack(data),
            "refused": reason,
            "twisted": twisted_reads(command, data),
        }
        for command, reason, data in REFUSED_BYTES
    ]
