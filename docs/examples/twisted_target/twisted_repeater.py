# mypy: disable-error-code="no-untyped-call"
# pyright: basic
"""A Twisted server of a schema, and a program of ours that calls it."""

import asyncio
from typing import Any

from twisted.internet import asyncioreactor, defer, endpoints, protocol, task
from twisted.protocols import amp

from textpkg.repeat import RepeaterClient, TooLong
from twistedpkg import repeat as made


class Repeater(made.RepeaterServer, amp.AMP):
    def repeat(self, text: str, times: int) -> made.Repeater.Repeat.Response:
        if len(text) * times > 100:
            raise made.TooLong(f"{len(text) * times} characters")
        return {"text": text * times}


async def call(address: str) -> None:
    """With ampgen."""
    async with RepeaterClient.connect(address) as repeater:
        print((await repeater.repeat("abc", times=3)).text)
        try:
            await repeater.repeat("abc", times=1000)
        except TooLong as error:
            print(f"TooLong: {error}, the limit is {error.limit}")


async def call_from_twisted(reactor: Any, port: int) -> None:
    endpoint = endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port)
    peer = await endpoints.connectProtocol(endpoint, amp.AMP())
    answer = await peer.callRemote(made.Repeater.Repeat, text="de")
    print(answer)
    peer.transport.loseConnection()


async def main(reactor: Any) -> None:
    factory = protocol.Factory.forProtocol(Repeater)
    endpoint = endpoints.TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    port = (await endpoint.listen(factory)).getHost().port
    calling = asyncio.ensure_future(call(f"127.0.0.1:{port}"))
    await defer.Deferred.fromFuture(calling)
    await call_from_twisted(reactor, port)


if __name__ == "__main__":
    asyncioreactor.install()
    task.react(lambda reactor: defer.ensureDeferred(main(reactor)))
