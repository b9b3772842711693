# mypy: disable-error-code="misc,no-untyped-call,untyped-decorator"
# pyright: basic
# ruff: noqa: ARG002, N802, N803, N815, RUF012
"""A storehouse."""

from twisted.protocols import amp


class Weight(amp.Argument):
    def toString(self, inObject: float) -> bytes:
        return b"%.3f" % inObject

    def fromString(self, inString: bytes) -> float:
        return float(inString)


class SoldOut(Exception):
    """There is none left."""


PART = [(b"name", amp.Unicode()), (b"weight", Weight(optional=True))]


class Take(amp.Command):
    """Take parts out of the store."""

    arguments = [(b"orderNumber", amp.Integer()), (b"parts", amp.AmpList(PART))]
    response = [(b"left", amp.Integer(optional=True))]
    errors = {SoldOut: b"SOLD_OUT"}


class Note(amp.Command):
    commandName = b"add note"
    arguments = [(b"text", amp.Unicode()), (b"at", amp.DateTime())]
    requiresAnswer = False


class Store(amp.AMP):
    """What the storehouse answers."""

    @Take.responder
    def take(self, orderNumber: int, parts: list[dict[str, object]]) -> object:
        raise SoldOut("come back tomorrow")
