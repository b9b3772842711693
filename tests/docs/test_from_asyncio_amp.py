"""Programs of asyncio-amp and ours understand one another.

What is in ``tests/vectors/asyncio_amp/conversation.json`` was written by the program
that the page begins with, and that program has read what ours write in its place. Here
ours are real processes, with those bytes at the other end of their sockets.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.docs import transcript
from tests.docs.transcript import DOCS, ROOT
from tests.raw import PATIENCE, RawPeer, box, dial, listen

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the lines are for a shell")

PAGE = (DOCS / "from-asyncio-amp.md").read_text(encoding="utf-8")
TALK: Any = json.loads(
    (ROOT / "tests" / "vectors" / "asyncio_amp" / "conversation.json").read_text(
        encoding="ascii"
    )
)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, and what the line of the page makes of it."""
    folder = tmp_path_factory.mktemp("from_asyncio_amp")
    made = shutil.copytree(DOCS / "examples" / "from_asyncio_amp", folder / "example")
    transcript.check(PAGE, made, folder / "bin")
    return made


async def start(program: str, address: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", program, address),
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYTHONASYNCIODEBUG": "",  # it tells on standard error of what is slow
            "PYTHONIOENCODING": "utf-8",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def act(peer: RawPeer, part: str) -> None:
    """Say what asyncio-amp said in this part, and hear what it understood."""
    for who, theirs, ours in TALK["steps"]:
        if who == part:
            await peer.send(bytes.fromhex(theirs))
            continue
        expected = bytes.fromhex(ours)
        heard = await peer.receive_box()
        peered = heard.pop(b"_peer", None)
        if peered is not None:  # which names more as we learn more
            heard[b"_peer"] = b"cancel stream"
        assert box(heard) == expected


async def test_a_client_of_asyncio_amp_and_our_server(workshop: Path) -> None:
    server = await start("weather_server.py", "127.0.0.1:0", workshop)
    try:
        assert server.stdout is not None
        line = await asyncio.wait_for(server.stdout.readline(), PATIENCE)
        async with dial(line.decode().split()[-1]) as peer:
            await act(peer, "client")
    finally:
        server.terminate()
        rest, _ = await server.communicate()
    assert rest == b""


async def test_our_client_and_a_server_of_asyncio_amp(workshop: Path) -> None:
    async with listen() as listener:
        client = await start("weather_client.py", listener.address, workshop)
        peer = await listener.accept()
        await act(peer, "server")
        printed, _ = await asyncio.wait_for(client.communicate(), PATIENCE)
        await peer.close()
    assert printed.decode() == TALK["printed"]


async def test_our_own_ends_come_to_the_same(workshop: Path) -> None:
    server = await start("weather_server.py", "127.0.0.1:0", workshop)
    try:
        assert server.stdout is not None
        line = await asyncio.wait_for(server.stdout.readline(), PATIENCE)
        client = await start("weather_client.py", line.decode().split()[-1], workshop)
        printed, _ = await asyncio.wait_for(client.communicate(), PATIENCE)
    finally:
        server.terminate()
        await server.wait()
    assert printed.decode() == TALK["printed"]
    assert f"```\n{TALK['printed']}```\n" in PAGE


def test_the_page_shows_what_is_in_the_files() -> None:
    transcript.check_files(PAGE)
    assert PAGE.count("](examples/from_asyncio_amp/") == 4
