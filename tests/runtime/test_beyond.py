"""What goes beyond AMP: deadlines and cancellation that reach the peer, metadata."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import (
    Cancelled,
    ConnectionLost,
    DeadlineExceeded,
    EncodeError,
    InternalError,
    Metadata,
    RemoteError,
    connect,
    current_call,
    serve,
)
from ampgen.runtime.extras import (
    UNDERSTOOD,
    metadata_pairs,
    read_extras,
    timeout_pair,
)
from tests.raw import box, client_of, dial, server_of
from tests.runtime.made.text import EventsClient, RepeatResult, TextClient
from tests.runtime.peers import Host, request
from tests.runtime.services import COMMANDS, Text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PEER = b"cancel stream"
REPEAT, STOP, LOG = COMMANDS[b"Repeat"], COMMANDS[b"Stop"], COMMANDS[b"Log"]


class Noting(Text):
    """Runs ``then`` in `Repeat`, and notes how that ended."""

    def __init__(self, then: Callable[[], Awaitable[Any]]) -> None:
        super().__init__()
        self.then = then
        self.begun = asyncio.Event()
        self.ended: asyncio.Queue[BaseException | None] = asyncio.Queue()

    async def repeat(self, text: str, times: int) -> RepeatResult:
        self.begun.set()
        try:
            await self.then()
        except BaseException as error:
            self.ended.put_nowait(error)
            raise
        self.ended.put_nowait(None)
        return RepeatResult(text=text * times, length=0)


def forever() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


# --- the keys -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "milliseconds"),
    [(1, 1000), (0.0001, 1), (2.0005, 2001), (1e9, 86_400_000), (math.inf, 86_400_000)],
)
def test_the_time_left_is_in_milliseconds_rounded_up(
    seconds: float, milliseconds: int
) -> None:
    assert timeout_pair(seconds) == box({b"_timeout": b"%d" % milliseconds})[:-2]


@pytest.mark.parametrize(
    "bad",
    [
        {b"_timeout": b"-1"},
        {b"_timeout": b"1.5"},
        {b"_timeout": b""},
        {b"_timeout": b"9" * 19},
        {b"_credit": b"+1"},
        {b"_peer": b"x" * 256},
        {b"_peer": b"\xff"},
        {b"_meta.": b"x"},
        {b"_meta.Upper": b"x"},
        {b"_meta.n\xff": b"x"},
        {b"_meta." + b"n" * 65: b"x"},
        {b"_meta.name": b"\xff"},
        {b"_meta.a": b"x" * 5000, b"_meta.b": b"x" * 5000},
    ],
)
def test_what_does_not_read_is_ignored(bad: dict[bytes, bytes]) -> None:
    extras, wrong = read_extras({**bad, b"_meta.fine": b"yes", b"_unknown": b"x"})
    assert wrong is not None
    assert (extras.timeout, extras.credit, extras.peer) == (None, None, None)
    assert extras.metadata in ({"fine": "yes"}, {})


def test_what_reads_is_there() -> None:
    extras, wrong = read_extras(
        {
            b"_timeout": b"90000000",
            b"_credit": b"7",
            b"_stream": b"s",
            b"_peer": PEER,
            b"_meta.a-b.c9": "ä".encode(),
            b"text": b"x",
        }
    )
    assert wrong is None
    assert (extras.timeout, extras.credit, extras.stream) == (86_400.0, 7, b"s")
    assert extras.peer is UNDERSTOOD  # one set for all peers that are like us
    assert extras.metadata == {"a-b.c9": "ä"}


@pytest.mark.parametrize(
    ("metadata", "rule"),
    [
        ({"Upper": "x"}, "metadata 'Upper': a name is 1 to 64 of a-z, 0-9"),
        ({"": "x"}, "a name is"),
        ({"n" * 65: "x"}, "a name is"),
        ({1: "x"}, "a name is"),
        ({"n": 1}, "metadata 'n': a value is text, not a int"),
        ({"n": "\ud800"}, "metadata 'n': a lone surrogate"),
        ({"a": "x" * 4096, "b": "x" * 4096}, "metadata: over 8,192 bytes in all"),
    ],
)
async def test_metadata_that_cannot_be_sent_is_refused(
    metadata: Any, rule: str
) -> None:
    async with TextClient.local(Text()) as text:
        with pytest.raises(EncodeError, match=rule):
            await text.repeat("x", metadata=metadata)
        with pytest.raises(EncodeError, match=rule):
            await text.log("x", metadata=metadata)
        assert (await text.repeat("x")).text == "x"


def test_metadata_is_written_sorted() -> None:
    assert list(metadata_pairs({"b": "2", "a": "1"})) == [
        (b"_meta.a", b"1"),
        (b"_meta.b", b"2"),
    ]


# --- what each end understands --------------------------------------------------------


def test_an_end_says_once_what_it_understands() -> None:
    host = Host()
    host.protocol.greets = True
    host.protocol.tell(LOG, ("x",))  # nothing is asked: not yet
    host.ask(REPEAT, "a", 1)
    host.ask(REPEAT, "a", 1)
    told, first, second = host.sent()
    assert b"_peer" not in told
    assert first[b"_peer"] == PEER
    assert b"_peer" not in second


def test_who_says_so_is_told_so_with_any_answer() -> None:
    host = Host()
    host.inline = True
    for number, name in enumerate((b"Stop", b"Nope", b"_cancel")):
        host.receive(request(name, b"%d" % number, _peer=PEER))
    host.receive(request(b"_cancel", b"3", id=b"7", _peer=PEER))
    host.receive(request(b"Stop", b"5", _peer=PEER, _timeout=b"900"))
    host.receive(request(b"Stop", b"4"))
    *answers, last = host.sent()
    assert [answer[b"_peer"] for answer in answers] == [PEER] * 5
    assert [next(iter(answer)) for answer in answers] == [
        b"_answer",
        b"_error",
        b"_error",
        b"_answer",
        b"_answer",
    ]
    assert answers[2][b"_error_code"] == b"INVALID_ARGUMENT"
    assert last == {b"_answer": b"4"}


def test_an_answer_may_say_what_the_peer_understands() -> None:
    host = Host()
    host.ask(STOP)
    host.receive({b"_answer": b"1", b"_peer": b"cancel other"})
    assert host.protocol.understood == {"cancel", "other"}


def test_a_malformed_extra_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    host = Host()
    host.receive(
        request(b"Stop", b"1", _timeout=b"soon"),
        request(b"Stop", b"2", _timeout=b"later"),
    )
    assert len(host.requests) == 2
    [record] = caplog.records
    assert "`_timeout`: not a number" in record.getMessage()


def test_extras_take_the_short_way_too() -> None:
    host = Host()
    for number in range(3):
        pairs = request(b"Stop", b"%d" % number, _timeout=b"5000")
        host.protocol.receive_data(box(pairs))
    host.receive(request(b"Stop", b"3", **{"_meta.a": b"1", "_timeout": b"1000"}))
    host.receive(request(b"Stop", b"4", _ask=b"4", _a=b"", _timeout=b"1000"))
    extras = [serving.extras for serving, _ in host.requests]
    assert [e and e.timeout for e in extras] == [5.0, 5.0, 5.0, 1.0, 1.0]
    assert extras[0] is extras[1] is extras[2]  # read once
    assert extras[3] is not None
    assert extras[3].metadata == {"a": "1"}


@pytest.mark.parametrize(
    ("more", "command", "metadata"),
    [
        (b"", STOP, None),
        (b"\0\7_meta.a\0\1x", STOP, "x"),
        (b"\0\x08_command\0\3Log\0\4line\0\1x", LOG, None),
        (b"\0\4line\0\1x\0\x08_command\0\3Log", LOG, None),
    ],
)
def test_what_begins_as_the_request_before_it_is_read_to_its_end(
    more: bytes, command: Any, metadata: str | None
) -> None:
    head = b"\0\x08_command\0\4Stop\0\x08_timeout\0\0045000"
    first, second = (b"\0\4_ask\0\1%d%b" % (tag, head) for tag in (1, 2))
    data = b"\0\4_ask\0\0013" + head + more + b"\0\0"
    for cut in range(len(data)):
        host = Host()
        host.protocol.receive_data(first + b"\0\0" + second + b"\0\0" + data[:cut])
        assert len(host.requests) == 2
        host.protocol.receive_data(data[cut:])
        serving, arguments = host.requests[2]
        assert (serving.tag, serving.handler.command) == (b"\0\0013", command)
        assert arguments == (("x",) if command is LOG else ())
        assert serving.extras is not None
        assert serving.extras.timeout == 5.0
        assert serving.extras.metadata.get("a") == metadata


def test_a_key_of_amps_own_among_the_extras_makes_the_kind_of_the_box() -> None:
    host = Host()
    waiter = host.ask(STOP)
    host.sent()
    pairs = [b"_ask", b"9", b"_command", b"Stop", b"_answer", b"1"]
    data = b"".join(len(part).to_bytes(2, "big") + part for part in pairs) + b"\0\0"
    host.protocol.receive_data(data)
    assert waiter.result() is None
    assert not host.requests


def test_extras_may_arrive_in_pieces() -> None:
    data = box(request(b"Stop", b"1", _timeout=b"5000", **{"_meta.a": b"x"}))
    for cut in range(1, len(data)):
        host = Host()
        host.protocol.receive_data(data[:cut])
        host.protocol.receive_data(data[cut:])
        [(serving, _)] = host.requests
        assert serving.extras is not None
        assert (serving.extras.timeout, serving.extras.metadata) == (5.0, {"a": "x"})


# --- deadlines ------------------------------------------------------------------------


async def test_a_request_tells_how_much_time_is_left() -> None:
    async with client_of(TextClient, timeout=5.0) as (text, peer):
        calls = [
            asyncio.create_task(text.repeat("a")),
            asyncio.create_task(text.repeat("a", timeout=0.25)),
            asyncio.create_task(text.repeat("a", timeout=None)),
        ]
        boxes = [await peer.receive_box() for _ in calls]
        assert [pairs.get(b"_timeout") for pairs in boxes] == [b"5000", b"250", None]
        for call in calls:
            call.cancel()


async def test_a_handler_sees_its_deadline_and_is_cancelled_then() -> None:
    left: list[float] = []

    async def then() -> None:
        deadline = current_call().deadline
        assert deadline is not None
        left.append(deadline - asyncio.get_running_loop().time())
        await forever()

    service = Noting(then)
    async with server_of(service) as peer:
        await peer.send(box(request(b"Repeat", b"1", text=b"a", _timeout=b"100")))
        answer = await peer.receive_box()
        assert answer[b"_error_code"] == b"DEADLINE_EXCEEDED"
        assert isinstance(await service.ended.get(), asyncio.CancelledError)
    assert 0 < left[0] < 0.11


async def test_a_request_whose_time_is_over_is_not_handled() -> None:
    service = Text()
    async with server_of(service) as peer:
        await peer.send(
            box(request(b"Log", None, line=b"late", _timeout=b"0"))
            + box(request(b"Repeat", b"1", text=b"a", _timeout=b"0"))
        )
        answer = await peer.receive_box()
        assert answer[b"_error_code"] == b"DEADLINE_EXCEEDED"
    assert not service.lines


async def test_deadlines_of_the_two_ends_do_not_disturb_each_other() -> None:
    async def then() -> None:
        await asyncio.sleep(0.05)

    async with (
        serve("127.0.0.1:0", Noting(then)) as server,
        TextClient.connect(server.addresses[0]) as text,
    ):
        late = asyncio.create_task(text.repeat("a", timeout=5))
        assert (await text.repeat("b", timeout=1)).text == "b"
        assert (await late).text == "a"


async def test_a_call_of_a_handlers_has_no_more_time_than_the_handler() -> None:
    service: Noting
    outer: list[float | None] = []

    async def then() -> None:
        outer.append(current_call().deadline)
        await elsewhere.stop(timeout=60)

    service = Noting(then)
    async with (
        client_of(TextClient) as (elsewhere, peer),
        TextClient.local(service) as text,
    ):
        call = asyncio.create_task(text.repeat("a", timeout=0.2))
        sent = await peer.receive_box()
        with pytest.raises(DeadlineExceeded):
            await call
        ended = await service.ended.get()
    assert 0 < int(sent[b"_timeout"]) <= 200
    assert outer[0] is not None
    assert isinstance(ended, DeadlineExceeded | asyncio.CancelledError)


async def test_without_a_deadline_of_its_own_a_call_has_the_handlers() -> None:
    async def then() -> None:
        await elsewhere.connection.call_box(b"Stop", {})

    async with (
        client_of(TextClient) as (elsewhere, peer),
        TextClient.local(Noting(then)) as text,
    ):
        call = asyncio.create_task(text.repeat("a", timeout=5))
        assert b"_timeout" in await peer.receive_box()
        call.cancel()


async def test_what_a_handler_leaves_running_is_not_bound_by_its_deadline() -> None:
    tasks: list[asyncio.Task[None]] = []
    answered = asyncio.Event()

    async def later() -> None:
        await answered.wait()
        await elsewhere.stop(timeout=None)

    async def then() -> None:
        tasks.append(asyncio.create_task(later()))

    async with client_of(TextClient) as (elsewhere, peer):
        async with TextClient.local(Noting(then)) as text:
            await text.repeat("a", timeout=5)
            answered.set()
            assert b"_timeout" not in await peer.receive_box()
        tasks[0].cancel()


async def test_a_handlers_own_call_that_is_late_first_is_its_deadline_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def then() -> None:
        deadline = current_call().deadline
        assert deadline is not None
        loop = asyncio.get_running_loop()
        while loop.time() < deadline - 0.005:  # no other task runs meanwhile
            pass
        raise DeadlineExceeded("elsewhere")

    async with server_of(Noting(then)) as peer:
        await peer.send(box(request(b"Repeat", b"1", text=b"a", _timeout=b"30")))
        answer = await peer.receive_box()
    assert answer[b"_error_code"] == b"DEADLINE_EXCEEDED"
    assert not [record for record in caplog.records if record.name == "ampgen"]


async def test_one_that_is_late_for_other_reasons_has_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def then() -> None:
        raise DeadlineExceeded("elsewhere")

    async with TextClient.local(Noting(then)) as text:
        for timeout in (None, 5):
            with pytest.raises(InternalError):
                await text.repeat("a", timeout=timeout)
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


async def test_a_request_that_had_to_wait_tells_what_is_left() -> None:
    async with client_of(TextClient) as (text, peer):
        shell = text.connection._shell
        shell.pause_writing()
        call = asyncio.create_task(text.repeat("a", timeout=5))
        await asyncio.sleep(0.01)
        shell.resume_writing()
        left = int((await peer.receive_box())[b"_timeout"])
        assert 0 < left < 5000
        call.cancel()


async def test_of_many_deadlines_each_is_kept() -> None:
    service = Noting(forever)
    async with server_of(service) as peer:
        for left in (b"60000", b"20", b"40000", b"50000"):
            await peer.send(box(request(b"Repeat", left, text=b"a", _timeout=left)))
        answer = await peer.receive_box()
        assert (answer[b"_error"], answer[b"_error_code"]) == (
            b"20",
            b"DEADLINE_EXCEEDED",
        )
        await peer.send(box(request(b"Repeat", b"x", text=b"a", _timeout=b"20")))
        assert (await peer.receive_box())[b"_error"] == b"x"


async def test_a_deadline_counts_from_when_the_request_came() -> None:
    """Not from when those before it have been served."""

    class Slow(Text):
        def log(self, line: str) -> None:
            time.sleep(0.1)

        async def repeat(self, text: str, times: int) -> RepeatResult:
            deadline = current_call().deadline
            assert deadline is not None
            late.append(asyncio.get_running_loop().time() - deadline)
            return RepeatResult(text=text, length=times)

    late: list[float] = []
    async with server_of(Slow()) as peer:
        first = box(request(b"Log", b"1", line=b"x"))
        await peer.send(
            first + box(request(b"Repeat", b"2", text=b"a", _timeout=b"50"))
        )
        await peer.receive_box()
        await peer.receive_box()
    assert late[0] > 0


# --- cancellation ---------------------------------------------------------------------


async def test_cancelling_a_call_cancels_the_handler() -> None:
    service = Noting(forever)
    async with (
        serve("127.0.0.1:0", service) as server,
        TextClient.connect(server.addresses[0]) as text,
    ):
        await text.log("hello")
        with pytest.raises(RemoteError):  # now they know what each understands
            await text.connection.call_box(b"Nope", {})
        call = asyncio.create_task(text.repeat("a"))
        await service.begun.wait()
        call.cancel()
        assert isinstance(await service.ended.get(), asyncio.CancelledError)
        service.then = lambda: asyncio.sleep(0)
        assert (await text.repeat("b")).text == "b"


async def test_a_peer_that_does_not_understand_it_hears_no_cancel() -> None:
    async with client_of(TextClient) as (text, peer):
        call = asyncio.create_task(text.repeat("a"))
        await peer.receive_box()
        call.cancel()
        await asyncio.sleep(0)
        call = asyncio.create_task(text.stop(timeout=None))
        assert (await peer.receive_box())[b"_command"] == b"Stop"
        await peer.send(box({b"_answer": b"2", b"_peer": b"cancel"}))
        await call
        call = asyncio.create_task(text.repeat("a"))
        assert (await peer.receive_box())[b"_ask"] == b"3"
        call.cancel()
        assert await peer.receive_box() == {b"_command": b"_cancel", b"id": b"3"}
        # the answer comes all the same, and is dropped
        await peer.send(box({b"_answer": b"3", b"text": b"", b"length": b"0"}))


async def test_a_deadline_that_passes_cancels_too() -> None:
    async with client_of(TextClient) as (text, peer):
        text.connection._shell.protocol.understood = UNDERSTOOD
        call = asyncio.create_task(text.repeat("a", timeout=0.01))
        await peer.receive_box()
        assert (await peer.receive_box())[b"_command"] == b"_cancel"
        with pytest.raises(DeadlineExceeded):
            await call


async def test_a_cancelled_call_is_still_answered() -> None:
    async def stubborn() -> None:
        try:
            await forever()
        except asyncio.CancelledError:
            await asyncio.sleep(0)

    for then, key in ((forever, b"_error"), (stubborn, b"_answer")):
        service = Noting(then)
        async with server_of(service) as peer:
            await peer.send(box(request(b"Repeat", b"x", text=b"a")))
            await service.begun.wait()
            await peer.send(
                box(request(b"_cancel", None, id=b"other"))
                + box(request(b"_cancel", None))
                + box(request(b"_cancel", b"y", id=b"x"))
                + box(request(b"_cancel", None, id=b"x"))
            )
            assert await peer.receive_box() == {b"_answer": b"y"}
            answer = await peer.receive_box()
            assert answer[key] == b"x"
            if key == b"_error":
                assert answer[b"_error_code"] == b"CANCELLED"


async def test_a_cancel_right_behind_its_request_is_in_time() -> None:
    service = Noting(forever)
    async with server_of(service) as peer:
        await peer.send(
            box(request(b"Repeat", b"x", text=b"a"))
            + box(request(b"_cancel", None, id=b"x"))
        )
        assert (await peer.receive_box())[b"_error_code"] == b"CANCELLED"


async def test_a_handler_may_return_anything_that_can_be_awaited() -> None:
    class Odd(Text):
        def stop(self) -> Any:
            future = forever()
            asyncio.get_running_loop().call_soon(future.set_result, None)
            return future

    async with TextClient.local(Odd()) as text:
        await text.stop()


def test_what_runs_in_no_task_ends_as_it_will() -> None:
    host = Host()
    host.receive(request(b"Stop", b"1"), request(b"_cancel", None, id=b"1"))
    [(serving, _)] = host.requests
    host.receive(request(b"_cancel", None, id=b"1"))
    host.protocol.answer(serving, None)
    assert host.sent() == [{b"_answer": b"1"}]


async def test_the_code_of_a_cancelled_call_has_its_class() -> None:
    class Giving(Text):
        async def stop(self) -> None:
            task: Any = asyncio.current_task()
            task.cancel()
            await asyncio.sleep(0)

    async with TextClient.local(Giving()) as text:
        with pytest.raises(Cancelled):
            await text.stop()


async def test_when_the_connection_is_lost_handlers_are_cancelled() -> None:
    service = Noting(forever)
    async with serve("127.0.0.1:0", service) as server:
        async with dial(server.addresses[0]) as peer:
            await peer.send(box(request(b"Repeat", b"1", text=b"a")))
            await service.begun.wait()
            peer.writer.transport.abort()
        assert isinstance(await service.ended.get(), asyncio.CancelledError)


async def test_a_handler_that_calls_back_hears_of_the_loss_itself() -> None:
    async def then() -> None:
        await EventsClient(current_call().connection).confirm("?")

    service = Noting(then)
    async with serve("127.0.0.1:0", service) as server:
        async with dial(server.addresses[0]) as peer:
            await peer.send(box(request(b"Repeat", b"1", text=b"a")))
            await peer.receive_box()
            peer.writer.transport.abort()
        assert isinstance(await service.ended.get(), ConnectionLost)


async def test_a_oneway_request_is_finished_though_its_caller_is_gone() -> None:
    service = Noting(lambda: asyncio.sleep(0.05))
    async with serve("127.0.0.1:0", service) as server:
        async with dial(server.addresses[0]) as peer:
            await peer.send(box(request(b"Repeat", None, text=b"a")))
            await service.begun.wait()
            peer.writer.transport.abort()
        assert await service.ended.get() is None


# --- metadata -------------------------------------------------------------------------


async def test_metadata_goes_both_ways() -> None:
    seen: list[dict[str, str]] = []

    async def then() -> None:
        call = current_call()
        seen.append(dict(call.metadata))
        call.answer_metadata["took"] = "3 ms"
        if call.metadata:
            call.answer_metadata["again"] = "ä"

    async with TextClient.local(Noting(then)) as text:
        metadata = Metadata({"user": "ä"})
        await text.repeat("a", metadata=metadata)
        assert metadata == {"user": "ä"}
        assert metadata.answer == {"took": "3 ms", "again": "ä"}
        await text.repeat("a", metadata={"plain": "dict"})
        await text.repeat("a", metadata=(empty := Metadata()))
        assert empty.answer == {"took": "3 ms"}
        await text.repeat("a")
    assert seen == [{"user": "ä"}, {"plain": "dict"}, {}, {}]


async def test_metadata_goes_along_with_errors_and_oneway_commands() -> None:
    seen: list[str] = []

    class Telling(Text):
        def log(self, line: str) -> None:
            seen.append(current_call().metadata["user"])

        async def stop(self) -> None:
            current_call().answer_metadata["why"] = "because"
            raise LookupError

    async with TextClient.local(Telling()) as text:
        metadata = Metadata({"user": "me"})
        await text.log("x", metadata=metadata)
        with pytest.raises(InternalError):
            await text.stop(metadata=metadata)
        assert metadata.answer == {"why": "because"}
    assert seen == ["me"]


async def test_answer_metadata_that_cannot_be_sent_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fails = False

    async def then() -> None:
        current_call().answer_metadata["Bad"] = "x"
        if fails:
            raise LookupError

    async with TextClient.local(Noting(then)) as text:
        with pytest.raises(InternalError):
            await text.repeat("a")
        fails = True
        with pytest.raises(InternalError):
            await text.repeat("a")
    messages = [r.getMessage() for r in caplog.records if "metadata" in r.getMessage()]
    assert len(messages) == 2
    assert all("metadata 'Bad': a name is 1 to 64" in message for message in messages)


TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
STATE = {"tracestate": "a=1"}


@pytest.mark.parametrize(
    ("came", "given", "sent"),
    [
        (TRACE, None, TRACE),
        (
            {**TRACE, "tracestate": "a=1", "x": "y"},
            None,
            {**TRACE, "tracestate": "a=1"},
        ),
        (TRACE, {"x": "y"}, {**TRACE, "x": "y"}),
        (TRACE, {"traceparent": "mine"}, {"traceparent": "mine"}),
        (STATE, None, {}),
        ({}, {"x": "y"}, {"x": "y"}),
    ],
)
async def test_a_trace_goes_through_a_handler(
    came: dict[str, str], given: dict[str, str] | None, sent: dict[str, str]
) -> None:
    async def then() -> None:
        await elsewhere.log("x", metadata=given)
        await elsewhere.repeat("x", metadata=given)

    async with (
        client_of(TextClient) as (elsewhere, peer),
        TextClient.local(Noting(then)) as text,
    ):
        call = asyncio.create_task(text.repeat("a", metadata=came))
        for _ in range(2):
            pairs = await peer.receive_box()
            metadata = {k: v for k, v in pairs.items() if k.startswith(b"_meta.")}
            assert metadata == {
                b"_meta." + k.encode(): v.encode() for k, v in sent.items()
            }
        call.cancel()


async def test_any_box_may_have_metadata() -> None:
    seen: list[str] = []

    async def fallback(name: bytes, pairs: dict[bytes, bytes], call: Any) -> Any:
        seen.append(call.metadata["a"])
        call.answer_metadata["b"] = "2"
        return pairs

    async with (
        serve("127.0.0.1:0", fallback=fallback) as server,
        connect(server.addresses[0]) as connection,
    ):
        metadata = Metadata({"a": "1"})
        box_ = {b"Key": b"x", b"key": b"y"}
        assert await connection.call_box(b"Any", box_, metadata=metadata) == box_
        assert metadata.answer == {"b": "2"}
        await connection.call_box(b"Any", {}, oneway=True, metadata=metadata)
        await connection.call_box(b"Any", {}, metadata=metadata)
    assert seen == ["1"] * 3
