"""`ampgen decode`: dumps, bytes and captures, and what is said of bad ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.cli import run
from ampgen.runtime.wire import write_box

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "decode"
CAPTURE = EXAMPLE / "bank.pcap"
BANK = EXAMPLE / "bank.amp"

SCHEMA = "service S { command Do(n: int, @sensitive word: str) -> (ok: bool); }\n"
ASK = write_box({b"_command": b"Do", b"_ask": b"1", b"n": b"5", b"word": b"hunter2"})
ANSWER = write_box({b"_answer": b"1", b"ok": b"True"})
BAD = write_box({b"_command": b"Do", b"_ask": b"2", b"n": b"x", b"word": b"hunter2"})


class Where:
    """A folder with a schema, where the verb is run; bytes are its standard input."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.write("s.amp", SCHEMA.encode())

    def write(self, name: str, content: bytes) -> str:
        path = self.folder / name
        path.write_bytes(content)
        return str(path)

    def run(self, *words: str) -> tuple[int, list[str], str]:
        status = run(["decode", *words])
        out, err = self._capsys.readouterr()
        return status, out.splitlines(), err

    def by_schema(self, *words: str) -> tuple[int, list[str], str]:
        return self.run(*words, "-s", str(self.folder / "s.amp"))


@pytest.fixture
def where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Where:
    return Where(tmp_path, capsys)


def piped(words: Sequence[str], stdin: bytes, **options: Any) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "ampgen", "decode", *words],
        input=stdin,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
        **options,
    )


SEEN_ASK = "> ask    1    S.Do             n=5 word=[hidden]"
SEEN_ANSWER = "< answer 1    S.Do             ok=true"


def test_hex_raw_and_two_files_come_to_the_same(where: Where) -> None:
    dump = where.write("a.txt", f"> {ASK.hex(' ')}\n< {ANSWER.hex(' ')}\n".encode())
    assert where.by_schema(dump) == (0, [SEEN_ASK, SEEN_ANSWER], "")
    client, server = where.write("c.bin", ASK), where.write("s.bin", ANSWER)
    assert where.by_schema("--client", client, "--server", server) == (
        0,
        [SEEN_ASK, SEEN_ANSWER],
        "",
    )
    assert where.by_schema(client) == (0, [SEEN_ASK], "")
    status, out, _err = where.by_schema(server, "--side", "server")
    assert status == 0
    assert out == [
        "< answer 1    ?                ?ok=<4 bytes>",
        "    note: what was asked is not here",
    ]


def test_the_form_may_be_named(where: Where) -> None:
    text = where.write("x", b"00 04")
    status, out, _err = where.run(text, "--from", "raw")
    assert status == 1
    assert out == [
        "> fault: offset 0: a key of 12,336 bytes, at most 255 are allowed:"
        " this looks like text; nothing behind it is looked at",
        "> note: offset 0: 5 bytes were not looked at",
    ]
    status, out, _err = where.run(text, "--from", "hex")
    assert out == ["> fault: offset 0: the stream ends 2 bytes into a box"]
    status, _out, err = where.run(text, "--from", "pcap")
    assert status == 1
    assert err == f"error: {text}: neither pcap nor pcapng\n"


def test_all_that_decodes_is_shown_and_the_status_tells_of_the_rest(
    where: Where,
) -> None:
    status, out, err = where.by_schema(where.write("b", BAD + ASK))
    assert (status, err) == (1, "")
    assert out == [
        "> ask    2    S.Do             n=<1 byte, not decoded> word=[hidden]",
        f"    fault: offset {BAD.index(b'x')}, key `n`: an int is written -?[0-9]+",
        SEEN_ASK,
    ]


def test_values_without_a_schema(where: Where) -> None:
    path = where.write("b", ASK)
    assert where.run(path)[1] == [
        "> ask    1    Do               n=<1 byte> word=<7 bytes>"
    ]
    assert where.run(path, "--raw")[1] == [
        "> ask    1    Do               n=b'5' word=b'hunter2'"
    ]


def test_json(where: Where) -> None:
    status, out, _err = where.by_schema(where.write("b", BAD), "--format", "json")
    assert status == 1
    assert [json.loads(line) for line in out] == [
        {
            "from": "client",
            "offset": 0,
            "size": len(BAD),
            "kind": "ask",
            "tag": "2",
            "command": "Do",
            "service": "S",
            "fields": {"word": "[hidden]"},
            "undecoded": {"n": {"bytes": 1}},
            "hidden": ["word"],
            "faults": [
                {
                    "offset": BAD.index(b"x"),
                    "key": "n",
                    "rule": "an int is written -?[0-9]+",
                }
            ],
        }
    ]


def test_json_steers_no_terminal(where: Where) -> None:
    name = "a\x1b[2J\x7f\x9b\u202eä"
    path = where.write("b", write_box({b"_command": name.encode(), b"_ask": b"1"}))
    _status, [line], _err = where.run(path, "--format", "json")
    assert line.isprintable()
    assert json.loads(line)["command"] == name


def test_a_terminal_that_lacks_letters_gets_json_all_the_same(where: Where) -> None:
    path = where.write("b", write_box({b"_command": "ä".encode(), b"_ask": b"1"}))
    done = subprocess.run(
        [sys.executable, "-m", "ampgen", "decode", path, "--format", "json"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        stdout=subprocess.PIPE,
        check=True,
    )
    assert json.loads(done.stdout)["command"] == "ä"


@pytest.mark.parametrize(
    "options", [(), ("--raw", "--full"), ("--format", "json", "--raw")]
)
def test_no_secret_is_in_what_is_printed(
    options: tuple[str, ...], where: Where
) -> None:
    for words in (
        (where.write("b", ASK + BAD), "-s", str(where.folder / "s.amp")),
        (str(CAPTURE), "-s", str(BANK)),
    ):
        _status, out, err = where.run(*words, *options)
        assert out
        for secret in ("hunter2", "aHVudGVy", "0815", "MDgxN", "739-201", "NzM5LTIw"):
            assert secret not in "".join(out) + err


def test_a_capture(where: Where) -> None:
    status, out, err = where.run(str(CAPTURE), "-s", str(BANK), "--port", "8000")
    assert (status, err) == (0, "")
    assert len(out) == 11
    assert re.fullmatch(r"#1   127.0.0.1:\d+ > 127.0.0.1:8000, 20\d\d-.* UTC", out[0])
    assert float(out[1].split()[1]) > 0  # it counts from the first packet
    assert "Customer.Confirm" in out[2]
    status, out, err = where.run(str(CAPTURE), "--port", "9")
    assert (status, out) == (0, [])
    assert err == f"note: {CAPTURE}: no TCP connection to port 9 in it\n"
    found = [json.loads(one) for one in where.run(str(CAPTURE), "--format", "json")[1]]
    assert found[0]["kind"] == "connection"
    assert {one["connection"] for one in found} == {1}


def test_a_capture_that_is_cut_short_is_shown_up_to_there(where: Where) -> None:
    path = where.write("cut.pcap", CAPTURE.read_bytes()[:-150])
    status, out, err = where.run(path, "-s", str(BANK))
    assert status == 1
    assert len(out) > 5
    assert err == f"error: {path}: the file is cut short, in the middle of a packet\n"


def test_standard_input(where: Where) -> None:
    schema = ["-s", str(where.folder / "s.amp")]
    for words, stdin in (
        ([], ASK),
        (["-"], ASK.hex().encode()),
        (["--from", "raw"], ASK),
        (["--client", "-"], ASK),
        ([], f"> {ASK.hex(' ')}\r\n".encode("utf-16")),  # as PowerShell writes files
    ):
        done = piped([*words, *schema], stdin)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.decode() == f"{SEEN_ASK}\n"
    done = piped(["-s", str(BANK)], CAPTURE.read_bytes())
    assert done.returncode == 0
    assert done.stdout.count(b"\n") == 11


def test_a_capture_is_read_while_it_is_written() -> None:
    whole = CAPTURE.read_bytes()
    with subprocess.Popen(
        [sys.executable, "-m", "ampgen", "decode"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(whole[:900])
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"#1 ")
        assert b" ask " in process.stdout.readline()
        process.stdin.write(whole[900:])
        process.stdin.close()
        assert process.stdout.read().count(b"\n") == 9
        assert process.wait() == 0


def test_a_capture_from_the_middle_on(where: Where) -> None:
    """Without its first packets: the ask to which an answer is there is not."""
    with CAPTURE.open("rb") as file:
        header = file.read(24)
        rest = b""
        for number in range(18):
            packet = file.read(16)
            packet += file.read(int.from_bytes(packet[8:12], "little"))
            rest += packet if number > 4 else b""
    status, out, err = where.run(
        where.write("m.pcap", header + rest), "-s", str(BANK), "--port", "8000"
    )
    assert (status, err) == (0, "")
    assert out[0].endswith(" UTC, in the middle of it")
    assert "    note: what was asked is not here" in out
    assert "Bank.Bookings" in out[-1]


def test_what_cannot_be_read_is_told_in_a_line(where: Where) -> None:
    missing = str(where.folder / "missing")
    assert where.run(missing) == (
        1,
        [],
        f"error: {missing}: No such file or directory\n",
    )
    folder = str(where.folder)
    assert where.run(folder) == (1, [], f"error: {folder}: Is a directory\n")
    bad = where.write("bad.txt", b"> 00 01\n< 0g\n")
    status, out, err = where.run(bad)
    assert (status, out) == (1, [])
    assert err == f"error: {bad}:2:3: an odd number of digits: '0'\n"
    for words in (("--client", missing), ("--server", missing)):
        assert where.run(*words) == (
            1,
            [],
            f"error: {missing}: No such file or directory\n",
        )
    assert where.run("") == (1, [], "error: : No such file or directory\n")
    closed = piped([], b"", preexec_fn=lambda: os.close(0))
    assert closed.returncode == 1
    assert closed.stderr == b"error: standard input: Bad file descriptor\n"


@pytest.mark.parametrize("options", [(), ("--format", "json")])
def test_nobody_has_to_listen(options: tuple[str, ...]) -> None:
    closed = piped([str(CAPTURE), *options], b"", preexec_fn=lambda: os.close(1))
    assert (closed.returncode, closed.stdout, closed.stderr) == (0, b"", b"")


def test_what_is_read_as_bytes_for_want_of_a_better_form_is_told(where: Where) -> None:
    path = where.write("x", b"[0x00, 0x04]")
    status, out, err = where.run(path)
    assert status == 1
    assert "looks like text" in out[0]
    assert err == (
        f"note: {path}: no dump and no capture: read as the bytes that one side has"
        " sent (see --from)\n"
    )
    assert where.run(path, "--from", "raw") == (1, out, "")
    assert where.run(where.write("b", ASK))[2] == ""


@pytest.mark.parametrize("content", [b"", b"# a remark alone\n"])
def test_nothing_is_told_to_be_nothing(content: bytes, where: Where) -> None:
    path = where.write("empty", content)
    assert where.run(path) == (0, [], f"note: {path}: nothing in it\n")


def test_a_schema_with_errors(where: Where) -> None:
    schema = where.write("bad.amp", b"service S { command Do(n: Int); }\n")
    status, out, err = where.run(where.write("b", ASK), "-s", schema)
    assert (status, out) == (1, [])
    assert "error[AMP" in err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x", "--client", "x"), "--client and --server stand for FILE"),
        (("--client", "x", "--from", "hex"), "--client and --server stand for FILE"),
        (("x", "--port", "8000", "--from", "hex"), "--port is for captures"),
        (("x", "--port", "8000"), "--port is for captures, and "),
        (("x", "-I", "."), "-I is for the imports of a schema"),
        (("x", "-s", "-"), "a schema is a file here"),
        (("--client", "-", "--server", "-"), "is of one side only"),
        (("x", "--port", "0"), "Invalid value for '--port'"),
    ],
)
def test_wrong_usage(
    words: tuple[str, ...], said: str, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(where.folder)
    where.write("x", ASK)
    status, out, err = where.run(*words)
    assert (status, out) == (2, [])
    assert said in err


def test_a_reader_that_has_had_enough(where: Where) -> None:
    path = where.write("many", ASK * 50_000)
    with subprocess.Popen(
        [sys.executable, "-m", "ampgen", "decode", path],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1
