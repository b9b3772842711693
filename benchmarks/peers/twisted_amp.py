"""Twisted's AMP, on the reactor that it takes by itself (epoll, on Linux)."""

from __future__ import annotations

from operator import itemgetter

from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.protocols.amp import AMP, Command, Integer, Unicode

from benchmarks.contract import same
from benchmarks.peers import twisted_records
from benchmarks.values import RECORDS


class Repeat(Command):
    arguments = [(b"text", Unicode()), (b"times", Integer())]  # noqa: RUF012
    response = [(b"text", Unicode())]  # noqa: RUF012


class Echo(Command):
    arguments = [(b"records", twisted_records.RECORDS)]  # noqa: RUF012
    response = [(b"records", twisted_records.RECORDS)]  # noqa: RUF012


class Server(AMP):
    @Repeat.responder
    def repeat(self, text: str, times: int):
        return {"text": text * times}

    @Echo.responder
    def echo(self, records):
        return {"records": records}


class Caller:
    def __init__(self, protocol: AMP) -> None:
        self._protocol = protocol
        self._records = [record.as_dict() for record in RECORDS]

    def repeat(self, text: str, times: int):
        return self._protocol.callRemote(Repeat, text=text, times=times)

    text_of = itemgetter("text")

    async def echo(self) -> None:
        answer = await self._protocol.callRemote(Echo, records=self._records)
        same(answer["records"], self._records)

    async def close(self) -> None:
        self._protocol.transport.loseConnection()


class Endpoint:
    def __init__(self, port: int) -> None:
        self._port = port

    async def connect(self) -> Caller:
        where = TCP4ClientEndpoint(reactor, "127.0.0.1", self._port)
        return Caller(await connectProtocol(where, AMP()))

    async def gather(self, coroutines):
        return await gatherResults(
            [ensureDeferred(coroutine) for coroutine in coroutines], consumeErrors=True
        )

    def spawn(self, coroutine) -> None:
        ensureDeferred(coroutine)

    async def pause(self) -> None:
        await deferLater(reactor, 0)


class Served:
    def serve(self, announce) -> None:
        port = reactor.listenTCP(
            0, Factory.forProtocol(Server), backlog=1000, interface="127.0.0.1"
        )
        announce(port.getHost().port)
        reactor.run()

    def call(self, port: int, session) -> None:
        failures = []

        def start() -> None:
            done = ensureDeferred(session(Endpoint(port)))
            done.addErrback(failures.append)
            done.addBoth(lambda _result: reactor.stop())

        reactor.callWhenRunning(start)
        reactor.run()
        if failures:
            failures[0].raiseException()
