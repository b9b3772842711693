"""What ``interop.amp`` declares, written by hand for Twisted, and both its ends."""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
# ruff: noqa: N802, N803, N815, RUF012 (its names, and its way to declare)
from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.protocol import connectionDone
from twisted.protocols import amp

if TYPE_CHECKING:
    from twisted.python.failure import Failure

POINT = [
    (b"x", amp.Float()),
    (b"y", amp.Float()),
    (b"label", amp.Unicode(optional=True)),
]
LEG = [
    (b"from", amp.AmpList(POINT)),
    (b"to", amp.AmpList(POINT)),
    (b"via", amp.AmpList(POINT)),
    (b"colours", amp.ListOf(amp.Unicode(), optional=True)),
]
SHAPE = [
    (b"radius", amp.Float(optional=True)),
    (b"corners", amp.AmpList(POINT, optional=True)),
    (b"name", amp.Unicode(optional=True)),
    (b"centre", amp.AmpList(POINT, optional=True)),
]


def mapping(
    key: amp.Argument, value: amp.Argument, optional: bool = False
) -> amp.AmpList:
    return amp.AmpList([(b"key", key), (b"value", value)], optional=optional)


class Refused(Exception):
    pass


class NotFound(Exception):
    pass


class Corrupt(Exception):
    pass


class Strange(Exception):
    """Of a code that ``interop.amp`` does not know."""


class Question(amp.Command):
    arguments = [(b"text", amp.Unicode())]
    response = [(b"answer", amp.Unicode())]
    errors = {Refused: b"REFUSED"}


class Notice(amp.Command):
    arguments = [(b"text", amp.Unicode())]
    requiresAnswer = False


def echo(name: str, *arguments: tuple[bytes, amp.Argument]) -> Any:
    """A command that answers what it was asked."""
    declared = list(arguments)
    attributes = {"arguments": declared, "response": declared}
    metaclass: Any = type(amp.Command)
    return metaclass(name, (amp.Command,), attributes)


# Twisted has no class for a date, a duration, a UUID or JSON: they are text.
Scalars = echo(
    "Scalars",
    (b"flag", amp.Boolean()),
    (b"number", amp.Integer()),
    (b"ratio", amp.Float()),
    (b"text", amp.Unicode()),
    (b"raw", amp.String()),
    (b"price", amp.Decimal()),
    (b"at", amp.DateTime()),
    (b"day", amp.Unicode()),
    (b"took", amp.Unicode()),
    (b"id", amp.Unicode()),
    (b"note", amp.Unicode()),
    (b"file", amp.Path()),
    (b"colour", amp.Unicode()),
    (b"region", amp.Unicode()),
)
Optionals = echo(
    "Optionals",
    (b"number", amp.Integer(optional=True)),
    (b"text", amp.Unicode(optional=True)),
    (b"point", amp.AmpList(POINT, optional=True)),
    (b"list", amp.ListOf(amp.Integer(), optional=True)),
    (b"at", amp.DateTime(optional=True)),
    (b"shape", amp.AmpList(SHAPE, optional=True)),
)
Defaults = echo(
    "Defaults",
    (b"number", amp.Integer(optional=True)),
    (b"text", amp.Unicode(optional=True)),
    (b"list", amp.ListOf(amp.Integer(), optional=True)),
    (b"colour", amp.Unicode(optional=True)),
    (b"map", mapping(amp.Unicode(), amp.Integer(), optional=True)),
)
Lists = echo(
    "Lists",
    (b"ints", amp.ListOf(amp.Integer())),
    (b"texts", amp.ListOf(amp.Unicode())),
    (b"raws", amp.ListOf(amp.String())),
    (b"grid", amp.ListOf(amp.ListOf(amp.Integer()))),
    (b"times", amp.ListOf(amp.DateTime())),
    (b"colours", amp.ListOf(amp.Unicode())),
)
Structs = echo(
    "Structs",
    (b"point", amp.AmpList(POINT)),
    (b"points", amp.AmpList(POINT)),
    (b"legs", amp.AmpList(LEG)),
    (b"shape", amp.AmpList(SHAPE)),
    (b"shapes", amp.AmpList(SHAPE)),
)
Maps = echo(
    "Maps",
    (b"prices", mapping(amp.Unicode(), amp.Float())),
    (b"places", mapping(amp.Unicode(), amp.AmpList(POINT))),
    (b"index", mapping(amp.Integer(), amp.ListOf(amp.Unicode()))),
    (b"owners", mapping(amp.Unicode(), amp.Unicode())),
)


class Renamed(amp.Command):
    commandName = b"odd name"
    arguments = [(b"how-many", amp.Integer()), (b"Upper", amp.Unicode())]
    response = [(b"the-end", amp.Integer()), (b"Upper", amp.Unicode())]


class Fail(amp.Command):
    arguments = [(b"how", amp.Unicode())]
    response = [(b"number", amp.Integer())]
    errors = {Refused: b"REFUSED", NotFound: b"NotFound", Strange: b"STRANGE"}
    fatalErrors = {Corrupt: b"CORRUPT"}


class Large(amp.Command):
    arguments = [(b"size", amp.Integer())]
    response = [(b"raw", amp.String())]


class Unserved(amp.Command):
    pass


class UnknownOneway(amp.Command):
    """What ``interop.amp`` does not have, and no answer is wanted."""

    requiresAnswer = False


class Log(amp.Command):
    arguments = [(b"line", amp.Unicode())]
    requiresAnswer = False


class AskedLog(amp.Command):
    """A oneway command whose caller wants an answer all the same."""

    commandName = b"Log"
    arguments = [(b"line", amp.Unicode())]


class Logged(amp.Command):
    response = [(b"lines", amp.ListOf(amp.Unicode()))]


class Wait(amp.Command):
    arguments = [(b"number", amp.Integer())]
    response = [(b"number", amp.Integer())]


class UnaskedWait(amp.Command):
    """A two-way command whose caller wants no answer."""

    commandName = b"Wait"
    arguments = [(b"number", amp.Integer())]
    requiresAnswer = False


class MisspeltWait(amp.Command):
    """Its argument does not decode at the other end."""

    commandName = b"Wait"
    arguments = [(b"number", amp.Unicode())]
    response = [(b"number", amp.Integer())]
    errors = {ValueError: b"INVALID_ARGUMENT"}


class CallBack(amp.Command):
    arguments = [(b"text", amp.Unicode())]
    response = [(b"answer", amp.Unicode())]


def request(command: type[amp.Command], ask: bytes, **arguments: Any) -> bytes:
    """A request as Twisted writes it."""
    box: Any = command.makeArguments(arguments, None)
    box[b"_command"], box[b"_ask"] = command.commandName, ask
    return cast("bytes", box.serialize())


class End(amp.AMP):
    """Either end of a connection.

    ``seen`` is what it was called with, ``lost`` fires when the connection ends, and
    ``waiting`` are the answers to `Wait` that nobody has let go yet.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[dict[str, Any]] = []
        self.lost: Deferred[None] = Deferred()
        self.waiting: dict[int, Deferred[Any]] = {}
        self.on_wait: Any = None

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self.lost.callback(None)

    def _echo(self, **arguments: Any) -> Any:
        self.seen.append(arguments)
        return arguments

    for _command in (Scalars, Optionals, Defaults, Lists, Structs, Maps):
        _command.responder(_echo)

    @Renamed.responder
    def renamed(self, how_many: int, Upper: str) -> Any:
        self.seen.append({"how_many": how_many, "Upper": Upper})
        return {"the_end": how_many, "Upper": Upper}

    @Fail.responder
    def fail(self, how: str) -> Any:
        raise {
            "refused": Refused("no, thanks: ä€"),
            "missing": NotFound("nowhere"),
            "corrupt": Corrupt("for good"),
            "strange": Strange("never heard of"),
        }.get(how, ValueError("a secret"))

    @Large.responder
    def large(self, size: int) -> Any:
        return {"raw": b"x" * size}

    @Log.responder
    def log(self, line: str) -> Any:
        self.seen.append({"line": line})
        if line == "fail":
            raise ValueError("a secret")
        return {}

    @Logged.responder
    def logged(self) -> Any:
        return {"lines": [call["line"] for call in self.seen]}

    @Wait.responder
    def wait(self, number: int) -> Any:
        answer: Deferred[Any] = Deferred()
        self.waiting[number] = answer
        if self.on_wait is not None:
            self.on_wait(len(self.waiting))
        return answer.addCallback(lambda _: {"number": number})

    @CallBack.responder
    def call_back(self, text: str) -> Any:
        self.callRemote(Notice, text=text)
        return self.callRemote(Question, text=text)

    @Question.responder
    def question(self, text: str) -> Any:
        if text == "refuse":
            raise Refused("the client says no")
        return {"answer": text.upper()}

    @Notice.responder
    def notice(self, text: str) -> Any:
        self.seen.append({"notice": text})
        return {}

    def close(self) -> None:
        transport: Any = self.transport
        transport.loseConnection()

    def close_half(self) -> None:
        transport: Any = self.transport
        transport.loseWriteConnection()

    def stop_reading(self) -> None:
        transport: Any = self.transport
        transport.pauseProducing()

    def go_on_reading(self) -> None:
        transport: Any = self.transport
        transport.resumeProducing()

    def abort(self) -> None:
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()

    def release(self, *numbers: int) -> None:
        """Answer those calls of `Wait`, in that order."""
        for number in numbers:
            self.waiting.pop(number).callback(None)
