"""What the bytes of one type are to a reader of another, told and tried."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from ampgen.compat.outcomes import Kind
from ampgen.compat.reading import Readings
from ampgen.compat.verdicts import Peers
from ampgen.model import ListType, ScalarType, Service, Struct, Type
from ampgen.runtime.errors import Fault
from ampgen.runtime.values import SCALARS, Scalar
from tests.compat.changed import schema

DEPTH = 8

VALUES: dict[Scalar, list[Any]] = {
    Scalar.BOOL: [True, False],
    Scalar.INT: [0, -1, 2**40],
    Scalar.FLOAT: [0.0, -1.5, 1e-7, 1e22, float("inf"), float("nan")],
    Scalar.STR: ["", "a", "1", "é"],
    Scalar.BYTES: [b"", b"a", b"\xff"],
    Scalar.DECIMAL: [
        Decimal(text) for text in ("0", "-1.50", "1E+3", "NaN", "Infinity")
    ],
    Scalar.DATETIME: [datetime(2026, 1, 31, tzinfo=UTC)],
    Scalar.DATE: [date(2026, 1, 31)],
    Scalar.DURATION: [timedelta(0), timedelta(microseconds=-1), timedelta(days=9)],
    Scalar.UUID: [UUID(int=7)],
    Scalar.JSON: [None, 1, "a", {"a": [1.5]}],
    Scalar.PATH: ["a/b", ""],
}


def encoded(scalar: Scalar) -> list[bytes]:
    row = SCALARS[scalar]
    depth = (DEPTH,) if row.deep else ()
    return [row.encode(value, *depth) for value in VALUES[scalar]]


def decodes(scalar: Scalar, raw: bytes) -> bool:
    row = SCALARS[scalar]
    try:
        row.decode(raw, *((DEPTH,) if row.deep else ()))
    except Fault:
        return False
    return True


@pytest.mark.parametrize("wanted", VALUES)
@pytest.mark.parametrize("sent", VALUES)
@pytest.mark.parametrize("peers", Peers)
def test_a_scalar_is_read_as_another_as_its_decoder_does(
    sent: Scalar, wanted: Scalar, peers: Peers
) -> None:
    all_decode = all(decodes(wanted, raw) for raw in encoded(sent))
    kind = Readings(peers).read(ScalarType(sent), ScalarType(wanted))
    assert kind is (Kind.SAFE if all_decode else Kind.UNDECODED)


DECLARED = """
enum Closed { A; B = "bb"; }
enum More { A; B = "bb"; C; }
enum Blank { NONE = ""; }
open enum Open { A; B = "bb"; }
struct Full { id: int; name: str?; }
struct Named { id: int; }
struct Loose { name: str?; note: str = ""; }
struct Hollow { name: str?; }
struct Pair { key: str; value: int; }
struct Deep { inner: [Deep]; id: int; }
struct Deeper { inner: [Deeper]; id: str; }
struct Blanked { name: str = ""; }
struct Odd { name: [str]; }
union Name { name: str; }
union Names { name: [str]; }
union Note { note: str; }
union Way { id: int; path: str; }
union Ways { id: int; path: str; far: int; }
service S { command C(%s); }
"""


def types(*written: str) -> list[Type]:
    """The types of one schema, as they are written."""
    arguments = ", ".join(f"a{at}: {one}" for at, one in enumerate(written))
    (module,) = schema(DECLARED % arguments).modules
    (service,) = (one for one in module.declarations if isinstance(one, Service))
    return [one.type for one in service.commands[0].arguments]


# Sender, reader, what comes of it with readers of ours, and with Twisted's.
SHAPES = [
    # enums
    ("Closed", "Closed", "SAFE", "SAFE"),
    ("Closed", "More", "SAFE", "SAFE"),
    ("More", "Closed", "UNDECODED", "UNDECODED"),
    ("More", "Open", "IGNORED", "IGNORED"),
    ("Open", "Closed", "UNDECODED", "UNDECODED"),
    ("Closed", "str", "SAFE", "SAFE"),
    ("Closed", "bytes", "SAFE", "SAFE"),
    ("Closed", "int", "UNDECODED", "UNDECODED"),
    ("str", "Open", "SAFE", "SAFE"),
    ("bytes", "Open", "UNDECODED", "UNDECODED"),
    ("str", "Closed", "UNDECODED", "UNDECODED"),
    # descriptors
    ("fd", "int", "WRONG", "WRONG"),
    ("fd", "Open", "WRONG", "WRONG"),
    ("fd", "date", "UNDECODED", "UNDECODED"),
    ("fd", "Closed", "UNDECODED", "UNDECODED"),
    ("int", "fd", "UNDECODED", "UNDECODED"),
    # lists of values
    ("[int]", "[float]", "SAFE", "SAFE"),
    ("[str]", "[int]", "UNDECODED", "UNDECODED"),
    ("[[str]]", "[str]", "WRONG", "WRONG"),
    ("str", "[str]", "WRONG", "WRONG"),
    ("Blank", "[str]", "WRONG", "WRONG"),
    ("int", "[int]", "UNDECODED", "WRONG"),
    ("[int]", "int", "UNDECODED", "UNDECODED"),
    ("[int]", "str", "WRONG", "WRONG"),
    ("[int]", "json", "UNDECODED", "UNDECODED"),
    ("[int]", "Blank", "WRONG", "WRONG"),
    ("[int]", "Closed", "UNDECODED", "UNDECODED"),
    # one box and many
    ("Full", "[Full]", "SAFE", "SAFE"),
    ("[Full]", "Full", "UNDECODED", "UNDECODED"),
    ("Full", "Named", "SAFE", "SAFE"),
    ("Named", "Full", "SAFE", "SAFE"),
    ("Loose", "Full", "UNDECODED", "UNDECODED"),
    ("Hollow", "Blanked", "IGNORED", "IGNORED"),
    ("Blanked", "Hollow", "SAFE", "SAFE"),
    ("[Full]", "[Named]", "SAFE", "SAFE"),
    ("Deep", "Deep", "SAFE", "SAFE"),
    ("Deep", "Deeper", "SAFE", "SAFE"),
    ("Deeper", "Deep", "UNDECODED", "UNDECODED"),
    # boxes and values
    ("Full", "str", "WRONG", "WRONG"),
    ("[Full]", "bytes", "WRONG", "WRONG"),
    ("[Full]", "Blank", "WRONG", "WRONG"),
    ("Full", "Blank", "UNDECODED", "UNDECODED"),
    ("Full", "int", "UNDECODED", "UNDECODED"),
    ("str", "Full", "WRONG", "WRONG"),
    ("Open", "Way", "WRONG", "WRONG"),
    ("Blank", "Full", "UNDECODED", "UNDECODED"),
    ("str", "[Full]", "WRONG", "WRONG"),
    ("int", "[Full]", "UNDECODED", "WRONG"),
    ("uuid", "[Full]", "UNDECODED", "UNDECODED"),
    ("[Full]", "[str]", "WRONG", "WRONG"),
    ("[Full]", "[int]", "UNDECODED", "UNDECODED"),
    ("Full", "[[int]]", "UNDECODED", "WRONG"),
    ("Hollow", "[[int]]", "WRONG", "WRONG"),
    ("[int]", "[Full]", "UNDECODED", "WRONG"),
    ("[int]", "Loose", "UNDECODED", "UNDECODED"),
    ("[str]", "Loose", "WRONG", "WRONG"),
    ("[str]", "Full", "WRONG", "WRONG"),
    ("[Blank]", "Full", "UNDECODED", "UNDECODED"),
    ("[Blank]", "Loose", "WRONG", "WRONG"),
    ("[{str: int}]", "{str: int}", "UNDECODED", "WRONG"),
    # unions
    ("Way", "Ways", "SAFE", "SAFE"),
    ("Ways", "Way", "UNDECODED", "UNDECODED"),
    ("Named", "Way", "SAFE", "SAFE"),
    ("Full", "Way", "UNDECODED", "UNDECODED"),
    ("Hollow", "Named", "UNDECODED", "UNDECODED"),
    ("Hollow", "Name", "UNDECODED", "UNDECODED"),
    ("Hollow", "Names", "WRONG", "WRONG"),
    ("Loose", "Names", "UNDECODED", "UNDECODED"),
    ("Loose", "Note", "UNDECODED", "UNDECODED"),
    ("Odd", "Full", "UNDECODED", "UNDECODED"),
    ("Way", "Named", "UNDECODED", "UNDECODED"),
    ("Way", "[Way]", "SAFE", "SAFE"),
    # maps
    ("{str: int}", "{str: float}", "SAFE", "SAFE"),
    ("{str: int}", "{int: int}", "UNDECODED", "UNDECODED"),
    ("{str: int}", "[Pair]", "SAFE", "SAFE"),
    ("{str: int}", "Pair", "UNDECODED", "UNDECODED"),
    ("[Pair]", "{str: int}", "UNDECODED", "UNDECODED"),
    ("{str: int}", "[Full]", "UNDECODED", "UNDECODED"),
    ("{str: int}", "str", "WRONG", "WRONG"),
    ("str", "{str: int}", "WRONG", "WRONG"),
]


@pytest.mark.parametrize(("sent", "wanted", "ours", "twisted"), SHAPES)
def test_the_shape_of_the_reader_decides(
    sent: str, wanted: str, ours: str, twisted: str
) -> None:
    one, other = types(sent, wanted)
    assert Readings(Peers.AMPGEN).read(one, other).name == ours
    assert Readings(Peers.TWISTED).read(one, other).name == twisted


def test_what_is_told_elsewhere_counts_as_alike() -> None:
    one, other = types("Deeper", "Deep")
    same = frozenset({(id(one), id(other))})
    assert Readings(Peers.AMPGEN, same).read(one, other) is Kind.SAFE
    assert Readings(Peers.AMPGEN, same).read(other, one) is Kind.SAFE


@pytest.mark.parametrize(("end", "kind"), [("int", "SAFE"), ("date", "UNDECODED")])
def test_types_that_lead_far_and_meet_again_are_compared_once(
    end: str, kind: str
) -> None:
    length = 400  # as many calls within calls as Python allows, and 2 ** 400 ways

    def chain(name: str, last: str) -> str:
        fields = (f"a: {name}{at}?; b: [{name}{at}];" for at in range(1, length))
        return "".join(
            f"struct {name}{at} {{ {one} }}\n"
            for at, one in enumerate((*fields, f"a: {last};"))
        )

    text = chain("A", "int") + chain("B", end)
    (module,) = schema(text).modules
    one, other = (
        found
        for found in module.declarations
        if isinstance(found, Struct) and found.name in ("A0", "B0")
    )
    assert Readings(Peers.AMPGEN).read(one, other).name == kind


def test_what_turns_out_worse_later_counts_for_all_that_hold_it() -> None:
    readings = Readings(Peers.AMPGEN)
    one, other = types("Deeper", "Deep")
    assert readings.read(ListType(one), ListType(other)) is Kind.UNDECODED
    assert readings.read(one, other) is Kind.UNDECODED
    assert readings.read(other, one) is Kind.SAFE
