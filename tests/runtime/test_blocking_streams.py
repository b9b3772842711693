"""Streams of clients without an event loop."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import gc
import queue
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import BlockingStream, ConnectionLost, DeadlineExceeded, EncodeError
from generated_example.archive import ArchiveBlockingClient, ArchiveClient, NoSuchFile
from tests.raw import PATIENCE
from tests.runtime.test_blocking import served
from tests.runtime.test_streams import Files

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator, Iterator

    from generated_example.archive import TailItem


class Watched(Files):
    """Its events are seen in the test's thread."""

    def __init__(self) -> None:
        super().__init__()
        self.done = threading.Event()

    async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
        try:
            async for item in super().tail(name, from_):
                yield item
        finally:
            self.done.set()


@pytest.fixture
def service() -> Watched:
    return Watched()


@pytest.fixture
def files(service: Watched) -> Generator[ArchiveBlockingClient]:
    with served(service) as address, ArchiveClient.connect_blocking(address) as files:
        yield files


def test_a_stream_is_an_iterator(files: ArchiveBlockingClient) -> None:
    lines = files.tail("x", 7)
    assert isinstance(lines, BlockingStream)
    assert [line.number for line in lines] == [8, 9, 10]
    assert list(lines) == []
    assert b"".join(files.download("3")) == b"x" * 180_000
    with pytest.raises(NoSuchFile):
        next(files.tail("nothing"))


def test_leaving_the_block_ends_it(
    files: ArchiveBlockingClient, service: Watched
) -> None:
    with files.tail("endless") as lines:
        for line in lines:
            if line.number == 1000:
                break
    assert service.done.wait(PATIENCE)
    assert list(lines) == []


def test_one_that_is_dropped_ends(
    files: ArchiveBlockingClient, service: Watched
) -> None:
    for _line in files.tail("endless"):
        break
    gc.collect()
    assert service.done.wait(PATIENCE)


def test_a_deadline_is_for_all_of_it(files: ArchiveBlockingClient) -> None:
    lines = files.tail("quiet", timeout=0.2)
    assert [next(lines).number for _ in range(3)] == [1, 2, 3]
    with pytest.raises(DeadlineExceeded):
        next(lines)


def test_the_end_of_the_connection_ends_it(files: ArchiveBlockingClient) -> None:
    lines = files.tail("quiet")
    assert [next(lines).number for _ in range(3)] == [1, 2, 3]
    files.close()
    with pytest.raises(ConnectionLost):
        next(lines)


@pytest.mark.parametrize("chunks", [[b"ab", b"c"], (b"abc",), {b"abc": 1}])
def test_what_is_there_is_sent(chunks: Any, files: ArchiveBlockingClient) -> None:
    assert files.upload("x", chunks).size == 3


def test_what_is_made_is_made_in_the_thread_of_the_caller(
    files: ArchiveBlockingClient,
) -> None:
    threads: set[threading.Thread] = set()
    events: list[str] = []

    def chunks(count: int) -> Iterator[bytes]:
        try:
            for _ in range(count):
                threads.add(threading.current_thread())
                yield b"abc"
        finally:
            events.append("finally")

    assert files.upload("x", chunks(200)).size == 600
    assert files.upload("x", map(bytes, ([1, 2], [3]))).size == 3
    assert threads == {threading.current_thread()}
    assert events == ["finally"]
    # who gets enough ends it
    assert files.upload("one", chunks(1_000_000)).size == 3
    assert events == ["finally", "finally"]


def test_what_makes_the_items_fails(files: ArchiveBlockingClient) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a"
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        files.upload("x", chunks())
    with pytest.raises(LookupError, match="mine"):
        next(files.search("x", map(str, iter(chunks()))))
    for wrong in ("text", 7):
        with pytest.raises(EncodeError, match="a stream is an iterable"):
            files.upload("x", wrong)  # type: ignore[arg-type]


def test_both_ways_at_once(files: ArchiveBlockingClient) -> None:
    answers: queue.Queue[str] = queue.Queue()
    closed = threading.Event()

    def lines() -> Iterator[str]:
        try:
            yield "a"
            while line := answers.get():
                yield line + "a"
        finally:
            closed.set()

    with files.search("a", lines()) as found:
        for line in found:
            if len(line) == 9:
                break
            answers.put(line)
    answers.put("")
    assert closed.wait(PATIENCE)
    assert list(files.search("a", iter(["a", "b", "ab"]))) == ["a", "ab"]
    assert list(files.search("a", ["a", "b", "ab"])) == ["a", "ab"]


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, KeyboardInterrupt])
def test_what_makes_the_items_wants_to_exit(
    error: type[BaseException], files: ArchiveBlockingClient
) -> None:
    """It ends the call, and in a thread of its own no more than that."""

    def lines() -> Iterator[Any]:
        yield "a"
        raise error("now")

    with pytest.raises(RuntimeError, match="ended with") as raised:
        list(files.search("a", lines(), timeout=PATIENCE))
    assert isinstance(raised.value.__cause__, error)
    with pytest.raises(error):
        files.upload("x", (item.encode() for item in lines()))
    assert files.size("abc") == 3


def test_ctrl_c_ends_the_call_that_sends(
    files: ArchiveBlockingClient, service: Watched
) -> None:
    """In what makes the items, or while nothing is wanted."""

    def chunks() -> Iterator[bytes]:
        yield b"abc"
        signal.raise_signal(signal.SIGINT)
        yield b"abc"

    with pytest.raises(KeyboardInterrupt):
        files.upload("x", chunks())
    assert files.upload("x", iter([b"ab"])).size == 2
    while "finally" not in service.events:
        files.size("")


def test_an_item_that_nobody_wants_any_more(files: ArchiveBlockingClient) -> None:
    """It is made while the call ends."""
    made = threading.Event()

    def lines() -> Iterator[str]:
        yield "a"
        made.set()
        gate.wait(PATIENCE)
        yield "b"
        pytest.fail("it was wanted")

    gate = threading.Event()
    with files.search("a", lines()) as found:
        assert next(found) == "a"
        assert made.wait(PATIENCE)
    gate.set()
    for thread in threading.enumerate():
        if thread.name == "ampgen stream":
            thread.join(PATIENCE)
            assert not thread.is_alive()
    assert files.size("abc") == 3
