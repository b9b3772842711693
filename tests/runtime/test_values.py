"""Each scalar: what is written, what is read, and what neither takes."""

from __future__ import annotations

import math
import sys
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation, localcontext
from enum import IntEnum, StrEnum
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampgen.runtime.errors import Fault
from ampgen.runtime.values import SCALARS, Scalar

KOLKATA = timezone(timedelta(hours=5, minutes=30))
NEWFOUNDLAND = timezone(-timedelta(hours=3, minutes=30))
AN_ID = UUID("00112233-4455-6677-8899-aabbccddeeff")


class Number(IntEnum):
    ONE = 1


class Word(StrEnum):
    ONE = "one"


class LoudFloat(float):
    def __repr__(self) -> str:
        return "loud"


class LoudDecimal(Decimal):
    def __str__(self) -> str:
        return "loud"


class Naive(tzinfo):
    def utcoffset(self, dt: datetime | None, /) -> timedelta | None:
        return None

    def dst(self, dt: datetime | None, /) -> timedelta | None:
        return None

    def tzname(self, dt: datetime | None, /) -> str | None:
        return None


def offset(**kwargs: int) -> timezone:
    return timezone(timedelta(**kwargs))


def label(value: object) -> str:
    """Part of a test's id: values of any size make poor ones."""
    return str(value) if isinstance(value, Scalar) else type(value).__name__


BOTH_WAYS: list[tuple[Scalar, Any, bytes]] = [
    (Scalar.BOOL, True, b"True"),
    (Scalar.BOOL, False, b"False"),
    (Scalar.INT, 0, b"0"),
    (Scalar.INT, -17, b"-17"),
    (Scalar.INT, 10**400, b"1" + b"0" * 400),
    (Scalar.INT, 10**4299, b"1" + b"0" * 4299),
    (Scalar.FLOAT, 0.1, b"0.1"),
    (Scalar.FLOAT, -0.0, b"-0.0"),
    (Scalar.FLOAT, 1e300, b"1e+300"),
    (Scalar.FLOAT, 5e-324, b"5e-324"),
    (Scalar.FLOAT, math.inf, b"inf"),
    (Scalar.FLOAT, -math.inf, b"-inf"),
    (Scalar.FLOAT, math.nan, b"nan"),
    (Scalar.STR, "", b""),
    (Scalar.STR, "häß\0\U0001f600", "häß\0\U0001f600".encode()),
    (Scalar.BYTES, b"", b""),
    (Scalar.BYTES, b"\xff\0", b"\xff\0"),
    (Scalar.DECIMAL, Decimal("1.50"), b"1.50"),
    (Scalar.DECIMAL, Decimal("1E+2"), b"1E+2"),
    (Scalar.DECIMAL, Decimal("-0"), b"-0"),
    (Scalar.DECIMAL, Decimal("0E-7"), b"0E-7"),
    (Scalar.DECIMAL, Decimal("Infinity"), b"Infinity"),
    (Scalar.DECIMAL, Decimal("-Infinity"), b"-Infinity"),
    (Scalar.DECIMAL, Decimal("NaN"), b"NaN"),
    (
        Scalar.DATETIME,
        datetime(2026, 1, 31, 23, 59, 58, 1, offset(hours=1)),
        b"2026-01-31T23:59:58.000001+01:00",
    ),
    (
        Scalar.DATETIME,
        datetime(1, 1, 1, tzinfo=UTC),
        b"0001-01-01T00:00:00.000000-00:00",
    ),
    (
        Scalar.DATETIME,
        datetime(9999, 12, 31, 23, 59, 59, 999999, KOLKATA),
        b"9999-12-31T23:59:59.999999+05:30",
    ),
    (
        Scalar.DATETIME,
        datetime(2026, 6, 1, tzinfo=NEWFOUNDLAND),
        b"2026-06-01T00:00:00.000000-03:30",
    ),
    (
        Scalar.DATETIME,
        datetime(2026, 6, 1, tzinfo=offset(hours=23, minutes=59)),
        b"2026-06-01T00:00:00.000000+23:59",
    ),
    (Scalar.DATE, date(2024, 2, 29), b"2024-02-29"),
    (Scalar.DATE, date(1, 1, 1), b"0001-01-01"),
    (Scalar.DURATION, timedelta(0), b"0"),
    (Scalar.DURATION, timedelta(seconds=90), b"90"),
    (Scalar.DURATION, timedelta(milliseconds=1500), b"1.5"),
    (Scalar.DURATION, timedelta(microseconds=1), b"0.000001"),
    (Scalar.DURATION, timedelta(microseconds=-1), b"-0.000001"),
    (Scalar.DURATION, -timedelta(days=1, milliseconds=250), b"-86400.25"),
    (Scalar.DURATION, timedelta.max, b"86399999999999.999999"),
    (Scalar.DURATION, timedelta.min, b"-86399999913600"),
    (Scalar.UUID, AN_ID, str(AN_ID).encode()),
    (Scalar.PATH, Path("a/ß"), "a/ß".encode()),
    (Scalar.PATH, Path("/"), b"/"),
]

WRITTEN_ONLY: list[tuple[Scalar, Any, bytes]] = [
    (Scalar.INT, Number.ONE, b"1"),
    (Scalar.FLOAT, 3, b"3.0"),
    (Scalar.FLOAT, Number.ONE, b"1.0"),
    (Scalar.FLOAT, LoudFloat(1.5), b"1.5"),
    (Scalar.STR, Word.ONE, b"one"),
    (Scalar.DECIMAL, LoudDecimal("1.5"), b"1.5"),
    (Scalar.PATH, "./a//b/../", b"./a//b/../"),
    (Scalar.PATH, PurePosixPath("x"), b"x"),
]

READ_ONLY: list[tuple[Scalar, bytes, Any]] = [
    (Scalar.INT, b"-0", 0),
    (Scalar.INT, b"007", 7),
    (Scalar.FLOAT, b"1", 1.0),
    (Scalar.FLOAT, b"1E5", 1e5),
    (Scalar.FLOAT, b"1.5e-3", 1.5e-3),
    (Scalar.FLOAT, b"1e-999", 0.0),
    (Scalar.FLOAT, b"Infinity", math.inf),
    (Scalar.FLOAT, b"-Infinity", -math.inf),
    (Scalar.FLOAT, b"NaN", math.nan),
    (Scalar.DECIMAL, b"1e5", Decimal("1E+5")),
    (Scalar.DECIMAL, b"inf", Decimal("Infinity")),
    (Scalar.DECIMAL, b"-inf", Decimal("-Infinity")),
    (Scalar.DECIMAL, b"nan", Decimal("NaN")),
    (
        Scalar.DATETIME,
        b"2026-01-01T00:00:00.000000+00:00",
        datetime(2026, 1, 1, tzinfo=UTC),
    ),
    (Scalar.DURATION, b"1.500000", timedelta(seconds=1.5)),
    (Scalar.DURATION, b"-0", timedelta(0)),
    (Scalar.DURATION, b"-0.0", timedelta(0)),
    (Scalar.UUID, str(AN_ID).upper().encode(), AN_ID),
]

NOT_WRITTEN: list[tuple[Scalar, Any, str]] = [
    (Scalar.BOOL, 1, "expected a bool, got int"),
    (Scalar.BOOL, None, "expected a bool, got NoneType"),
    (Scalar.INT, True, "expected an int, got bool"),
    (Scalar.INT, 1.9, "expected an int, got float"),
    (Scalar.INT, "1", "expected an int, got str"),
    (Scalar.INT, 10**4300, "too many digits"),
    (Scalar.FLOAT, True, "expected a float, got bool"),
    (Scalar.FLOAT, "1.0", "expected a float, got str"),
    (Scalar.FLOAT, Decimal(1), "expected a float, got Decimal"),
    (Scalar.FLOAT, 10**400, "beyond the range"),
    (Scalar.STR, b"x", "expected a str, got bytes"),
    (Scalar.STR, "ab\ud800", "lone surrogate at 2"),
    (Scalar.BYTES, "x", "expected bytes, got str"),
    (Scalar.BYTES, bytearray(b"x"), "expected bytes, got bytearray"),
    (Scalar.DECIMAL, 1.5, "expected a Decimal, got float"),
    (Scalar.DECIMAL, Decimal("sNaN"), "NaN"),
    (Scalar.DECIMAL, Decimal("NaN1"), "NaN"),
    (Scalar.DECIMAL, Decimal("-NaN"), "NaN"),
    (Scalar.DATETIME, "2026-01-01", "expected a datetime, got str"),
    (Scalar.DATETIME, date(2026, 1, 1), "expected a datetime, got date"),
    (Scalar.DATETIME, datetime(2026, 1, 1), "tzinfo"),
    (Scalar.DATETIME, datetime(2026, 1, 1, tzinfo=Naive()), "tzinfo"),
    (Scalar.DATETIME, datetime(2026, 1, 1, tzinfo=offset(seconds=61)), "whole minutes"),
    (
        Scalar.DATETIME,
        datetime(2026, 1, 1, tzinfo=offset(microseconds=1)),
        "whole minutes",
    ),
    (Scalar.DATE, datetime(2026, 1, 1, tzinfo=UTC), "expected a date, got datetime"),
    (Scalar.DATE, "2026-01-01", "expected a date, got str"),
    (Scalar.DURATION, 1.5, "expected a timedelta, got float"),
    (Scalar.UUID, str(AN_ID), "expected a UUID, got str"),
    (Scalar.PATH, b"x", "expected a str, got bytes"),
    (Scalar.PATH, 3, "expected a str or an os.PathLike, got int"),
    (Scalar.PATH, "\udcff", "lone surrogate at 0"),
]

NOT_READ: list[tuple[Scalar, list[bytes]]] = [
    (Scalar.BOOL, [b"", b"true", b"1", b"TRUE", b"True "]),
    (
        Scalar.INT,
        [
            *[b"", b"-", b"+5", b" 12 ", b"1_000", b"0x1f", b"1.0", b"--1", b"5\n"],
            *["٣".encode(), b"\xb2", b"1" * 4301, b"-" + b"1" * 4301],
        ],
    ),
    (
        Scalar.FLOAT,
        [
            *[b"", b".5", b"5.", b"+1.0", b" 1.0", b"1_0.0", b"1e", b"1e5.0", b"0x1p3"],
            *[b"-nan", b"INF", b"infinity", b"1e999", b"-1e999", b"1.0\n", b"+inf"],
        ],
    ),
    (Scalar.STR, [b"\xff", b"\xed\xa0\x80", b"\xc0\x80"]),
    (
        Scalar.DECIMAL,
        [
            *[b"", b".5", b"5.", b"+1", b" 1", b"1_0", b"sNaN", b"NaN1", b"-NaN"],
            *[b"1e9999999999999999999999", b"1\n", b"INF"],
        ],
    ),
    (
        Scalar.DATETIME,
        [
            b"",
            b"2026-01-31T23:59:58.000001",
            b"2026-01-31 23:59:58.000001+01:00",
            b"2026-01-31T23:59:58.000001Z+0100",
            b"2026-01-31T23:59:58,000001+01:00",
            b"2026-02-30T23:59:58.000001+01:00",
            b"0000-01-31T23:59:58.000001+01:00",
            b"2026-01-31T24:00:00.000000+01:00",
            b"2026-01-31T23:60:00.000000+01:00",
            b"2026-01-31T23:59:60.000000+01:00",
            b"2026-01-31T23:59:58.000001+24:00",
            b"2026-01-31T23:59:58.000001+01:60",
            b"2026-01-31T23:59:58.00000 +01:00",
            b"2026-01-31T23:59:58.000001+01:00\n",
            "\uff12026-01-31T23:59:58.000001+01:0".encode(),
        ],
    ),
    (Scalar.DATE, [b"", b"2026-1-1", b"20260101", b"2023-02-29", b"2026-01-01\n"]),
    (
        Scalar.DURATION,
        [
            *[b"", b"-", b".5", b"5.", b"+1", b"1e3", b"1.0000001", b"1 ", b"1\n"],
            *[b"86400000000000", b"9" * 30, b"1" * 4301, b"-86399999913600.000001"],
        ],
    ),
    (
        Scalar.UUID,
        [
            b"",
            b"00112233445566778899aabbccddeeff",
            b"{00112233-4455-6677-8899-aabbccddeeff}",
            b"00112233-4455-6677-8899-aabbccddeefg",
            b"00112233-4455-6677-8899-aabbccddeeff\n",
        ],
    ),
    (Scalar.PATH, [b"\xff"]),
]


def same(one: object, other: object) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


@pytest.mark.parametrize(("scalar", "value", "raw"), BOTH_WAYS, ids=label)
def test_a_value_is_written_and_read_as_twisted_has_it(
    scalar: Scalar, value: Any, raw: bytes
) -> None:
    row = SCALARS[scalar]
    assert row.encode(value) == raw
    assert same(row.decode(raw), value)


@pytest.mark.parametrize(("scalar", "value", "raw"), WRITTEN_ONLY, ids=label)
def test_what_else_is_written(scalar: Scalar, value: Any, raw: bytes) -> None:
    assert SCALARS[scalar].encode(value) == raw


@pytest.mark.parametrize(("scalar", "raw", "value"), READ_ONLY, ids=label)
def test_what_else_is_read(scalar: Scalar, raw: bytes, value: Any) -> None:
    assert same(SCALARS[scalar].decode(raw), value)


@pytest.mark.parametrize(("scalar", "value", "rule"), NOT_WRITTEN, ids=label)
def test_what_is_not_of_the_type_is_not_written(
    scalar: Scalar, value: Any, rule: str
) -> None:
    with pytest.raises(Fault, match=rule):
        SCALARS[scalar].encode(value)


@pytest.mark.parametrize(
    ("scalar", "raw"),
    [(scalar, raw) for scalar, raws in NOT_READ for raw in raws],
    ids=label,
)
def test_what_twisted_does_not_write_is_not_read(scalar: Scalar, raw: bytes) -> None:
    with pytest.raises(Fault):
        SCALARS[scalar].decode(raw)


@pytest.mark.parametrize("trap", [True, False])
def test_a_decimal_is_read_the_same_in_every_context(trap: bool) -> None:
    decode = SCALARS[Scalar.DECIMAL].decode
    with localcontext() as context:
        context.prec = 3
        context.traps[InvalidOperation] = trap
        assert decode(b"1.23456789") == Decimal("1.23456789")
        with pytest.raises(Fault, match="exponent"):
            decode(b"1e9999999999999999999999")


@pytest.mark.skipif(not hasattr(sys, "set_int_max_str_digits"), reason="no guard")
def test_the_guard_against_long_ints_is_pythons_own() -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        row = SCALARS[Scalar.INT]
        assert row.decode(row.encode(10**5000)) == 10**5000
    finally:
        sys.set_int_max_str_digits(before)


minutes = st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))

RANDOM: dict[Scalar, st.SearchStrategy[Any]] = {
    Scalar.BOOL: st.booleans(),
    Scalar.INT: st.integers(),
    Scalar.FLOAT: st.floats(),
    Scalar.STR: st.text(),
    Scalar.BYTES: st.binary(),
    Scalar.DECIMAL: st.decimals(allow_nan=False),
    Scalar.DATETIME: st.datetimes(timezones=minutes),
    Scalar.DATE: st.dates(),
    Scalar.DURATION: st.timedeltas(),
    Scalar.UUID: st.uuids(),
    Scalar.PATH: st.text(
        st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
    ).map(Path),
}


@given(st.data())
@pytest.mark.parametrize("scalar", RANDOM)
def test_a_random_value_comes_back(scalar: Scalar, data: st.DataObject) -> None:
    row = SCALARS[scalar]
    value = data.draw(RANDOM[scalar])
    back = row.decode(row.encode(value))
    assert repr(back) == repr(value) or (scalar is Scalar.DATETIME and back == value)


@given(st.binary(max_size=40))
@pytest.mark.parametrize("scalar", RANDOM)
def test_what_is_read_is_written_again_or_nothing_but_a_fault_comes(
    scalar: Scalar, raw: bytes
) -> None:
    row = SCALARS[scalar]
    try:
        value = row.decode(raw)
    except Fault:
        return
    row.decode(row.encode(value))


def test_the_table_has_a_row_for_every_scalar() -> None:
    assert set(SCALARS) == set(Scalar)
    for scalar, row in SCALARS.items():
        assert row.encode.__name__ == f"encode_{scalar}"
        assert row.decode.__name__ == f"decode_{scalar}"
        assert row.deep == (scalar is Scalar.JSON)
