"""`ampgen mock`, as a program of its own, and clients of it over real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

import ampgen
from ampgen.cli import run
from ampgen.runtime import RemoteError, UnknownCommand, client_tls, connect
from tests.cli.test_compile import ROOT
from tests.raw import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.certificates import Certificates

SCHEMA = str(ROOT / "tests" / "tools" / "mock" / "mocked.amp")
made: Any = ampgen.load(SCHEMA)
Capture = pytest.CaptureFixture[str]


@dataclass(frozen=True, slots=True)
class Running:
    """The program. ``first`` is the line that it begins with."""

    process: asyncio.subprocess.Process
    first: str

    @property
    def address(self) -> str:
        if self.first.startswith("{"):
            address: str = json.loads(self.first)["listening"][0]
            return address
        return self.first.split(" on ")[1]

    async def line(self) -> str:
        assert self.process.stdout is not None
        raw = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
        return raw.decode().rstrip("\n")

    async def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self.line())
        return found

    async def end(self, how: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        """Its status, and what it has still said on either output."""
        self.process.send_signal(how)
        out, err = await asyncio.wait_for(self.process.communicate(), PATIENCE)
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def mock(
    *words: str,
    schema: str = SCHEMA,
    stdin: str = os.devnull,
    cwd: Path | None = None,
    **environment: str,
) -> AsyncGenerator[Running]:
    with open(stdin, "rb") as file:  # noqa: ASYNC230 - a small one, and no other task
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "ampgen", "mock", schema, *words),
            cwd=cwd,
            stdin=file,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "PYTHONASYNCIODEBUG": "",
                **environment,
            },
        )
    try:
        assert process.stdout is not None
        first = await asyncio.wait_for(process.stdout.readline(), 2 * PATIENCE)
        assert first
        yield Running(process, first.decode().rstrip("\n"))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_it_serves_and_says_what_it_got() -> None:
    async with mock() as running:
        assert re.fullmatch(r"Desk on 127\.0\.0\.1:\d+", running.first)
        async with made.DeskClient.connect(running.address) as desk:
            answer = await desk.find("flour", limit=3)
            await desk.log("a\nb\x9b2J")
            assert await desk.login("sesame", made.Key(name="a", secret="sesame"))
        line = await running.line()
        number = str(answer.price)
        assert re.fullmatch(
            r"\d\d:\d\d:\d\d #1 127\.0\.0\.1:\d+ Desk\.Find"
            r' {"name":"flour","level":"low","limit":3}'
            r' => {"name":"flour","level":"low","price":"(.*)","token":"\[hidden\]".*}',
            line,
        )
        assert f'"price":"{number}"' in line
        line = await running.line()
        assert line.endswith(r'Desk.Log {"line":"a\nb\u009b2J"}')
        line = await running.line()
        assert "sesame" not in line
        assert await running.end() == (0, "", "")


async def test_a_schema_from_standard_input(tmp_path: Path) -> None:
    words = ("--name", "desk.amp")
    async with mock(*words, schema="-", stdin=SCHEMA, cwd=tmp_path) as running:
        async with made.DeskClient.connect(running.address) as desk:
            assert list(await desk.connection.schemas()) == ["desk.amp"]
            assert (await desk.find("flour", limit=3)).name == "flour"
        assert " Desk.Find " in await running.line()
        assert (await running.end())[::2] == (0, "")


def test_standard_input_that_cannot_be_served(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["mock", "-"]) == 2
    assert "needs a name: --name text.amp" in capsys.readouterr().err
    assert run(["mock", SCHEMA, "--name", "x.amp"]) == 2
    assert "give `-` too" in capsys.readouterr().err
    (tmp_path / "in").write_text("struct A { x: int; }\n")
    with (tmp_path / "in").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert run(["mock", "-", "--name", "x.amp"]) == 1
    assert capsys.readouterr().err == "error: x.amp declares no service\n"
    monkeypatch.setattr(sys, "stdin", None)
    assert run(["mock", "-", "--name", "x.amp"]) == 1
    assert capsys.readouterr().err == "error: standard input: closed\n"


async def test_told_in_json() -> None:
    async with mock("--format", "json", "--service", "Basic") as running:
        assert json.loads(running.first)["services"] == ["Basic"]
        async with made.BasicClient.connect(running.address) as basic:
            answer = await basic.ping()
        told = await running.told()
        assert re.fullmatch(r"20\d\d-.*[+-]\d\d:\d\d", told.pop("time"))
        assert told.pop("peer").startswith("127.0.0.1:")
        assert told == {
            "call": 1,
            "command": "Basic.Ping",
            "arguments": {},
            "answer": answer,
        }


async def test_json_stays_json_where_the_output_lacks_characters() -> None:
    words = ("--format", "json")
    async with mock(*words, PYTHONIOENCODING="ascii") as running:
        async with made.DeskClient.connect(running.address) as desk:
            await desk.nothing("ä€")
        assert (await running.told())["arguments"] == {"text": "ä€"}


async def test_long_values_are_cut_in_text_alone() -> None:
    page = "€" * 100_000
    for words, length in ((("--format", "json"), 100_000), ((), 200)):
        async with mock(*words) as running:
            assert running.process.stdout is not None
            async with made.DeskClient.connect(running.address) as desk:
                call = asyncio.create_task(desk.render(page))
                chunks = b""
                while not chunks.endswith(b"\n"):  # a line longer than a reader has
                    chunks += await asyncio.wait_for(
                        running.process.stdout.read(65_536), PATIENCE
                    )
                await call
        assert chunks.decode().count("€") == length


async def test_the_seed_alone_decides() -> None:
    async def answer(hash_seed: str, *words: str) -> Any:
        async with (
            mock(*words, cwd=None, PYTHONHASHSEED=hash_seed) as running,
            made.DeskClient.connect(running.address) as desk,
        ):
            return await desk.find("a"), [name async for name in desk.names(3)]

    first = await answer("1")
    assert first == await answer("2", "--seed", "0")
    assert first != await answer("1", "--seed", "one more")


async def test_a_call_needs_no_schema(capsys: Capture) -> None:
    async with mock() as running:
        words = ["call", running.address, "Desk.Find", "name=flour", "level=high"]
        assert await asyncio.to_thread(run, words) == 0
        answer = json.loads(capsys.readouterr().out)
        assert (answer["name"], answer["level"]) == ("flour", "high")


async def test_what_reaches_no_handler_is_told() -> None:
    async with mock("--format", "json") as running:
        async with connect(running.address) as connection:
            with pytest.raises(UnknownCommand):
                await connection.call_box(b"No\x1bpe", {b"a": b"b"})
            with pytest.raises(RemoteError, match="Find: name: required"):
                await connection.call_box(b"Find", {})
        unknown, bad = await running.told(), await running.told()
        assert unknown["error"]["code"] == "UNHANDLED"
        assert unknown["command"] == "No\x1bpe"
        assert (bad["command"], bad["error"]["code"]) == ("Find", "INVALID_ARGUMENT")
        assert (await running.end())[2] == ""
    async with mock() as running:
        async with connect(running.address) as connection:
            await connection.call_box(b"No\x1bpe", {}, oneway=True)
            line = await running.line()
        assert re.search(r" No\\x1bpe => UNHANDLED: Unhandled Command", line)


async def test_answers_from_a_file(tmp_path: Path) -> None:
    toml = """
        [["Desk.Find"]]
        arguments = {name = "salt"}
        error = {code = "REFUSED", description = "no\\u009b", fields = {why = "tops"}}

        [["Ping"]]
        result = "pong"
    """
    (tmp_path / "x.toml").write_text(toml, encoding="utf-8")
    async with mock("--examples", "x.toml", cwd=tmp_path) as running:
        async with made.DeskClient.connect(running.address) as desk:
            with pytest.raises(made.Refused) as raised:
                await desk.find("salt")
            assert raised.value.why == "tops"
            assert (await desk.find("flour")).name == "flour"
            assert await desk.ping() == "pong"
        line = await running.line()
        assert line.endswith(r' => REFUSED: no\x9b {"why":"[hidden]"}')


async def test_errors_delay_and_calls_back() -> None:
    words = ("--errors", "1", "--delay", "0.05", "--call-back", "--seed", "7")
    async with mock(*words) as running:
        async with made.DeskClient.connect(running.address) as desk:
            begun = asyncio.get_running_loop().time()
            with pytest.raises(made.Refused):
                await desk.sum("a", [])
            assert asyncio.get_running_loop().time() - begun > 0.045
        lines = [await running.line() for _ in range(3)]
        assert re.search(r"Desk.Sum {.*}$", lines[0])
        assert re.search(r"Events.Confirm <= {.*} => UNHANDLED: ", lines[1])
        assert re.search(r"Desk.Sum => REFUSED: refused: \w+ \w+", lines[2])


async def test_over_tls(
    certificates: Certificates, tmp_path: Path, capsys: Capture
) -> None:
    key = load_pem_private_key(certificates.server.read_bytes(), None)
    locked, password = tmp_path / "locked.pem", tmp_path / "password"
    encrypted = BestAvailableEncryption(b"sesame")
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encrypted))
    password.write_text("sesame\n")
    words = ["--tls-cert", str(certificates.server), "--tls-key", str(locked)]
    words += ["--tls-key-password-file", str(password)]
    theirs = client_tls(certificates.ca, certificate=certificates.client)
    nobody = client_tls(certificates.ca)
    about = (*words, "--client-ca", str(certificates.ca))
    async with (
        mock(*about) as running,
        made.DeskClient.connect(running.address, tls=theirs) as desk,
    ):
        assert await desk.ping()
        with pytest.raises(ConnectionError, match="wants a certificate"):
            async with connect(running.address, tls=nobody) as connection:
                await made.DeskClient(connection).ping()
    async with (
        mock(*words, "--starttls") as running,
        made.DeskClient.connect(running.address, starttls=theirs) as desk,
    ):
        assert await desk.ping()
    assert run(["mock", SCHEMA, *words[:-2]]) == 1
    assert "is encrypted: give --tls-key-password-file" in capsys.readouterr().err


async def test_what_it_cannot_answer_is_one_line_of_standard_error() -> None:
    async with mock() as running:
        async with made.DeskClient.connect(running.address) as desk:
            with pytest.raises(RemoteError, match="Unknown Error"):
                await desk.open_one("/a")  # no descriptor goes over TCP
        _status, _out, err = await running.end()
        assert re.fullmatch(r"error: the answer cannot be sent: OpenOne: .*\n", err)
        assert err.count("over a Unix socket") == 1


# --- the end --------------------------------------------------------------------------


async def begun(desk: Any) -> asyncio.Task[str]:
    """A call that has reached the server."""
    call = asyncio.create_task(desk.hang("x"))
    for _ in range(2):  # the second one has left behind the call
        await desk.connection.schemas()
    return call


async def test_an_interrupt_lets_calls_finish() -> None:
    async with mock("--delay", "0.3") as running:
        async with made.DeskClient.connect(running.address) as desk:
            call = await begun(desk)
            ended = asyncio.create_task(running.end(signal.SIGTERM))
            assert await call
            status, out, err = await ended
        assert (status, err) == (0, "")
        assert 'Desk.Hang {"name":"x"} => ' in out


async def test_a_second_interrupt_ends_at_once() -> None:
    async with mock("--delay", "600") as running:
        async with made.DeskClient.connect(running.address) as desk:
            call = await begun(desk)
            running.process.send_signal(signal.SIGINT)
            while True:  # until it accepts no more
                host, port = running.address.split(":")
                with socket.socket() as probe:
                    if probe.connect_ex((host, int(port))):
                        break
            status, out, _err = await running.end()
            with pytest.raises(ConnectionError):
                await call
        assert status == 0
        assert "-- the caller waits no longer" in out


async def test_a_reader_that_has_had_enough() -> None:
    async with mock() as running:
        process: Any = running.process
        process._transport.get_pipe_transport(1).close()
        async with made.DeskClient.connect(running.address) as desk:
            assert await desk.ping()  # the answer is not lost
        err = await asyncio.wait_for(process.stderr.read(), PATIENCE)
        assert (await asyncio.wait_for(process.wait(), PATIENCE), err) == (1, b"")


# --- what is wrong with the words -----------------------------------------------------


def test_a_port_that_is_taken(capsys: Capture, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert run(["mock", SCHEMA, "--listen", address]) == 1
    said = f"error: cannot listen on {address}: Address already in use\n"
    assert capsys.readouterr() == ("", said)
    (tmp_path / "file").touch()
    assert run(["mock", SCHEMA, "--listen", f"unix:{tmp_path / 'file'}"]) == 1
    assert "is there, and is no socket" in capsys.readouterr().err
    assert run(["mock", SCHEMA, "--listen", "unix:/no/where"]) == 1
    assert "No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--listen", "nowhere"], 2, "'nowhere' is not an address"),
        (["--service", "Dsk"], 2, "no service `Dsk`; did you mean `Desk`?"),
        (["--errors", "2"], 2, "2.0 is not in the range 0<=x<=1"),
        (["--errors", "nan"], 2, "'--errors': `nan` is no number"),
        (["--delay", "nan"], 2, "'--delay': `nan` is no number"),
        (["--delay", "-1"], 2, "-1.0 is not in the range"),
        (["--tls-key", SCHEMA], 2, "TLS needs a certificate: give --tls-cert"),
        (["--starttls"], 2, "TLS needs a certificate: give --tls-cert"),
        (["--tls-cert", SCHEMA], 1, "no certificate in it"),
        (["--examples", "/no/file"], 2, "File '/no/file' does not exist"),
        (["--examples", SCHEMA], 1, "mocked.amp: not JSON: Expecting value (line 1"),
    ],
)
def test_wrong_words(words: list[str], status: int, said: str, capsys: Capture) -> None:
    assert run(["mock", SCHEMA, *words]) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


def test_schemas_that_cannot_be_served(capsys: Capture, tmp_path: Path) -> None:
    desk = str(ROOT / "tests" / "cli" / "desk.amp")
    assert run(["mock", desk]) == 2
    said = "Desk.Repeat and Other.Repeat have one name on the wire, `Repeat`"
    assert f"{said}: choose with --service" in capsys.readouterr().err
    schema = tmp_path / "a.amp"
    schema.write_text("struct A { x: int; }\n")
    assert run(["mock", str(schema)]) == 1
    assert "a.amp declares no service" in capsys.readouterr().err
    schema.write_text("service A { command B(x: intt); }\n")
    assert run(["mock", str(schema)]) == 1
    assert "unknown type `intt`" in capsys.readouterr().err
    assert run(["mock", str(tmp_path / "no.amp")]) == 1
    assert "no such file" in capsys.readouterr().err


def test_every_mistake_in_a_file_of_examples(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"Desk.Fnd": [], "Find": [{"resutl": "\\u009b"}]}')
    assert run(["mock", SCHEMA, "--examples", str(path)]) == 1
    assert capsys.readouterr() == (
        "",
        f"error: {path}: no command `Desk.Fnd`; did you mean `Desk.Find`?\n"
        f"error: {path}: Find[0]: no key `resutl`; did you mean `result`?\n",
    )
