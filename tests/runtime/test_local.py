"""The pair of transports that stands in for a socket."""

from __future__ import annotations

import asyncio

import pytest

from ampgen.runtime import Limits, serve
from ampgen.runtime.local import LocalTransport
from tests.runtime.made.text import TextClient
from tests.runtime.services import Text


class Recorder:
    """A shell that writes down what its transport tells it."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.events.append("made")

    def descriptors_received(self, fds: list[int]) -> None:
        raise AssertionError

    def data_received(self, data: bytes) -> None:
        self.received += len(data)

    def eof_received(self) -> None:
        self.events.append("eof")

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")


@pytest.fixture
async def ends() -> tuple[LocalTransport, Recorder, LocalTransport, Recorder]:
    near, far = Recorder(), Recorder()
    one, other = LocalTransport(near), LocalTransport(far)
    one.join(other)
    return one, near, other, far


Ends = tuple[LocalTransport, Recorder, LocalTransport, Recorder]


async def rounds() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_bytes_arrive_in_a_later_round(ends: Ends) -> None:
    one, _near, _other, far = ends
    one.write(b"ab")
    one.writelines([b"c", b"d"])
    assert far.received == 0
    assert one.get_write_buffer_size() == 4
    await rounds()
    assert far.received == 4
    assert one.get_write_buffer_size() == 0


async def test_an_end_that_does_not_read_stops_the_other_from_writing(
    ends: Ends,
) -> None:
    one, near, other, far = ends
    other.pause_reading()
    one.write(b"x" * 100_000)
    one.write(b"x")
    await rounds()
    assert (near.events, far.received) == (["pause"], 0)
    other.resume_reading()
    await rounds()
    assert (near.events, far.received) == (["pause", "resume"], 100_001)


async def test_closing_delivers_first_and_the_other_end_is_told(ends: Ends) -> None:
    one, near, other, far = ends
    one.write(b"last")
    one.close()
    one.write(b"too late")
    assert one.is_closing()
    await rounds()
    assert (near.events, far.events, far.received) == (["lost"], ["eof"], 4)
    other.write(b"for nobody")
    other.close()
    other.close()
    await rounds()
    assert (near.events, far.events) == (["lost"], ["eof", "lost"])
    assert near.received == 0


async def test_aborting_drops_what_is_not_taken(ends: Ends) -> None:
    one, near, other, far = ends
    other.pause_reading()
    one.write(b"x")
    one.abort()
    await rounds()
    assert (near.events, far.events, far.received) == (["lost"], [], 0)
    other.resume_reading()
    await rounds()
    assert (far.events, far.received) == (["eof"], 0)


async def test_who_waits_for_an_end_that_is_gone_may_write_again(ends: Ends) -> None:
    one, _near, other, far = ends
    one.pause_reading()
    other.pause_reading()
    other.write(b"x" * 100_000)
    one.close()
    await rounds()
    assert far.events == ["pause", "resume"]
    other.close()
    await rounds()
    assert far.events == ["pause", "resume", "lost"]


@pytest.mark.parametrize("local", [True, False])
async def test_what_was_told_before_the_end_is_served_to_the_last(local: bool) -> None:
    class Slow(Text):
        async def log(self, line: str) -> None:
            await asyncio.sleep(0)
            self.lines.append(line)
            if line == "4":
                self.gate.set()

    texts = Slow()
    limits = Limits(calls=1)
    async with serve("127.0.0.1:0", texts, limits=limits) as server:
        if local:
            text = await TextClient.local(texts, limits=limits)
        else:
            text = await TextClient.connect(server.addresses[0])
        await asyncio.gather(*(text.log(str(n)) for n in range(5)))
        await text.aclose()
        async with asyncio.timeout(5):
            await texts.gate.wait()
    assert texts.lines == ["0", "1", "2", "3", "4"]
