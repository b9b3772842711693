"""`ampgen proxy`, between clients and servers of ours, over real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import socket
import stat
import sys
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import serve
from ampgen.tools.recordings.events import Boxed, Values
from ampgen.tools.recordings.reader import Recording
from tests.cli.proxying import SCHEMA, SECRETS, Vault, proxying, talk, vault
from tests.cli.test_call import Capture, here
from tests.raw import PATIENCE, dial

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.certificates import Certificates

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="it is ended by a signal"
)


def without_times(out: str) -> list[str]:
    """The lines, without times, columns, and the client's port."""
    found: list[str] = []
    for line in out.splitlines():
        number, _time, rest = line.split(maxsplit=2)
        rest = re.sub(r"  +[\d.]+ (µs|ms|s)( |$)", " ", rest)
        rest = re.sub(r"(opened by \S+):\d+", r"\1", rest)
        found.append(" ".join([number, *rest.split()]))
    return found


async def test_each_box_is_shown_with_its_fields_and_nothing_secret() -> None:
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        proxying(server.addresses[0], SCHEMA) as proxy,
    ):
        said = await talk(proxy.address)
        assert said == await talk(server.addresses[0])
        await proxy.until("closed")
        done = await proxy.end()
    assert done.status == 0
    knows = " (understands cancel stream)"
    key = '{"id":1,"secret":"[hidden]"}'
    sign_in = f'password=[hidden] keys={{"one":{key}}}'
    signed_in = f"token=[hidden] key={key}"
    assert without_times(done.out) == [
        "#1 * opened by 127.0.0.1",
        f'#1 > ask 1 Vault.SignIn name="word" {sign_in}{knows}',
        f'#1 < ask 1 Doorman.Word about="word"{knows}',
        f"#1 > answer 1 Doorman.Word word=[hidden]{knows}",
        f'#1 < answer 1 Vault.SignIn greeting="hello word" {signed_in}{knows}',
        '#1 > ask 2 Vault.Listen to="the sea" (credit 64)',
        *(
            f'#1 < item 2 Vault.Listen line="the sea {number}" sound=[hidden]'
            for number in range(3)
        ),
        "#1 < answer 2 Vault.Listen",
        "#1 > ask 3 Vault.Tell",
        "#1 < credit 3 Vault.Tell (credit 64)",
        '#1 > item 3 Vault.Tell item={"text":"a"}',
        '#1 > item 3 Vault.Tell item={"text":"b"}',
        "#1 > end 3 Vault.Tell",
        "#1 < answer 3 Vault.Tell result=2",
        "#1 > oneway Vault.Leave",
        f'#1 > ask 5 Vault.SignIn name="ada" {sign_in}',
        f'#1 < answer 5 Vault.SignIn greeting="hello ada" {signed_in}',
        "#1 * the client sends no more",
        "#1 * closed",
    ]
    assert re.search(
        r"^1 connection, 18 boxes \(5 asks, 5 answers, .*\), ", done.err, re.MULTILINE
    )
    for secret in SECRETS:
        assert secret not in done.out + done.err


async def test_without_a_schema_there_are_lengths() -> None:
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        proxying(server.addresses[0]) as proxy,
        proxying(server.addresses[0], "--raw") as raw,
    ):
        await talk(proxy.address)
        await talk(raw.address)
        plain, bare = await proxy.end(), await raw.end()
    assert " SignIn " in plain.out
    assert "password=<8 bytes>" in plain.out
    assert "name=<4 bytes>" in plain.out
    for secret in SECRETS:
        assert secret not in plain.out
    assert "password=b'p4ssw0rd'" in bare.out


async def test_the_server_can_be_asked_for_the_schema() -> None:
    async with serve("127.0.0.1:0", Vault(), reflect=True) as server:
        async with proxying(server.addresses[0], "--reflect") as proxy:
            await talk(proxy.address)
            done = await proxy.end()
        assert "Vault.SignIn" in done.out
        assert "password=[hidden]" in done.out


async def test_as_json() -> None:
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        proxying(server.addresses[0], SCHEMA, "--format", "json") as proxy,
    ):
        await talk(proxy.address)
        await proxy.until("closed")
        done = await proxy.end()
    lines = [json.loads(one) for one in done.out.splitlines()]
    assert [one["event"] for one in lines if "event" in one] == [
        *("opened", "ended", "ended", "closed")
    ]
    boxes = [one for one in lines if "kind" in one]
    assert len(boxes) == 18
    assert boxes[0]["fields"]["password"] == "[hidden]"
    assert {one["connection"] for one in lines} == {1}
    assert all(one["time"] >= 0 for one in lines)


def recording(path: Path) -> Recording:
    return Recording(path.read_bytes().splitlines(keepends=True))


async def test_a_recording_has_no_secrets(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        proxying(server.addresses[0], SCHEMA, "--record", str(path)) as proxy,
    ):
        await talk(proxy.address)
        done = await proxy.end()
    assert "recording to" in done.err
    assert "without what the schema calls sensitive" in done.err
    content = path.read_text()
    for secret in SECRETS:
        assert secret not in content
    assert "hello ada" in content
    header = recording(path).header
    assert header.values is Values.REDACTED
    assert "Vault.SignIn.password" in header.hidden
    boxes = [one for one in recording(path).events() if isinstance(one, Boxed)]
    assert len(boxes) == 18


async def test_a_recording_without_a_schema_has_lengths(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        proxying(server.addresses[0], "--raw", "--record", str(path)) as proxy,
    ):
        await talk(proxy.address)
        done = await proxy.end()
    assert "the lengths of values alone" in done.err
    content = path.read_text()
    for word in (*SECRETS, "the sea", "hello"):
        assert word not in content
    assert recording(path).header.values is Values.LENGTHS


async def test_secrets_are_recorded_if_they_are_wanted(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    options = ("--record", str(path), "--record-secrets")
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        proxying(server.addresses[0], SCHEMA, *options) as proxy,
    ):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        await talk(proxy.address)
        done = await proxy.end()
    assert "everything, secrets too" in done.err
    content = path.read_text()
    for secret in ("p4ssw0rd", "t0k3n", "wh1sp3r", "s0und"):
        assert secret in content
        assert secret not in done.out
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_killed_proxy_leaves_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    async with serve("127.0.0.1:0", Vault()) as server:
        options = (SCHEMA, "--record", str(path))
        async with proxying(server.addresses[0], *options) as proxy:
            await talk(proxy.address)
            proxy.process.kill()
            await proxy.process.wait()
    left = recording(path)
    assert len(list(left.events())) > 10
    assert not left.cut


@pytest.fixture
def full() -> Iterator[int]:
    """A file that takes nothing."""
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    descriptor = os.open("/dev/full", os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


async def test_an_output_that_takes_nothing_ends_it(full: int) -> None:
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        proxying(server.addresses[0], SCHEMA, stdout=full) as proxy,
    ):
        with suppress(ConnectionError):
            await talk(proxy.address)
        _, err = await asyncio.wait_for(proxy.process.communicate(), PATIENCE)
    assert proxy.process.returncode == 1
    assert "error: cannot write the output: No space left on device" in err.decode()


async def test_a_reader_that_has_had_enough_ends_it() -> None:
    reading, writing = os.pipe()
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        proxying(server.addresses[0], SCHEMA, stdout=writing) as proxy,
    ):
        os.close(writing)
        os.close(reading)
        with suppress(ConnectionError):
            await talk(proxy.address)
        _, err = await asyncio.wait_for(proxy.process.communicate(), PATIENCE)
    assert proxy.process.returncode == 1
    assert b"error" not in err


async def test_a_reader_that_does_not_read_holds_nothing_up() -> None:
    """Far more than a pipe takes and what may wait is printed; the calls go through."""
    reading, writing = os.pipe()
    text = "x" * 50_000
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        proxying(
            server.addresses[0], SCHEMA, "--full", "--format", "json", stdout=writing
        ) as proxy,
    ):
        os.close(writing)
        async with vault.VaultClient.connect(proxy.address) as client:
            for _ in range(40):
                async with client.listen(text) as lines:
                    assert len([line async for line in lines]) == 3
        proxy.process.send_signal(signal.SIGINT)
        with os.fdopen(reading, "rb") as pipe:
            printed = await asyncio.to_thread(pipe.read)
        _, err = await asyncio.wait_for(proxy.process.communicate(), PATIENCE)
    assert proxy.process.returncode == 0
    assert b"1 connection, 200 boxes" in err
    lines = [json.loads(one) for one in printed.splitlines()]
    left_out = sum(one.get("left_out", 0) for one in lines)
    assert left_out
    shown = sum("left_out" not in one for one in lines)
    assert left_out + shown in (203, 204)  # the server's end may come too late


async def test_bytes_that_are_no_amp_are_passed_on_and_told() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    upstream = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    request = b"GET / HTTP/1.1\r\nHost: a\x1b[31m\r\n\r\n"
    async with proxying(upstream) as proxy:
        async with dial(proxy.address) as peer:
            await peer.send(request)
            assert await peer.receive(len(request)) == request
        done = await proxy.end()
    server.close()
    assert done.status == 0
    assert "this looks like HTTP" in done.out
    assert "\x1b" not in done.out
    assert "2 faults" in done.err
    assert f"{len(request)} bytes to the server, {len(request)} bytes back" in done.err


async def test_where_there_is_no_server_the_client_is_cut_off_and_it_is_told() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        upstream = f"127.0.0.1:{unused.getsockname()[1]}"
        async with proxying(upstream) as proxy:
            with pytest.raises(ConnectionResetError):
                async with dial(proxy.address) as peer:
                    await peer.ended()
            done = await proxy.end()
    assert f"* cannot connect to {upstream}: Connection refused" in done.out
    assert "1 failure" in done.err


async def test_unix_sockets(tmp_path: Path) -> None:
    upstream, listen = f"unix:{tmp_path / 'a'}", f"unix:{tmp_path / 'b'}"
    async with (
        serve(upstream, Vault()),
        proxying(upstream, SCHEMA, listen=listen) as proxy,
    ):
        assert proxy.address == listen
        await talk(listen)
        done = await proxy.end()
    assert "* opened\n" in done.out
    assert not (tmp_path / "b").exists()


async def test_tls_is_looked_into(certificates: Certificates) -> None:
    options = ("--ca", str(certificates.ca), "--tls-cert", str(certificates.server))
    for how in ("tls", "starttls"):
        context: dict[str, Any] = {how: certificates.server_tls()}
        dialled: dict[str, Any] = {how: certificates.client_tls()}
        starttls = ("--starttls",) if how == "starttls" else ()
        async with (
            serve("127.0.0.1:0", Vault(), **context) as server,
            proxying(server.addresses[0], SCHEMA, *options, *starttls) as proxy,
        ):
            await talk(proxy.address, **dialled)
            done = await proxy.end()
        assert 'greeting="hello ada"' in done.out


async def test_tls_that_is_not_looked_into_passes(certificates: Certificates) -> None:
    async with (
        serve("127.0.0.1:0", Vault(), tls=certificates.server_tls()) as server,
        proxying(server.addresses[0], SCHEMA) as proxy,
    ):
        await talk(proxy.address, tls=certificates.client_tls())
        done = await proxy.end()
    assert done.out.count("this is TLS") == 2
    assert done.out.count("bytes were not looked at") == 2


async def test_who_shows_no_certificate_is_told(certificates: Certificates) -> None:
    options = ("--tls-cert", str(certificates.server))
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        proxying(
            server.addresses[0], *options, "--client-ca", str(certificates.ca)
        ) as proxy,
    ):
        with pytest.raises(ConnectionError):
            await talk(proxy.address, tls=certificates.client_tls())
        done = await proxy.end()
    assert "* the client: no TLS with 127.0.0.1:" in done.out
    assert "the peer shows no certificate" in done.out


# --- wrong usage ----------------------------------------------------------------------


async def test_clients_that_are_too_many_are_told_of_once() -> None:
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        proxying(server.addresses[0], SCHEMA) as proxy,
        AsyncExitStack() as clients,
    ):
        number, what = proxy.process.pid, resource.RLIMIT_NOFILE
        before = resource.prlimit(number, what)
        resource.prlimit(number, what, (24, before[1]))
        for _ in range(40):
            with suppress(ConnectionError):  # it was let in, and has no server
                await clients.enter_async_context(dial(proxy.address))
        assert proxy.process.stderr is not None
        told = await asyncio.wait_for(proxy.process.stderr.readline(), PATIENCE)
        assert told == b"error: cannot accept a connection: Too many open files\n"
        resource.prlimit(number, what, before)
        await talk(proxy.address)
        done = await proxy.end()
    assert done.err.count("\n") == 2
    assert done.status == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("a", "b:1"), "'a' is not an address: the port is missing"),
        (("a:1", "b"), "'b' is not an address: the port is missing"),
        (("a:1", "b:1", "--record-secrets"), "give --record FILE, too"),
        (("a:1", "b:1", SCHEMA, "--reflect"), "--reflect is for where there is no"),
        (
            ("a:1", "b:1", "--tls-key", SCHEMA),
            "TLS needs a certificate: give --tls-cert",
        ),
        (
            ("a:1", "b:1", "--client-ca", SCHEMA),
            "TLS needs a certificate: give --tls-cert",
        ),
        (("a:1", "b:1", "-I", "x"), "-I is for the imports of a schema"),
        (("a:1", "unix:/b", "--tls"), "--server-hostname is missing"),
        (("a:1", "a:1"), "LISTEN and UPSTREAM are the same address"),
        (("a:1",), "Missing argument 'UPSTREAM'"),
    ],
)
async def test_wrong_usage(
    capsys: Capture, arguments: tuple[str, ...], reason: str
) -> None:
    done = await here(capsys, "proxy", *arguments)
    assert done.status == 2
    assert reason in done.err


async def test_what_cannot_be_is_told(
    capsys: Capture, tmp_path: Path, certificates: Certificates
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        record = tmp_path / "calls.jsonl"
        address = f"127.0.0.1:{port}"
        done = await here(
            capsys, "proxy", address, "127.0.0.1:1", "--record", str(record)
        )
        assert done.status == 1
        assert (
            done.err == f"error: cannot listen on {address}: Address already in use\n"
        )
        assert not record.exists()
    record.write_text("mine")
    for path, reason in (
        (record, "it is there already; name a new file"),
        (tmp_path / "no" / "where", "No such file or directory"),
    ):
        done = await here(
            capsys, "proxy", "127.0.0.1:0", "127.0.0.1:1", "--record", str(path)
        )
        assert (done.status, done.err) == (1, f"error: {path}: {reason}\n")
    bad = tmp_path / "bad.amp"
    bad.write_text("struct {")
    done = await here(capsys, "proxy", "127.0.0.1:0", "127.0.0.1:1", str(bad))
    assert done.status == 1
    assert "error[AMP" in done.err
    done = await here(capsys, "proxy", "a:0", "b:1", "--tls-cert", str(certificates.ca))
    assert done.status == 1
    assert "no private key in it" in done.err
    done = await here(capsys, "proxy", "127.0.0.1:0", "127.0.0.1:1", "--reflect")
    assert done.status == 1
    assert "cannot connect to 127.0.0.1:1" in done.err
