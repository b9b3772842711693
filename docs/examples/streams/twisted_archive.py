# Twisted's names, and its way to declare; it has next to no annotations.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
# ruff: noqa: N815, RUF012
"""A Twisted program that takes part in streams, with nothing but its own AMP."""

import sys
from typing import Any

from twisted.internet import defer, endpoints, task
from twisted.protocols import amp

STREAM = (b"_stream", amp.String())
CREDIT = (b"_credit", amp.Integer())


class Upload(amp.Command):
    arguments = [(b"name", amp.Unicode()), STREAM]
    response = [(b"size", amp.Integer()), STREAM]


class Send(amp.Command):
    commandName = b"Upload._send"
    arguments = [STREAM, (b"item", amp.String())]
    requiresAnswer = False


class SendEnd(amp.Command):
    commandName = b"Upload._send_end"
    arguments = [STREAM]
    requiresAnswer = False


class SendCredit(amp.Command):
    commandName = b"Upload._send_credit"
    arguments = [STREAM, CREDIT]
    requiresAnswer = False


class Tail(amp.Command):
    arguments = [(b"name", amp.Unicode()), STREAM, CREDIT]
    response = [STREAM]


class Item(amp.Command):
    commandName = b"Tail._item"
    arguments = [STREAM, (b"number", amp.Integer()), (b"line", amp.Unicode())]
    requiresAnswer = False


class Stop(amp.Command):
    commandName = b"Tail._stop"
    arguments = [STREAM]
    requiresAnswer = False


class Files(amp.AMP):
    chunks = [b"the rain\n", b"the wind\n"]

    @SendCredit.responder
    def send(self, _stream: bytes, _credit: int) -> dict[str, Any]:
        """So many chunks may go; the end needs no credit."""
        for chunk in self.chunks[:_credit]:
            self.callRemote(Send, _stream=_stream, item=chunk)
        self.chunks = self.chunks[_credit:]
        if not self.chunks:
            self.callRemote(SendEnd, _stream=_stream)
        return {}

    @Item.responder
    def item(self, _stream: bytes, number: int, line: str) -> dict[str, Any]:
        print(number, line)
        if number == 1:
            self.callRemote(Stop, _stream=_stream)
        return {}


async def main(reactor: Any, address: str) -> None:
    endpoint = endpoints.clientFromString(reactor, f"tcp:{address}")
    files = await endpoints.connectProtocol(endpoint, Files())
    stored = await files.callRemote(Upload, name="weather", _stream=b"u")
    print(f"{stored['size']} bytes")
    # the answer comes when the stream is over
    await files.callRemote(Tail, name="weather", _stream=b"t", _credit=10)
    files.transport.loseConnection()


if __name__ == "__main__":
    task.react(lambda reactor: defer.ensureDeferred(main(reactor, sys.argv[1])))
