"""Conversations between two of Twisted's ``AMP`` protocols, box by box."""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
# ruff: noqa: N803, N815, RUF012 (its names, and its way to declare)
from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport
from twisted.protocols import amp

from tests.vectors.notation import note, pack
from tests.vectors.twisted_types import CAPITALS


class Refused(Exception):
    pass


class Named(Exception):
    pass


class Broken(Exception):
    pass


class Ping(amp.Command):
    arguments = [(b"number", amp.Integer())]
    response = [(b"number", amp.Integer())]


class Notice(amp.Command):
    arguments = [(b"text", amp.Unicode())]
    requiresAnswer = False


class Sum(amp.Command):
    arguments = [(b"a", amp.Integer()), (b"b", amp.Integer())]
    response = [(b"total", amp.Integer())]


class Capital(amp.Command):
    arguments = CAPITALS[1:]
    response = CAPITALS[1:]


class Maybe(amp.Command):
    arguments = [(b"must", amp.Integer()), (b"may", amp.Unicode(optional=True))]
    response = [(b"must", amp.Integer()), (b"may", amp.Unicode(optional=True))]


class Nothing(amp.Command):
    pass


class Fail(amp.Command):
    arguments = [(b"how", amp.Unicode())]
    response = [(b"total", amp.Integer())]
    errors = {Refused: b"REFUSED", Named: b"Named"}
    fatalErrors = {Broken: b"BROKEN"}


class Log(amp.Command):
    arguments = [(b"line", amp.Unicode())]
    requiresAnswer = False


class AskedLog(amp.Command):
    """A oneway command whose caller wants an answer all the same."""

    commandName = b"Log"
    arguments = [(b"line", amp.Unicode())]


class UnaskedSum(amp.Command):
    """A two-way command whose caller wants no answer."""

    commandName = b"Sum"
    arguments = Sum.arguments
    requiresAnswer = False


class Renamed(amp.Command):
    commandName = b"old name"
    arguments = [(b"how-many", amp.Integer())]
    response = [(b"the-answer", amp.Integer())]


class Missing(amp.Command):
    arguments = [(b"a", amp.Integer())]


class Apostrophe(amp.Command):
    commandName = b"it's"


class Backslash(amp.Command):
    commandName = b"back\\slash"


class Quotes(amp.Command):
    commandName = b"both'\""


class TalkServer(amp.AMP):
    """Answers at once; `Sum` waits where the conversation says so."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[tuple[Deferred[Any], Any]] | None = None

    @Sum.responder
    def sum(self, a: int, b: int) -> Any:
        answer = {"total": a + b}
        if self.held is None:
            return answer
        waiting: Deferred[Any] = Deferred()
        self.held.append((waiting, answer))
        return waiting

    @Capital.responder
    def capital(self, Zoo: int, ant: str, Ant: str) -> Any:
        return {"Zoo": Zoo, "ant": ant, "Ant": Ant}

    @Maybe.responder
    def maybe(self, must: int, may: str | None) -> Any:
        return {"must": must, "may": may}

    @Nothing.responder
    def nothing(self) -> Any:
        return {}

    @Fail.responder
    def fail(self, how: str) -> Any:
        raise {
            "refused": Refused("no, thanks: ä€"),
            "silent": Refused(),
            "named": Named("by its name"),
            "broken": Broken("for good"),
        }.get(how, ValueError("a secret"))

    @Log.responder
    def log(self, line: str) -> Any:
        return {}

    @Renamed.responder
    def renamed(self, how_many: int) -> Any:
        return {"the_answer": how_many}


class TalkClient(amp.AMP):
    @Ping.responder
    def ping(self, number: int) -> Any:
        return {"number": number}

    @Notice.responder
    def notice(self, text: str) -> Any:
        return {}


class Talk:
    """Two ends of one connection, and who wrote what."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.steps: list[dict[str, Any]] = []
        self.server, self.client = TalkServer(), TalkClient()
        for end in (self.server, self.client):
            end.makeConnection(StringTransport())

    def call(self, caller: str, command: type[amp.Command], **arguments: Any) -> None:
        """A call, as far as it goes by itself."""
        end = self.client if caller == "client" else self.server
        step = {"caller": caller, "command": command.__name__, "with": note(arguments)}
        answer = end.callRemote(command, **arguments)
        self.steps.append(step)
        if answer is not None:
            answer.addCallbacks(
                lambda result: step.update(result=note(result)),
                lambda failure: step.update(error=failure.type.__name__),
            )
        self.carry()

    def hold(self) -> None:
        self.server.held = []

    def release(self, index: int) -> None:
        """Let a call that waits be answered."""
        assert self.server.held is not None
        waiting, answer = self.server.held.pop(index)
        self.steps.append({"release": answer["total"]})
        waiting.callback(answer)
        self.carry()

    def carry(self) -> None:
        """Bring bytes over until neither end has more to say."""
        ends = {"client": self.client, "server": self.server}
        other = {"client": self.server, "server": self.client}
        moved = True
        while moved:
            moved = False
            for name, end in ends.items():
                transport: Any = end.transport
                data = transport.value()
                if data:
                    transport.clear()
                    self.steps.append({"from": name, "bytes": pack(data)})
                    other[name].dataReceived(data)
                    moved = True

    def closed(self) -> bool:
        """Did Twisted's server end the connection of its own accord?"""
        transport: Any = self.server.transport
        return bool(transport.disconnecting)

    def noted(self) -> dict[str, Any]:
        return {"name": self.name, "closes": self.closed(), "steps": self.steps}


def talks() -> list[dict[str, Any]]:
    made: list[Talk] = []

    def talk(name: str) -> Talk:
        made.append(Talk(name))
        return made[-1]

    talk("a call and its answer").call("client", Sum, a=1, b=-2)
    talk("keys before _ask").call("client", Capital, Zoo=1, ant="two", Ant="three")
    maybe = talk("an optional key absent, empty, present")
    maybe.call("client", Maybe, must=1)
    maybe.call("client", Maybe, must=2, may="")
    maybe.call("client", Maybe, must=3, may="x")
    talk("an answer that carries nothing").call("client", Nothing)
    talk("names on the wire").call("client", Renamed, how_many=3)
    for how in ("refused", "silent", "named", "broken", "surprised"):
        talk(f"an error: {how}").call("client", Fail, how=how)
    for unknown in (Apostrophe, Backslash, Quotes):
        talk(f"an unknown command: {unknown.__name__}").call("client", unknown)
    talk("an unknown command with arguments").call("client", Missing, a=1)
    more = talk("after an error the connection goes on")
    more.call("client", Fail, how="refused")
    more.call("client", Missing, a=1)
    more.call("client", Sum, a=1, b=2)
    oneway = talk("a oneway call takes a number, too")
    oneway.call("client", Sum, a=1, b=2)
    oneway.call("client", Log, line="")
    oneway.call("client", Sum, a=3, b=4)
    talk("a oneway command that was asked").call("client", AskedLog, line="x")
    unasked = talk("a two-way command that was not asked")
    unasked.call("client", UnaskedSum, a=1, b=2)
    unasked.call("client", Sum, a=3, b=4)
    counted = talk("numbers in hex")
    for number in range(1, 18):
        counted.call("client", Sum, a=number, b=0)
    late = talk("answers in another order")
    late.hold()
    for number in range(3):
        late.call("client", Sum, a=number, b=10)
    for index in (2, 0, 0):
        late.release(index)
    both = talk("both ends call")
    both.call("server", Ping, number=7)
    both.call("client", Sum, a=1, b=2)
    both.call("server", Notice, text="ä")
    both.call("server", Ping, number=8)
    return [one.noted() for one in made]
