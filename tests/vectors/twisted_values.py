"""Values and the bytes that Twisted makes of them, and bytes that Twisted reads."""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from twisted.python.filepath import FilePath

from tests.vectors.notation import note, pack
from tests.vectors.twisted_types import read, write

NAN = float("nan")
NOON = datetime(2026, 1, 31, 12, 0, 0, 1, tzinfo=UTC)


def at(**offset: int) -> datetime:
    """One moment's digits at an offset from UTC."""
    return NOON.replace(tzinfo=timezone(timedelta(**offset)))


def item(number: int, name: str, note: str | None = None) -> dict[str, Any]:
    return {"id": number, "name": name, "note": note}


FLOATS = [
    *(0.0, -0.0, 1.0, -1.5, 0.1, 1e16, 1e22, 1e-7, 123456789.123, 5e-324),
    *(1.7976931348623157e308, float("inf"), float("-inf"), NAN),
]
DECIMALS = [
    *map(Decimal, ("0", "-0", "0.00", "1", "1.0", "10", "1E+2", "1E-1", "1.5E+2")),
    *map(Decimal, ("-12345678901234567890.123456789", "1E+999999", "0E-10")),
    *map(Decimal, ("Infinity", "-Infinity", "NaN")),
]
DATETIMES = [
    *(NOON, NOON.replace(microsecond=0), NOON.replace(microsecond=999999)),
    *(at(hours=1), at(hours=-1), at(hours=5, minutes=30), at(hours=-3, minutes=-30)),
    *(at(minutes=1), at(minutes=-1), at(hours=23, minutes=59)),
    at(hours=-23, minutes=-59),
    datetime.min.replace(tzinfo=UTC),
    datetime.max.replace(tzinfo=UTC),
    datetime(2024, 2, 29, 23, 59, 59, 0, at(hours=14).tzinfo),
]
STRINGS = [
    *("", "a", "abc", " ", "\0", "line\nline\r\n", "\N{BOM}", "ä€\N{GRINNING FACE}"),
    *("e\N{COMBINING ACUTE ACCENT}", "\uffff\U0010ffff", "x" * 255, "x" * 256),
    *("x" * 65534, "x" * 65535, "ä" * 32767),
]
BLOBS = [
    *(b"", b"\0", b"\xff", b"\0\0", bytes(range(256)), b"\xff" * 256),
    *(b"\0" * 65534, b"\0" * 65535),
]
VALUES: list[tuple[str, list[Any]]] = [
    ("EchoBool", [True, False]),
    (
        "EchoInt",
        [
            *(0, 1, -1, 9, 10, 2**31, -(2**31), 2**63 - 1, 2**63, -(2**64)),
            *(10**400, -(10**400), 10**4299),
        ],
    ),
    ("EchoFloat", FLOATS),
    ("EchoStr", STRINGS),
    ("EchoBytes", BLOBS),
    ("EchoDecimal", DECIMALS),
    ("EchoDatetime", DATETIMES),
    ("EchoPath", [FilePath(path) for path in ("/", "/tmp/x", "/tmp/ä b/€.txt")]),
    ("EchoLevel", ["low", "high", ""]),
    ("EchoBools", [[], [True], [True, False, True]]),
    ("EchoInts", [[], [0], [3, 7, 9, 15], [-(10**400), 10**400], list(range(1000))]),
    ("EchoFloats", [[], FLOATS]),
    ("EchoStrs", [[], [""], ["", "", ""], STRINGS[:-4], ["x" * 65533]]),
    ("EchoBlobs", [[], [b""], BLOBS[:-2], [b"\0" * 65533], [b""] * 1000]),
    ("EchoDecimals", [[], DECIMALS]),
    ("EchoDatetimes", [[], DATETIMES]),
    ("EchoPaths", [[], [FilePath("/a"), FilePath("/")]]),
    ("EchoLevels", [[], ["low"], ["high", "", "low"]]),
    ("EchoGrid", [[], [[]], [[], [1], [1, 2], []], [[1, 2], [3]]]),
    ("EchoCube", [[], [[]], [[[]]], [[[""], []], [], [["a", "b"], ["c"]]]]),
    ("EchoItem", [[item(1, "one")], [item(-1, "", "")], [item(0, "x" * 65000)]]),
    (
        "EchoItems",
        [
            [],
            [item(1, "one")],
            [item(1, "one"), item(2, "two", "both"), item(3, "", "")],
            [item(number, "x") for number in range(200)],
        ],
    ),
    (
        "EchoOrders",
        [
            [],
            [{"number": 1, "items": []}],
            [
                {"number": 1, "items": [item(1, "one"), item(2, "two", "")]},
                {"number": 2, "items": []},
                {"number": 3, "items": [item(3, "three")]},
            ],
        ],
    ),
    ("EchoCapitals", [[], [{"zebra": 1, "Zoo": 2, "ant": "three", "Ant": "four"}]]),
    ("EchoChoice", [[{"text": ""}], [{"number": 5}], [{"item": [item(1, "one")]}]]),
    (
        "EchoPrices",
        [
            [],
            [{"key": "", "value": 0.0}],
            [{"key": "pear", "value": 1.5}, {"key": "apple", "value": NAN}],
        ],
    ),
    (
        "EchoIndex",
        [[], [{"key": -1, "value": []}, {"key": 10**30, "value": ["", "a"]}]],
    ),
]


def values() -> list[dict[str, Any]]:
    return [
        {"command": command, "value": note(value), "bytes": pack(write(command, value))}
        for command, examples in VALUES
        for value in examples
    ]


# --- bytes that are read, though others are written --------------------------------


def box(*pairs: tuple[bytes, bytes]) -> bytes:
    """Pairs in any order, and any of them twice: what `amp.Box` would not write."""
    sized = b"".join(
        len(part).to_bytes(2, "big") + part for pair in pairs for part in pair
    )
    return sized + b"\0\0"


def swapped(*pairs: tuple[bytes, bytes]) -> bytes:
    return box(*reversed(pairs))


READ: list[tuple[str, list[bytes]]] = [
    ("EchoInt", [b"-0", b"007", b"-007", b"0" * 400]),
    (
        "EchoFloat",
        [
            *(b"1", b"-1", b"1e5", b"1E5", b"1e+05", b"1E-05", b"-0", b"00.50"),
            *(
                b"Infinity",
                b"-Infinity",
                b"NaN",
                b"0.1000000000000000055511151231257827",
            ),
            b"1e-999",
        ],
    ),
    ("EchoDecimal", [b"1e2", b"1E2", b"1e-2", b"inf", b"-inf", b"nan", b"00.10"]),
    (
        "EchoDatetime",
        [b"2026-01-31T12:00:00.000001+00:00", b"2026-01-31T12:00:00.000001-00:00"],
    ),
    (
        "EchoItems",
        [
            swapped((b"id", b"1"), (b"name", b"one")),
            swapped((b"id", b"1"), (b"name", b"one"), (b"note", b"x")),
            box((b"id", b"1"), (b"name", b"one"), (b"newer", b"field")),
            box((b"Newer", b""), (b"id", b"1"), (b"kind", b"?"), (b"name", b"one")),
            box((b"id", b"1"), (b"id", b"2"), (b"name", b"last"), (b"name", b"one")),
            box((b"id", b"1"), (b"name", b"a"))
            + swapped((b"id", b"2"), (b"name", b"")),
        ],
    ),
    (
        "EchoPrices",
        [
            swapped((b"key", b"pear"), (b"value", b"1")),
            box((b"key", b"pear"), (b"more", b""), (b"value", b"1")),
        ],
    ),
]


def readable() -> list[dict[str, Any]]:
    return [
        {"command": command, "bytes": pack(data), "value": note(read(command, data))}
        for command, examples in READ
        for data in examples
    ]
