"""How connections are made, cut up, closed half and closed for good."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.error import ConnectionLost as TwistedLost
from twisted.protocols import amp

from ampgen.runtime import ConnectionLost, ProtocolError, serve
from tests.interop import twisted_commands as commands
from tests.interop.ours import interop_service
from tests.interop.reactor import ask, there, twisted_client, twisted_server
from tests.interop.test_calls import waiting
from tests.raw import PATIENCE, box, client_of, dial

if TYPE_CHECKING:
    from pathlib import Path

CALLS = 20


# --- loss ---------------------------------------------------------------------------


async def connected(server: Any, client: Any) -> Any:
    """Twisted's end of a connection, once it has it."""
    await client.large(0)
    [end] = server.ends
    return end


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_when_twisted_goes_every_call_is_lost(how: str, interop: Any) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        end = await connected(server, client)
        calls = [asyncio.create_task(client.wait(number)) for number in range(CALLS)]
        await waiting(end, CALLS)
        await there(getattr(end, how))
        results = await asyncio.gather(*calls, return_exceptions=True)
        for result in results:
            assert isinstance(result, ConnectionLost)
            assert not isinstance(result, ProtocolError)
            assert result.sent
        await asyncio.wait_for(client.connection.wait_closed(), PATIENCE)


async def test_when_our_client_goes_every_call_of_twisted_is_lost(
    interop: Any,
) -> None:
    async with twisted_server() as server:
        async with interop.InteropClient.connect(server.address) as client:
            end = await connected(server, client)
            gone = there(lambda: end.lost)
        await gone
        with pytest.raises((ConnectionDone, TwistedLost)):
            await ask(end, commands.Question, text="?")


async def test_our_server_goes_on_when_a_twisted_client_goes(interop: Any) -> None:
    service = interop_service(interop)
    async with serve("127.0.0.1:0", service) as server:
        service.expect(1)
        async with twisted_client(server.addresses[0]) as end:
            calls = asyncio.create_task(ask(end, commands.Wait, number=1))
            await asyncio.wait_for(service.full.wait(), PATIENCE)
            await there(end.abort)
            with pytest.raises((ConnectionDone, TwistedLost)) as lost:
                await calls
            assert lost.value is not None
        if not service.waiting[1].done():  # it may have been cancelled with its caller
            service.release(1)
        async with twisted_client(server.addresses[0]) as end:
            answer = await ask(end, commands.Large, size=1)
            assert answer == {"raw": b"x"}


@pytest.mark.parametrize("drain", [PATIENCE, 0.0])
async def test_when_our_server_stops_it_answers_twisted_if_there_is_time(
    drain: float, interop: Any
) -> None:
    service = interop_service(interop)
    async with AsyncExitStack() as ends:
        async with serve("127.0.0.1:0", service, drain_timeout=drain) as server:
            end = await ends.enter_async_context(twisted_client(server.addresses[0]))
            service.expect(1)
            waits = asyncio.create_task(ask(end, commands.Wait, number=1))
            await asyncio.wait_for(service.full.wait(), PATIENCE)
            if drain:
                asyncio.get_running_loop().call_later(0.05, service.release, 1)
        if drain:
            assert await waits == {"number": 1}
        else:
            with pytest.raises((ConnectionDone, TwistedLost, amp.UnknownRemoteError)):
                await waits
        await there(lambda: end.lost)


# --- closing half -------------------------------------------------------------------


async def test_a_twisted_client_that_half_closes_gets_its_answers(interop: Any) -> None:
    service = interop_service(interop)
    async with (
        serve("127.0.0.1:0", service) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        service.expect(2)
        calls = [
            asyncio.create_task(ask(end, commands.Wait, number=number))
            for number in (1, 2)
        ]
        await asyncio.wait_for(service.full.wait(), PATIENCE)
        await there(end.close_half)
        service.release(2, 1)
        answers = await asyncio.gather(*calls)
        assert answers == [{"number": 1}, {"number": 2}]
        await there(lambda: end.lost)


async def test_a_peer_that_half_closes_right_after_it_asked_gets_its_answers(
    interop: Any,
) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        dial(server.addresses[0]) as peer,
    ):
        asked = {b"_ask": b"1", b"_command": b"Large", b"size": b"2"}
        await peer.send(box(asked) + box(asked | {b"_ask": b"2"}))
        peer.writer.write_eof()
        assert await peer.receive_box() == {b"_answer": b"1", b"raw": b"xx"}
        assert await peer.receive_box() == {b"_answer": b"2", b"raw": b"xx"}
        assert await peer.ended()


# --- Unix sockets -------------------------------------------------------------------


async def test_a_twisted_client_calls_over_a_unix_socket(
    interop: Any, tmp_path: Path
) -> None:
    address = f"unix:{tmp_path / 'ours.sock'}"
    async with (
        serve(address, interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        answer = await ask(end, commands.CallBack, text="abc")
        assert answer == {"answer": "ABC"}


async def test_our_client_calls_twisted_over_a_unix_socket(
    interop: Any, tmp_path: Path
) -> None:
    async with (
        twisted_server(str(tmp_path / "theirs.sock")) as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        assert await client.large(3) == b"xxx"


# --- bytes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask", [b"0", b"", b"\0\xff", b"not hex", b"G" * 1000, b"x" * 65535]
)
async def test_an_ask_comes_back_byte_for_byte(ask: bytes, interop: Any) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        dial(server.addresses[0]) as peer,
    ):
        asked = {b"_ask": ask, b"_command": b"Large", b"size": b"1"}
        await peer.send(box(asked))
        assert await peer.receive_box() == {b"_answer": ask, b"raw": b"x"}
        failing = {b"_ask": ask, b"_command": b"Fail", b"how": b"missing"}
        await peer.send(box(failing))
        assert await peer.receive_box() == {
            b"_error": ask,
            b"_error_code": b"NotFound",
            b"_error_description": b"nowhere",
        }


# As Twisted writes them.
REQUESTS = (
    commands.request(commands.Large, b"a", size=3)
    + commands.request(commands.Renamed, b"b", how_many=1, Upper="")
    + commands.request(commands.Fail, b"c", how="missing")
)
NOWHERE = {b"_error_code": b"NotFound", b"_error_description": b"nowhere"}
ANSWERS = (
    box({b"_answer": b"a", b"raw": b"xxx"})
    + box({b"_answer": b"b", b"the-end": b"1", b"Upper": b""})
    + box({b"_error": b"c"} | NOWHERE)
)


async def in_pieces(peer: Any, data: bytes, cuts: list[int]) -> None:
    """Send, and let the other end, in this same loop, read each piece alone."""
    for start, stop in zip([0, *cuts], [*cuts, len(data)], strict=True):
        await peer.send(data[start:stop])
        await asyncio.sleep(0)


async def test_requests_may_arrive_byte_by_byte(interop: Any) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        dial(server.addresses[0]) as peer,
    ):
        await in_pieces(peer, REQUESTS, list(range(1, len(REQUESTS))))
        assert await peer.receive(len(ANSWERS)) == ANSWERS


async def test_requests_may_be_cut_at_any_byte(interop: Any) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        dial(server.addresses[0]) as peer,
    ):
        for cut in range(1, len(REQUESTS)):
            await in_pieces(peer, REQUESTS, [cut])
            assert await peer.receive(len(ANSWERS)) == ANSWERS


async def test_answers_may_be_cut_at_any_byte(interop: Any) -> None:
    async with client_of(interop.InteropClient) as (client, peer):
        size = len(box({b"_answer": b"1", b"raw": b"xxx"}))
        for cut in range(1, size):
            calls = [asyncio.create_task(client.large(3)) for _ in "ab"]
            asks = [(await peer.receive_box())[b"_ask"] for _ in "ab"]
            first, second = (box({b"_answer": ask, b"raw": b"xxx"}) for ask in asks)
            await in_pieces(peer, first + second, [cut, len(first) + cut])
            assert await asyncio.gather(*calls) == [b"xxx", b"xxx"]


async def test_answers_may_arrive_byte_by_byte(interop: Any) -> None:
    async with client_of(interop.InteropClient) as (client, peer):
        calls = [
            asyncio.create_task(client.large(3)),
            asyncio.create_task(client.renamed(1, "")),
            asyncio.create_task(client.fail("missing")),
        ]
        asks = [(await peer.receive_box())[b"_ask"] for _ in calls]
        answers = ANSWERS
        for told, ask in zip((b"\1a", b"\1b", b"\1c"), asks, strict=True):
            answers = answers.replace(b"\0" + told, len(ask).to_bytes(2, "big") + ask)
        await in_pieces(peer, answers, list(range(1, len(answers))))
        large, renamed, failed = await asyncio.gather(*calls, return_exceptions=True)
        assert large == b"xxx"
        assert renamed == interop.RenamedResult(end=1, Upper="")
        assert isinstance(failed, interop.NotFound)
