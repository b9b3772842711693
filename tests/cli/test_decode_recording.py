"""`ampgen decode`, of what `ampgen proxy` has recorded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ampgen.cli import run
from ampgen.tools.memory import load_schemas
from ampgen.tools.recordings.events import Closed, Dropped, Ended, Failed, Opened
from ampgen.tools.recordings.recorder import Recorder
from ampgen.tools.seeing.conversation import Conversation
from ampgen.tools.seeing.seen import Side
from tests.cli.proxying import SCHEMA
from tests.cli.test_compile import ROOT
from tests.raw import box

if TYPE_CHECKING:
    from tests.cli.test_call import Capture

ASK = {b"_ask": b"1", b"_command": b"SignIn", b"name": b"ada", b"password": b"s3cret"}
KEYS = box({b"key": b"one", b"value": box({b"id": b"7", b"secret": b"s3cret"})})
ERROR = {b"_error": b"1", b"_error_code": b"DENIED", b"_error_description": b"no"}
MORE = {b"_meta.token": b"s3cret", b"odd": b"\xff\xfe"}


def recorded(path: Path, *, schema: bool = True, secrets: bool = False) -> str:
    loaded = load_schemas([Path(SCHEMA)]) if schema else None
    recorder = Recorder(str(path), loaded, "127.0.0.1:8000", secrets=secrets)
    talk = Conversation(loaded)
    recorder.write(Opened(1, 1.5, "127.0.0.1:5000"))
    for at, side, data in (
        (1.75, Side.CLIENT, box({**ASK, b"keys": KEYS, **MORE})),
        (2.0, Side.SERVER, box({**ERROR, b"hint": b"s3cret", b"left": b"2"})),
        (2.25, Side.SERVER, b"GET / HTTP/1.1\r\n and more"),
    ):
        for seen in talk.feed(side, data, at):
            recorder.write(recorder.as_event(1, at, seen))
    recorder.write(Dropped(1, 2.5, Side.CLIENT, 2))
    recorder.write(Ended(1, 2.5, Side.CLIENT))
    recorder.write(Failed(1, 2.5, Side.SERVER, "Connection reset by peer"))
    recorder.write(Closed(1, 2.5))
    recorder.write(Failed(2, 2.75, None, "cannot connect to a:1: no"))
    recorder.close()
    return str(path)


def decoded(capfd: Capture, *words: str) -> tuple[int, list[str], str]:
    status = run(["decode", *words])
    out, err = capfd.readouterr()
    return status, [" ".join(line.split()) for line in out.splitlines()], err


LOST = (
    "fault: offset {}: a key of 18,245 bytes, at most 255 are allowed: this looks like"
    " HTTP; nothing behind it is looked at"
)
SINCE = [
    "#1 1.000000 * 2 descriptors dropped: they pass between Unix sockets alone,"
    " without TLS",
    "#1 1.000000 * the client sends no more",
    "#1 1.000000 * the server broke off: Connection reset by peer",
    "#1 1.000000 * closed",
    "#2 1.250000 * cannot connect to a:1: no",
]


def test_it_is_shown_as_it_was_seen(capfd: Capture, tmp_path: Path) -> None:
    path = recorded(tmp_path / "a")
    status, lines, err = decoded(capfd, path)
    assert (status, err) == (1, "")
    server = len(box({**ERROR, b"hint": b"s3cret", b"left": b"2"}))
    assert lines == [
        "#1 0.000000 * opened by 127.0.0.1:5000",
        '#1 0.250000 > ask 1 Vault.SignIn name="ada" password=[hidden]'
        ' keys={"one":{"id":7,"secret":"[hidden]"}} ?odd=<2 bytes> (token=<6 bytes>)',
        '#1 0.500000 < error 1 Vault.SignIn 250 ms DENIED "no" hint=[hidden] left=2',
        f"#1 0.750000 < {LOST.format(server)}",
        *SINCE,
    ]
    assert decoded(capfd, path, "--raw", "--from", "recording")[1] == lines


def test_without_a_schema_there_are_lengths(capfd: Capture, tmp_path: Path) -> None:
    path = recorded(tmp_path / "a", schema=False)
    _, lines, _ = decoded(capfd, path, "--raw")
    assert lines[1:3] == [
        f"#1 0.250000 > ask 1 SignIn keys=<{len(KEYS)} bytes> name=<3 bytes>"
        " odd=<2 bytes> password=<6 bytes> (token=<6 bytes>)",
        "#1 0.500000 < error 1 SignIn 250 ms DENIED hint=<6 bytes> left=<1 byte>",
    ]


def test_with_secrets_they_may_be_shown(capfd: Capture, tmp_path: Path) -> None:
    path = recorded(tmp_path / "a", schema=False, secrets=True)
    _, lines, _ = decoded(capfd, path)
    assert "password=<6 bytes>" in lines[1]
    _, lines, _ = decoded(capfd, path, "--raw")
    assert "password=b's3cret'" in lines[1]
    assert "odd=b'\\xff\\xfe'" in lines[1]


def test_as_json(capfd: Capture, tmp_path: Path) -> None:
    path = recorded(tmp_path / "a")
    status, lines, _ = decoded(capfd, path, "--format", "json")
    assert status == 1
    assert '"fields":{"name":"ada","password":"[hidden]",' in lines[1]
    assert lines[-1].startswith('{"connection":2,"time":2.75,"event":"failed",')


def test_what_was_no_fault_is_none_now(capfd: Capture, tmp_path: Path) -> None:
    recorder = Recorder(str(tmp_path / "a"), None, "", secrets=False)
    talk = Conversation()
    talk.feed(Side.CLIENT, b"\0\4_ask", 0.0)
    for seen in talk.end(Side.CLIENT, 1.0, finished=False):
        recorder.write(recorder.as_event(1, 1.0, seen))
    recorder.close()
    status, lines, _ = decoded(capfd, str(tmp_path / "a"))
    assert lines == ["#1 0.000000 > note: offset 0: the stream ends 6 bytes into a box"]
    assert status == 0


def test_json_is_json_in_any_encoding(tmp_path: Path) -> None:
    recorder = Recorder(str(tmp_path / "a"), None, "", secrets=False)
    recorder.write(Opened(1, 0.0, "unix:/run/é"))
    recorder.close()
    done = subprocess.run(
        [sys.executable, "-m", "ampgen", "decode", tmp_path / "a", "--format", "json"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["peer"] == "unix:/run/é"


@pytest.mark.parametrize("format_", ["text", "json"])
def test_no_word_of_a_peer_steers_a_terminal(
    capfd: Capture, tmp_path: Path, format_: str
) -> None:
    path = tmp_path / "a"
    bad = "\x1b[31m\x9b31m\u202e"
    recorder = Recorder(str(path), None, bad, secrets=True)
    recorder.write(Opened(1, 0.0, bad))
    pairs = {b"_ask": bad.encode(), b"_command": bad.encode(), bad.encode(): b"\x1b"}
    for seen in Conversation().feed(Side.CLIENT, box(pairs)):
        recorder.write(recorder.as_event(1, 0.0, seen))
    recorder.close()
    decoded_, lines, err = decoded(capfd, str(path), "--raw", "--format", format_)
    assert decoded_ == 0
    shown = path.read_text() + "".join(lines) + err
    assert not set(shown) & set(bad.replace("31m", "").replace("[", ""))


def test_what_is_wrong_is_told(capfd: Capture, tmp_path: Path) -> None:
    path = recorded(tmp_path / "a")
    status, _, err = decoded(capfd, path, "--schema", SCHEMA)
    assert status == 2
    assert f"--schema: {path} is a recording, and has its schema" in err
    for more in ([], ["--from", "recording"]):
        assert decoded(capfd, path, "--port", "80", *more)[0] == 2
    with Path(path).open("ab") as file:
        file.write(b"{")
    assert decoded(capfd, path)[2] == f"note: {path}: the last line is not whole\n"
    with Path(path).open("ab") as file:
        file.write(b"\n{}\n")
    status, lines, err = decoded(capfd, path)
    assert status == 1
    assert len(lines) == 4 + len(SINCE)  # all that was readable
    assert err.startswith(f"error: {path}: line ")
    (tmp_path / "b").write_text("no recording\n")
    status, _, err = decoded(capfd, str(tmp_path / "b"), "--from", "recording")
    assert (status, err) == (1, f"error: {tmp_path / 'b'}: this is no recording\n")


@pytest.mark.parametrize("secrets", [True, False])
def test_nothing_sensitive_is_shown(
    capfd: Capture, tmp_path: Path, secrets: bool
) -> None:
    path = recorded(tmp_path / "a", secrets=secrets)
    for options in ((), ("--format", "json")):
        _, lines, _ = decoded(capfd, path, *options)
        assert "s3cret" not in "".join(lines)
