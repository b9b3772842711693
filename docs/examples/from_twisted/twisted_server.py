# mypy: disable-error-code="misc,no-untyped-call,no-untyped-def,untyped-decorator"
# pyright: basic
# ruff: noqa: N802
"""The shop, as it was."""

import sys
from decimal import Decimal

from twisted.internet import defer, endpoints, protocol, task
from twisted.protocols import amp

from commands import (
    Approve,
    Look,
    NoSuchJob,
    Remark,
    SignIn,
    Submit,
    TooDear,
    WrongKey,
)


class Shop(amp.AMP):
    """A print shop."""

    customer = "somebody"

    @SignIn.responder
    def signIn(self, name, key):
        if key != b"sesame":
            raise WrongKey(f"{name} has another key")
        self.customer = name
        return {}

    @Submit.responder
    @defer.inlineCallbacks
    def submit(self, pages, due):
        price = sum(page["copies"] for page in pages) * Decimal("0.10")
        answer = yield self.callRemote(Approve, price=price)
        if not answer["yes"]:
            raise TooDear(f"it would have been {price}")
        self.factory.jobs.append(pages)
        print(f"{self.customer} wants it {due:%d.%m.%Y}" if due else "no hurry")
        return {"job": len(self.factory.jobs), "price": price}

    @Look.responder
    def look(self, job):
        if not 1 <= job <= len(self.factory.jobs):
            raise NoSuchJob(f"there are {len(self.factory.jobs)}")
        pages = self.factory.jobs[job - 1]
        return {"state": b"waiting", "texts": [page["text"] for page in pages]}

    @Remark.responder
    def remark(self, text):
        print(f"{self.customer} says: {text}")
        return {}

    def connectionLost(self, reason=protocol.connectionDone):
        amp.AMP.connectionLost(self, reason)
        print(f"{self.customer} has left", flush=True)


class Shops(protocol.Factory):
    protocol = Shop

    def __init__(self):
        self.jobs = []


@defer.inlineCallbacks
def main(reactor, address):
    host, port = address.split(":")
    endpoint = endpoints.TCP4ServerEndpoint(reactor, int(port), interface=host)
    listening = yield endpoint.listen(Shops())
    print(f"serving on {host}:{listening.getHost().port}", flush=True)
    yield defer.Deferred()


if __name__ == "__main__":
    task.react(main, sys.argv[1:])
