"""gRPC's own Python package, its asyncio interface."""

from __future__ import annotations

from operator import attrgetter

import bench_pb2
import bench_pb2_grpc
import grpc

from benchmarks.contract import same
from benchmarks.peers.messages import HANDED_ON, READ, program_records
from benchmarks.peers.on_asyncio import AsyncioEndpoint, run
from benchmarks.values import RECORDS, TEXTS


class Server(bench_pb2_grpc.BenchServicer):
    def __init__(self, write, read) -> None:
        self._write = write
        self._read = read

    async def Repeat(self, request, context):  # noqa: ARG002, N802
        return bench_pb2.RepeatAnswer(text=request.text * request.times)

    async def Echo(self, request, context):  # noqa: ARG002, N802
        return self._write(self._read(request))

    async def Items(self, request, context):  # noqa: ARG002, N802
        for number in range(request.count):
            yield bench_pb2.Item(number=number, text=TEXTS[number][0])


class Caller:
    def __init__(self, channel: grpc.aio.Channel, write, read) -> None:
        self._channel = channel
        self._stub = bench_pb2_grpc.BenchStub(channel)
        self._write = write
        self._read = read
        self._records = read(write(program_records(RECORDS)))

    def repeat(self, text: str, times: int):
        return self._stub.Repeat(bench_pb2.RepeatRequest(text=text, times=times))

    text_of = attrgetter("text")

    async def echo(self) -> None:
        answer = await self._stub.Echo(self._write(self._records))
        same(self._read(answer), self._records)

    async def items(self, count: int):
        async for item in self._stub.Items(bench_pb2.ItemsRequest(count=count)):
            yield item.number, item.text

    async def close(self) -> None:
        await self._channel.close()


class Endpoint(AsyncioEndpoint):
    def __init__(self, port: int, records) -> None:
        super().__init__(port)
        self._records = records

    async def connect(self) -> Caller:
        # channels of one process share a connection, unless each has its own pool
        options = [("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{self.port}", options)
        await channel.channel_ready()
        return Caller(channel, *self._records)


class Served:
    def __init__(self, records: str = "read") -> None:
        self._records = READ if records == "read" else HANDED_ON

    def serve(self, announce) -> None:
        async def main() -> None:
            server = grpc.aio.server()
            bench_pb2_grpc.add_BenchServicer_to_server(Server(*self._records), server)
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            announce(port)
            await server.wait_for_termination()

        run(main())

    def call(self, port: int, session) -> None:
        run(session(Endpoint(port, self._records)))
