"""`ampgen call`, against servers of ours, over real sockets."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
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
from ampgen.runtime import RemoteError, current_call, serve
from tests.cli.test_compile import ROOT
from tests.cli.test_compile import ampgen as ampgen_at_the_shell
from tests.raw import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tests.certificates import Certificates

SCHEMA = str(Path(__file__).with_name("desk.amp"))
desk: Any = ampgen.load(SCHEMA)


class Desk(desk.DeskServer):  # type: ignore[misc]
    def __init__(self) -> None:
        self.lines: asyncio.Queue[str] = asyncio.Queue()

    def ping(self) -> str:
        return "pong"

    def repeat(self, text: str, times: int, from_: str | None) -> Any:
        if len(text) * times > 10:
            point = desk.Point(x=1)
            raise desk.TooLong("too\nlong\x1b[31m", limit=10, at=point)
        return desk.RepeatResult(text=text * times, from_=from_)

    def place(self, *given: Any) -> Any:
        names = ("level", "points", "target", "big", "took")
        return desk.PlaceResult(**dict(zip(names, given, strict=True)))

    def nothing(self) -> None:
        pass

    def log(self, line: str) -> None:
        self.lines.put_nowait(line)

    def strange(self) -> None:
        raise RemoteError("who knows", code="ODD")

    def told(self) -> dict[str, str]:
        return dict(current_call().metadata)

    async def count(self, to: int) -> AsyncIterator[Any]:
        for number in range(to):
            yield desk.CountItem(number=number)
        if to > 2:
            raise desk.TooLong("enough", limit=2)

    async def sum(self, name: str, numbers: AsyncIterator[int]) -> int:
        if name == "refuse":
            raise desk.TooLong("not that")
        return sum([number async for number in numbers])

    async def double(self, numbers: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for point in numbers:
            yield desk.Point(x=2 * point.x)

    async def hang(self) -> None:
        await asyncio.Event().wait()

    def adopt(self, file: int) -> str:
        with os.fdopen(file, encoding="utf-8") as adopted:
            return adopted.read()


@dataclass(frozen=True)
class Done:
    status: int
    out: str
    err: str


async def here(capsys: pytest.CaptureFixture[str], *arguments: str) -> Done:
    """Run the command line in a thread of this process."""
    status = await asyncio.wait_for(asyncio.to_thread(run, arguments), PATIENCE)
    captured = capsys.readouterr()
    return Done(status, captured.out, captured.err)


@asynccontextmanager
async def started(*arguments: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run it in a process of its own, for the sake of standard input."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ampgen", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONASYNCIODEBUG": ""},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def there(stdin: str, *arguments: str) -> Done:
    async with started(*arguments) as process:
        ended = process.communicate(stdin.encode())
        out, err = await asyncio.wait_for(ended, 2 * PATIENCE)
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def served(**options: Any) -> AsyncGenerator[str]:
    async with serve("127.0.0.1:0", Desk(), **options) as server:
        yield server.addresses[0]


Capture = pytest.CaptureFixture[str]


async def test_an_answer_is_one_document(capsys: Capture) -> None:
    async with served() as address:
        done = await here(
            capsys, "call", address, SCHEMA, "Desk.Repeat", "text=aé", "times=2"
        )
        assert done == Done(0, '{\n  "text": "aéaé"\n}\n', "")
        done = await here(capsys, "call", address, SCHEMA, "Desk.Ping")
        assert done == Done(0, '"pong"\n', "")
        done = await here(capsys, "call", address, SCHEMA, "Nothing")
        assert done == Done(0, "null\n", "")


async def test_arguments_in_json(capsys: Capture, tmp_path: Path) -> None:
    text = '{"text": "a=", "from": "b", "times": null}'
    (tmp_path / "a.json").write_text(text)
    expected = Done(0, '{\n  "text": "a=",\n  "from": "b"\n}\n', "")
    async with served(reflect=True) as address:
        for given in (["--json", text], [f"@{tmp_path / 'a.json'}"]):
            done = await here(capsys, "call", address, "Desk.Repeat", *given)
            assert done == expected
        assert await there(text, "call", address, "Desk.Repeat", "@-") == expected


async def test_values_of_all_kinds_go_both_ways(capsys: Capture) -> None:
    async with served() as address:
        done = await here(
            *(capsys, "call", address, SCHEMA, "Desk.Place", "level=high"),
            'points=[{"x": 1, "label": "a"}, {"x": "2"}]',
            *('target={"path": "/a"}', "big=9007199254740993", "took=1.5"),
        )
    assert (done.status, done.err) == (0, "")
    assert "".join(done.out.split()) == (
        '{"level":"high","points":[{"x":1,"label":"a"},{"x":2}],'
        '"target":{"path":"/a"},"big":"9007199254740993","took":1.5}'
    )


async def test_by_reflection(capsys: Capture) -> None:
    async with served(reflect=True) as address:
        done = await here(capsys, "call", address, "Desk.Ping")
        assert done == Done(0, '"pong"\n', "")
        done = await here(capsys, "call", address, "Other.Only")  # is not served
        assert done.status == 2
        assert "no service `Other`; there are Basic, Desk" in done.err
    async with served() as address:
        done = await here(capsys, "call", address, "Desk.Ping")
        assert (done.status, done.out) == (1, "")
        assert f"name one: ampgen call {address} x.amp Desk.Ping" in done.err


async def test_a_oneway_command_is_sent_and_prints_nothing(capsys: Capture) -> None:
    service = Desk()
    async with serve("127.0.0.1:0", service) as server:
        done = await here(
            capsys, "call", server.addresses[0], SCHEMA, "Desk.Log", "line=a b"
        )
        assert done == Done(0, "", "")
        assert await asyncio.wait_for(service.lines.get(), PATIENCE) == "a b"


async def test_an_error_has_its_code_description_and_fields(capsys: Capture) -> None:
    async with served() as address:
        done = await here(
            capsys, "call", address, SCHEMA, "Desk.Repeat", "text=a", "times=11"
        )
        assert done == Done(
            1, "", 'error: TOO_LONG: too\nlong\\x1b[31m\n  limit: 10\n  at: {"x":1}\n'
        )
        done = await here(capsys, "call", address, SCHEMA, "Desk.Strange")
        assert done.status == 1
        assert done.err.startswith("error: UNKNOWN: ")


async def test_a_service_that_is_not_served(capsys: Capture) -> None:
    async with served() as address:
        done = await here(capsys, "call", address, SCHEMA, "Other.Only")
    assert done == Done(1, "", "error: UNHANDLED: Unhandled Command: b'Only'\n")


async def test_metadata_goes_along(capsys: Capture) -> None:
    async with served() as address:
        words = ["--metadata", "a=1", "--metadata", "b="]
        done = await here(capsys, "call", address, SCHEMA, "Desk.Told", *words)
        assert done == Done(0, '{\n  "a": "1",\n  "b": ""\n}\n', "")
        words = ["--metadata", "A=1"]
        done = await here(capsys, "call", address, SCHEMA, "Desk.Told", *words)
        assert done.status == 1
        assert "a name is 1 to 64 of a-z" in done.err


async def test_a_call_ends_with_its_time(capsys: Capture) -> None:
    async with served(drain_timeout=0.0) as address:
        words = ["Desk.Hang", "--timeout", "0.5"]
        done = await here(capsys, "call", address, SCHEMA, *words)
    assert done.status == 1
    assert done.err.startswith("error: DEADLINE_EXCEEDED: ")


async def test_a_value_that_is_too_long_is_not_sent(capsys: Capture) -> None:
    async with served() as address:
        text = "a" * 70_000
        done = await here(capsys, "call", address, SCHEMA, "Ping", f"text={text}")
        assert done.status == 2
        words = ["Desk.Repeat", f"text={text}"]
        done = await here(capsys, "call", address, SCHEMA, *words)
    assert done.status == 1
    assert "text: over 65,535 bytes" in done.err


# --- streams --------------------------------------------------------------------------


async def test_a_stream_is_a_line_for_each_item(capsys: Capture) -> None:
    async with served() as address:
        done = await here(capsys, "call", address, SCHEMA, "Desk.Count", "to=2")
        assert done == Done(0, '{"number":0}\n{"number":1}\n', "")
        done = await here(capsys, "call", address, SCHEMA, "Desk.Count", "to=3")
    assert (done.status, len(done.out.splitlines())) == (1, 3)
    assert done.err == "error: TOO_LONG: enough\n  limit: 2\n"


async def test_a_stream_argument_is_read_from_standard_input() -> None:
    async with served() as address:
        call = ("call", address, SCHEMA)
        done = await there('1\n"2"\n\n3', *call, "Desk.Sum", "name=a")
        assert done == Done(0, "6\n", "")
        done = await there("", *call, "Desk.Sum", "name=a")
        assert done == Done(0, "0\n", "")
        done = await there('{"x": 1}\n{"x": 2}\n', *call, "Desk.Double")
        assert done == Done(0, '{"x":2}\n{"x":4}\n', "")


async def test_items_come_out_as_they_go_in() -> None:
    async with (
        served() as address,
        started("call", address, SCHEMA, "Desk.Double") as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        for number in range(3):
            process.stdin.write(b'{"x": %d}\n' % number)
            line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
            assert line == b'{"x":%d}\n' % (2 * number)
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0


async def test_an_item_that_is_wrong_ends_the_call() -> None:
    async with served() as address:
        call = ("call", address, SCHEMA)
        done = await there("1\nx\n", *call, "Desk.Sum", "name=a")
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith("error: standard input, line 2: numbers: not JSON")
        assert len(done.err.splitlines()) == 1
        done = await there('{"x": 1}\n{}\n', *call, "Desk.Double")
        assert done.status == 1
        assert "line 2: numbers: x: required, and missing" in done.err


async def test_nobody_waits_for_a_terminal_that_says_nothing() -> None:
    async with (
        served() as address,
        started("call", address, SCHEMA, "Desk.Sum", "name=refuse") as process,
    ):
        assert process.stderr is not None
        said = await asyncio.wait_for(process.stderr.read(), PATIENCE)
        assert said == b"error: TOO_LONG: not that\n"
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no Unix sockets")
async def test_a_descriptor_of_the_shell_is_handed_over(tmp_path: Path) -> None:
    async with serve(f"unix:{tmp_path / 'desk.sock'}", Desk()) as server:
        call = ("call", server.addresses[0], SCHEMA, "Desk.Adopt", "file=0")
        assert await there("what it says", *call) == Done(0, '"what it says"\n', "")
        done = await there("", *call[:-1], f"file={2**31}")
        said = "error: Adopt: file: no descriptor has so large a number\n"
        assert done == Done(1, "", said)


# --- getting there --------------------------------------------------------------------


async def test_nobody_listens(capsys: Capture, tmp_path: Path) -> None:
    async with served() as address:
        pass
    done = await here(capsys, "call", address, SCHEMA, "Desk.Ping")
    assert done.status == 1
    assert done.err == f"error: cannot connect to {address}: Connection refused\n"
    path = f"unix:{tmp_path / 'none'}"
    done = await here(capsys, "call", path, SCHEMA, "Desk.Ping")
    assert done.err == f"error: cannot connect to {path}: No such file or directory\n"


async def test_a_connection_that_is_lost(capsys: Capture) -> None:
    def drop(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(drop, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        done = await here(capsys, "call", f"{host}:{port}", SCHEMA, "Desk.Ping")
        assert done.status == 1
        assert done.err.startswith("error: ")
        done = await here(capsys, "call", f"{host}:{port}", "Desk.Ping")
        assert done.err.startswith("error: the peer does not tell its schemas: ")


async def test_over_tls(capsys: Capture, certificates: Certificates) -> None:
    tls = certificates.server_tls(client_ca=certificates.ca)
    async with served(tls=tls) as address:
        call = ("call", address, SCHEMA, "Desk.Ping")
        about = ("--ca", str(certificates.ca), "--cert", str(certificates.client))
        assert (await here(capsys, *call, *about)).out == '"pong"\n'
        done = await here(capsys, *call, *about, "--server-hostname", "example.org")
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith(f"error: cannot connect to {address}: ")
        done = await here(capsys, *call, "--tls")
        assert done.status == 1
        done = await here(capsys, *call, "--ca", SCHEMA)
        assert (done.status, "no certificate in it" in done.err) == (1, True)
    async with served(starttls=certificates.server_tls()) as address:
        asks = ("call", address, SCHEMA, "Desk.Ping", "--starttls")
        assert (await here(capsys, *asks, *about)).out == '"pong"\n'


async def test_a_key_that_a_password_opens(
    capsys: Capture, certificates: Certificates, tmp_path: Path
) -> None:
    key = load_pem_private_key(certificates.client.read_bytes(), None)
    locked = tmp_path / "locked.pem"
    locked.write_bytes(
        key.private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption("ä b".encode())
        )
    )
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("ä b\nand more\n", encoding="utf-8")
    wrong.write_text("ab\n")
    tls = certificates.server_tls(client_ca=certificates.ca)
    async with served(tls=tls) as address:
        about = ("--ca", str(certificates.ca), "--cert", str(certificates.client))
        call = ("call", address, SCHEMA, "Desk.Ping", *about, "--key", str(locked))
        done = await here(capsys, *call, "--key-password-file", str(right))
        assert done == Done(0, '"pong"\n', "")
        done = await here(capsys, *call)
        said = f"error: the key in {locked} is encrypted: give --key-password-file\n"
        assert done == Done(1, "", said)
        done = await here(capsys, *call, "--key-password-file", str(wrong))
        assert done.err.endswith("does not open: wrong password?\n")
        wrong.write_bytes(b"\xff")
        done = await here(capsys, *call, "--key-password-file", str(wrong))
        assert done == Done(1, "", f"error: {wrong}: not UTF-8\n")
        words = ("call", address, "Desk.Ping", "--key-password-file", str(right))
        done = await here(capsys, *words)
        assert done.status == 2
        assert "--key-password-file is for --cert" in done.err


# --- what is wrong with the words -----------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which command? Name it as in Text.Repeat"),
        (["text=a"], "`text=a` stands where Service.Command should"),
        (["Dask.Repeat"], "no service `Dask`; did you mean `Desk`?"),
        (["Zzzzz.Repeat"], "no service `Zzzzz`; there are Basic, Desk, Other"),
        (["Desk.Repaet"], "no command in Desk `Repaet`; did you mean `Repeat`?"),
        (["Repaet"], "no command `Repaet`; did you mean `Desk.Repeat`?"),
        (["Repeat"], "several services have `Repeat`: Desk.Repeat, Other.Repeat"),
        (["Desk.Repeat"], "Desk.Repeat: text: required, and missing"),
        (
            ["Desk.Repeat", "txet=a"],
            "no argument of Repeat `txet`; did you mean `text`?",
        ),
        (["Desk.Ping", "a=b"], "no argument of Ping `a`; there are none"),
        (["Desk.Repeat", "text=a", "times=x"], "times: an int is written"),
        (["Desk.Repeat", "text=a", "text=b"], "`text` is given twice"),
        (["Desk.Repeat", "text"], "`text`: an argument is written KEY=VALUE"),
        (["Desk.Repeat", "--json", "{"], "--json: not JSON"),
        (["Desk.Repeat", "--json", "[]"], "expected an object, got an array"),
        (
            ["Desk.Repeat", "--json", '{"tims": 1, "text": ""}'],
            "no argument of Repeat `tims`; did you mean `times`?",
        ),
        (
            ["Desk.Repeat", "--json", "{}", "text=a"],
            "give the arguments in one way: KEY=VALUE…, --json OBJECT, or @FILE",
        ),
        (["Desk.Sum", "name=a", "numbers=[1]"], "its items come from standard input"),
        (["Desk.Ping", "--metadata", "a"], "`a`: --metadata is written KEY=VALUE"),
        (["Desk.Ping", "--timeout", "0"], "--timeout"),
        (["Desk.Ping", "--timeout", "nan"], "'--timeout': `nan` is no number"),
        (["Desk.Ping", "--server-hostname", ""], "--server-hostname: an empty name"),
        (["Desk.Ping", "--server-hostname", ".a"], "--server-hostname '.a' is no name"),
        (["Desk.Ping", "--tls", "--starttls"], "TLS begins only once"),
        (["Desk.Ping", "--key", SCHEMA], "give --cert, too"),
    ],
)
def test_wrong_usage(words: list[str], said: str, capsys: Capture) -> None:
    assert run(["call", "127.0.0.1:1", SCHEMA, *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err


def test_no_address(capsys: Capture) -> None:
    assert run(["call", "nowhere", SCHEMA, "Desk.Ping"]) == 2
    assert "'nowhere' is not an address" in capsys.readouterr().err
    assert run(["call", "unix:x", SCHEMA, "Desk.Ping", "--tls"]) == 2
    assert "--server-hostname is missing" in capsys.readouterr().err


def test_files_that_cannot_be_read(capsys: Capture, tmp_path: Path) -> None:
    call = ["call", "127.0.0.1:1"]
    assert run([*call, str(tmp_path / "no.amp"), "Desk.Ping"]) == 1
    assert "no.amp`: no such file" in capsys.readouterr().err
    assert run([*call, SCHEMA, "Desk.Ping", f"@{tmp_path / 'no.json'}"]) == 1
    assert "no.json: No such file" in capsys.readouterr().err
    (tmp_path / "bad.amp").write_text("service A { command B(x: intt); }\n")
    assert run([*call, str(tmp_path / "bad.amp"), "A.B"]) == 1
    assert "error[AMP0204]: unknown type `intt`" in capsys.readouterr().err


# --- completion -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["127.0.0.1:1", SCHEMA, "Desk.Re"], ["plain,Desk.Repeat"]),
        (
            ["127.0.0.1", ":", "1", SCHEMA, "Ot"],
            ["plain,Other.Repeat", "plain,Other.Only"],
        ),
        (["127.0.0.1:1", SCHEMA, "Desk.Repeat", "text=a", "t"], ["plain,times="]),
        (["127.0.0.1:1", SCHEMA, "Desk.Sum", ""], ["plain,name="]),
        (["127.0.0.1:1", SCHEMA, "Desk.Nope", ""], []),
        (["127.0.0.1:1", "none.amp", ""], []),
        (["127.0.0.1:1", "here"], ["plain,here.amp"]),
    ],
)
def test_completion(words: list[str], expected: list[str], tmp_path: Path) -> None:
    last = len(words) + 1
    (tmp_path / "here.amp").touch()
    done = ampgen_at_the_shell(
        cwd=tmp_path,
        _AMPGEN_COMPLETE="bash_complete",
        COMP_WORDS=" ".join(["ampgen", "call", *words]),
        COMP_CWORD=str(last),
    )
    assert done.stdout.split() == expected
    assert done.stderr == ""


async def test_what_is_sensitive_is_printed_where_that_is_asked_for_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    schema = tmp_path / "vault.amp"
    schema.write_text(
        """
        struct Key { name: str; @sensitive code: int; }
        error Shut "SHUT" { @sensitive key: int?; hint: str?; }
        service Vault {
            command Open(name: str) -> (keys: [Key], @sensitive note: str) raises Shut;
            command Keys() -> stream Key;
        }
        """
    )
    vault: Any = ampgen.load(schema)

    class Vault(vault.VaultServer):  # type: ignore[misc]
        def open(self, name: str) -> Any:
            if name == "b":
                raise vault.Shut("not now", key=4711, hint="later")
            return vault.OpenResult(keys=[vault.Key(name="a", code=4711)], note="4711")

        async def keys(self) -> AsyncIterator[Any]:
            yield vault.Key(name="a", code=4711)

    async with serve("127.0.0.1:0", Vault()) as server:
        [address] = server.addresses
        for words in (["Open", "name=a"], ["Open", "name=b"], ["Keys"]):
            call = ("call", address, str(schema), *words)
            hidden = await here(capsys, *call)
            shown = await here(capsys, *call, "--secrets")
            assert hidden.status == shown.status == ("name=b" in words)
            assert "4711" not in hidden.out + hidden.err
            assert "4711" in shown.out + shown.err
            for text in ('"name": "a"', '"name":"a"', "hint"):
                assert (text in hidden.out + hidden.err) == (
                    text in shown.out + shown.err
                )
