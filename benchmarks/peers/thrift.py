"""thriftpy2 with its Cython protocol and transport: blocking, one call at a time."""

from __future__ import annotations

import socket
from pathlib import Path

import thriftpy2
from thriftpy2.protocol.cybin import TCyBinaryProtocolFactory
from thriftpy2.rpc import make_client, make_server
from thriftpy2.transport.buffered import TCyBufferedTransportFactory

from benchmarks.contract import same
from benchmarks.values import RECORDS

SCHEMA = Path(__file__).parent.parent / "schemas" / "bench.thrift"
bench = thriftpy2.load(str(SCHEMA), module_name="bench_thrift")


class Service:
    def repeat(self, text: str, times: int) -> str:
        return text * times

    def echo(self, records):
        return records


class Caller:
    """Its coroutines never wait: each is done when it is first stepped."""

    def __init__(self, port: int) -> None:
        self._client = make_client(
            bench.Bench,
            "127.0.0.1",
            port,
            proto_factory=TCyBinaryProtocolFactory(),
            trans_factory=TCyBufferedTransportFactory(),
        )
        self._records = [bench.Record(**record.as_dict()) for record in RECORDS]

    async def repeat(self, text: str, times: int) -> str:
        return self._client.repeat(text, times)

    def text_of(self, answer: str) -> str:
        return answer

    async def echo(self) -> None:
        same(self._client.echo(self._records), self._records)

    async def close(self) -> None:
        self._client.close()


class Endpoint:
    def __init__(self, port: int) -> None:
        self._port = port

    async def connect(self) -> Caller:
        return Caller(self._port)

    async def gather(self, coroutines):
        return [await coroutine for coroutine in coroutines]

    def spawn(self, coroutine) -> None:
        raise NotImplementedError("one call at a time")

    async def pause(self) -> None:
        pass


class Served:
    def serve(self, announce) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        server = make_server(
            bench.Bench,
            Service(),
            "127.0.0.1",
            port,
            proto_factory=TCyBinaryProtocolFactory(),
            trans_factory=TCyBufferedTransportFactory(),
        )
        server.trans.listen()
        announce(port)
        server.serve()

    def call(self, port: int, session) -> None:
        try:
            session(Endpoint(port)).send(None)
        except StopIteration:
            return
        raise RuntimeError("a blocking client waited")
