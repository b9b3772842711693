"""The protocol as a state machine, driven without a socket."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ampgen.runtime import protocol
from ampgen.runtime.errors import (
    Cancelled,
    ConnectionLost,
    DeadlineExceeded,
    DecodeError,
    InternalError,
    InvalidArgument,
    Overloaded,
    ProtocolError,
    RemoteError,
    Unavailable,
    UnknownCommand,
)
from ampgen.runtime.wire import Limits, write_box
from tests.runtime.made.text import Corrupt, Item, RepeatResult, TooLong
from tests.runtime.peers import Box, Host, request
from tests.runtime.services import COMMANDS

REPEAT = COMMANDS[b"Repeat"]
ITEMS = COMMANDS[b"Items"]
STOP = COMMANDS[b"Stop"]
LOG = COMMANDS[b"Log"]

# --- what one end asks, and what the other makes of it --------------------------------


def test_a_request_is_twisteds_bytes() -> None:
    host = Host()
    host.ask(REPEAT, "abc", 3)
    host.protocol.tell(LOG, ("x",))
    assert host.protocol.data_to_send() == (
        b"\0\4_ask\0\0011\0\x08_command\0\6Repeat\0\4text\0\3abc\0\5times\0\0013\0\0"
        b"\0\x08_command\0\3Log\0\4line\0\1x\0\0"
    )


def test_the_tag_is_a_counter_in_lower_case_hexadecimal() -> None:
    host = Host()
    for _ in range(28):
        host.ask(STOP)
    tags = [box[b"_ask"] for box in host.sent()]
    assert (tags[0], tags[9], tags[27]) == (b"1", b"a", b"1c")


def test_a_request_reaches_its_handler_and_the_answer_its_caller() -> None:
    there, here = Host(), Host()
    waiter = here.ask(REPEAT, "abc", 3)
    there.protocol.receive_data(here.protocol.data_to_send())
    [(serving, arguments)] = there.requests
    assert (serving.handler.command, arguments) == (REPEAT, ("abc", 3))
    there.protocol.answer(serving, RepeatResult(text="abcabcabc", length=9))
    answer = there.protocol.data_to_send()
    assert answer == b"\0\7_answer\0\0011\0\6length\0\0019\0\4text\0\x09abcabcabc\0\0"
    here.protocol.receive_data(answer)
    assert waiter.result() == RepeatResult(text="abcabcabc", length=9)
    assert not here.protocol.calls
    assert not there.protocol.in_flight


def test_what_ampgen_sends_is_read_where_it_lies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The general parser would do as well, and three times slower."""
    monkeypatch.setattr(protocol, "BoxParser", None)
    there, here = Host(), Host()
    waiters = [here.ask(REPEAT, "abc", 3) for _ in range(300)]  # tags of 1 to 3 bytes
    there.protocol.receive_data(here.protocol.data_to_send())
    for serving, _arguments in there.requests:
        there.protocol.answer(serving, RepeatResult(text="abc", length=3))
    here.protocol.receive_data(there.protocol.data_to_send())
    assert all(waiter.done() for waiter in waiters)


def test_answers_leave_in_the_order_of_completion_and_tags_come_back_as_they_came() -> (
    None
):
    host = Host()
    tags = [b"", b"\xff\0", b"x" * 300]
    host.receive(*(request(b"Stop", tag) for tag in tags))
    for serving, _arguments in reversed(host.requests):
        host.protocol.answer(serving, None)
    assert host.sent() == [{b"_answer": tag} for tag in reversed(tags)]


@pytest.mark.parametrize("oneway_last", [True, False])
def test_what_was_served_takes_no_memory(oneway_last: bool) -> None:
    host = Host()
    host.receive(request(b"Log", None, line=b"x"))
    host.receive(*(request(b"Stop", b"%d" % number) for number in range(900)))
    order = -1 if oneway_last else 1
    for serving, _arguments in host.requests[::order]:
        host.protocol.answer(serving, None)
    assert not host.protocol.in_flight
    table = host.protocol._serving  # pyright: ignore[reportPrivateUsage]
    assert sys.getsizeof(table) == sys.getsizeof({})


SCRIPT: list[Box] = [
    request(b"Repeat", b"1", text=b"abc", times=b"3"),
    request(b"Log", None, line=b"x"),
    request(b"Repeat", b"2", text=b"a"),
    request(b"Nope", b"3"),
    request(b"Repeat", b"4", text=b"a", times=b"x"),
    request(b"Stop", b"5", Upper=b"unknown, and before _ask", z=b"unknown"),
    request(b"Items", b"6", items=write_box({b"id": b"1", b"name": b"n"}) * 3),
    request(b"Log", b"7", line=b"with an answer"),
    {b"_answer": b"1", b"length": b"1", b"text": b"a"},
    {b"_error": b"2", b"_error_code": b"TOO_LONG", b"_error_description": b"x"},
    {b"_answer": b"3", b"text": b"a"},
]


def outcome(pieces: list[bytes]) -> tuple[Any, Any, Any]:
    """What a host makes of bytes: requests, boxes sent, and how its calls ended."""
    host = Host()
    waiters = [host.ask(REPEAT, "a", 1) for _ in range(3)]
    host.sent()
    for piece in pieces:
        host.protocol.receive_data(piece)
    return (
        [(s.handler.command.name, s.tag, args) for s, args in host.requests],
        host.sent(),
        [
            w.done() and (repr(w.exception()) if w.exception() else w.result())
            for w in waiters
        ],
    )


WHOLE = b"".join(map(write_box, SCRIPT))
WANTED = outcome([WHOLE])


def test_a_usual_answer_goes_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    def general(*_args: object) -> None:
        raise AssertionError("the general parser was asked")

    monkeypatch.setattr("ampgen.runtime.protocol.BoxParser", general)
    host = Host()
    waiter = host.ask(REPEAT, "a", 1)
    host.receive({b"_answer": b"1", b"length": b"1", b"text": b"a"})
    host.receive(request(b"Repeat", b"1", text=b"a", times=b"2"))
    assert waiter.result() == RepeatResult(text="a", length=1)
    assert len(host.requests) == 1


def test_the_script_does_what_each_box_asks() -> None:
    requests, sent, calls = WANTED
    assert requests == [
        ("Repeat", b"\0\0011", ("abc", 3)),
        ("Log", None, ("x",)),
        ("Repeat", b"\0\0012", ("a", 1)),
        ("Stop", b"\0\0015", ()),
        ("Items", b"\0\0016", ([Item(id=1, name="n")] * 3,)),
        ("Log", b"\0\0017", ("with an answer",)),
    ]
    assert [(box[b"_error"], box[b"_error_code"]) for box in sent] == [
        (b"3", b"UNHANDLED"),
        (b"4", b"INVALID_ARGUMENT"),
    ]
    assert calls[0] == RepeatResult(text="a", length=1)
    assert calls[1] == repr(TooLong("x"))
    assert calls[2].startswith("DecodeError('Repeat', 'length'")


def test_byte_by_byte_is_the_same_as_whole() -> None:
    assert outcome([bytes((byte,)) for byte in WHOLE]) == WANTED


@settings(max_examples=50)
@given(st.lists(st.integers(0, len(WHOLE)), max_size=12).map(sorted))
def test_any_split_is_the_same_as_whole(cuts: list[int]) -> None:
    pieces = [
        WHOLE[start:end]
        for start, end in zip([0, *cuts], [*cuts, len(WHOLE)], strict=True)
    ]
    assert outcome(pieces) == WANTED


@given(st.permutations(list(request(b"Repeat", b"1", text=b"a", times=b"2").items())))
def test_keys_are_read_in_any_order(pairs: list[tuple[bytes, bytes]]) -> None:
    raw = b"".join(write_box(dict([pair]))[:-2] for pair in pairs) + b"\0\0"
    host = Host()
    host.protocol.receive_data(raw)
    assert [args for _serving, args in host.requests] == [("a", 2)]


def test_of_keys_that_come_twice_the_last_counts_those_of_the_protocol_too() -> None:
    host = Host()
    first = write_box(request(b"Repeat", b"1", text=b"a", times=b"2"))[:-2]
    host.protocol.receive_data(first + write_box({b"_ask": b"9", b"text": b"b"}))
    assert [(serving.tag, args) for serving, args in host.requests] == [
        (b"\0\0019", ("b", 2))
    ]


def test_an_answer_is_an_answer_whatever_else_is_in_the_box() -> None:
    host = Host()
    waiters = [host.ask(STOP), host.ask(STOP)]
    error = {b"_error": b"2", b"_error_code": b"X", b"_error_description": b""}
    host.receive(
        request(b"Stop", b"7") | error | {b"_answer": b"1"},
        request(b"Stop", b"8") | error,
    )
    assert waiters[0].result() is None
    assert isinstance(waiters[1].exception(), RemoteError)
    assert not host.requests


@settings(max_examples=200)
@given(st.binary(max_size=80))
def test_garbage_ends_the_connection_or_waits_for_more(raw: bytes) -> None:
    host = Host()
    waiter = host.ask(STOP)
    host.protocol.receive_data(raw)
    host.protocol.receive_data(b"\xff" * 70_000)
    assert isinstance(waiter.exception(), ProtocolError)
    assert host.is_finished
    host.protocol.resume()
    assert not host.requests


# --- errors ---------------------------------------------------------------------------


def fail(error: BaseException, **limits: int) -> tuple[Host, list[Box]]:
    host = Host(limits=Limits(**limits))
    host.receive(request(b"Repeat", b"1", text=b"a"))
    [(serving, _arguments)] = host.requests
    host.protocol.fail(serving, error)
    return host, host.sent()


def error_box(code: bytes, description: bytes, **fields: bytes) -> Box:
    return {
        b"_error": b"1",
        b"_error_code": code,
        b"_error_description": description,
        **{key.encode(): value for key, value in fields.items()},
    }


class Subclass(TooLong):
    pass


class Unprintable(TooLong):
    def __str__(self) -> str:
        raise RuntimeError("secret")


@pytest.mark.parametrize(
    ("error", "box"),
    [
        (TooLong("why", limit=3), error_box(b"TOO_LONG", b"why", limit=b"3")),
        (TooLong("why"), error_box(b"TOO_LONG", b"why")),
        (Subclass("why"), error_box(b"TOO_LONG", b"why")),
        (TooLong("x" * 2000), error_box(b"TOO_LONG", b"x" * 1024)),
        (TooLong("\ud800"), error_box(b"TOO_LONG", b"\\ud800")),
        (InvalidArgument("no"), error_box(b"INVALID_ARGUMENT", b"no")),
        (Overloaded("no"), error_box(b"OVERLOADED", b"no")),
        (Unavailable("no"), error_box(b"UNAVAILABLE", b"no")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_that_a_handler_may_raise_travels(
    error: Exception, box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    host, sent = fail(error)
    assert sent == [box]
    assert not host.is_ending
    assert not caplog.records


@pytest.mark.parametrize(
    "error",
    [
        LookupError("secret"),
        RemoteError("secret", code="X"),
        UnknownCommand("secret"),
        DeadlineExceeded("secret"),
        Cancelled("secret"),
        ConnectionLost("secret"),
        KeyboardInterrupt("secret"),
        TooLong("secret", limit="secret"),  # type: ignore[arg-type]
        TooLong("secret", limit=10**100_000),
        Unprintable("secret"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_not_declared_stays_in_the_log_with_its_traceback(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    host, sent = fail(error)
    assert sent == [error_box(b"UNKNOWN", b"Unknown Error")]
    assert not host.is_ending
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert record.exc_info[1] is error


class Speechless(Overloaded):
    def __str__(self) -> str:
        raise LookupError("secret")


@pytest.mark.parametrize(
    ("error", "code", "description"),
    [
        (Overloaded(cast("str", 7)), b"OVERLOADED", b"7"),
        (Unavailable(cast("str", None)), b"UNAVAILABLE", b"None"),
        (InvalidArgument("x", code="\ud800"), b"INVALID_ARGUMENT", b"x"),
        (TooLong(cast("str", 7)), b"TOO_LONG", b"7"),
        (Speechless("x"), b"UNKNOWN", b"Unknown Error"),
    ],
)
def test_an_error_is_answered_however_it_was_made(
    error: Exception, code: bytes, description: bytes
) -> None:
    host, sent = fail(error)
    assert sent == [error_box(code, description)]
    assert not host.protocol.in_flight


def test_fields_that_are_too_long_make_an_error_unknown() -> None:
    assert fail(TooLong("x", limit=10**4000), box=10_000)[1] == [
        error_box(b"UNKNOWN", b"Unknown Error")
    ]


def test_a_field_that_is_too_long_is_named_in_the_log_and_the_error_is_unknown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    host = Host()
    host.receive(request(b"Repeat", b"1", text=b"a"))
    [(serving, _arguments)] = host.requests

    def encode(_error: TooLong, _depth: int) -> Box:
        return {b"why": b"x" * 65_536}

    declared = replace(serving.handler.command.errors[0], encode=encode)
    command = replace(serving.handler.command, errors=(declared,))
    serving.handler = replace(serving.handler, command=command)
    host.protocol.fail(serving, TooLong("x"))
    assert host.sent() == [error_box(b"UNKNOWN", b"Unknown Error")]
    assert not host.protocol.in_flight
    assert "TooLong cannot be sent: why: over 65,535 bytes" in caplog.text


def test_an_error_that_came_from_a_call_of_the_handler_is_not_passed_on() -> None:
    host = Host()
    waiter = host.ask(STOP)
    host.receive(error_box(b"INVALID_ARGUMENT", b"theirs"))
    received = waiter.exception()
    assert isinstance(received, InvalidArgument)
    assert fail(received)[1] == [error_box(b"UNKNOWN", b"Unknown Error")]


def test_a_fatal_error_is_sent_and_then_reading_stops() -> None:
    host = Host()
    mine = host.ask(STOP)
    host.sent()
    host.receive(*(request(b"Stop", b"%d" % n) for n in range(2)))
    host.receive(request(b"Repeat", b"1x", text=b"a"))
    *others, (serving, _arguments) = host.requests
    host.protocol.fail(serving, Corrupt("all is lost"))
    assert isinstance(mine.exception(), ConnectionLost)
    assert not isinstance(mine.exception(), ProtocolError)
    host.receive(request(b"Stop", b"9"))
    assert len(host.requests) == 3
    assert host.is_ending
    assert not host.is_finished
    for serving, _arguments in others:
        host.protocol.answer(serving, None)
    assert host.is_finished
    assert [box.get(b"_error_code") for box in host.sent()] == [b"CORRUPT", None, None]


@pytest.mark.parametrize(
    ("code", "error", "text"),
    [
        (b"TOO_LONG", TooLong, "why"),
        (b"CORRUPT", Corrupt, "why"),
        (b"UNHANDLED", UnknownCommand, "why"),
        (b"INVALID_ARGUMENT", InvalidArgument, "why"),
        (b"UNKNOWN", InternalError, "why"),
        (b"DEADLINE_EXCEEDED", DeadlineExceeded, "why"),
        (b"CANCELLED", Cancelled, "why"),
        (b"OVERLOADED", Overloaded, "why"),
        (b"UNAVAILABLE", Unavailable, "why"),
        (b"ODD", RemoteError, "ODD: why"),
        (b"\xff", RemoteError, r"\xff: why"),
    ],
)
def test_a_code_arrives_as_its_class(
    code: bytes, error: type[RemoteError], text: str
) -> None:
    host = Host()
    waiter = host.ask(REPEAT, "a", 1)
    host.receive(error_box(code, b"why"))
    found = waiter.exception()
    assert isinstance(found, RemoteError)
    assert type(found) is error
    assert found.description == "why"
    assert str(found) == text
    assert found.code == code.decode("utf-8", "backslashreplace")


def test_an_error_comes_with_its_fields_and_any_description() -> None:
    host = Host()
    waiter = host.ask(REPEAT, "a", 1)
    host.receive(error_box(b"TOO_LONG", b"\xff", limit=b"7", other=b"x"))
    error = waiter.exception()
    assert isinstance(error, TooLong)
    assert (error.limit, error.description) == (7, "\ufffd")


@pytest.mark.parametrize(
    ("box", "key"),
    [
        (error_box(b"TOO_LONG", b"", limit=b"x"), "limit"),
        ({b"_error": b"1", b"_error_description": b""}, "_error_code"),
        ({b"_error": b"1", b"_error_code": b"X"}, "_error_description"),
        ({b"_answer": b"1", b"length": b"1"}, "text"),
        (
            {
                b"_answer": b"1",
                b"length": b"1",
                b"text": b"x" * 65_535,
                b"text.2": b"x",
            },
            "text",
        ),
        ({b"_answer": b"1", b"length": b"x", b"text": b""}, "length"),
    ],
)
def test_an_answer_that_does_not_decode_fails_the_one_call(box: Box, key: str) -> None:
    host = Host()
    waiter = host.ask(REPEAT, "a", 1)
    other = host.ask(STOP)
    host.receive(box, {b"_answer": b"2"})
    error = waiter.exception()
    assert isinstance(error, DecodeError)
    assert (error.command, error.key) == ("Repeat", key)
    assert other.result() is None


# --- requests that come to nothing ----------------------------------------------------


def test_an_unknown_command_is_answered_in_twisteds_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    host = Host()
    with caplog.at_level(logging.DEBUG, "ampgen"):
        host.receive(request(b"Nope"))
    assert host.sent() == [error_box(b"UNHANDLED", b"Unhandled Command: b'Nope'")]
    [said] = [record.getMessage() for record in caplog.records]
    assert said.startswith("refused b'Nope' of ")
    assert said.endswith(": Unhandled Command: b'Nope'")


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"text": b"\xff"}, "Repeat: text: not UTF-8 at byte 0"),
        (
            {"text": b"x" * 65_535, "text.2": b""},
            "Repeat: text: over 65,535 bytes: `text.2` holds the rest of it",
        ),
        ({"text": b"a", "times": b"1.5"}, "Repeat: times: an int is written -?[0-9]+"),
        ({}, "Repeat: text: required, and missing"),
    ],
)
def test_arguments_that_do_not_decode_are_named(
    arguments: dict[str, bytes], rule: str
) -> None:
    host = Host()
    host.receive(request(b"Repeat", **arguments))
    assert host.sent() == [error_box(b"INVALID_ARGUMENT", rule.encode())]
    assert not host.requests


@pytest.mark.parametrize(
    "box",
    [
        request(b"Nope", None),
        request(b"Log", None, line=b"\xff"),
        request(b"\xff" * 65_535, None),
    ],
)
def test_a_oneway_request_that_comes_to_nothing_is_logged(
    box: Box, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host()
    host.receive(box)
    assert not host.sent()
    assert not host.is_ending
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert len(record.getMessage()) < 2000


def test_the_ask_decides_whether_there_is_an_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "ampgen")
    host = Host()
    host.receive(
        request(b"Log", b"1", line=b"x"),
        request(b"Repeat", None, text=b"a"),
        request(b"Repeat", None, text=b"b"),
        request(b"Repeat", None, text=b"c"),
    )
    (log, _), *twoway = host.requests
    host.protocol.answer(log, None)
    host.protocol.answer(twoway[0][0], RepeatResult(text="secret", length=1))
    host.protocol.fail(twoway[1][0], TooLong("secret"))
    host.protocol.fail(twoway[2][0], LookupError("hidden"))
    assert host.sent() == [{b"_answer": b"1"}]
    assert "secret" not in caplog.text
    assert [r.levelno for r in caplog.records] == [
        logging.DEBUG,
        logging.WARNING,
        logging.ERROR,
    ]


def test_a_fatal_error_that_nobody_asked_for_leaves_the_connection_open() -> None:
    host = Host()
    host.receive(request(b"Repeat", None, text=b"a"))
    host.protocol.fail(host.requests[0][0], Corrupt("x"))
    assert not host.is_ending


class Trap(RepeatResult):
    @property
    def text(self) -> str:  # pyright: ignore
        raise LookupError


@pytest.mark.parametrize(
    "result",
    [
        None,
        object.__new__(Trap),
        RepeatResult(text="\ud800", length=1),
        RepeatResult(text="x" * 65536, length=1),
    ],
)
def test_an_answer_that_cannot_be_encoded_becomes_unknown(
    result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host()
    host.receive(request(b"Repeat", text=b"a"))
    host.protocol.answer(host.requests[0][0], result)
    assert host.sent() == [error_box(b"UNKNOWN", b"Unknown Error")]
    assert not host.protocol.in_flight
    assert "the answer cannot be sent: Repeat: " in caplog.text


def test_a_fallback_answers_what_no_service_knows() -> None:
    host = Host(fallback=True)
    host.receive(request(b"Nope", b"1", a=b"x"), request(b"Stop", b"2"))
    assert [(s.handler.command.name, args) for s, args in host.requests] == [
        ("Nope", ({b"a": b"x"},)),
        ("Stop", ()),
    ]
    host.protocol.answer(host.requests[0][0], {b"b": b"y"})
    assert host.sent() == [{b"_answer": b"1", b"b": b"y"}]
