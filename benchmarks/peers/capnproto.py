"""pycapnp: Cap'n Proto's C++ library, driven by asyncio."""

from __future__ import annotations

import asyncio
from operator import attrgetter
from pathlib import Path

import capnp

from benchmarks.contract import same
from benchmarks.peers.on_asyncio import AsyncioEndpoint
from benchmarks.values import RECORDS

SCHEMA = Path(__file__).parent.parent / "schemas" / "bench.capnp"
bench = capnp.load(str(SCHEMA))


class Service(bench.Bench.Server):
    async def repeat(self, text: str, times: int, **_context) -> str:
        return text * times

    async def echo(self, records, _context, **_more) -> None:
        _context.results.records = [record.to_dict() for record in records]


class Caller:
    def __init__(self, stream: capnp.AsyncIoStream) -> None:
        self._client = capnp.TwoPartyClient(stream)
        self._bench = self._client.bootstrap().cast_as(bench.Bench)
        self._records = [record.as_dict() for record in RECORDS]
        self.repeat = self._bench.repeat

    text_of = attrgetter("text")

    async def echo(self) -> None:
        # a message is a view of bytes: reading it is part of the cost of having it
        answer = await self._bench.echo(self._records)
        same(answer.to_dict()["records"], self._records)

    async def close(self) -> None:
        self._client.close()


class Endpoint(AsyncioEndpoint):
    async def connect(self) -> Caller:
        return Caller(
            await capnp.AsyncIoStream.create_connection("127.0.0.1", self.port)
        )


class Served:
    def serve(self, announce) -> None:
        async def connected(stream: capnp.AsyncIoStream) -> None:
            await capnp.TwoPartyServer(stream, bootstrap=Service()).on_disconnect()

        async def main() -> None:
            server = await capnp.AsyncIoStream.create_server(connected, "127.0.0.1", 0)
            announce(server.sockets[0].getsockname()[1])
            await server.serve_forever()

        asyncio.run(capnp.run(main()))

    def call(self, port: int, session) -> None:
        asyncio.run(capnp.run(session(Endpoint(port))))
