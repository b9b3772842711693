"""A rate limit: when it refuses, whom, and what it remembers."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Any, cast

import pytest

from ampgen.runtime import Connection, Overloaded, connect, serve
from ampgen.runtime.interceptors import RateLimit
from tests.runtime.interceptors.around import pair
from tests.runtime.made.text import TextClient
from tests.runtime.services import Text

if TYPE_CHECKING:
    from pathlib import Path

    from ampgen.runtime import InterceptedCall, Proceed


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def taken(text: TextClient, calls: int, **options: Any) -> int:
    """How many of so many calls are answered."""
    good = 0
    for _ in range(calls):
        try:
            await text.repeat("a", **options)
        except Overloaded as error:
            assert "calls a second" in error.description  # noqa: PT017
        else:
            good += 1
    return good


async def test_a_burst_and_then_the_rate() -> None:
    clock = Clock()
    limit = RateLimit(2.0, burst=5, clock=clock)
    async with pair(server=[limit]) as text:
        assert await taken(text, 8) == 5
        clock.now = 0.5
        assert await taken(text, 3) == 1
        clock.now = 1.75  # two and a half have come: the half is not lost
        assert await taken(text, 3) == 2
        clock.now = 2.0
        assert await taken(text, 3) == 1
        clock.now = 1000.0  # a pause is worth a burst, no more
        assert await taken(text, 8) == 5


@pytest.mark.parametrize(("rate", "burst"), [(3.0, 3), (0.25, 1), (1e6, 10)])
async def test_without_a_burst_a_second_may_come_at_once(
    rate: float, burst: int
) -> None:
    async with pair(server=[RateLimit(rate, clock=Clock())]) as text:
        assert await taken(text, 10) == burst


async def test_each_connection_for_itself() -> None:
    """Which are not kept: a limit remembers them weakly."""
    limit = RateLimit(2.0, clock=Clock())
    made: weakref.WeakSet[Connection] = weakref.WeakSet()

    def factory(connection: Connection) -> Text:
        made.add(connection)
        return Text()

    async with serve("127.0.0.1:0", factory, interceptors=[limit]) as server:
        for _ in range(2):
            async with TextClient.connect(server.addresses[0]) as text:
                assert await taken(text, 4) == 2
    gc.collect()
    assert len(made) == 0


async def test_each_address() -> None:
    limit = RateLimit(3.0, by="address", clock=Clock())
    async with serve("127.0.0.1:0", Text(), interceptors=[limit]) as server:
        async with TextClient.connect(server.addresses[0]) as text:
            assert await taken(text, 2) == 2
        async with TextClient.connect(server.addresses[0]) as text:
            assert await taken(text, 2) == 1


async def test_each_user_of_a_unix_socket(tmp_path: Path) -> None:
    limit = RateLimit(3.0, by="address", clock=Clock())
    address = f"unix:{tmp_path}/socket"
    async with serve(address, Text(), interceptors=[limit]):
        for good in (2, 1):
            async with TextClient.connect(address) as text:
                assert await taken(text, 2) == good


async def test_each_identity() -> None:
    async def identify(call: InterceptedCall, proceed: Proceed) -> object:
        call.identify(call.metadata.get("who"))
        return await proceed(call)

    limit = RateLimit(2.0, by="identity", clock=Clock())
    async with pair(server=[identify, limit]) as text:
        assert await taken(text, 3, metadata={"who": "me"}) == 2
        assert await taken(text, 3, metadata={"who": "you"}) == 2
        assert await taken(text, 3) == 2  # nobody, by the address
        assert await taken(text, 1, metadata={"who": "me"}) == 0


async def test_a_key_of_the_programs_own() -> None:
    limit = RateLimit(2.0, by=lambda call: call.command, clock=Clock())
    async with pair(server=[limit]) as text:
        assert await taken(text, 3) == 2
        assert await text.items([]) == []


async def test_on_the_calling_end() -> None:
    async with pair(client=[RateLimit(2.0, clock=Clock())]) as text:
        assert await taken(text, 3) == 2


async def test_what_it_remembers_is_bounded() -> None:
    """Who was seen least lately begins anew."""
    limit = RateLimit(1.0, by=lambda call: call.metadata["who"], keys=2, clock=Clock())
    async with pair(server=[limit]) as text:
        answered = [await taken(text, 1, metadata={"who": who}) for who in "abacbca"]
    # a is forgotten for c: a call that is refused is no reason to remember
    assert answered == [1, 1, 0, 1, 0, 0, 1]


@pytest.mark.parametrize(
    "options",
    [{"rate": 0}, {"rate": 1, "burst": 0.5}, {"rate": 1, "keys": 0}, {"rate": -1.0}],
)
def test_limits_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="a rate is above zero, a burst and keys are"):
        RateLimit(**options)


def test_a_key_that_there_is_not() -> None:
    wrong = cast("Any", "user")
    with pytest.raises(ValueError, match="connection, address, identity, or a func"):
        RateLimit(1.0, by=wrong)


async def test_boxes_without_a_schema_count() -> None:
    async def fallback(_name: bytes, box: dict[bytes, bytes], _call: Any) -> Any:
        return box

    limit = RateLimit(1.0, clock=Clock())
    async with (
        serve("127.0.0.1:0", fallback=fallback, interceptors=[limit]) as server,
        connect(server.addresses[0]) as connection,
    ):
        assert await connection.call_box(b"A", {}) == {}
        with pytest.raises(Overloaded):
            await connection.call_box(b"B", {})
