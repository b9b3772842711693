"""Calls over real sockets, and in one process."""

from __future__ import annotations

import asyncio

import pytest

from ampgen.runtime import serve
from tests.runtime.handmade import Item, RepeatResult, TextClient, TextServer, TooLong


class Text(TextServer):
    def __init__(self) -> None:
        self.lines: list[str] = []

    async def repeat(self, text: str, times: int) -> RepeatResult:
        await asyncio.sleep(0)
        if len(text) * times > 100:
            raise TooLong(f"{len(text) * times} characters", limit=100)
        return RepeatResult(text=text * times, length=len(text) * times)

    def items(self, items: list[Item]) -> list[Item]:
        return items

    def stop(self) -> None:
        pass

    def log(self, line: str) -> None:
        self.lines.append(line)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:0", "[::1]:0", "unix:{}/s", "localhost:0"]
)
async def test_a_call_and_its_declared_error(address: str, tmp_path: object) -> None:
    service = Text()
    async with serve(address.format(tmp_path), service) as server:
        async with TextClient.connect(server.addresses[0]) as text:
            assert await text.repeat("abc", times=3) == RepeatResult(
                text="abcabcabc", length=9
            )
            with pytest.raises(TooLong, match="120 characters") as caught:
                await text.repeat("abc", 40)
            assert caught.value.limit == 100
            items = [Item(id=n, name=str(n)) for n in range(200)]
            assert await text.items(items) == items
            await text.log("line")
            await text.stop()
    assert service.lines == ["line"]


async def test_a_call_in_one_process() -> None:
    async with TextClient.local(Text()) as text:
        assert await text.repeat("abc", times=3) == RepeatResult(
            text="abcabcabc", length=9
        )
