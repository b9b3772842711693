"""Sockets of systemd, and what it is told: with a real child, and real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ampgen.runtime import run, serve
from ampgen.runtime.systemd import inherited_sockets, notify, watchdog_seconds
from tests.fds import none_left
from tests.raw import PATIENCE
from tests.runtime.made.text import TextClient
from tests.runtime.services import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

# what systemd does between fork and exec: descriptors from 3 on, and its own pid
START = """
import os, sys
count, program = int(sys.argv[1]), sys.argv[2:]
os.environ["LISTEN_PID"] = str(os.getpid())
for target, given in enumerate(map(int, os.environ["GIVEN"].split())):
    os.dup2(given, 100 + target)
for target in range(count):
    os.dup2(100 + target, 3 + target)
os.environ["LISTEN_FDS"] = str(count)
os.execv(sys.executable, [sys.executable, *program])
"""


class Manager:
    """The socket of a service manager."""

    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + path[1:] if path.startswith("@") else path)
        self.socket.setblocking(False)

    async def hears(self) -> str:
        loop = asyncio.get_running_loop()
        return (
            await asyncio.wait_for(loop.sock_recv(self.socket, 99), PATIENCE)
        ).decode()


@pytest.fixture(params=["file", "abstract"])
def manager(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Manager]:
    path = str(tmp_path / "notify")
    if request.param == "abstract":
        path = "@" + path
    one = Manager(path)
    monkeypatch.setenv("NOTIFY_SOCKET", path)
    yield one
    one.socket.close()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("address", "reached"), [("systemd:", {0, 1}), ("systemd:second", {1})]
)
async def test_a_service_serves_the_sockets_it_was_started_with(
    workers: int, address: str, reached: set[int], manager: Manager, tmp_path: Path
) -> None:
    path = tmp_path / "socket"
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(str(path))
        unix.listen()
        given = (tcp.fileno(), unix.fileno())
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            START,
            "2",
            "-m",
            "tests.runtime.program",
            json.dumps({"address": address, "workers": workers}),
            env={
                **os.environ,
                "GIVEN": " ".join(map(str, given)),
                "LISTEN_FDNAMES": "first:second",
                "WATCHDOG_USEC": "100000",
            },
            pass_fds=given,
            stdout=asyncio.subprocess.PIPE,
        )
        assert await manager.hears() == "READY=1"
        assert await manager.hears() == "WATCHDOG=1"
        assert await manager.hears() == "WATCHDOG=1"
        addresses = [f"127.0.0.1:{tcp.getsockname()[1]}", f"unix:{path}"]
        for number in reached:
            async with TextClient.connect(addresses[number]) as text:
                assert (await text.repeat("abc")).text == "abc"
        process.send_signal(signal.SIGTERM)
        heard = ""
        while heard != "STOPPING=1":
            heard = await manager.hears()
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        served = " ".join(addresses[number] for number in sorted(reached))
        assert out.decode() == f"serving {served}\ndone\n"
        assert process.returncode == 0
        # they are systemd's: the next process serves them
        assert path.exists()
        assert unix.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "systemd has passed no socket"),
        ({"LISTEN_PID": "1", "LISTEN_FDS": "1"}, "for the process 1"),
        ({"LISTEN_PID": "own", "LISTEN_FDS": "x"}, "is not how many sockets"),
        ({"LISTEN_PID": "own", "LISTEN_FDS": "1"}, "no socket has that name"),
    ],
)
async def test_sockets_that_are_not_there_are_missed(
    variables: dict[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.replace("own", str(os.getpid())))
    with pytest.raises(OSError, match=said):
        await serve("systemd:mine", Text()).__aenter__()


@pytest.mark.parametrize("kind", ["datagram", "deaf"])
async def test_sockets_that_cannot_be_served_are_refused(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    type_ = socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, type_) as given:
        monkeypatch.setattr("ampgen.runtime.systemd._FIRST", given.fileno())
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", "1")
        with pytest.raises(OSError, match="no listening stream socket"):
            await serve("systemd:", Text()).__aenter__()


@pytest.mark.parametrize("kind", ["closed", "file"])
def test_descriptors_that_are_no_sockets_are_named(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path(__file__).open("rb") as file, none_left():
        descriptor = file.fileno()
        if kind == "closed":
            descriptor += 500
        monkeypatch.setattr("ampgen.runtime.systemd._FIRST", descriptor)
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", "1")
        named = f"descriptor {descriptor} is no socket of systemd, though LISTEN_FDS"
        with pytest.raises(OSError, match=named):
            inherited_sockets()


@pytest.mark.parametrize("address", ["systemd:", "systemd:mine"])
@pytest.mark.parametrize("workers", [1, 2])
def test_a_socket_of_systemd_is_served_and_stays(
    address: str, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        monkeypatch.setattr("ampgen.runtime.systemd._FIRST", given.fileno())
        monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
        monkeypatch.setenv("LISTEN_FDS", "1")
        monkeypatch.setenv("LISTEN_FDNAMES", "mine")
        ready: list[str] = []

        def end(addresses: list[str]) -> None:
            ready.extend(addresses)
            os.kill(os.getpid(), signal.SIGTERM)

        run(address, Text, workers=workers, on_ready=end)
        assert ready == [f"127.0.0.1:{given.getsockname()[1]}"]
        assert given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)


async def test_a_server_gives_signs_of_life(
    manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    async with serve("127.0.0.1:0", Text()) as server:
        forever = asyncio.create_task(server.serve_forever())
        heard = [await manager.hears() for _ in range(4)]
        assert heard == ["READY=1", *["WATCHDOG=1"] * 3]
        os.kill(os.getpid(), signal.SIGTERM)
        await forever
    while (word := await manager.hears()) != "STOPPING=1":
        assert word == "WATCHDOG=1"


async def test_several_servers_are_ready_and_stop_as_one(manager: Manager) -> None:
    async with serve("127.0.0.1:0", Text()) as one, serve("127.0.0.1:0", Text()) as two:
        forever = [asyncio.create_task(s.serve_forever()) for s in (one, two)]
        assert await manager.hears() == "READY=1"
        one.close()
        await forever[0]
        two.close()
        await forever[1]
        assert await manager.hears() == "STOPPING=1"
        with pytest.raises(BlockingIOError):
            manager.socket.recv(1)


def test_who_is_not_there_to_be_told_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    assert not caplog.records
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("READY=1")
    assert "cannot tell systemd READY=1" in caplog.text


@pytest.mark.parametrize(
    ("microseconds", "pid", "seconds"),
    [
        ("3000000", "own", 3.0),
        ("3000000", "1", None),
        ("3000000", None, 3.0),
        ("0", None, None),
        ("soon", None, None),
    ],
)
def test_signs_of_life_are_due_as_the_environment_says(
    microseconds: str,
    pid: str | None,
    seconds: float | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", microseconds)
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    if pid is not None:
        monkeypatch.setenv("WATCHDOG_PID", pid.replace("own", str(os.getpid())))
    assert watchdog_seconds() == seconds
