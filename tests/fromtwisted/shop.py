"""A shop, as Twisted programs declare theirs.

All that the language has no word for is in here, too.
"""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="misc,no-any-return,no-untyped-call,untyped-decorator"
# pyright: basic
# ruff: noqa: N801, N802, N803, N815, RUF012 (its names, and its way to declare)
from __future__ import annotations

from typing import Any

from twisted.protocols import amp

PRICE = [(b"cents", amp.Integer()), (b"currency", amp.Unicode(optional=True))]


class Money(amp.Argument):
    """A type that only this program knows."""

    def toString(self, inObject: Any) -> bytes:
        return str(inObject).encode()

    def fromString(self, inString: bytes) -> Any:
        return inString.decode()


class Loud(amp.Unicode):
    """Nothing but another name."""


class Shouted(Loud):
    """Twisted's own, said otherwise."""

    def toString(self, inObject: Any) -> bytes:
        return super().toString(inObject.upper())


class SoldOut(Exception):
    """There is none left."""


class Thief(Exception):
    pass


class Odd(Exception):
    pass


class _Base(amp.Command):
    """What all have; it is not meant to be sent."""

    errors = {SoldOut: b"SOLD_OUT"}


class Buy(_Base):
    """Buy something.

    Indented, with a \\ and a\ttab.
    """

    arguments = [
        (b"articleName", amp.Unicode()),
        (b"how-many", amp.Integer(optional=True)),
        (b"from", Loud()),
        (b"prices", amp.AmpList(PRICE)),
        (b"0", amp.ListOf(amp.ListOf(amp.DateTime()))),
        (b"stream", amp.Boolean()),
    ]
    response = [
        (b"total", Money()),
        (b"rest", amp.AmpList(PRICE, optional=True)),
        (b"file", amp.Descriptor()),
        (b"path", amp.Path()),
        (b"rate", amp.Decimal()),
        (b"weight", amp.Float()),
        (b"raw", amp.String()),
        (b"many", amp.ListOf(Shouted(), optional=True)),
    ]
    errors = {ZeroDivisionError: b"ZERO_DIVISION", Odd: b"UNKNOWN"}
    fatalErrors = {Thief: b"THIEF"}


class buy_later(amp.Command):
    commandName = b"buy later"
    arguments = [
        (
            b"articles",
            amp.AmpList([(b"name", amp.Unicode()), (b"fd", amp.Descriptor())]),
        ),
        (b"_trace", amp.Unicode(optional=True)),
        (b"fds", amp.ListOf(amp.Descriptor())),
        (b"gr\xc3\xb6\xc3\x9fe", amp.Unicode(optional=True)),
        (b"article-s", amp.Unicode()),
    ]
    errors: Any = [(Thief, b"THIEF"), (SoldOut, b"THIEF"), (Odd, b"\xff")]


class Notice(amp.Command):
    """It is said, and that is all."""

    arguments = [(b"articles", amp.AmpList([(b"name", amp.Unicode())]))]
    response = [(b"never", amp.Integer())]
    requiresAnswer = False


class Quit(amp.Command):
    responseType = amp.QuitBox


class Special(amp.Command):
    class Box(amp.Box):
        pass

    commandType = Box


class Secret(amp.Command):
    arguments = [(b"_key", amp.Unicode())]


class Again(amp.Command):
    commandName = b"Buy"


class Hidden(amp.Command):
    commandName = b"_hidden"


class Foreign(amp.Command):
    commandName = b"gr\xc3\xb6\xc3\x9fe"


class Other(amp.ProtocolSwitchCommand):
    pass


class Ask(amp.Command):
    response = [(b"text", amp.Unicode())]


class Till(amp.AMP):
    """What a till answers."""

    @Buy.responder
    def buy(self, **arguments: Any) -> Any:
        raise SoldOut

    @Ask.responder
    def ask(self) -> Any:
        return {"text": "till"}


class Manager(Till):
    @Notice.responder
    def notice(self, articles: Any) -> Any:
        return {}


class Customer(amp.CommandLocator):
    @Ask.responder
    def ask(self) -> Any:
        return {"text": "customer"}


SOME = [Buy, Notice]
TABLE = {"buy": Buy}
NOTHING: list[Any] = []
NUMBERS = [1, 2]
