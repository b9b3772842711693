"""The capture that the page of `ampgen decode` shows is what its program says."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from ampgen.tools.decoding import CaptureDecoding
from ampgen.tools.memory import load_schemas
from ampgen.tools.seeing.seen import Seen, SeenBox, Side
from tests.relay import Relay

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "decode"
PATIENCE = 20.0


def told(seen: list[Seen]) -> list[tuple[object, ...]]:
    """All but the times, which are not the same twice."""
    found: list[tuple[object, ...]] = []
    for one in seen:
        assert isinstance(one, SeenBox)
        assert not one.fault
        place = one.sender, one.offset, one.size
        extras = {**one.extras, "timeout": "timeout" in one.extras}
        found.append((*place, one.kind, one.command, one.fields, one.code, extras))
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="there are no Unix sockets")
async def test_the_capture_has_what_the_program_says(tmp_path: Path) -> None:
    loaded = load_schemas([EXAMPLE / "bank.amp"])
    with (EXAMPLE / "bank.pcap").open("rb") as file:
        [_link, *found] = CaptureDecoding(file, 8000, loaded).seen()
    captured = [one[1] for one in found if isinstance(one, tuple)]
    assert len(captured) == len(found) == 10

    bank, between = tmp_path / "bank", tmp_path / "between"
    listener = Relay(loaded, f"unix:{bank}")
    async with await asyncio.start_unix_server(listener, between):
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            EXAMPLE / "talk.py",
            f"unix:{bank}",
            f"unix:{between}",
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONASYNCIODEBUG": ""},
        )
        assert await asyncio.wait_for(program.wait(), PATIENCE) == 0
        await asyncio.wait_for(listener.over.wait(), PATIENCE)
    # each side by itself: which piece comes through first is nobody's to say
    for side in Side:
        assert told([one for one in listener.seen if one.sender is side]) == told(
            [one for one in captured if one.sender is side]
        )
