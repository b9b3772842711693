# mypy: disable-error-code="misc,no-untyped-call,no-untyped-def,untyped-decorator"
# pyright: basic
"""A customer, as it was."""

import datetime
import sys
from decimal import Decimal

from twisted.internet import defer, endpoints, task
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


class Customer(amp.AMP):
    """A customer of the print shop."""

    @Approve.responder
    def approve(self, price):
        print(f"asked for {price}")
        return {"yes": price < Decimal(5)}


@defer.inlineCallbacks
def main(reactor, address):
    endpoint = endpoints.clientFromString(reactor, f"tcp:{address}")
    shop = yield endpoints.connectProtocol(endpoint, Customer())
    yield shop.callRemote(SignIn, name="Zoë", key=b"sesame")

    menu = {"text": "Menü", "copies": 12}
    due = datetime.datetime(2027, 3, 1, 12, 0, tzinfo=amp.utc)
    done = yield shop.callRemote(Submit, pages=[menu], due=due)
    print(f"job {done['job']} for {done['price']}")

    poster = {"text": "Poster", "copies": 500}
    try:
        yield shop.callRemote(Submit, pages=[menu, poster])
    except TooDear as error:
        print(f"TooDear: {error}")

    shop.callRemote(Remark, text="the last menu was crooked")
    seen = yield shop.callRemote(Look, job=done["job"])
    print(f"{seen['state'].decode()}: {', '.join(seen['texts'])}")
    try:
        yield shop.callRemote(Look, job=7)
    except NoSuchJob as error:
        print(f"NoSuchJob: {error}")
    try:
        yield shop.callRemote(SignIn, name="Eve", key=b"please")
    except WrongKey as error:
        print(f"WrongKey: {error}")


if __name__ == "__main__":
    task.react(main, sys.argv[1:])
