"""Tests of a program that calls a service, and of a service."""

import asyncio

import pytest

from ampgen.runtime import ConnectionLost, DeadlineExceeded
from ampgen.runtime.testing import Faults, each, fake, faulty
from textpkg.repeat import RepeaterClient, RepeaterServer, RepeatResult, TooLong


async def shout(repeater: RepeaterClient, text: str) -> str:
    """The program: as loud as the service allows."""
    for times in (100, 3, 1):
        try:
            return (await repeater.repeat(text, times, timeout=0.1)).text
        except TooLong:
            continue
    return text


class Repeater(RepeaterServer):
    """The service."""

    async def repeat(self, text: str, times: int) -> RepeatResult:
        return RepeatResult(text=text * times)


async def run_against(service: RepeaterServer) -> str:
    async with RepeaterClient.local(service) as repeater:
        return await shout(repeater, "hey ")


def test_tries_again_with_less() -> None:
    answers = each(TooLong("no"), RepeatResult(text="hey hey hey "))
    with fake(RepeaterServer, repeat=answers) as service:
        assert asyncio.run(run_against(service)) == "hey hey hey "


def test_gives_up_on_a_server_that_never_answers() -> None:
    async def main() -> None:
        silent = Faults(silent=True)
        async with faulty(RepeaterClient, Repeater(), to_client=silent) as repeater:
            await shout(repeater, "hey ")

    with pytest.raises(DeadlineExceeded):
        asyncio.run(main())


def test_a_connection_that_breaks_in_the_middle_of_the_answer() -> None:
    async def main() -> None:
        broken = Faults(split=1, drop_after=20)
        async with faulty(RepeaterClient, Repeater(), to_client=broken) as repeater:
            await shout(repeater, "hey ")

    with pytest.raises(ConnectionLost):
        asyncio.run(main())
