"""Violations, limits, load, and the end of a connection; without a socket."""

from __future__ import annotations

import logging
import tracemalloc
from typing import Any

import pytest

from ampgen.runtime.errors import (
    ConnectionLost,
    DeadlineExceeded,
    EncodeError,
    ProtocolError,
    Unavailable,
)
from ampgen.runtime.wire import Limits, write_box
from tests.runtime.made.text import Item, RepeatResult
from tests.runtime.peers import Host, request
from tests.runtime.services import COMMANDS

REPEAT = COMMANDS[b"Repeat"]
ITEMS = COMMANDS[b"Items"]
STOP = COMMANDS[b"Stop"]
LOG = COMMANDS[b"Log"]

VIOLATIONS = [
    (b"\1\0", "a key of 256 bytes"),
    (write_box({}), "no request, no answer and no error"),
    (write_box({b"text": b"a"}), "no request, no answer and no error"),
    (write_box({b"_ask": b"1"}), "an `_ask` and no `_command`"),
    (write_box({b"_answer": b"77"}), "an answer to nothing that was asked"),
    (write_box({b"_error": b"77"}), "an answer to nothing that was asked"),
    (write_box(request(b"Stop", b"7")), "an `_ask` that is still being served"),
    (write_box(request(b"Nope", b"7")), "an `_ask` that is still being served"),
    (
        write_box(request(b"_cancel", b"7", id=b"1")),
        "an `_ask` that is still being served",
    ),
    (b"\0\4_ask\0\0019\xff\0", "a key of 65,280 bytes"),
    (b"\0\4_ask\0\0019\0\x08_command\0\4Stop\xff\0\0", "a key of 65,280 bytes"),
    (b"\0\1a\xff\xff" + b"x" * 65535 + b"\0\1b\xff\xff", "a box over 100,000 bytes"),
    (
        write_box(request(b"Repeat", b"2", text=b"a" * 65535, u=b"b" * 65535)),
        "a box over 100,000 bytes",
    ),
    (
        write_box({b"_answer": b"1", b"a": b"a" * 65535, b"b": b"b" * 65535}),
        "a box over 100,000 bytes",
    ),
]


@pytest.mark.parametrize("piece", [1 << 20, 1000])
@pytest.mark.parametrize(("raw", "what"), VIOLATIONS)
def test_a_violation_ends_the_connection_and_says_why(
    raw: bytes, what: str, piece: int, caplog: pytest.LogCaptureFixture
) -> None:
    host = Host(limits=Limits(box=100_000))
    mine = host.ask(STOP)
    host.sent()
    host.receive(request(b"Stop", b"7"))
    data = raw + write_box(request(b"Stop", b"8"))
    for at in range(0, len(data), piece):
        host.protocol.receive_data(data[at : at + piece])
    # every call of ours fails with what the peer did
    error = mine.exception()
    assert isinstance(error, ProtocolError)
    assert what in str(error)
    assert error.sent
    # it is in the log, once
    [record] = caplog.records
    assert (record.levelno, what in record.getMessage()) == (logging.WARNING, True)
    # nothing behind it is read, what came before it is answered
    assert [serving.tag for serving, _args in host.requests] == [b"\0\0017"]
    assert host.is_ending
    assert not host.is_finished
    host.protocol.answer(host.requests[0][0], None)
    assert host.sent() == [{b"_answer": b"7"}]
    assert host.is_finished
    with pytest.raises(ProtocolError, match="broke the protocol"):
        host.ask(STOP)
    with pytest.raises(ProtocolError, match="broke the protocol"):
        host.protocol.tell(LOG, ("x",))


def test_a_box_of_exactly_the_bound_is_no_violation() -> None:
    box = request(b"Repeat", b"1", text=b"a" * 50_000)
    size = sum(len(k) + len(v) for k, v in box.items())
    for limit, requests in ((size, 1), (size - 1, 0)):
        host = Host(limits=Limits(box=limit))
        host.receive(box)
        assert len(host.requests) == requests


def test_a_peer_that_sends_endless_pairs_costs_bounded_memory() -> None:
    host = Host()
    pair = b"\0\1k\xff\xff" + b"v" * 65535
    tracemalloc.start()
    for _ in range(100):
        host.protocol.receive_data(pair)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert host.is_finished
    assert peak < 4 * 1024 * 1024


# --- our own side of the limits -------------------------------------------------------


def test_a_value_that_cannot_be_sent_leaves_everything_as_it_was() -> None:
    host = Host()
    for arguments, key in (
        (("\ud800", 1), "text"),
        (("a", 1.5), "times"),
        (("a" * 65536, 1), "text"),
    ):
        with pytest.raises(EncodeError) as caught:
            host.ask(REPEAT, *arguments)
        assert (caught.value.command, caught.value.key) == ("Repeat", key)
    with pytest.raises(EncodeError) as caught:
        host.ask(ITEMS, [Item(id=1, name="a"), Item(id=2, name=3)])  # type: ignore[arg-type]
    assert caught.value.key == "items[1].name"
    with pytest.raises(EncodeError):
        host.protocol.tell(LOG, (3,))
    assert not host.protocol.calls
    assert not host.sent()
    host.ask(STOP)
    assert host.sent() == [request(b"Stop", b"1")]


def test_a_request_over_the_bound_of_a_box_is_not_sent() -> None:
    host = Host(limits=Limits(box=100))
    host.ask(REPEAT, "a" * 70, 1)
    with pytest.raises(EncodeError, match="a box over 100 bytes"):
        host.ask(REPEAT, "a" * 90, 1)
    with pytest.raises(EncodeError, match="a box over 100 bytes"):
        host.protocol.tell(LOG, ("a" * 90,))
    assert len(host.sent()) == 1


def test_an_answer_over_the_bound_of_a_box_becomes_unknown() -> None:
    host = Host(limits=Limits(box=100))
    host.receive(request(b"Repeat", b"1", text=b"a"))
    result = RepeatResult(text="a" * 100, length=1)
    host.protocol.answer(host.requests[0][0], result)
    [box] = host.sent()
    assert box[b"_error_code"] == b"UNKNOWN"


def test_values_nest_as_deep_as_the_limit_says() -> None:
    raw = write_box({b"id": b"1", b"name": b"n"})
    for depth, code in ((2, None), (1, b"INVALID_ARGUMENT")):
        host = Host(limits=Limits(depth=depth))
        host.receive(request(b"Items", b"1", items=raw))
        assert [b.get(b"_error_code") for b in host.sent()] == [code] * (depth == 1)


# --- calls that nobody waits for any more ---------------------------------------------


def test_a_late_answer_is_dropped_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    host = Host()
    waiter = host.ask(STOP)
    call = host.protocol.calls[b"1"]
    host.protocol.give_up(call)
    host.protocol.give_up(call)
    host.receive({b"_answer": b"1"})
    assert not waiter.done()
    assert not host.is_ending
    assert not caplog.records
    host.receive({b"_answer": b"1"})
    assert host.is_ending


@pytest.mark.parametrize(
    "box",
    [
        {b"_answer": b"1"},
        {b"_answer": b"1", b"_odd": b""},
        {b"_error": b"1", b"_error_code": b"X", b"_error_description": b""},
    ],
)
def test_an_answer_that_crosses_the_cancelling_is_dropped(box: Any) -> None:
    host = Host()
    waiter = host.ask(STOP)
    waiter.cancel()
    host.receive(box)
    assert not host.protocol.calls
    assert not host.is_ending


def test_too_many_calls_without_an_answer_end_the_connection() -> None:
    host = Host(limits=Limits(given_up=3))
    for _ in range(3):
        host.ask(STOP)
        host.protocol.give_up(next(iter(host.protocol.calls.values())))
    assert not host.is_ending
    waiter = host.ask(STOP)
    host.ask(STOP)
    *_, last = host.protocol.calls.values()
    host.protocol.give_up(last)
    assert host.is_finished
    assert "3 calls that were given up" in str(waiter.exception())


def test_what_a_peer_broke_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    host = Host(limits=Limits(given_up=3))
    waiters = [host.ask(STOP, deadline=1.0, seconds=1.0) for _ in range(10)]
    assert host.protocol.expire(1.0) is None
    assert all(waiter.done() for waiter in waiters)
    assert len(caplog.records) == 1


def test_calls_end_at_their_deadlines() -> None:
    host = Host()
    first = host.ask(STOP, deadline=1.0, seconds=0.5)
    second = host.ask(STOP, deadline=3.0, seconds=2.5)
    third = host.ask(STOP, deadline=2.0, seconds=1.5)
    forever = host.ask(STOP)
    gone = host.ask(STOP, deadline=1.0, seconds=0.5)
    gone.cancel()
    assert host.protocol.expire(0.5) == 1.0
    assert host.protocol.expire(1.0) == 2.0
    error = first.exception()
    assert isinstance(error, DeadlineExceeded)
    assert str(error) == "Stop: no answer within 0.5 s"
    assert host.protocol.expire(3.0) is None
    assert third.done()
    assert second.done()
    assert not forever.done()
    host.receive({b"_answer": b"1"}, {b"_answer": b"4"})
    assert forever.done()
    assert not host.is_ending


# --- load -----------------------------------------------------------------------------


def stop(tag: bytes) -> dict[bytes, bytes]:
    return request(b"Stop", tag)


def test_at_the_limit_reading_pauses_and_goes_on_where_it_stopped() -> None:
    host = Host(limits=Limits(calls=2))
    host.receive(*(stop(b"%d" % n) for n in range(4)))
    host.receive(stop(b"4"))
    assert len(host.requests) == 2
    assert host.protocol.paused
    for done in range(5):
        host.protocol.answer(host.requests[done][0], None)
        host.protocol.resume()
    assert [serving.tag for serving, _args in host.requests] == [
        b"\0\1%d" % n for n in range(5)
    ]
    assert not host.protocol.paused
    assert len(host.sent()) == 5


def test_with_a_call_of_ours_open_the_peer_is_told_that_it_is_too_much(
    caplog: pytest.LogCaptureFixture,
) -> None:
    host = Host(limits=Limits(calls=1))
    mine = host.ask(STOP)
    host.sent()
    host.receive(
        stop(b"1"),
        stop(b"2"),
        request(b"Log", None, line=b"x"),
        {b"_answer": b"1"},
    )
    assert mine.done()
    assert len(host.requests) == 1
    [box] = host.sent()
    assert (box[b"_error"], box[b"_error_code"]) == (b"2", b"OVERLOADED")
    assert [r.levelno for r in caplog.records] == [logging.WARNING]
    # no call of ours is open any more: from here on reading pauses
    host.receive(stop(b"3"))
    assert host.protocol.paused
    assert not host.sent()


def test_a_peer_that_does_not_read_is_not_read_unless_we_wait_for_it() -> None:
    host = Host()
    protocol = host.protocol
    protocol.blocked = True
    assert protocol.paused
    protocol.sending = 1  # a request of ours waits for room
    assert not protocol.paused
    protocol.sending = 0
    protocol.tell(LOG, ("x",))  # it may be that which the peer does not take
    assert not protocol.paused
    protocol.told = False
    mine = host.ask(STOP)
    assert not protocol.paused
    host.receive({b"_answer": b"2"})  # the oneway request was the first
    assert mine.done()
    assert protocol.paused


# --- the end --------------------------------------------------------------------------


def test_draining_finishes_what_is_served_and_refuses_the_rest(
    caplog: pytest.LogCaptureFixture,
) -> None:
    host = Host()
    host.receive(stop(b"1"))
    mine = host.ask(STOP)
    host.sent()
    host.protocol.drain()
    host.protocol.drain()
    assert host.is_ending
    host.receive(stop(b"2"), request(b"Log", None, line=b"x"), {b"_answer": b"1"})
    assert mine.done()
    [box] = host.sent()
    assert box[b"_error_code"] == Unavailable.code.encode()
    assert len(caplog.records) == 1
    unfinished = host.ask(STOP)
    host.sent()
    host.protocol.answer(host.requests[0][0], None)
    assert host.is_finished
    assert host.sent() == [{b"_answer": b"1"}]
    assert isinstance(unfinished.exception(), ConnectionLost)
    with pytest.raises(ConnectionLost) as caught:
        host.ask(STOP)
    assert not caught.value.sent


def test_draining_with_nothing_to_do_is_the_end() -> None:
    host = Host()
    host.protocol.drain()
    assert host.is_finished


def test_a_violation_while_draining_ends_it_as_well() -> None:
    host = Host()
    host.receive(stop(b"1"))
    host.protocol.drain()
    host.receive({})
    host.receive({})
    host.protocol.receive_eof()
    host.protocol.answer(host.requests[0][0], None)
    assert host.is_finished


def test_a_peer_that_sends_no_more_still_gets_its_answers() -> None:
    host = Host()
    mine = host.ask(STOP)
    host.sent()
    host.receive(stop(b"1"))
    host.protocol.receive_eof()
    assert isinstance(mine.exception(), ConnectionLost)
    host.protocol.answer(host.requests[0][0], None)
    assert host.sent() == [{b"_answer": b"1"}]
    assert host.is_finished


def test_a_lost_connection_ends_every_call_and_says_what_had_left() -> None:
    host = Host()
    left = host.ask(STOP)
    host.sent()
    queued = host.ask(STOP)
    cancelled = host.ask(STOP)
    cancelled.cancel()
    host.protocol.connection_lost("the cable is cut")
    for waiter, sent in ((left, True), (queued, False)):
        error = waiter.exception()
        assert isinstance(error, ConnectionLost)
        assert (error.sent, str(error)) == (sent, "the cable is cut")
    with pytest.raises(ConnectionLost, match="the cable is cut"):
        host.protocol.tell(LOG, ("x",))


def test_what_is_queued_when_the_end_begins_may_still_be_seen_by_the_peer() -> None:
    host = Host()
    waiter = host.ask(STOP)
    host.receive({})
    error = waiter.exception()
    assert isinstance(error, ProtocolError)
    assert error.sent
    assert [box[b"_command"] for box in host.sent()] == [b"Stop"]


def test_an_answer_for_a_lost_connection_is_dropped() -> None:
    host = Host()
    host.receive(stop(b"1"))
    host.protocol.connection_lost("gone")
    host.protocol.answer(host.requests[0][0], None)
    assert not host.sent()
    assert not host.is_finished


def test_what_ended_a_connection_first_is_why_it_is_lost() -> None:
    host = Host()
    host.receive({})
    host.protocol.connection_lost("reset")
    with pytest.raises(ProtocolError, match="broke the protocol"):
        host.ask(STOP)
