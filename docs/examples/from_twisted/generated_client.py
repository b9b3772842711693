# mypy: disable-error-code="misc,no-untyped-call"
# pyright: basic
"""A customer, on Twisted, with classes made of the schema."""

import datetime
import sys
from collections.abc import Generator
from decimal import Decimal
from typing import Any

from twisted.internet import defer, endpoints, task
from twisted.protocols import amp

from printtwisted import printing as made


class Customer(made.CustomerServer, amp.AMP):
    """A customer of the print shop."""

    def approve(self, price: Decimal) -> made.Customer.Approve.Response:
        print(f"asked for {price}")
        return {"yes": price < Decimal(5)}


@defer.inlineCallbacks
def main(reactor: Any, address: str) -> Generator[Any, Any, None]:
    endpoint = endpoints.clientFromString(reactor, f"tcp:{address}")
    shop = yield endpoints.connectProtocol(endpoint, Customer())
    yield shop.callRemote(made.Shop.SignIn, name="Zoë", key=b"sesame")

    menu = {"text": "Menü", "copies": 12}
    due = datetime.datetime(2027, 3, 1, 12, 0, tzinfo=amp.utc)
    done = yield shop.callRemote(made.Shop.Submit, pages=[menu], due=due)
    print(f"job {done['job']} for {done['price']}")

    poster = {"text": "Poster", "copies": 500}
    try:
        yield shop.callRemote(made.Shop.Submit, pages=[menu, poster])
    except made.TooDear as error:
        print(f"TooDear: {error}")

    shop.callRemote(made.Shop.Remark, text="the last menu was crooked")
    seen = yield shop.callRemote(made.Shop.Look, job=done["job"])
    print(f"{seen['state'].decode()}: {', '.join(seen['texts'])}")
    try:
        yield shop.callRemote(made.Shop.Look, job=7)
    except made.NoSuchJob as error:
        print(f"NoSuchJob: {error}")
    try:
        yield shop.callRemote(made.Shop.SignIn, name="Eve", key=b"please")
    except made.WrongKey as error:
        print(f"WrongKey: {error}")


if __name__ == "__main__":
    task.react(main, sys.argv[1:])
