"""For the tests of programs: a connection with faults, and servers that only pretend.

``TextClient.local(Text())`` is the plain way to test a service without a socket. This
adds what goes wrong on the way (``faulty``), services that answer what a test tells
them to (``fake``), and a record of calls (``Recorder``). All of it goes through the
real encoding.

pytest finds the fixtures ``amp_fake`` and ``amp_leaks`` by itself (``ampgen.pytest``).
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import difflib
import inspect
import random
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ampgen.runtime.connection import Connection
from ampgen.runtime.local import LocalTransport, connect
from ampgen.runtime.services import Server, Services
from ampgen.runtime.wire import Limits, read_box, write_box

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        Callable,
        Generator,
        Iterable,
        Mapping,
    )

    from ampgen.runtime.client import Client
    from ampgen.runtime.interceptedcall import InterceptedCall
    from ampgen.runtime.interception import Proceed
    from ampgen.runtime.services import Service
    from ampgen.runtime.shell import Shell

C = TypeVar("C", bound="Client")
S = TypeVar("S", bound=Server)


# --- faults ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What happens to the bytes of one direction. Faults add up, in this order.

    ``silent``: answers and errors never arrive.
    ``reorder``: answers that leave together arrive in another order.
    ``split``: how many bytes arrive at once; 1 is each by itself.
    ``delay``: seconds from leaving to arriving.
    ``drop_after``: bytes that arrive before the connection is lost.
    """

    silent: bool = False
    reorder: bool = False
    split: int | None = None
    delay: float = 0.0
    drop_after: int | None = None

    def __post_init__(self) -> None:
        if self.split is not None and self.split < 1:
            raise ValueError("Faults: split has to be at least 1")
        if self.delay < 0:
            raise ValueError("Faults: delay cannot be negative")
        if self.drop_after is not None and self.drop_after < 0:
            raise ValueError("Faults: drop_after cannot be negative")


NONE = Faults()


class _FaultyTransport(LocalTransport):
    """What this end sends arrives as the faults have it."""

    def __init__(self, shell: Shell, faults: Faults, seed: int) -> None:
        super().__init__(shell)
        self._faults = faults
        self._random = random.Random(seed)  # noqa: S311  # no secret
        self._arrived = 0

    def _hand_over(self, data: bytes) -> None:
        faults = self._faults
        if faults.silent or faults.reorder:
            data = self._boxes(data)
        step = faults.split or len(data) or 1
        for at in range(0, len(data), step):
            self._send_one(data[at : at + step])

    def _boxes(self, data: bytes) -> bytes:
        """The same boxes, without answers or with these in another order.

        What leaves together is whole boxes.
        """
        boxes: list[dict[bytes, bytes]] = []
        at = 0
        while at < len(data):
            box, at = read_box(data, at)
            boxes.append(box)
        places = [n for n, box in enumerate(boxes) if box.keys() & _ANSWERS]
        if self._faults.silent:
            boxes = [box for n, box in enumerate(boxes) if n not in places]
        else:
            shuffled = self._random.sample(places, len(places))
            answers = [boxes[place] for place in shuffled]
            for place, box in zip(places, answers, strict=True):
                boxes[place] = box
        return b"".join(map(write_box, boxes))

    def _send_one(self, data: bytes) -> None:
        self._on_its_way += len(data)
        if self._faults.delay:
            self._loop.call_later(self._faults.delay, self._arrive, data)
        elif self._faults.split:
            self._loop.call_soon(self._arrive, data)
        else:
            self._arrive(data)

    def _arrive(self, data: bytes) -> None:
        self._on_its_way -= len(data)
        limit = self._faults.drop_after
        left = len(data) if limit is None else limit - self._arrived
        self._arrived += len(data)
        peer = self._peer
        if left > 0 and not peer._lost:
            peer._shell.data_received(data[:left])
        if left < len(data) or left == limit == 0:
            peer.abort()
            self.abort()
        self._schedule()


_ANSWERS = {b"_answer", b"_error"}


@asynccontextmanager
async def faulty(
    client: type[C],
    *services: Service,
    to_server: Faults = NONE,
    to_client: Faults = NONE,
    seed: int = 0,
    serve: Iterable[Service] = (),
    limits: Limits | None = None,
    drain_timeout: float = 1.0,
) -> AsyncGenerator[C]:
    """A client of ``services`` in this process, with what goes wrong between them.

    ``serve`` is what the client answers. The same ``seed`` gives the same faults.
    """
    limits = limits or Limits()
    there = Connection(
        Services(services).handlers, limits=limits, drain_timeout=drain_timeout
    )
    here = Connection(
        Services(serve).handlers, limits=limits, drain_timeout=drain_timeout
    )
    connect(
        _FaultyTransport(here._shell, to_server, seed),
        _FaultyTransport(there._shell, to_client, seed + 1),
    )
    try:
        yield client(here)
    finally:
        here._shell.abort()
        there._shell.abort()
        await here.wait_closed()
        await there._shell.idle


# --- records --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """What was called, and what came: ``result``, or ``error`` in its place.

    ``arguments`` are by name. ``pending``: nothing has come yet.
    """

    name: str  # Service.Command
    arguments: Mapping[str, Any]
    oneway: bool
    metadata: Mapping[str, str]
    result: object = None
    error: BaseException | None = None
    pending: bool = False


class Recorder:
    """An interceptor that keeps the calls that it sees, in the order they were made.

    ``TextClient.connect(address, interceptors=[recorder])``, or of one client,
    ``intercepted(text, [recorder])``; as well on the end that answers.
    """

    def __init__(self) -> None:
        self.calls: list[RecordedCall] = []

    def named(self, name: str) -> list[RecordedCall]:
        """Those of one command: ``"Text.Repeat"``, or ``"Repeat"``."""
        return [c for c in self.calls if name in (c.name, c.name.rpartition(".")[2])]

    async def __call__(self, call: InterceptedCall, proceed: Proceed) -> object:
        at = len(self.calls)
        made = RecordedCall(
            call.name,
            dict(call.arguments),
            call.oneway,
            dict(call.metadata),
            pending=True,
        )
        self.calls.append(made)
        try:
            result = await proceed(call)
        except BaseException as error:
            self.calls[at] = replace(made, error=error, pending=False)
            raise
        self.calls[at] = replace(made, result=result, pending=False)
        return result


# --- fakes ----------------------------------------------------------------------------


class Each:
    """Answers to give one after the other; a call more than that is unexpected."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)


def each(*answers: object) -> Each:
    """For ``fake``: the first call gets the first of these, and so on."""
    return Each(*answers)


@contextmanager
def fake(server: Callable[..., S], **answers: object) -> Generator[S]:
    """A service for tests that answers what it is told, and nothing else.

    ``answers`` are by the names of the methods: a value is what each call gets, an
    exception is raised, ``each(…)`` holds one for each call; anything that can be
    called is called with the arguments, and may be a coroutine function.

    Leaving it raises ``AssertionError`` where a call came that was not expected (its
    caller gets ``InternalError``), or fewer than ``each`` has answers. Entering it
    raises ``TypeError`` for a name that is no method, or a callable that does not take
    its arguments.
    """
    unexpected: list[str] = []
    yield _fake(cast("type[S]", server), answers, unexpected)
    if unexpected:
        raise AssertionError("\n".join(unexpected))
    for name, answer in answers.items():
        if isinstance(answer, Each) and answer.answers:
            left = len(answer.answers)
            raise AssertionError(f"{name} was to be called {left} times more")


def _fake(server: type[S], answers: dict[str, object], unexpected: list[str]) -> S:
    counts = _methods(server)
    for name, answer in answers.items():
        if name not in counts:
            near = difflib.get_close_matches(name, counts, 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            known = ", ".join(sorted(counts))
            raise TypeError(f"{server.__name__} has no method {name!r} ({known}){hint}")
        for one in answer.answers if isinstance(answer, Each) else [answer]:
            _check_callable(server, name, one, counts[name])
    body = {name: _handler(server, name, answers, unexpected) for name in counts}
    return cast("S", type(f"Fake{server.__name__}", (server,), body)())


def _methods(server: type[Server]) -> dict[str, int]:
    """How many arguments each method takes."""
    return {
        name: len(command.required)
        for cls in server.__mro__
        for command, name in cls.__dict__.get("__ampgen_commands__", ())
    }


def _check_callable(
    server: type[Server], name: str, answer: object, count: int
) -> None:
    if not callable(answer) or isinstance(answer, type):
        return
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):  # written in C: Python cannot say
        return
    try:
        signature.bind(*range(count))
    except TypeError as error:
        raise TypeError(
            f"what is to answer {server.__name__}.{name} does not take its"
            f" {count} arguments: {error}"
        ) from None


def _handler(
    server: type[Server], name: str, answers: dict[str, object], unexpected: list[str]
) -> Callable[..., object]:
    def handle(_self: object, *arguments: Any) -> object:
        answer = answers.get(name, _NOTHING)
        if isinstance(answer, Each):
            answer = answer.answers.pop(0) if answer.answers else _NOTHING
        if answer is _NOTHING:
            listed = ", ".join(map(repr, arguments))
            unexpected.append(f"unexpected call of {server.__name__}: {name}({listed})")
            raise AssertionError(unexpected[-1])
        if isinstance(answer, BaseException):
            raise answer
        if callable(answer) and not isinstance(answer, type):
            result: object = answer(*arguments)
            return result
        return answer

    return handle


_NOTHING = object()
