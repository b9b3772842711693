"""Who calls whom, when an answer is wanted, and in what order it comes."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from twisted.protocols import amp

from ampgen.runtime import CurrentCall, DeadlineExceeded, RemoteError, connect, serve
from tests.interop import twisted_commands as commands
from tests.interop.ours import events_service, interop_service
from tests.interop.reactor import ask, there, twisted_client, twisted_server
from tests.raw import PATIENCE

MANY = 1000


def shuffled(seed: int) -> list[int]:
    numbers = list(range(MANY))
    random.Random(seed).shuffle(numbers)
    return numbers


async def waiting(end: Any, calls: int) -> None:
    """Until so many calls of ``Wait`` have reached Twisted."""
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()

    def count(number: int) -> None:
        if number >= calls:
            loop.call_soon_threadsafe(arrived.set)

    def watch() -> None:
        end.on_wait = count
        count(len(end.waiting))

    await there(watch)
    await asyncio.wait_for(arrived.wait(), PATIENCE)


# --- oneway -------------------------------------------------------------------------


async def test_oneway_calls_reach_twisted_in_their_order(interop: Any) -> None:
    lines = [str(number) for number in range(50)]
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        for line in lines:
            await client.log(line)
        assert await client.logged() == lines


async def test_oneway_calls_of_twisted_reach_us_in_their_order(interop: Any) -> None:
    lines = [str(number) for number in range(50)]
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        for line in lines:
            await ask(end, commands.Log, line=line)
        assert await ask(end, commands.Logged) == {"lines": lines}


async def test_a_oneway_command_that_twisted_asks_for_is_answered(
    interop: Any,
) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        assert await ask(end, commands.AskedLog, line="x") == {}
        assert await ask(end, commands.Logged) == {"lines": ["x"]}


async def test_a_two_way_command_that_twisted_does_not_ask_for_is_not_answered(
    interop: Any,
) -> None:
    service = interop_service(interop)
    async with (
        serve("127.0.0.1:0", service) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        service.expect(1)
        assert await ask(end, commands.UnaskedWait, number=1) is None
        await asyncio.wait_for(service.full.wait(), PATIENCE)
        service.release(1)
        # Twisted would close at an answer to nothing.
        assert await ask(end, commands.Large, size=1) == {"raw": b"x"}


# --- the server calls its client ----------------------------------------------------


async def test_a_twisted_server_calls_our_client(interop: Any) -> None:
    events = events_service(interop)
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address, events=events) as client,
    ):
        assert (await client.call_back("abc")).answer == "ABC"
        assert events.notices == ["abc"]
        [end] = server.ends
        with pytest.raises(commands.Refused, match="the client says no"):
            await ask(end, commands.Question, text="refuse")


async def test_our_server_calls_a_twisted_client(interop: Any) -> None:
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        answer = await ask(end, commands.CallBack, text="abc")
        assert answer == {"answer": "ABC"}
        assert end.seen == [{"notice": "abc"}]


async def test_without_a_service_of_its_own_our_client_knows_no_command(
    interop: Any,
) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        await client.large(1)
        [end] = server.ends
        with pytest.raises(amp.UnhandledCommand):
            await ask(end, commands.Question, text="abc")
        assert await client.large(1) == b"x"


# --- many at once -------------------------------------------------------------------


async def test_a_thousand_calls_of_ours_are_answered_in_any_order(interop: Any) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        calls = [asyncio.create_task(client.wait(number)) for number in range(MANY)]
        await client.large(1)
        [end] = server.ends
        await waiting(end, MANY)
        await there(end.release, *shuffled(1))
        answers = await asyncio.gather(*calls)
        assert [answer.number for answer in answers] == list(range(MANY))


async def test_a_thousand_calls_of_twisted_are_answered_in_any_order(
    interop: Any,
) -> None:
    service = interop_service(interop)
    async with (
        serve("127.0.0.1:0", service) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        service.expect(MANY)
        calls = [
            asyncio.create_task(ask(end, commands.Wait, number=number))
            for number in range(MANY)
        ]
        await asyncio.wait_for(service.full.wait(), PATIENCE)
        service.release(*shuffled(2))
        answers = await asyncio.gather(*calls)
        assert [answer["number"] for answer in answers] == list(range(MANY))


async def test_both_ends_call_a_thousand_times_on_one_connection(interop: Any) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(
            server.address, events=events_service(interop)
        ) as client,
    ):
        await client.large(1)
        [end] = server.ends
        ours = [asyncio.create_task(client.wait(number)) for number in range(MANY)]
        texts = [f"q{number}" for number in range(MANY)]
        theirs = [
            asyncio.create_task(ask(end, commands.Question, text=text))
            for text in texts
        ]
        await waiting(end, MANY)
        await there(end.release, *shuffled(3))
        answers = await asyncio.gather(*ours)
        replies = await asyncio.gather(*theirs)
        assert [answer.number for answer in answers] == list(range(MANY))
        assert [reply["answer"].lower() for reply in replies] == texts


# --- late answers -------------------------------------------------------------------


async def test_a_late_answer_of_twisted_is_dropped(interop: Any) -> None:
    async with (
        twisted_server() as server,
        interop.InteropClient.connect(server.address) as client,
    ):
        with pytest.raises(DeadlineExceeded):
            await client.wait(1, timeout=0.05)
        given_up = asyncio.create_task(client.wait(2))
        [end] = server.ends
        await waiting(end, 2)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        await there(end.release, 2, 1)
        assert await client.large(3) == b"xxx"


# --- without a schema ---------------------------------------------------------------


async def test_a_fallback_answers_twisted_what_no_service_knows(interop: Any) -> None:
    async def fallback(
        command: bytes, box: dict[bytes, bytes], call: CurrentCall
    ) -> dict[bytes, bytes]:
        assert call.command == "Question"
        return {b"answer": command + b" " + box[b"text"]}

    async with (
        serve("127.0.0.1:0", interop_service(interop), fallback=fallback) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        answer = await ask(end, commands.Question, text="ä")
        assert answer == {"answer": "Question ä"}
        assert await ask(end, commands.Large, size=1) == {"raw": b"x"}


async def test_any_box_can_be_asked_of_twisted() -> None:
    async with (
        twisted_server() as server,
        connect(server.address) as connection,
    ):
        answer = await connection.call_box(b"Large", {b"size": b"2"}, oneway=False)
        assert answer == {b"raw": b"xx"}
        with pytest.raises(RemoteError) as raised:
            await connection.call_box(b"Fail", {b"how": b"strange"}, oneway=False)
        assert raised.value.code == "STRANGE"
        await connection.call_box(b"Log", {b"line": b"x"}, oneway=True)
        logged = await connection.call_box(b"Logged", {}, oneway=False)
        assert logged == {b"lines": b"\0\1x"}
