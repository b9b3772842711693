"""A Twisted program against `ampgen mock`, which knows nothing of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from twisted.protocols import amp

from tests.cli.test_mock import mock
from tests.interop import twisted_commands as commands
from tests.interop.reactor import ask, twisted_client

SCHEMA = str(Path(__file__).with_name("interop.amp"))


async def test_twisted_reads_what_is_made_up() -> None:
    point = {"x": 1.0, "y": 2.0, "label": None}
    shape = {"radius": 1.0}
    structs: dict[str, Any] = {"points": [point], "legs": [], "shapes": [shape]}
    maps: dict[str, Any] = {"prices": [], "places": [], "index": [], "owners": []}
    async with (
        mock("--format", "json", schema=SCHEMA) as running,
        twisted_client(running.address) as twisted,
    ):
        for number in range(8):
            optional = {"number": number}
            answer = await ask(twisted, commands.Optionals, **optional)
            assert answer["number"] == number  # as it was asked for
            assert set(answer) == {"number", "text", "point", "list", "at", "shape"}
            lists: dict[str, Any] = {"ints": [number], "texts": [], "raws": []}
            lists |= {"grid": [], "times": [], "colours": ["red"]}
            answer = await ask(twisted, commands.Lists, **lists)
            assert set(answer["colours"]) <= {"red", "green"}
            assert all(one.tzinfo is not None for one in answer["times"])
            answer = await ask(
                twisted, commands.Structs, point=[point], shape=[shape], **structs
            )
            assert isinstance(answer["point"][0]["x"], float)
            [made] = answer["shape"]
            assert sum(member is not None for member in made.values()) == 1
            answer = await ask(twisted, commands.Maps, **maps)
            for one in answer["places"]:
                assert one["key"] in ("red", "green")
            large = await ask(twisted, commands.Large, size=number)
            assert isinstance(large["raw"], bytes)
        renamed = await ask(twisted, commands.Renamed, how_many=3, Upper="A")
        assert renamed["Upper"] == "A"
        told = await running.told()
        assert told["command"] == "Interop.Optionals"
        assert told["arguments"] == {"number": 0}


async def test_errors_reach_twisted(tmp_path: Path) -> None:
    examples: dict[str, Any] = {
        "Interop.Fail": [
            {"arguments": {"how": how}, "error": {"name": name, "description": "ä"}}
            for how, name in (("a", "Refused"), ("b", "NotFound"), ("c", "Corrupt"))
        ]
    }
    (tmp_path / "x.json").write_text(json.dumps(examples))
    words = ("--examples", str(tmp_path / "x.json"))
    async with (
        mock(*words, schema=SCHEMA) as running,
        twisted_client(running.address) as twisted,
    ):
        with pytest.raises(commands.Refused, match="ä"):
            await ask(twisted, commands.Fail, how="a")
        with pytest.raises(commands.NotFound):
            await ask(twisted, commands.Fail, how="b")
        assert await ask(twisted, commands.Fail, how="d")
        with pytest.raises(commands.Corrupt):
            await ask(twisted, commands.Fail, how="c")
    async with (
        mock("--service", "Events", schema=SCHEMA) as running,
        twisted_client(running.address) as twisted,
    ):
        with pytest.raises(amp.UnhandledCommand):
            await ask(twisted, commands.Fail, how="a")


async def test_twisted_is_called_back() -> None:
    async with (
        mock("--call-back", "--format", "json", schema=SCHEMA) as running,
        twisted_client(running.address) as twisted,
    ):
        for _ in range(2):
            await ask(twisted, commands.Logged)
        told = [await running.told() for _ in range(4)]
        question, notice = (one for one in told if "called_back" in one)
        assert question["command"] == "Events.Question"
        asked = question["called_back"]["text"]
        assert question["answer"] == {"answer": asked.upper()}
        assert twisted.seen == [{"notice": notice["called_back"]["text"]}]
