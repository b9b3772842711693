"""Every type, as an argument and as a result, between Twisted and us."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from twisted.python.filepath import FilePath

from ampgen.runtime import serve
from tests.interop import twisted_commands
from tests.interop.ours import interop_service
from tests.interop.reactor import ask, twisted_client, twisted_server

ID = UUID("12345678-1234-5678-1234-567812345678")
LISTS = ("ints", "texts", "raws", "grid", "times", "colours")
HALF = timezone(timedelta(hours=-3, minutes=-30))


@dataclass(frozen=True, slots=True)
class Example:
    """The same values, as our programs have them and as Twisted's have them.

    ``read`` is what our end reads, where that is more than what was given: absent keys.
    """

    command: str
    ours: dict[str, Any]
    twisted: dict[str, Any]
    read: dict[str, Any] | None = None


def examples(i: Any) -> dict[str, Example]:
    point, plain = i.Point(x=1.5, y=-0.5, label="ä"), i.Point(x=0.0, y=2.0)
    twisted_point = {"x": 1.5, "y": -0.5, "label": "ä"}
    twisted_plain = {"x": 0.0, "y": 2.0, "label": None}
    shape = {"radius": None, "corners": None, "name": None, "centre": None}
    scalars = {
        "flag": True,
        "number": 10**100,
        "ratio": 0.1,
        "text": "ä€\N{GRINNING FACE}",
        "raw": bytes(range(256)),
        "price": Decimal("-1.50"),
        "at": datetime(2026, 1, 31, 23, 59, 58, 1, HALF),
    }
    nothing = {"number": None, "text": None, "point": None, "list": None, "at": None}
    return {
        "scalars": Example(
            "Scalars",
            scalars
            | {
                "day": date(2026, 1, 31),
                "took": timedelta(seconds=-1, microseconds=-500000),
                "id": ID,
                "note": {"a": [1, None, "ä"], "b": {}},
                "file": Path("/tmp/ä b"),
                "colour": i.Colour.RED,
                "region": i.Region.EU,
            },
            scalars
            | {
                "day": "2026-01-31",
                "took": "-1.5",
                "id": str(ID),
                "note": '{"a":[1,null,"ä"],"b":{}}',
                "file": FilePath("/tmp/ä b"),
                "colour": "red",
                "region": "eu",
            },
        ),
        "scalars, empty or zero": Example(
            "Scalars",
            {
                "flag": False,
                "number": 0,
                "ratio": float("-inf"),
                "text": "",
                "raw": b"",
                "price": Decimal("0E-10"),
                "at": datetime.min.replace(tzinfo=UTC),
                "day": date.min,
                "took": timedelta(0),
                "id": UUID(int=0),
                "note": "",
                "file": Path("/"),
                "colour": i.Colour.GREEN,
                "region": "a newer one",
            },
            {
                "flag": False,
                "number": 0,
                "ratio": float("-inf"),
                "text": "",
                "raw": b"",
                "price": Decimal("0E-10"),
                "at": datetime.min.replace(tzinfo=UTC),
                "day": "0001-01-01",
                "took": "0",
                "id": str(UUID(int=0)),
                "note": '""',
                "file": FilePath("/"),
                "colour": "green",
                "region": "a newer one",
            },
        ),
        "optionals, absent": Example("Optionals", {}, {}, nothing | {"shape": None}),
        "optionals, present": Example(
            "Optionals",
            {
                "number": 0,
                "text": "",
                "point": plain,
                "list": [],
                "at": datetime(2026, 1, 1, tzinfo=UTC),
                "shape": i.ShapeName(""),
            },
            {
                "number": 0,
                "text": "",
                "point": [twisted_plain],
                "list": [],
                "at": datetime(2026, 1, 1, tzinfo=UTC),
                "shape": [shape | {"name": ""}],
            },
        ),
        "defaults, present": Example(
            "Defaults",
            {
                "number": 0,
                "text": "",
                "list": [],
                "colour": i.Colour.RED,
                "map": {"": -1},
            },
            {
                "number": 0,
                "text": "",
                "list": [],
                "colour": "red",
                "map": [{"key": "", "value": -1}],
            },
        ),
        "lists": Example(
            "Lists",
            {
                "ints": [0, -1, 10**50],
                "texts": ["", "a", ""],
                "raws": [b"", b"\0" * 300],
                "grid": [[], [1], [2, 3]],
                "times": [datetime.max.replace(tzinfo=HALF)],
                "colours": [i.Colour.GREEN, i.Colour.RED],
            },
            {
                "ints": [0, -1, 10**50],
                "texts": ["", "a", ""],
                "raws": [b"", b"\0" * 300],
                "grid": [[], [1], [2, 3]],
                "times": [datetime.max.replace(tzinfo=HALF)],
                "colours": ["green", "red"],
            },
        ),
        "lists, empty": Example(
            "Lists",
            {key: [] for key in LISTS},
            {key: [] for key in LISTS},
        ),
        "structs": Example(
            "Structs",
            {
                "point": point,
                "points": [plain, point],
                "legs": [
                    i.Leg(from_=point, to=plain, via=[], colours=[]),
                    i.Leg(
                        from_=plain,
                        to=point,
                        via=[plain, point],
                        colours=[i.Colour.RED],
                    ),
                ],
                "shape": i.ShapeCorners([point, plain]),
                "shapes": [
                    i.ShapeRadius(1.0),
                    i.ShapeName("x"),
                    i.ShapeCorners([]),
                    i.ShapeCentre(plain),
                ],
            },
            {
                "point": [twisted_point],
                "points": [twisted_plain, twisted_point],
                "legs": [
                    {
                        "From": [twisted_point],
                        "to": [twisted_plain],
                        "via": [],
                        "colours": [],
                    },
                    {
                        "From": [twisted_plain],
                        "to": [twisted_point],
                        "via": [twisted_plain, twisted_point],
                        "colours": ["red"],
                    },
                ],
                "shape": [shape | {"corners": [twisted_point, twisted_plain]}],
                "shapes": [
                    shape | {"radius": 1.0},
                    shape | {"name": "x"},
                    shape | {"corners": []},
                    shape | {"centre": [twisted_plain]},
                ],
            },
        ),
        "maps": Example(
            "Maps",
            {
                "prices": {"pear": 1.5, "": 0.0, "apple": float("inf")},
                "places": {i.Colour.RED: plain},
                "index": {-1: [], 10**30: ["", "a"]},
                "owners": {ID: "ä"},
            },
            {
                "prices": [
                    {"key": "pear", "value": 1.5},
                    {"key": "", "value": 0.0},
                    {"key": "apple", "value": float("inf")},
                ],
                "places": [{"key": "red", "value": [twisted_plain]}],
                "index": [
                    {"key": -1, "value": []},
                    {"key": 10**30, "value": ["", "a"]},
                ],
                "owners": [{"key": str(ID), "value": "ä"}],
            },
        ),
        "maps, empty": Example(
            "Maps",
            {"prices": {}, "places": {}, "index": {}, "owners": {}},
            {"prices": [], "places": [], "index": [], "owners": []},
        ),
    }


NAMES = (
    *("scalars", "scalars, empty or zero", "optionals, absent", "optionals, present"),
    *("defaults, present", "lists", "lists, empty", "structs", "maps", "maps, empty"),
)
each_example = pytest.mark.parametrize("name", NAMES)


def test_no_example_is_left_out(interop: Any) -> None:
    assert tuple(examples(interop)) == NAMES


def fields(result: Any) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(result)]
    return {name: getattr(result, name) for name in names}


@each_example
async def test_our_client_and_a_twisted_server(name: str, interop: Any) -> None:
    example = examples(interop)[name]
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        method = getattr(client, example.command.lower())
        result = await method(**example.ours)
    [end] = server.ends
    [seen] = end.seen
    absent = dict.fromkeys(seen, None) if not example.twisted else {}
    assert seen == absent | example.twisted
    assert fields(result) == (example.read or example.ours)


@each_example
async def test_a_twisted_client_and_our_server(name: str, interop: Any) -> None:
    example = examples(interop)[name]
    command = getattr(twisted_commands, example.command)
    service = interop_service(interop)
    async with (
        serve("127.0.0.1:0", service) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        result = await ask(end, command, **example.twisted)
    [seen] = service.seen
    assert seen == (example.read or example.ours)
    absent = dict.fromkeys(result, None) if not example.twisted else {}
    assert result == absent | example.twisted


async def test_what_we_read_has_the_types_of_the_schema(interop: Any) -> None:
    example = examples(interop)["scalars"]
    service = interop_service(interop)
    async with (
        serve("127.0.0.1:0", service) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        await ask(end, twisted_commands.Scalars, **example.twisted)
    [seen] = service.seen
    for key, value in example.ours.items():
        assert type(seen[key]) is type(value), key


DEFAULTS: dict[str, Any] = {"number": 7, "text": "x", "list": [1, 2], "map": {}}


async def test_a_default_is_sent_to_twisted(interop: Any) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        result = await client.defaults()
    [end] = server.ends
    assert end.seen == [DEFAULTS | {"colour": "green", "map": []}]
    assert fields(result) == DEFAULTS | {"colour": interop.Colour.GREEN}


async def test_what_twisted_leaves_out_is_the_default(interop: Any) -> None:
    service = interop_service(interop)
    async with (
        serve("127.0.0.1:0", service) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        result = await ask(end, twisted_commands.Defaults)
    assert service.seen == [DEFAULTS | {"colour": interop.Colour.GREEN}]
    assert result == DEFAULTS | {"colour": "green", "map": []}


async def test_names_on_the_wire_are_the_annotated_ones(interop: Any) -> None:
    service = interop_service(interop)
    async with (
        serve("127.0.0.1:0", service) as server,
        twisted_client(server.addresses[0]) as end,
        twisted_server() as other,
        interop.InteropClient.connect(other.address) as client,
    ):
        answer = await ask(end, twisted_commands.Renamed, how_many=3, Upper="x")
        result = await client.renamed(3, "x")
    assert answer == {"the_end": 3, "Upper": "x"}
    assert result == interop.RenamedResult(end=3, Upper="x")
    assert service.seen == [{"count": 3, "Upper": "x"}]
    assert other.ends[0].seen == [{"how_many": 3, "Upper": "x"}]
