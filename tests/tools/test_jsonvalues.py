"""Values as JSON: the forms that users rely on, and what is said of all others."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from ampgen.model import Service, Struct
from ampgen.runtime.errors import Fault
from ampgen.tools.jsonvalues import JsonValues, dumps, parse
from ampgen.tools.memory import Loaded, load_texts

if TYPE_CHECKING:
    from ampgen.model import Type

SCHEMA = """
enum Level { LOW = "low"; HIGH = "high"; }
open enum Region { EU = "eu"; }
struct Point { x: int; from: str?; y: int = 2; }
union Target { point: Point; path: path; many: [Target]; any: json; }
struct All {
    bool: bool; int: int; float: float; str: str; bytes: bytes; decimal: decimal;
    datetime: datetime; date: date; duration: duration; uuid: uuid; json: json;
    path: path; fd: fd; level: Level; region: Region; point: Point; target: Target;
    list: [int]; by_int: {int: Point}; by_level: {Level: json}; maybe: json?;
    by_uuid: {uuid: str};
}
"""
ID = UUID("12345678-1234-5678-1234-567812345678")


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    # a struct cannot have a descriptor: the type is tried as an argument
    text = SCHEMA.replace("fd: fd; ", "")
    return load_texts(
        {"a.amp": f"{text}service S {{ command C(fd: fd); }}\n"}, ["a.amp"]
    )


@pytest.fixture(scope="module")
def values(loaded: Loaded) -> JsonValues:
    return JsonValues(loaded)


@pytest.fixture(scope="module")
def made(loaded: Loaded) -> Any:
    return loaded.modules[loaded.schema.roots[0]]


@pytest.fixture(scope="module")
def types(loaded: Loaded) -> dict[str, Type]:
    found: dict[str, Type] = {}
    for one in loaded.schema.roots[0].declarations:
        if isinstance(one, Struct) and one.name == "All":
            found.update((field.name, field.type) for field in one.fields)
        if isinstance(one, Service):
            found["fd"] = one.commands[0].arguments[0].type
    return found


# Of each type: the value, its JSON.
FORMS: list[tuple[str, Any, Any]] = [
    ("bool", True, True),
    ("int", -5, -5),
    ("int", 2**53, 2**53),
    ("int", 2**53 + 1, "9007199254740993"),
    ("int", -(2**70), str(-(2**70))),
    ("float", 1.5, 1.5),
    ("float", float("inf"), "inf"),
    ("float", float("-inf"), "-inf"),
    ("str", "é\n", "é\n"),
    ("bytes", b"\x00\xff", "AP8="),
    ("decimal", Decimal("1.10"), "1.10"),
    ("decimal", Decimal("Infinity"), "Infinity"),
    (
        "datetime",
        datetime(2026, 1, 31, 23, 59, 58, 1, timezone(timedelta(hours=1))),
        "2026-01-31T23:59:58.000001+01:00",
    ),
    ("datetime", datetime(2026, 1, 31, tzinfo=UTC), "2026-01-31T00:00:00+00:00"),
    ("date", date(2026, 1, 31), "2026-01-31"),
    ("duration", timedelta(seconds=90), 90),
    ("duration", timedelta(milliseconds=-1500), -1.5),
    ("duration", timedelta(days=10**8, microseconds=1), "8640000000000.000001"),
    ("uuid", ID, str(ID)),
    ("json", {"a": [None, 1.5]}, {"a": [None, 1.5]}),
    ("json", None, None),
    ("path", Path("/a/b"), "/a/b"),
    ("fd", 3, 3),
    ("region", "mars", "mars"),
    ("list", [1, 2**60], [1, str(2**60)]),
    ("by_uuid", {ID: "a"}, {str(ID): "a"}),
]


@pytest.mark.parametrize(("name", "value", "data"), FORMS)
def test_a_value_and_its_json(
    name: str, value: Any, data: Any, values: JsonValues, types: dict[str, Type]
) -> None:
    shown = values.to_json(types[name], value)
    assert (shown, type(shown)) == (data, type(data))
    read = values.from_json(types[name], parse(dumps(shown)))
    assert (read, type(read)) == (value, type(value))


def test_composites(values: JsonValues, types: dict[str, Type], made: Any) -> None:
    point = made.Point(x=1)
    target = made.TargetMany([made.TargetPoint(point), made.TargetPath(Path("a"))])
    cases: list[tuple[str, Any, Any]] = [
        ("level", made.Level.HIGH, "high"),
        ("region", made.Region.EU, "eu"),
        ("point", point, {"x": 1, "y": 2}),
        ("point", made.Point(x=1, from_="a"), {"x": 1, "from": "a", "y": 2}),
        ("target", target, {"many": [{"point": {"x": 1, "y": 2}}, {"path": "a"}]}),
        ("target", made.TargetAny(None), {"any": None}),
        ("by_int", {-7: point}, {"-7": {"x": 1, "y": 2}}),
        ("by_level", {made.Level.LOW: None}, {"low": None}),
    ]
    for name, value, data in cases:
        assert values.to_json(types[name], value) == data
        assert values.from_json(types[name], data) == value
    assert type(values.from_json(types["region"], "eu")) is made.Region


def test_what_is_read_beside_what_is_written(
    values: JsonValues, types: dict[str, Type], made: Any
) -> None:
    cases: list[tuple[str, Any, Any]] = [
        ("int", "12", 12),
        ("float", 3, 3.0),
        ("float", "1e3", 1000.0),
        ("decimal", 5, Decimal(5)),
        ("datetime", "2026-01-31T00:00:00Z", datetime(2026, 1, 31, tzinfo=UTC)),
        ("duration", "1.5", timedelta(seconds=1.5)),
        ("duration", 1e-3, timedelta(milliseconds=1)),
        ("point", {"x": 1, "from": None, "y": None}, made.Point(x=1)),
    ]
    for name, data, value in cases:
        read = values.from_json(types[name], data)
        assert (read, type(read)) == (value, type(value))


def test_null_is_absent_but_where_json_has_to_be_there(
    loaded: Loaded, values: JsonValues
) -> None:
    fields = [
        field
        for one in loaded.schema.roots[0].declarations
        if isinstance(one, Struct) and one.name == "All"
        for field in one.fields
        if field.name in ("json", "maybe")
    ]
    read = values.fields_from_json(fields, {"json": None, "maybe": None})
    assert read == {"json": None}
    with pytest.raises(Fault, match="json: required, and missing"):
        values.fields_from_json(fields, {})


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("bool", 1, "expected true or false, got a number"),
        ("int", 1.5, "expected an integer, got a number with a fraction"),
        ("int", True, "expected a number, got a boolean"),
        ("int", "1_0", "an int is written -?[0-9]+"),
        ("float", [], "expected a number, got an array"),
        ("float", 10**400, "beyond the range of a float"),
        ("str", None, "expected a string, got null"),
        ("str", 1, "expected a string, got a number"),
        ("bytes", "a", "bytes are written in base64"),
        ("bytes", "é===", "bytes are written in base64"),
        ("decimal", 1.5, "expected a string, got a number"),
        ("datetime", "today", "a datetime is written as in 2026-01-31T23:59:58+01:00"),
        ("datetime", "2026-01-31", "without an offset: end it with `Z` or `+01:00`"),
        ("date", "31.1.2026", "a date is written YYYY-MM-DD"),
        ("duration", 1e300, "a duration is written"),
        ("fd", "3", "expected an integer, got a string"),
        ("level", "hihg", "not a value of Level; did you mean `high`?"),
        ("level", "x", "not a value of Level; it has low, high"),
        ("level", 1, "expected a string, got a number"),
        ("point", [], "expected an object, got an array"),
        ("point", {"x": 1, "form": 1}, "no field `form`; did you mean `from`?"),
        ("point", {"y": 1}, "x: required, and missing"),
        ("target", {}, "a Target is an object of exactly one member"),
        ("target", "point", "expected an object, got a string"),
        ("target", {"z": 1}, "no member `z`; there are point, path, many, any"),
        ("target", {"many": [{"point": {"x": "q"}}]}, "many[0].point.x: an int"),
        ("list", {}, "expected an array, got an object"),
        ("by_int", {"1": {"x": 1}, "01": {"x": 1}}, "[1]: a key comes twice"),
        ("by_int", [], "expected an object, got an array"),
        ("by_int", {"a": {"x": 1}}, "[0]: an int is written"),
    ],
)
def test_what_is_refused(
    name: str, data: Any, said: str, values: JsonValues, types: dict[str, Type]
) -> None:
    with pytest.raises(Fault) as raised:
        values.from_json(types[name], data)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("bool", "true", True),
        ("bool", "false", False),
        ("int", "-5", -5),
        ("float", "1e3", 1000.0),
        ("float", "-inf", float("-inf")),
        ("str", '"a" = b', '"a" = b'),
        ("bytes", "AP8=", b"\x00\xff"),
        ("decimal", "1.10", Decimal("1.10")),
        ("date", "2026-01-31", date(2026, 1, 31)),
        ("duration", "-1.5", timedelta(seconds=-1.5)),
        ("uuid", str(ID), ID),
        ("json", '{"a": 1}', {"a": 1}),
        ("json", "null", None),
        ("path", "a b", Path("a b")),
        ("fd", "0", 0),
        ("region", "mars", "mars"),
        ("list", "[1, 2]", [1, 2]),
        ("by_uuid", json.dumps({str(ID): "a"}), {ID: "a"}),
    ],
)
def test_a_value_as_it_is_typed(
    name: str, text: str, value: Any, values: JsonValues, types: dict[str, Type]
) -> None:
    read = values.from_text(types[name], text)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("bool", "True", "a bool is `true` or `false`"),
        ("int", "x", "an int is written"),
        ("float", "x", "a float is written"),
        ("json", "abc", "(a string needs quotes)"),
        ("list", "1,2", "not JSON"),
        ("str", "\udc80", "a lone surrogate"),
        ("list", "[NaN]", "no NaN"),
        ("list", "\udc80", "not UTF-8"),
        ("point", '{"x": 1, "x": 2}', "one key twice"),
        ("fd", "-1", "the ordinal of a descriptor"),
    ],
)
def test_what_is_refused_as_it_is_typed(
    name: str, text: str, said: str, values: JsonValues, types: dict[str, Type]
) -> None:
    with pytest.raises(Fault) as raised:
        values.from_text(types[name], text)
    assert said in str(raised.value)


def test_nan_is_a_string(values: JsonValues, types: dict[str, Type]) -> None:
    assert values.to_json(types["float"], float("nan")) == "nan"
    read = values.from_json(types["float"], "nan")
    assert read != read


def test_what_would_steer_a_terminal_is_escaped() -> None:
    steers = "\x1b[2J \x9b2J \x85 \x7f \u202e \u2066 \u200f \u2028"
    for ascii_ in (False, True):
        text = dumps({"ä€🙂": [steers]}, ascii_=ascii_)
        assert text.isprintable()
        assert parse(text) == {"ä€🙂": [steers]}
    assert dumps("ä€🙂 \u00a0 \u200d") == '"ä€🙂 \u00a0 \u200d"'
