"""Recordings: what is written is read again; files that are none are refused."""

from __future__ import annotations

import os
import stat
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampgen.tools.memory import load_texts
from ampgen.tools.recordings.events import (
    Boxed,
    Broken,
    Closed,
    Dropped,
    Ended,
    Event,
    Failed,
    Header,
    Opened,
    Values,
    header_line,
    is_recording,
    line,
)
from ampgen.tools.recordings.reader import Recording, RecordingError, load_recorded
from ampgen.tools.recordings.recorder import Recorder
from ampgen.tools.recordings.withholding import Length, StandIn
from ampgen.tools.seeing.conversation import Conversation
from ampgen.tools.seeing.seen import Break, SeenBytes, Side
from tests.raw import box

if TYPE_CHECKING:
    from pathlib import Path

COMMON = "struct Key { id: int; @sensitive secret: str; }"
VAULT = """
import "inner/common.amp";
error Denied "DENIED" { @sensitive hint: str?; }
service Vault {
    command SignIn(name: str, @sensitive password: str, key: common.Key?)
        -> (@sensitive token: str) raises Denied;
}
"""
SECRET = b"p4ssw0rd"


@pytest.fixture(scope="module")
def vault() -> Any:
    texts = {"vault.amp": VAULT, "inner/common.amp": COMMON}
    return load_texts(texts, ["vault.amp"])


HEADER = Header(
    began="2026-01-31T12:00:00.000+00:00", upstream="a:1", values=Values.ALL
)

SIDES = st.sampled_from(Side)
NUMBERS = st.integers(1, 2**40)
TIMES = st.floats(0, 1e9).map(lambda at: round(at, 6))
RAW = st.binary(max_size=40)
KEYS = st.binary(min_size=1, max_size=255)
KEPT = st.one_of(
    RAW,
    st.builds(StandIn, RAW, st.lists(st.text(), max_size=3).map(tuple)),
    st.builds(Length, st.integers(0, 65535)),
)


def broken(number: int, at: float, seen: SeenBytes) -> Broken:
    return Broken(number, at, replace(seen, at=at))


BYTES_SEEN = st.builds(
    SeenBytes,
    sender=SIDES,
    at=st.none(),
    offset=NUMBERS,
    size=NUMBERS,
    why=st.sampled_from(Break),
    rule=st.text(),
    fault=st.booleans(),
    key=st.just(""),
    start=st.just(b""),
)
EVENTS: st.SearchStrategy[Event] = st.one_of(
    st.builds(Opened, NUMBERS, TIMES, st.text()),
    st.builds(Boxed, NUMBERS, TIMES, SIDES, st.dictionaries(KEYS, KEPT, max_size=4)),
    st.builds(broken, NUMBERS, TIMES, BYTES_SEEN),
    st.builds(Dropped, NUMBERS, TIMES, SIDES, NUMBERS),
    st.builds(Ended, NUMBERS, TIMES, SIDES),
    st.builds(Failed, NUMBERS, TIMES, st.none() | SIDES, st.text()),
    st.builds(Closed, NUMBERS, TIMES),
)


@given(st.lists(EVENTS, max_size=5))
def test_what_is_written_is_read(events: list[Event]) -> None:
    written = [header_line(HEADER), *map(line, events)]
    recording = Recording([one.encode() for one in written])
    assert recording.header == HEADER
    assert list(recording.events()) == events
    assert not recording.cut


@given(EVENTS, st.data())
def test_a_line_that_is_not_whole_is_left_out(
    event: Event, data: st.DataObject
) -> None:
    last = line(event).encode()
    last = last[: data.draw(st.integers(1, len(last) - 1))]
    recording = Recording([header_line(HEADER).encode(), line(event).encode(), last])
    assert list(recording.events()) == [event]
    assert recording.cut


GOOD = '{"connection":1,"time":0,'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[]", "an object is expected"),
        ("{", "line 2: "),
        ('{"time":0,"event":"closed"}', "connection: a number, 0 or more, is expected"),
        (
            '{"connection":1,"time":1' + "0" * 400 + ',"event":"closed"}',
            "time: too large a number",
        ),
        (
            GOOD + '"event":"broken","from":"client","fault":0}',
            "fault: a boolean is expected",
        ),
        (GOOD + '"event":"burst"}', "event: unknown"),
        (GOOD + '"event":true}', "event: a string is expected"),
        (GOOD + '"from":"me","event":"ended"}', "from: one of client, server"),
        (
            GOOD + '"from":"client","box":[["a"]]}',
            "box[0]: a pair of a key and a value",
        ),
        (GOOD + '"from":"client","box":[["",""]]}', "box[0]: a key has 1 to 255 bytes"),
        (
            GOOD + '"from":"client","box":[["a",{"base64":"?"}]]}',
            "box[0]: this is not base64",
        ),
        (
            GOOD + '"from":"client","box":[["a",{"bytes":65536}]]}',
            "box[0]: a value has at most 65,535 bytes",
        ),
        (GOOD + '"from":"client","box":[["a",{"bytes":-1}]]}', "a number, 0 or more"),
        (GOOD + '"from":"client","box":[["a",1]]}', "box[0]: a string, or an object"),
        (GOOD + '"from":"client","box":[["a","\\ud800"]]}', "a lone surrogate"),
    ],
)
def test_a_broken_line_is_told(text: str, reason: str) -> None:
    recording = Recording([header_line(HEADER).encode(), text.encode() + b"\n"])
    with pytest.raises(RecordingError) as raised:
        list(recording.events())
    assert str(raised.value).startswith("line 2: ")
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "this is no recording"),
        ("{}\n", "this is no recording"),
        ('{"ampgen_recording":2}\n', "version 2 of recordings, which a newer ampgen"),
        ('{"ampgen_recording":1}\n', "line 1: began: a string is expected"),
        (
            header_line(HEADER).replace('"all"', '"some"'),
            "line 1: values: one of all, redacted, lengths is expected",
        ),
        (
            header_line(HEADER).replace('"schemas":{}', '"schemas":{"a":1}'),
            "line 1: schemas: an object of strings is expected",
        ),
        (
            header_line(HEADER).replace('"roots":[]', '"roots":[1]'),
            "line 1: roots: an array of strings is expected",
        ),
    ],
)
def test_a_file_that_is_no_recording_is_told(text: str, reason: str) -> None:
    with pytest.raises(RecordingError) as raised:
        Recording([text.encode()])
    assert reason in str(raised.value)


def test_schemas_that_do_not_do_are_told() -> None:
    for roots, schemas, reason in (
        (("a.amp",), {"b.amp": ""}, "a root that is none of the schemas"),
        (("a.amp",), {"a.amp": "struct A { b: C; }"}, "its schemas do not compile"),
    ):
        header = Header(
            began="", upstream="", values=Values.ALL, roots=roots, schemas=schemas
        )
        with pytest.raises(RecordingError, match=reason):
            load_recorded(header)


# --- files ----------------------------------------------------------------------------

SIGN_IN = {
    b"_ask": b"1",
    b"_command": b"SignIn",
    b"name": b"ada",
    b"password": SECRET,
    b"key": box({b"id": b"7", b"secret": SECRET}),
}


def recorded(path: Path, loaded: Any, *, secrets: bool) -> Recording:
    recorder = Recorder(str(path), loaded, "127.0.0.1:8000", secrets=secrets)
    talk = Conversation(loaded)
    sent = box(SIGN_IN) + b"\xff\xffno key has so many bytes " + SECRET
    for seen in talk.feed(Side.CLIENT, sent, 0.25):
        recorder.write(recorder.as_event(1, 0.25, seen))
    recorder.close()
    return Recording(path.read_bytes().splitlines(keepends=True))


def test_what_is_sensitive_is_nowhere_in_the_file(tmp_path: Path, vault: Any) -> None:
    recording = recorded(tmp_path / "a", vault, secrets=False)
    assert SECRET not in (tmp_path / "a").read_bytes()
    header = recording.header
    assert header.values is Values.REDACTED
    assert header.hidden == (
        "Key.secret",
        "Denied.hint",
        "Vault.SignIn.password",
        "Vault.SignIn.token",
    )
    assert header.upstream == "127.0.0.1:8000"
    event, broken = recording.events()
    assert isinstance(event, Boxed)
    assert event.box[b"password"] == StandIn(b"[hidden]")
    assert event.box[b"name"] == b"ada"
    assert isinstance(broken, Broken)
    assert (broken.seen.why, broken.seen.offset) == (Break.LOST, len(box(SIGN_IN)))


def test_secrets_are_there_if_they_are_wanted(tmp_path: Path, vault: Any) -> None:
    recording = recorded(tmp_path / "a", vault, secrets=True)
    assert (recording.header.values, recording.header.hidden) == (Values.ALL, ())
    event, _broken = recording.events()
    assert isinstance(event, Boxed)
    assert event.box == dict(sorted(SIGN_IN.items()))


def test_without_a_schema_the_file_has_lengths(tmp_path: Path) -> None:
    recording = recorded(tmp_path / "a", None, secrets=False)
    assert recording.header.values is Values.LENGTHS
    content = (tmp_path / "a").read_bytes()
    assert SECRET not in content
    assert b"ada" not in content
    assert load_recorded(recording.header) is None


def test_a_recording_knows_its_schemas(tmp_path: Path, vault: Any) -> None:
    header = recorded(tmp_path / "a", vault, secrets=False).header
    again = load_recorded(header)
    assert again is not None
    assert [module.path for module in again.schema.roots] == [("vault",)]
    assert header.schemas.keys() == {"vault.amp", "inner/common.amp"}


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_nobody_else_may_read_secrets(
    tmp_path: Path, vault: Any, umask: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = os.fchmod

    def changed(file: int, mode: int) -> None:
        assert not stat.S_IMODE(os.fstat(file).st_mode) & 0o077  # at no time
        change(file, mode)

    monkeypatch.setattr(os, "fchmod", changed)
    before = os.umask(umask)
    try:
        for secrets in (True, False):
            path = tmp_path / f"{secrets}"
            Recorder(str(path), vault, "", secrets=secrets).close()
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode == (0o600 if secrets else 0o666 & ~umask)
    finally:
        os.umask(before)


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path, vault: Any) -> None:
    (tmp_path / "a").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("a", "link"):
        with pytest.raises(FileExistsError):
            Recorder(str(tmp_path / name), vault, "", secrets=True)
    assert (tmp_path / "a").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


def test_each_line_is_in_the_file_at_once(tmp_path: Path, vault: Any) -> None:
    recorder = Recorder(str(tmp_path / "a"), vault, "", secrets=False)
    lines: list[bytes] = []
    for count in range(1, 4):
        recorder.write(Closed(count, 0.0))
        lines = (tmp_path / "a").read_bytes().splitlines(keepends=True)
        assert len(lines) == count + 1
        assert lines[-1].endswith(b"}\n")
    assert is_recording(lines[0])
    recorder.discard()
    assert not (tmp_path / "a").exists()


def test_names_of_the_system_s_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    name = os.fsdecode(b"unix:/run/\xff.sock")
    recorder = Recorder(str(tmp_path / "a"), None, name, secrets=False)
    recorder.write(Opened(1, 0.0, name))
    recorder.close()
    again = Recording((tmp_path / "a").read_bytes().splitlines(keepends=True))
    assert again.header.upstream == "unix:/run/?.sock"
    assert list(again.events()) == [Opened(1, 0.0, "unix:/run/?.sock")]
