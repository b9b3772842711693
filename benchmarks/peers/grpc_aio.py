"""gRPC's own Python package, its asyncio interface."""

from __future__ import annotations

import bench_pb2
import bench_pb2_grpc
import grpc

from benchmarks.contract import same
from benchmarks.peers.on_asyncio import AsyncioEndpoint, run
from benchmarks.values import RECORDS


def native(records):
    return bench_pb2.Records(records=[record.as_dict() for record in records])


class Server(bench_pb2_grpc.BenchServicer):
    async def Repeat(self, request, context):  # noqa: ARG002, N802
        return bench_pb2.RepeatAnswer(text=request.text * request.times)

    async def Echo(self, request, context):  # noqa: ARG002, N802
        return bench_pb2.Records(records=request.records)


class Caller:
    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self._stub = bench_pb2_grpc.BenchStub(channel)
        self._records = native(RECORDS)

    async def repeat(self, text: str, times: int) -> str:
        request = bench_pb2.RepeatRequest(text=text, times=times)
        return (await self._stub.Repeat(request)).text

    async def echo(self) -> None:
        same(await self._stub.Echo(self._records), self._records)

    async def close(self) -> None:
        await self._channel.close()


class Endpoint(AsyncioEndpoint):
    async def connect(self) -> Caller:
        # channels of one process share a connection, unless each has its own pool
        options = [("grpc.use_local_subchannel_pool", 1)]
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{self.port}", options)
        await channel.channel_ready()
        return Caller(channel)


class Served:
    def serve(self, announce) -> None:
        async def main() -> None:
            server = grpc.aio.server()
            bench_pb2_grpc.add_BenchServicer_to_server(Server(), server)
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            announce(port)
            await server.wait_for_termination()

        run(main())

    def call(self, port: int, session) -> None:
        run(session(Endpoint(port)))
