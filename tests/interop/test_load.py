"""More calls than are served at once, and peers that do not read."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import Any

from ampgen.runtime import Limits, serve
from tests.interop import twisted_commands as commands
from tests.interop.ours import interop_service
from tests.interop.reactor import ask, there, twisted_client, twisted_server
from tests.raw import PATIENCE

MIB = 1 << 20
CALLS = 400
SIZE = 60_000
ALL = CALLS * SIZE  # what the answers, or the lines, come to
MUCH = ALL * 3 / 4  # half of ALL is what asyncio's debug mode notes of the calls


async def test_a_flood_of_twisted_is_read_no_faster_than_it_is_served(
    interop: Any,
) -> None:
    service = interop_service(interop)
    limits = Limits(calls=50)
    async with (
        serve("127.0.0.1:0", service, limits=limits) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        service.expect(50)
        calls = [
            asyncio.create_task(ask(end, commands.Wait, number=number))
            for number in range(CALLS)
        ]
        await asyncio.wait_for(service.full.wait(), PATIENCE)
        done = 0
        while done < CALLS:
            waiting = sorted(service.waiting)[done:]
            assert 0 < len(waiting) <= 50
            service.release(*waiting)
            done += len(waiting)
            service.full.clear()
            service.expect(min(done + 50, CALLS))
            if done < CALLS:
                await asyncio.wait_for(service.full.wait(), PATIENCE)
        answers = await asyncio.gather(*calls)
        assert [answer["number"] for answer in answers] == list(range(CALLS))


async def test_for_a_twisted_client_that_does_not_read_little_is_kept(
    interop: Any,
) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        await there(end.stop_reading)
        tracemalloc.start()
        try:
            calls = [
                asyncio.create_task(ask(end, commands.Large, size=SIZE))
                for _ in range(CALLS)
            ]
            await asyncio.sleep(0.3)  # nothing tells that nothing more happens
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < MUCH
        await there(end.go_on_reading)
        answers = await asyncio.gather(*calls)
        assert {len(answer["raw"]) for answer in answers} == {SIZE}


async def test_our_client_waits_for_a_twisted_server_that_does_not_read(
    interop: Any,
) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        await client.large(0)
        [end] = server.ends
        await there(end.stop_reading)
        sent = 0

        async def send() -> None:
            nonlocal sent
            for _ in range(CALLS):
                await client.log("x" * SIZE)
                sent += 1

        sending = asyncio.create_task(send())
        before = -1
        while sent > before:  # until it stands still
            before = sent
            await asyncio.sleep(0.1)
        assert sent < CALLS
        await there(end.go_on_reading)
        await asyncio.wait_for(sending, PATIENCE)
        assert await client.large(1) == b"x"
        assert len(end.seen) == CALLS
