"""grpclib: gRPC in Python upon h2. The stubs are those that its plugin would make."""

from __future__ import annotations

import asyncio
from operator import attrgetter

import bench_pb2
from grpclib.client import Channel, UnaryUnaryMethod
from grpclib.const import Cardinality, Handler
from grpclib.server import Server

from benchmarks.contract import same
from benchmarks.peers.messages import program_records, read, write
from benchmarks.peers.on_asyncio import AsyncioEndpoint, run
from benchmarks.values import RECORDS

REPEAT = ("/bench.Bench/Repeat", bench_pb2.RepeatRequest, bench_pb2.RepeatAnswer)
ECHO = ("/bench.Bench/Echo", bench_pb2.Records, bench_pb2.Records)


class Service:
    async def repeat(self, stream) -> None:
        request = await stream.recv_message()
        text = request.text * request.times
        await stream.send_message(bench_pb2.RepeatAnswer(text=text))

    async def echo(self, stream) -> None:
        request = await stream.recv_message()
        await stream.send_message(write(read(request)))

    def __mapping__(self):
        unary = Cardinality.UNARY_UNARY
        return {
            path: Handler(method, unary, request, answer)
            for method, (path, request, answer) in (
                (self.repeat, REPEAT),
                (self.echo, ECHO),
            )
        }


class Caller:
    def __init__(self, port: int) -> None:
        self._channel = Channel("127.0.0.1", port)
        self._repeat = UnaryUnaryMethod(self._channel, *REPEAT)
        self._echo = UnaryUnaryMethod(self._channel, *ECHO)
        self._records = program_records(RECORDS)

    def repeat(self, text: str, times: int):
        return self._repeat(bench_pb2.RepeatRequest(text=text, times=times))

    text_of = attrgetter("text")

    async def echo(self) -> None:
        same(read(await self._echo(write(self._records))), self._records)

    async def close(self) -> None:
        self._channel.close()


class Endpoint(AsyncioEndpoint):
    async def connect(self) -> Caller:
        return Caller(self.port)


class Served:
    def serve(self, announce) -> None:
        async def main() -> None:
            server = Server([Service()])
            await server.start("127.0.0.1", 0)
            [listening] = server._server.sockets
            announce(listening.getsockname()[1])
            await asyncio.Event().wait()

        run(main())

    def call(self, port: int, session) -> None:
        run(session(Endpoint(port)))
