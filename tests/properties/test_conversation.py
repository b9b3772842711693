"""What is seen of a conversation is what was said, in any pieces; noise is no harm."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ampgen.model import Service
from ampgen.runtime.errors import FAULTS, as_fault
from ampgen.runtime.wire import read_box, write_box
from ampgen.targets.python.names import argument_name
from ampgen.tools.jsonvalues import JsonValues
from ampgen.tools.memory import Loaded, load_texts
from ampgen.tools.seeing.asjson import seen_to_json
from ampgen.tools.seeing.astext import TextPrinter
from ampgen.tools.seeing.conversation import Conversation
from ampgen.tools.seeing.framing import MAX_BOX
from ampgen.tools.seeing.hexdump import HexError, read_hex
from ampgen.tools.seeing.seen import Break, Seen, SeenBox, SeenBytes, Side
from tests.properties.schemas import Schema, Values, schemas
from tests.properties.shell import pieces
from tests.properties.test_protocol import SCHEMA, conversations
from tests.properties.test_schemas import UNHURRIED, arguments_of

if TYPE_CHECKING:
    from collections.abc import Iterable

CLIENT, SERVER = Side


class _Holder:
    """An object of a tuple of arguments."""

    def __init__(self, names: Iterable[str], values: Iterable[Any]) -> None:
        vars(self).update(zip(names, values, strict=True))


def all_seen(
    loaded: Loaded | None, parts: Iterable[tuple[Side, bytes]], **options: bool
) -> list[Seen]:
    conversation = Conversation(loaded, **options)
    found = [one for side, data in parts for one in conversation.feed(side, data)]
    return [*found, *conversation.end(CLIENT), *conversation.end(SERVER)]


def only(loaded: Loaded, data: bytes) -> SeenBox:
    [seen] = all_seen(loaded, [(CLIENT, data)])
    assert isinstance(seen, SeenBox)
    return seen


@settings(max_examples=25, suppress_health_check=UNHURRIED)
@given(schema=schemas(), data=st.data())
def test_a_request_and_its_answer_have_the_values_that_were_sent(
    schema: Schema, data: st.DataObject
) -> None:
    loaded = load_texts({"a.amp": schema.text()}, ["a.amp"])
    [root] = loaded.schema.roots
    module = loaded.modules[root]
    values = JsonValues(loaded)
    [service] = [one for one in root.declarations if isinstance(one, Service)]
    for drawn, model, (made, _) in zip(
        schema.commands,
        service.commands,
        module.EchoServer.__ampgen_commands__,
        strict=True,
    ):
        given_values = data.draw(arguments_of(drawn, Values(schema, module)))
        names = [argument_name(field) for field in model.arguments]
        expected = values.fields_to_json(
            model.arguments, _Holder(names, given_values), argument_name
        )
        asked = made.write_request(b"\0\4_ask\0\1a" + made.head, given_values, 64)
        result = None
        if drawn.fields:
            make = getattr(module, f"{drawn.name}Result")
            keys = list(make.__dataclass_fields__)
            result = make(**dict(zip(keys, given_values, strict=True)))
        answered = made.write_answer(b"\0\7_answer\0\1a", result, 64)
        [ask, answer] = all_seen(loaded, [(CLIENT, asked), (SERVER, answered)])
        for seen in (ask, answer):
            assert isinstance(seen, SeenBox)
            assert seen.command == drawn.name
            assert seen.model is model
            assert seen.fields == expected
            assert not seen.others
            assert not seen.blames
            assert not seen.notes


@settings(max_examples=40, suppress_health_check=UNHURRIED)
@given(schema=schemas(), data=st.data())
def test_what_does_not_decode_is_blamed_as_the_generated_code_does(
    schema: Schema, data: st.DataObject
) -> None:
    loaded = load_texts({"a.amp": schema.text()}, ["a.amp"])
    [root] = loaded.schema.roots
    module = loaded.modules[root]
    for drawn, (made, _) in zip(
        schema.commands, module.EchoServer.__ampgen_commands__, strict=True
    ):
        given_values = data.draw(arguments_of(drawn, Values(schema, module)))
        written = made.write_request(b"", given_values, 64)
        box, _end = read_box(written, 0)
        if not box:
            continue
        key = data.draw(st.sampled_from(sorted(box)))
        at = data.draw(st.integers(0, len(box[key])))
        instead = data.draw(st.binary(max_size=3))
        after = at + data.draw(st.integers(0, 3))
        box[key] = box[key][:at] + instead + box[key][after:]
        if data.draw(st.booleans()):
            del box[data.draw(st.sampled_from(sorted(box)))]
        rule = None
        try:
            made.read_arguments(write_box(box), 0, 64)
        except FAULTS as error:
            fault = as_fault(error)
            rule = fault.path, fault.rule
        asked = write_box({b"_command": made.wire} | box)
        seen = only(loaded, asked)
        blamed = [(one.key, one.rule) for one in seen.blames]
        assert (rule in blamed) if rule is not None else not blamed
        assert all(0 <= one.offset < len(asked) for one in seen.blames)


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    text = SCHEMA.replace("note: json?", "@sensitive note: json?")
    return load_texts({"a.amp": text}, ["a.amp"])


def cut(data: st.DataObject, written: bytes) -> list[bytes]:
    places = data.draw(st.lists(st.integers(0, len(written)), max_size=20))
    return pieces(written, places)


@given(
    written=conversations,
    noise=st.binary(max_size=40) | st.just(b"") | st.just(b"GET / HTTP/1.1\r\n\r\n"),
    midway=st.booleans(),
    data=st.data(),
)
def test_any_pieces_come_to_the_same(
    written: bytes, noise: bytes, midway: bool, data: st.DataObject, loaded: Loaded
) -> None:
    sent = noise + written if midway else written + noise
    whole = all_seen(loaded, [(CLIENT, sent)], midway=midway)
    split = all_seen(
        loaded, [(CLIENT, piece) for piece in cut(data, sent)], midway=midway
    )
    assert split == whole


def printed(seen: Seen) -> None:
    for raw in (False, True):
        seen_to_json(seen, raw=raw)
        printer = TextPrinter(timed=True, schema=True, raw=raw)
        for line in printer.lines(seen):
            assert line.isprintable(), line


@given(
    talk=st.lists(
        st.tuples(
            st.sampled_from(Side),
            st.binary(max_size=300) | conversations,
            st.booleans(),
        ),
        max_size=6,
    ),
    midway=st.booleans(),
)
@example(talk=[(CLIENT, b"\0\1k\0\1v\0\0" * 3, True)], midway=True)
def test_noise_never_raises_and_every_byte_is_accounted_for(
    talk: list[tuple[Side, bytes, bool]], midway: bool, loaded: Loaded
) -> None:
    for by in (loaded, None):
        conversation = Conversation(by, midway=midway)
        found: list[Seen] = []
        total = dict.fromkeys(Side, 0)
        for side, data, gap in talk:
            found += conversation.feed(side, data)
            total[side] += len(data)
            if gap:
                found += conversation.gap(side, 7)
                total[side] += 7
        for side in Side:
            found += conversation.end(side)
        for seen in found:
            printed(seen)
        for side in Side:
            assert accounted(found, side) == total[side]


BEHIND_A_PART = (Break.GAP, Break.LOST, Break.TLS)
"""Where a box has begun in front of them, its bytes are nobody's else."""


def accounted(found: list[Seen], side: Side) -> int:
    """Where the stream of a side ends, by what was seen; each byte once."""
    at = 0
    for seen in found:
        if seen.sender is side:
            if isinstance(seen, SeenBytes) and seen.why in BEHIND_A_PART:
                assert at <= seen.offset
            else:
                assert seen.offset == at, seen
            at = seen.offset + seen.size
    return at


SECRET = "hunter2"


@given(
    box=st.dictionaries(
        st.sampled_from((b"item", b"note", b"note.2", b"x.note", b"Upper")),
        st.sampled_from((b'"hunter2"', b"hunter2", b'{"hunter2"', b"\xffhunter2")),
    ),
    command=st.sampled_from((b"Echo", b"Fail", b"Nope")),
    answers=st.booleans(),
)
def test_a_secret_is_never_printed(
    box: dict[bytes, bytes], command: bytes, answers: bool, loaded: Loaded
) -> None:
    secret = {key: value for key, value in box.items() if b"note" in key}
    kind = {b"_answer": b"1"} if answers else {b"_command": command}
    [seen] = all_seen(loaded, [(CLIENT, write_box(secret | kind))], whole=False)
    printer = TextPrinter(timed=False, schema=True, raw=True, full=True)
    assert SECRET not in "".join(printer.lines(seen))
    assert "aHVudGVyM" not in str(seen_to_json(seen, raw=True))
    assert SECRET not in str(seen_to_json(seen, raw=True))
    assert SECRET not in repr(seen)


def test_memory_is_bounded_whatever_comes(loaded: Loaded) -> None:
    conversation = Conversation(loaded)
    pair = b"\0\1k\xff\xff" + b"x" * 65535
    tracemalloc.start()
    try:
        for number in range(MAX_BOX // 65536 * 2):
            key = b"\0\4%04d" % number
            conversation.feed(CLIENT, key + pair[3:])
        conversation.feed(CLIENT, b"\0\0")
        for number in range(40):
            tag = b"%02d" % number * 30_000
            conversation.feed(SERVER, write_box({b"_command": b"Fail", b"_ask": tag}))
            for ask in range(1000):
                tag = b"%d:%d" % (number, ask)
                asked = write_box({b"_command": b"Nope", b"_ask": tag})
                conversation.feed(CLIENT, asked)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MAX_BOX * 2.5


@given(data=st.binary(max_size=200), text=st.text(max_size=200))
def test_a_hex_reader_reads_or_says_where_it_cannot(data: bytes, text: str) -> None:
    plain = data.hex(" ")
    assert b"".join(one.data for one in read_hex(plain)) == data
    if (error := refused(text)) is not None:
        lines = text.splitlines()
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1])


def refused(text: str) -> HexError | None:
    try:
        read_hex(text)
    except HexError as error:
        return error
    return None
