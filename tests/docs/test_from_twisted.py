"""A program is moved from Twisted in steps: at each one, both ends work.

The page's own lines import and compile the schema; what they make is what the programs
run with. Each pairing of a server and a client is two processes with a wire between
them, on which all that goes over it is written down.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import textwrap
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from tests.docs import transcript
from tests.docs.transcript import DOCS, ROOT
from tests.raw import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="the page's lines are for a shell"),
    pytest.mark.xdist_group("from_twisted"),  # what is made once is made once
]

EXAMPLE = DOCS / "examples" / "from_twisted"
PAGE = (DOCS / "from-twisted.md").read_text(encoding="utf-8")

STEPS = ["twisted", "generated", "asyncio"]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, and what the lines of the page make of it."""
    folder = tmp_path_factory.mktemp("from_twisted")
    made = shutil.copytree(EXAMPLE, folder / "example")
    transcript.check(PAGE, made, folder / "bin")
    return made


# --- a wire that remembers ------------------------------------------------------------


@dataclass
class Wire:
    """Between one client and one server: ``sent`` by the client, and ``answered``."""

    address: str
    sent: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)


@contextmanager
def wire_to(address: str) -> Generator[Wire]:
    host, _, port = address.rpartition(":")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wire = Wire("{}:{}".format(*listening.getsockname()))

        def connect() -> None:
            client, _ = listening.accept()
            server = socket.create_connection((host, int(port)), PATIENCE)
            back = threading.Thread(target=pass_on, args=(server, client, False))
            with client, server:
                back.start()
                pass_on(client, server, True)
                back.join(PATIENCE)

        def pass_on(source: socket.socket, to: socket.socket, out: bool) -> None:
            into = wire.sent if out else wire.answered
            with suppress(OSError):  # an end that is gone has nothing more to say
                while data := source.recv(65536):
                    into.extend(data)
                    to.sendall(data)
            with suppress(OSError):
                to.shutdown(socket.SHUT_WR)

        thread = threading.Thread(target=connect)
        thread.start()
        yield wire
        thread.join(PATIENCE)
        assert not thread.is_alive()


def boxes(data: bytes) -> list[dict[bytes, bytes]]:
    """All that is on one side of a wire, without what AMP does not have."""
    found: list[dict[bytes, bytes]] = [{}]
    at = 0

    def sized() -> bytes:
        nonlocal at
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        return data[start:at]

    while at < len(data):
        if key := sized():
            found[-1][key] = sized()
        else:
            found.append({})
    assert found.pop() == {}
    for box in found:
        box.pop(b"_peer", None)
    return found


# --- the programs ---------------------------------------------------------------------


@dataclass
class Meeting:
    """What a server and a client printed, and what went between them."""

    client: str
    server: str
    wire: Wire


def meeting(server: str, client: str, folder: Path) -> Meeting:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONASYNCIODEBUG": "",  # it tells on standard error of what is slow
        "PYTHONIOENCODING": "utf-8",
    }
    python = [sys.executable, "-W", "error"]
    with subprocess.Popen(
        [*python, f"{server}_server.py", "127.0.0.1:0"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as serving:
        try:
            assert serving.stdout is not None
            address = serving.stdout.readline().split()[-1]
            with wire_to(address) as wire:
                calling = subprocess.run(
                    [*python, f"{client}_client.py", wire.address],
                    cwd=folder,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    check=False,
                    timeout=60,
                )
                told = ""
                while not told.endswith("has left\n"):
                    line = serving.stdout.readline()
                    assert line, told
                    told += line
        finally:
            serving.terminate()
    return Meeting(calling.stdout, told, wire)


@pytest.fixture(scope="module")
def before(workshop: Path) -> Meeting:
    """How it was."""
    return meeting("twisted", "twisted", workshop)


def test_the_page_shows_what_is_in_the_files() -> None:
    transcript.check_files(PAGE)
    files = [*EXAMPLE.glob("*.py"), *EXAMPLE.glob("*.amp"), *EXAMPLE.glob("*/*.amp")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    pieces = re.findall(r"^```python\n((?s:.)*?)^```$", PAGE, re.MULTILINE)
    assert len(pieces) > 4
    for piece in pieces:
        ways = [textwrap.indent(piece.strip("\n"), " " * by) for by in (0, 4, 8)]
        assert any(way in text for way in ways for text in texts), piece


def test_the_page_shows_what_the_programs_print(before: Meeting) -> None:
    assert f"```\n{before.client}```\n" in PAGE
    assert f"```\n{before.server}```\n" in PAGE


@pytest.mark.parametrize("server", STEPS)
@pytest.mark.parametrize("client", STEPS)
def test_both_ends_work_at_each_step(
    server: str, client: str, workshop: Path, before: Meeting
) -> None:
    met = meeting(server, client, workshop)
    assert met.client == before.client
    assert met.server == before.server
    if "asyncio" not in (server, client):
        assert met.wire.sent == before.wire.sent
        assert met.wire.answered == before.wire.answered
    else:
        assert boxes(bytes(met.wire.sent)) == boxes(bytes(before.wire.sent))
        assert boxes(bytes(met.wire.answered)) == boxes(bytes(before.wire.answered))


@pytest.mark.parametrize("client", STEPS)
def test_old_clients_work_with_the_later_server(
    client: str, workshop: Path, before: Meeting
) -> None:
    met = meeting("later", client, workshop)
    assert met.client == before.client
    assert met.server == before.server


@pytest.mark.parametrize("server", STEPS)
def test_the_later_client_works_with_old_servers(server: str, workshop: Path) -> None:
    met = meeting(server, "later", workshop)
    assert f"a server of before:\n```\n{met.client}```\n" in PAGE
    assert met.server.splitlines()[-2:] == [
        "Zoë says: I am in a hurry",
        "Zoë has left",
    ]


def test_what_came_later_works_with_itself(workshop: Path) -> None:
    met = meeting("later", "later", workshop)
    assert f"the server of now:\n```\n{met.client}```\n" in PAGE
