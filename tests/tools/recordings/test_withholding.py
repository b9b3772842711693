"""What a recording keeps of a box: nothing secret, and all else as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampgen.runtime.wire import read_box
from ampgen.tools.memory import load_texts
from ampgen.tools.recordings.events import Boxed, Header, Values, header_line, line
from ampgen.tools.recordings.reader import Recording
from ampgen.tools.recordings.withholding import Kept, Length, StandIn, kept, stand_in
from ampgen.tools.seeing.conversation import Conversation
from ampgen.tools.seeing.seen import SeenBox, Side
from tests.raw import box

if TYPE_CHECKING:
    from ampgen.tools.memory import Loaded

SCHEMA = """
enum Level { LOW = "low"; }
struct Key { id: int; @sensitive secret: bytes; next: Key?; }
struct Plain { x: int; }
union Login { key: Key; name: str; }
union Door { name: str; number: int; }
error Denied "DENIED" { @sensitive hint: str?; left: int?; }
service Vault {
    command Enter(
        name: str,
        @sensitive pin: int,
        @sensitive tags: [str],
        @sensitive at: Plain,
        key: Key,
        keys: [Key],
        by_name: {str: Key},
        nested: [[Key]],
        login: Login,
        plain: Plain?,
    ) -> (name: str, @sensitive token: uuid) raises Denied;
    command Open(
        door: Door,
        doors: [Door],
        plain: Plain,
        by_door: {str: Door},
        listed: [[Door]],
    );
    command Store(
        page: large bytes, by: int?, @sensitive note: large str, rows: large [Key],
    );
    command Watch() -> stream (line: str, @sensitive who: str);
}
"""
SECRET = b"p4ssw0rd"


@pytest.fixture(scope="module")
def vault() -> Loaded:
    return load_texts({"vault.amp": SCHEMA}, ["vault.amp"])


def of(loaded: Loaded | None, *boxes: dict[bytes, bytes]) -> list[dict[bytes, Kept]]:
    """What is kept: requests of the client, answers of the server."""
    talk = Conversation(loaded)
    found: list[dict[bytes, Kept]] = []
    for one in boxes:
        from_server = b"_command" not in one or b"_item" in one.get(b"_command", b"")
        side = Side.SERVER if from_server else Side.CLIENT
        (seen,) = talk.feed(side, box(one))
        assert isinstance(seen, SeenBox)
        found.append(kept(seen))
    return found


def key(secret: bytes = SECRET, **more: bytes) -> dict[bytes, bytes]:
    return {b"id": b"1", b"secret": secret} | {k.encode(): v for k, v in more.items()}


ENTER = {
    b"_ask": b"1",
    b"_command": b"Enter",
    b"_timeout": b"500",
    b"_peer": b"cancel stream",
    b"_meta.token": SECRET,
    b"_meta.traceparent": b"00-1-2-01",
    b"_odd": SECRET,
    b"name": b"ada",
    b"pin": b"4711",
    b"tags": b"\0\x08" + SECRET,
    b"at": box({b"x": b"4711"}),
    b"key": box(key()),
    b"keys": box(key()) + box(key(next=box(key()))),
    b"by_name": box({b"key": b"a", b"value": box(key())}),
    b"nested": b"",
    b"login": box({b"key": box(key())}),
    b"other": SECRET,
}
STOOD_IN = box({b"id": b"1", b"secret": b"[hidden]"})


def test_by_a_schema_stand_ins_take_the_place_of_secrets(vault: Loaded) -> None:
    [found] = of(vault, ENTER)
    inner = box({b"id": b"1", b"secret": b"[hidden]", b"next": STOOD_IN})
    assert found == {
        b"_ask": b"1",
        b"_command": b"Enter",
        b"_timeout": b"500",
        b"_peer": b"cancel stream",
        b"_meta.token": Length(8),
        b"_meta.traceparent": b"00-1-2-01",
        b"_odd": Length(8),
        b"name": b"ada",
        b"pin": StandIn(b"0"),
        b"tags": StandIn(b""),
        b"at": StandIn(box({b"x": b"0"})),
        b"key": StandIn(STOOD_IN, ("secret",)),
        b"keys": StandIn(
            STOOD_IN + inner, ("[0].secret", "[1].secret", "[1].next.secret")
        ),
        b"by_name": StandIn(box({b"key": b"a", b"value": STOOD_IN}), ("[0].secret",)),
        b"nested": b"",
        b"login": StandIn(box({b"key": STOOD_IN}), ("key.secret",)),
        b"other": Length(8),
    }
    assert list(found) == sorted(ENTER)  # in the order in which they came


def test_without_a_schema_there_are_lengths() -> None:
    asked, answered, refused, stopped = of(
        None,
        ENTER,
        {b"_answer": b"1", b"token": SECRET},
        {b"_error": b"2", b"_error_code": b"DENIED", b"_error_description": SECRET},
        {b"_command": b"_cancel", b"id": b"1"},
    )
    assert asked[b"name"] == Length(3)
    assert asked[b"_command"] == b"Enter"
    assert SECRET not in asked.values()
    assert answered == {b"_answer": b"1", b"token": Length(8)}
    assert refused == {
        b"_error": b"2",
        b"_error_code": b"DENIED",
        b"_error_description": Length(8),
    }
    assert stopped == {b"_command": b"_cancel", b"id": b"1"}


def test_of_the_commands_of_the_runtime_there_is_what_they_have() -> None:
    texts = box({b"path": b"a.amp", b"source": b""})
    _asked, told, pinged, lives, stopped = of(
        None,
        {b"_ask": b"1", b"_command": b"_schema"},
        {b"_answer": b"1", b"schemas": texts, b"services": b"", b"odd": SECRET},
        {b"_ask": b"2", b"_command": b"_ping", b"id": SECRET},
        {b"_answer": b"2", b"schemas": SECRET, b"\xff": SECRET},
        {b"_command": b"_cancel", b"id": b"1", b"odd": SECRET},
    )
    assert told[b"schemas"] == texts
    assert stopped == {b"_command": b"_cancel", b"id": b"1", b"odd": Length(8)}
    for found in (told, pinged, lives, stopped):
        assert SECRET not in found.values()


def test_answers_errors_and_items_have_secrets_too(vault: Loaded) -> None:
    token = b"12345678-1234-1234-1234-123456789abc"
    ask = {b"_ask": b"2", b"_command": b"Enter"}
    watch = {b"_ask": b"3", b"_command": b"Watch", b"_stream": b"9", b"_credit": b"4"}
    _, answer, _, error, _, item = of(
        vault,
        ENTER,
        {b"_answer": b"1", b"name": b"ada", b"token": token, b"_meta.a": SECRET},
        ask,
        {
            b"_error": b"2",
            b"_error_code": b"DENIED",
            b"_error_description": b"no",
            b"hint": SECRET,
            b"left": b"2",
        },
        watch,
        {b"_command": b"Watch._item", b"_stream": b"9", b"line": b"a", b"who": SECRET},
    )
    nil = StandIn(b"00000000-0000-0000-0000-000000000000")
    assert (answer[b"name"], answer[b"token"]) == (b"ada", nil)
    assert answer[b"_meta.a"] == Length(8)
    assert error[b"_error_description"] == b"no"
    assert (error[b"hint"], error[b"left"]) == (StandIn(b"[hidden]"), b"2")
    assert (item[b"line"], item[b"who"]) == (b"a", StandIn(b"[hidden]"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", box(key())[:-1]),
        ("key", box(key()) + b"\0"),
        ("keys", box(key()) + b"\0\x06secr"),
        ("by_name", box({b"value": box(key())})),
        ("nested", b"\0\xff" + box(key())),
        ("login", box({b"key": box(key()), b"name": b"b"})),
        ("login", box({b"unheard": SECRET})),
    ],
)
def test_of_what_does_not_decode_and_may_be_secret_there_is_the_length(
    vault: Loaded, name: str, value: bytes
) -> None:
    [found] = of(vault, {**ENTER, name.encode(): value})
    assert found[name.encode()] == Length(len(value))


def test_a_scalar_that_does_not_decode_and_is_not_secret_is_kept(vault: Loaded) -> None:
    [found] = of(vault, {b"_command": b"Store", b"page": b"", b"by": b"no number"})
    assert found[b"by"] == b"no number"
    [found] = of(vault, {**ENTER, b"pin": b"no number"})
    assert found[b"pin"] == StandIn(b"0")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("door", box({b"new": SECRET})),
        ("door", box({b"name": b"a", b"new": SECRET})),
        ("doors", box({b"name": b"a"}) + box({b"new": SECRET})),
        ("plain", box({b"x": b"1", b"pin": SECRET}) + b"\0\3"),
        ("by_door", box({b"key": b"a", b"pin": SECRET})),
        ("listed", b"\0\x10" + box({b"new": SECRET}) + b"\0\3"),
    ],
)
def test_nothing_is_kept_of_a_value_whose_parts_cannot_be_told(
    vault: Loaded, name: str, value: bytes
) -> None:
    [found] = of(vault, {b"_command": b"Open", name.encode(): value})
    assert found[name.encode()] == Length(len(value))


def test_what_a_struct_does_not_declare_is_left_out_of_it(vault: Loaded) -> None:
    more = box({b"x": b"1", b"y": SECRET})
    [found] = of(vault, {**ENTER, b"plain": more})
    assert found[b"plain"] == StandIn(box({b"x": b"1"}), ("y",))


def test_large_values_are_looked_at_as_wholes(vault: Loaded) -> None:
    page = bytes(range(256)) * 300  # 76,800 bytes
    rows = box(key(b"s" * 60_000)) * 2
    sent = {b"_ask": b"1", b"_command": b"Store"}
    for name, value in ((b"page", page), (b"note", b"n" * 70_000), (b"rows", rows)):
        sent[name] = value[:65535]
        sent[name + b".2"] = value[65535:]
    [found] = of(vault, sent)
    assert (found[b"page"], found[b"page.2"]) == (page[:65535], page[65535:])
    assert found[b"note"] == StandIn(b"[hidden]")
    assert b"note.2" not in found
    assert found[b"rows"] == StandIn(STOOD_IN * 2, ("[0].secret", "[1].secret"))
    assert b"rows.2" not in found


def test_pieces_without_their_beginning_are_lengths(vault: Loaded) -> None:
    [found] = of(
        vault, {b"_ask": b"1", b"_command": b"Store", b"page": b"", b"note.2": SECRET}
    )
    assert found[b"note.2"] == Length(8)


def test_a_stand_in_of_each_type_decodes(vault: Loaded) -> None:
    types = "bool int float str bytes decimal datetime date duration uuid json path"
    every = " ".join(f"@sensitive v{t}: {t};" for t in types.split())
    text = f"{SCHEMA} struct Every {{ {every} level: Level; login: Login; }}"
    text += " service Other { command All(@sensitive all: Every); }"
    loaded = load_texts({"a.amp": text}, ["a.amp"])
    other: Any = next(
        one for one in loaded.schema.roots[0].declarations if one.name == "Other"
    )
    raw = stand_in(other.commands[0].arguments[0].type)
    (seen,) = Conversation(loaded).feed(
        Side.CLIENT, box({b"_ask": b"1", b"_command": b"All", b"all": raw})
    )
    assert isinstance(seen, SeenBox)
    assert not seen.blames
    assert len(read_box(raw, 0)[0]) == len(types.split()) + 2


VALUES = st.dictionaries(
    st.sampled_from([*ENTER, b"id", b"secret"]),
    st.one_of(st.binary(max_size=30), st.sampled_from(list(ENTER.values()))).map(
        lambda raw: raw.replace(SECRET, b"")
    ),
)


@given(VALUES, st.sampled_from([b"pin", b"tags", b"at", b"_meta.token", b"other"]))
def test_no_secret_is_ever_kept(values: dict[bytes, bytes], where: bytes) -> None:
    loaded = load_once()
    sent = {**values, b"_ask": b"1", b"_command": b"Enter", where: SECRET}
    sent.pop(b"_answer", None)
    (found,) = of(loaded, sent)
    assert SECRET not in repr(found).encode()


KEYS = st.one_of(
    st.sampled_from(
        b"_ask _command _answer _error _error_code _stream id note note.2 page rows"
        b" _meta.a schemas line".split()
    ),
    st.binary(min_size=1, max_size=4),
    st.sampled_from(list(ENTER)),
)
COMMANDS = b"Enter Store Watch Watch._item Nope _cancel _schema _ping StartTLS".split()
SAID = st.dictionaries(
    KEYS,
    st.one_of(
        st.sampled_from([b"1", b"2", b"DENIED", *COMMANDS, *ENTER.values()]),
        st.binary(max_size=20),
    ),
    max_size=8,
)


@given(st.lists(st.tuples(st.sampled_from(Side), SAID), max_size=8), st.booleans())
def test_whatever_is_said_can_be_recorded_and_read(
    said: list[tuple[Side, dict[bytes, bytes]]], with_schema: bool
) -> None:
    talk = Conversation(load_once() if with_schema else None)
    header = Header(began="", upstream="", values=Values.REDACTED)
    for side, one in said:
        for seen in talk.feed(side, box(one)):
            assert isinstance(seen, SeenBox)
            event = Boxed(1, 0.0, side, kept(seen))
            written = [header_line(header).encode(), line(event).encode()]
            assert list(Recording(written).events()) == [event]


_loaded: list[Any] = []


def load_once() -> Any:
    if not _loaded:
        _loaded.append(load_texts({"vault.amp": SCHEMA}, ["vault.amp"]))
    return _loaded[0]
