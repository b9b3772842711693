"""`ampgen call` against a Twisted server, which knows nothing of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from ampgen.cli import run
from tests.interop.reactor import twisted_server
from tests.raw import PATIENCE

SCHEMA = str(Path(__file__).with_name("interop.amp"))
Capture = pytest.CaptureFixture[str]

SCALARS: dict[str, Any] = {
    "flag": True,
    "number": 5,
    "ratio": 0.5,
    "text": "é",
    "raw": "AP8=",
    "price": "1.10",
    "at": "2026-01-31T23:59:58.000001+00:00",
    "day": "2026-01-31",
    "took": 1.5,
    "id": "12345678-1234-5678-1234-567812345678",
    "note": {"a": [None]},
    "file": "/a",
    "colour": "red",
    "region": "mars",
}
POINT = {"x": 1.0, "y": 2.0}


async def call(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    called = asyncio.to_thread(run, ["call", *arguments])
    status = await asyncio.wait_for(called, PATIENCE)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


async def test_values_come_back_as_they_were(capsys: Capture) -> None:
    shapes = [{"name": "a"}, {"corners": [POINT]}]
    structs: dict[str, Any] = {
        "point": POINT,
        "points": [],
        "legs": [],
        "shape": {"radius": 1.0},
    }
    maps: dict[str, Any] = {"prices": {"a": 1.5}, "owners": {}}
    every: list[tuple[str, dict[str, Any]]] = [
        ("Scalars", SCALARS),
        ("Structs", {**structs, "shapes": shapes}),
        ("Maps", {**maps, "places": {"red": POINT}, "index": {"7": []}}),
    ]
    async with twisted_server() as server:
        for name, given in every:
            words = [f"Interop.{name}", "--json", json.dumps(given)]
            status, out, err = await call(capsys, server.address, SCHEMA, *words)
            assert (status, err) == (0, "")
            assert json.loads(out) == given


async def test_words_errors_and_what_is_not_told(capsys: Capture) -> None:
    async with twisted_server() as server:
        words = ["Interop.Renamed", "count=2", "Upper=x"]
        status, out, _ = await call(capsys, server.address, SCHEMA, *words)
        assert (status, set(json.loads(out))) == (0, {"end", "Upper"})
        words = ["Interop.Fail", "how=refused"]
        status, out, err = await call(capsys, server.address, SCHEMA, *words)
        assert (status, out) == (1, "")
        assert err.startswith("error: REFUSED: ")
        status, _, err = await call(capsys, server.address, SCHEMA, "Unserved")
        assert (status, err) == (
            1,
            "error: UNHANDLED: Unhandled Command: b'Unserved'\n",
        )
        status, _, err = await call(capsys, server.address, "Interop.Wait", "number=1")
        assert (status, "does not tell its schemas" in err) == (1, True)
