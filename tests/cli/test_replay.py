"""`ampgen replay`, of what `ampgen proxy` has recorded."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from ampgen.runtime import serve
from ampgen.tools.recordings.events import (
    Boxed,
    Header,
    Opened,
    Values,
    header_line,
    line,
)
from ampgen.tools.seeing.seen import Side
from tests.cli.proxying import SCHEMA, SECRETS, Vault, proxying, talk
from tests.cli.test_call import Capture, here, started
from tests.raw import PATIENCE, listen

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.certificates import Certificates

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="the proxy is ended by a signal"
)


@asynccontextmanager
async def taken(path: Path, *options: str) -> AsyncGenerator[str]:
    """A recording of one client, and the server, which has been there all along."""
    async with serve("127.0.0.1:0", Vault()) as server:
        recording = ("--record", str(path), *options)
        async with proxying(server.addresses[0], SCHEMA, *recording) as proxy:
            await talk(proxy.address)
            await proxy.until("closed")
            await proxy.end()
        yield server.addresses[0]


async def test_the_same_is_the_same(capfd: Capture, tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    async with taken(path, "--record-secrets") as address:
        done = await here(capfd, "replay", str(path), address, "--fast", "--check")
        assert (done.status, done.out) == (0, "")
        summary = "1 connection, 9 boxes sent, 9 boxes came, 0 differences\n"
        assert done.err == summary
        done = await here(capfd, "replay", str(path), address, "--fast")
        assert done.err == summary
        assert len(done.out.splitlines()) == 18
        for secret in SECRETS:
            assert secret not in done.out
        done = await here(
            capfd, "replay", str(path), address, "--fast", "--format", "json"
        )
        boxes = [json.loads(one) for one in done.out.splitlines()]
        assert boxes[0]["fields"]["password"] == "[hidden]"


async def test_what_is_different_is_printed(capfd: Capture, tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    async with taken(path) as address:
        done = await here(capfd, "replay", str(path), address, "--fast", "--check")
    # the password is hidden in the recording, and wrong without
    assert done.status == 1
    assert done.out == (
        "#1   different: Vault.SignIn answer 1: answer, and now error DENIED\n"
        "#1   different: Vault.SignIn answer 5: answer, and now error DENIED\n"
    )
    assert done.err == (
        "1 connection, 9 boxes sent, 9 boxes came, 5 values sent in the place of what"
        " was hidden, 2 differences\n"
    )
    async with serve("127.0.0.1:0", Vault("good day")) as server:
        address = server.addresses[0]
        arguments = ("replay", str(path), address, "--fast", "--format", "json")
        done = await here(capfd, *arguments, "--check")
    assert json.loads(done.out.splitlines()[0]) == {
        "connection": 1,
        "different": "Vault.SignIn answer 1: answer, and now error DENIED",
    }


def written(path: Path, count: int) -> None:
    header = Header(began="", upstream="", values=Values.ALL)
    ask = {b"_ask": b"1", b"_command": b"Do", b"text": b"x" * 60_000}
    events = [line(Boxed(1, 0.0, Side.CLIENT, {**ask})) for _ in range(count)]
    lines = [header_line(header), line(Opened(1, 0.0, "")), *events]
    path.write_text("".join(lines))


async def test_it_can_be_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    written(path, 300)
    async with (
        listen() as listener,
        started("replay", str(path), listener.address) as process,
    ):
        there = await listener.accept()
        await there.receive_box()
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 130
        assert b"Traceback" not in err


async def test_a_reader_that_has_had_enough_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    written(path, 300)
    async with (
        listen() as listener,
        started("replay", str(path), listener.address) as process,
    ):
        assert process.stdout is not None
        process.stdout._transport.close()  # type: ignore[attr-defined]
        await listener.accept()
        _, err = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 1
        assert err == b""


async def test_a_last_line_that_is_not_whole_is_told(
    capfd: Capture, tmp_path: Path
) -> None:
    path = tmp_path / "calls.jsonl"
    written(path, 0)
    with path.open("ab") as more:
        more.write(b'{"connection":1,"time":0.1,"from":"cli')
    async with serve("127.0.0.1:0", Vault()) as server:
        done = await here(capfd, "replay", str(path), server.addresses[0])
    assert done.status == 0
    assert "note: the last line of the recording is not whole\n" in done.err


async def test_tls(capfd: Capture, tmp_path: Path, certificates: Certificates) -> None:
    path = tmp_path / "calls.jsonl"
    written(path, 0)
    for how in ("tls", "starttls"):
        tls = certificates.server_tls()
        serving = (
            serve("127.0.0.1:0", Vault(), tls=tls)
            if how == "tls"
            else serve("127.0.0.1:0", Vault(), starttls=tls)
        )
        async with serving as server:
            address = server.addresses[0]
            options = (f"--{how}", "--ca", str(certificates.ca))
            done = await here(capfd, "replay", str(path), address, *options)
            assert (done.status, done.out) == (0, "")
            done = await here(capfd, "replay", str(path), address, f"--{how}")
            assert done.status == 1
            assert f"error: cannot connect to {address}: no TLS with" in done.err


async def test_what_cannot_be_is_told(capfd: Capture, tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    address = "127.0.0.1:1"
    path.write_text("no recording\n")
    done = await here(capfd, "replay", str(path), address)
    assert (done.status, done.err) == (1, f"error: {path}: this is no recording\n")
    written(path, 0)
    done = await here(capfd, "replay", str(path), address)
    reason = os.strerror(errno.ECONNREFUSED)
    assert done.err == f"error: cannot connect to {address}: {reason}\n"
    with path.open("ab") as more:
        more.write(b"{}\n")
    async with serve("127.0.0.1:0", Vault()) as server:
        done = await here(capfd, "replay", str(path), server.addresses[0])
    assert done.status == 1
    where = f"error: {path}: line 3: connection: "
    assert done.err == f"{where}a number, 0 or more, is expected\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("a:1", "--fast", "--speed", "2"), "--fast and --speed: one of them"),
        (("a:1", "--speed", "0"), "Invalid value for '--speed'"),
        (("a:1", "--speed", "inf"), "--speed is a number; --fast is as fast as can be"),
        (("a:1", "--speed", "nan"), "--speed"),
        (("a",), "'a' is not an address: the port is missing"),
        (("unix:/a", "--tls"), "--server-hostname is missing"),
        ((), "Missing argument 'ADDRESS'"),
    ],
)
async def test_wrong_usage(
    capfd: Capture, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    path = tmp_path / "calls.jsonl"
    written(path, 0)
    done = await here(capfd, "replay", str(path), *arguments)
    assert done.status == 2
    assert reason in done.err
