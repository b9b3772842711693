"""This project: its runtime, and what its compiler makes of ``bench.amp``."""

from __future__ import annotations

from operator import attrgetter

from bench_amp.bench import (
    BenchClient,
    BenchServer,
    EchoResult,
    ItemsItem,
    Record,
    RepeatResult,
)

from ampgen.runtime import Limits, serve
from benchmarks.contract import same
from benchmarks.peers.on_asyncio import AsyncioEndpoint, run
from benchmarks.values import RECORDS, TEXTS


class Streaming(BenchServer):
    async def items(self, count: int):
        for number in range(count):
            yield ItemsItem(number=number, text=TEXTS[number][0])


class Awaited(Streaming):
    async def repeat(self, text: str, times: int) -> RepeatResult:
        return RepeatResult(text=text * times)

    async def echo(self, records: list[Record]) -> EchoResult:
        return EchoResult(records=records)


class Plain(Streaming):
    def repeat(self, text: str, times: int) -> RepeatResult:
        return RepeatResult(text=text * times)

    def echo(self, records: list[Record]) -> EchoResult:
        return EchoResult(records=records)


def native(records):
    return [
        Record(id=r.id, name=r.name, price=r.price, tags=list(r.tags)) for r in records
    ]


class Caller:
    def __init__(self, client: BenchClient) -> None:
        self._client = client
        self._records = native(RECORDS)
        self.repeat = client.repeat

    text_of = attrgetter("text")

    async def echo(self) -> None:
        same((await self._client.echo(self._records)).records, self._records)

    async def items(self, count: int):
        async with self._client.items(count) as items:
            async for item in items:
                yield item.number, item.text

    async def close(self) -> None:
        await self._client.aclose()


class Endpoint(AsyncioEndpoint):
    async def connect(self) -> Caller:
        # every call has a deadline, as calls should have
        return Caller(await BenchClient.connect(f"127.0.0.1:{self.port}", timeout=60.0))


class Served:
    def __init__(self, loop: str = "asyncio", handlers: str = "async") -> None:
        self._loop = loop
        self._service = Awaited if handlers == "async" else Plain

    def serve(self, announce) -> None:
        async def main() -> None:
            # the defaults, but for those that one machine alone would run into
            limits = Limits(connections=20_000, connections_per_host=20_000)
            async with serve("127.0.0.1:0", self._service(), limits=limits) as server:
                announce(int(server.addresses[0].rpartition(":")[2]))
                await server.serve_forever()

        run(main(), self._loop)

    def call(self, port: int, session) -> None:
        run(session(Endpoint(port)), self._loop)
