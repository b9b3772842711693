# mypy: disable-error-code="misc,no-untyped-call,type-arg"
# pyright: basic
# ruff: noqa: N802
"""The shop, on Twisted, with classes made of the schema."""

import sys
from collections.abc import Generator
from datetime import datetime
from decimal import Decimal
from typing import Any

from twisted.internet import defer, endpoints, protocol, task
from twisted.protocols import amp
from twisted.python.failure import Failure

from printtwisted import printing as made


class Shop(made.ShopServer, amp.AMP):
    """A print shop."""

    customer = "somebody"

    def sign_in(self, name: str, key: bytes) -> made.Shop.SignIn.Response:
        if key != b"sesame":
            raise made.WrongKey(f"{name} has another key")
        self.customer = name
        return {}

    @defer.inlineCallbacks
    def submit(
        self, pages: list[made.Page], due: datetime | None
    ) -> Generator[Any, Any, made.Shop.Submit.Response]:
        price = sum(page["copies"] for page in pages) * Decimal("0.10")
        answer = yield self.callRemote(made.Customer.Approve, price=price)
        if not answer["yes"]:
            raise made.TooDear(f"it would have been {price}")
        self.factory.jobs.append(pages)
        print(f"{self.customer} wants it {due:%d.%m.%Y}" if due else "no hurry")
        return {"job": len(self.factory.jobs), "price": price}

    def look(self, job: int) -> made.Shop.Look.Response:
        if not 1 <= job <= len(self.factory.jobs):
            raise made.NoSuchJob(f"there are {len(self.factory.jobs)}")
        pages = self.factory.jobs[job - 1]
        return {"state": b"waiting", "texts": [page["text"] for page in pages]}

    def remark(self, text: str) -> made.Shop.Remark.Response:
        print(f"{self.customer} says: {text}")
        return {}

    def connectionLost(self, reason: Failure = protocol.connectionDone) -> None:
        amp.AMP.connectionLost(self, reason)
        print(f"{self.customer} has left", flush=True)


class Shops(protocol.Factory):
    protocol = Shop

    def __init__(self) -> None:
        self.jobs: list[list[made.Page]] = []


@defer.inlineCallbacks
def main(reactor: Any, address: str) -> Generator[Any, Any, None]:
    host, port = address.split(":")
    endpoint = endpoints.TCP4ServerEndpoint(reactor, int(port), interface=host)
    listening = yield endpoint.listen(Shops())
    print(f"serving on {host}:{listening.getHost().port}", flush=True)
    yield defer.Deferred()


if __name__ == "__main__":
    task.react(main, sys.argv[1:])
