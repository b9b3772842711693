"""The health service."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from ampgen.pipeline import compile_schemas
from ampgen.runtime import Connection, HealthClient, HealthService, Unavailable, serve
from ampgen.runtime.health import CheckResult, Status, UnknownService, WatchItem
from tests.raw import PATIENCE, box, server_of
from tests.runtime.made.text import TextClient
from tests.runtime.services import Text

ROOT = Path(__file__).parents[2]


async def test_it_is_served_beside_others() -> None:
    async with (
        serve("127.0.0.1:0", Text(), HealthService(), reflect=True) as server,
        HealthClient.connect(server.addresses[0], timeout=PATIENCE) as health,
    ):
        assert await health.check() == CheckResult(status=Status.SERVING)
        answer = await TextClient(health.connection).repeat("abc", times=2)
        assert answer.text == "abcabc"
        assert ("Health", "health.amp") in (await health.connection.schemas()).services


async def test_it_says_what_it_was_told() -> None:
    service = HealthService({"Text": Status.NOT_SERVING, "Odd": "half"})
    async with HealthClient.local(service) as health:
        assert (await health.check("Text")).status is Status.NOT_SERVING
        assert (await health.check("Odd")).status == "half"
        service.set_status(Status.SERVING, "Text")
        service.set_status(Status.NOT_SERVING)
        assert service.status("Text") is Status.SERVING
        assert (await health.check("Text")).status is Status.SERVING
        assert (await health.check()).status is Status.NOT_SERVING
        assert service.status("Other") is None
        with pytest.raises(UnknownService, match="no service 'Other' here") as caught:
            await health.check("Other")
        assert caught.value.service == "Other"


async def test_whoever_watches_hears_of_changes() -> None:
    service = HealthService({"Text": Status.NOT_SERVING})
    async with HealthClient.local(service) as health:
        async with health.watch("Text") as watched, health.watch() as server:
            assert (await anext(server)).status is Status.SERVING
            assert (await anext(watched)).status is Status.NOT_SERVING
            later = asyncio.create_task(anext(watched))
            for status in (Status.NOT_SERVING, Status.SERVING, "half"):
                service.set_status(status, "Text")
            assert await later == WatchItem(status="half")
            await asyncio.to_thread(service.set_status, Status.SERVING, "Text")
            assert (await anext(watched)).status is Status.SERVING
        with pytest.raises(UnknownService):
            await anext(health.watch("Other"))
        assert not service._watches


async def test_who_watches_a_server_that_ends_is_told() -> None:
    service = HealthService({"Down": Status.NOT_SERVING})
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(serve("127.0.0.1:0", service))
        health = await HealthClient.connect(server.addresses[0], timeout=PATIENCE)
        async with health.watch() as up, health.watch("Down") as down:
            assert (await anext(up)).status is Status.SERVING
            assert (await anext(down)).status is Status.NOT_SERVING
            async with asyncio.timeout(PATIENCE / 2):  # less than the drain time
                leaving = asyncio.create_task(stack.aclose())
                assert [item.status async for item in up] == [Status.NOT_SERVING]
                assert [item.status async for item in down] == []
                await leaving
    assert not service._watches


async def test_a_drain_callback() -> None:
    async with TextClient.local(text := Text()) as client:
        connection = client.connection
        called: asyncio.Queue[Connection] = asyncio.Queue()
        connection.add_drain_callback(called.put_nowait)
        forgotten: asyncio.Queue[Connection] = asyncio.Queue()
        connection.add_drain_callback(forgotten.put_nowait)
        connection.remove_drain_callback(forgotten.put_nowait)
        call = asyncio.create_task(client.stop())
        await text.waiting.acquire()
        assert called.empty()
        connection.close()
        connection.add_drain_callback(called.put_nowait)
        assert await called.get() is connection
        assert await called.get() is connection
        text.gate.set()
        await asyncio.wait([call])
        assert called.empty()
        assert forgotten.empty()


async def test_what_it_is_on_the_wire() -> None:
    async with server_of(HealthService()) as peer:
        await peer.send(box({b"_ask": b"1", b"_command": b"health.Check"}))
        assert await peer.receive_box() == {b"_answer": b"1", b"status": b"serving"}


async def test_a_server_that_drains_says_so_by_itself() -> None:
    text = Text()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            serve("127.0.0.1:0", text, HealthService())
        )
        client = await TextClient.connect(server.addresses[0], timeout=PATIENCE)
        call = asyncio.create_task(client.stop())
        await text.waiting.acquire()
        leaving = asyncio.create_task(stack.aclose())
        await asyncio.sleep(0)
        with pytest.raises(Unavailable):
            await HealthClient(client.connection).check()
        text.gate.set()
        await call
        await leaving
        await client.connection.wait_closed()


def test_it_is_what_the_compiler_makes_of_its_schema() -> None:
    made = compile_schemas([ROOT / "schemas/health.amp"]).files
    folder = ROOT / "ampgen/runtime/generated"
    assert made == {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.iterdir()
        if path.is_file()
    }
