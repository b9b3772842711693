"""Trials, run: the code that was generated for two versions, in one process.

Everything is as on a socket but the socket itself; what both ends write is kept.
"""

# pyright: reportPrivateUsage=false
# The ends are joined as `Client.local` joins them, but for the record of the bytes.

from __future__ import annotations

import asyncio
import logging
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ampgen.runtime.connection import Connection
from ampgen.runtime.errors import (
    CommandError,
    ConnectionLost,
    RemoteError,
    UnknownCommand,
)
from ampgen.runtime.local import LocalTransport, connect
from ampgen.runtime.services import Server, Services
from ampgen.runtime.wire import Limits, read_box
from ampgen.targets.python import names
from ampgen.targets.python.commands import in_request, stream_argument
from ampgen.tools.pairing.judging import Course
from ampgen.tools.pairing.meaning import Box, box, box_of, meaning
from ampgen.tools.pairing.samples import Samples
from ampgen.tools.pairing.trials import NOTHING, Raises, Returns, Yields, result_box

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Sequence
    from typing import Self

    from ampgen.model import Command, Service
    from ampgen.runtime.shell import Shell
    from ampgen.tools.memory import Loaded
    from ampgen.tools.pairing.asread import Raw
    from ampgen.tools.pairing.trials import Trial

_TURNS = 5_000  # of the loop: nothing is waited for but the other end, in this process
_CHECK = b"ampgen.check"  # nobody has it: when it is refused, all before it is through


@dataclass(frozen=True, slots=True)
class Written:
    """A box as it is on the wire, and what is in it."""

    data: bytes
    pairs: Raw


class _Recording(LocalTransport):
    """Keeps what leaves here."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        self.written = bytearray()

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self.written += data
        super().write(data)

    def boxes(self) -> list[Written]:
        """Those written since the last time."""
        data = bytes(self.written)
        self.written.clear()
        found: list[Written] = []
        at = 0
        while at < len(data):
            pairs, end = read_box(data, at)
            found.append(Written(data[at:end], pairs))
            at = end
        return found


class _Words(logging.Handler):
    """What the runtime's log says, not on a terminal: of an error, that alone."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        given = record.args if isinstance(record.args, tuple) else ()
        errors = (str(one) for one in given if isinstance(one, Exception))
        self.last = next(errors, record.getMessage())


@contextmanager
def quiet() -> Generator[_Words]:
    logger = logging.getLogger("ampgen")
    words = _Words()
    before = logger.propagate, logger.level
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    logger.addHandler(words)
    try:
        yield words
    finally:
        logger.removeHandler(words)
        logger.propagate, level = before
        logger.setLevel(level)


class Ends:
    """A caller of one version and an implementer of another, for one service.

    ``None`` for a service that the version does not have: nothing is served then.
    """

    def __init__(
        self,
        caller: Loaded,
        calls: Service,
        implementer: Loaded,
        serves: Service | None,
        words: _Words,
    ) -> None:
        self._client = caller.python(calls.module, names.client_class(calls))
        self._caller = caller
        self._implementer = implementer
        self._service = serves
        self._words = words
        self._trial: Trial | None = None
        self._course = Course()
        self._connected = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _connect(self) -> None:
        served = [] if self._service is None else [self._make(self._service)]
        self._there = Connection(
            Services(served).handlers, limits=Limits(), drain_timeout=1.0
        )
        self._here = Connection(
            Services(()).handlers, limits=Limits(), drain_timeout=1.0
        )
        self._sent = _Recording(self._here._shell)
        self._came = _Recording(self._there._shell)
        connect(self._sent, self._came)
        self._connected = True

    async def _close(self) -> None:
        if self._connected:
            self._connected = False
            self._here._shell.abort()
            self._there._shell.abort()
            await self._here.wait_closed()
            await self._there._shell.idle

    def _make(self, service: Service) -> Server:
        made = self._implementer.python(service.module, names.server_class(service))
        body = {
            names.method_name(command): self._handler(command)
            for command in service.all_commands()
        }
        server: Server = type("Implementer", (made,), body)()
        return server

    # --- the handler ------------------------------------------------------------------

    def _handler(self, command: Command) -> Any:
        course: Callable[[Command, Sequence[Any]], Any] = self._answer
        if command.result is not None and command.result.stream:
            course = self._produce
        elif stream_argument(command) is not None:
            course = self._consume

        def handle(_service: object, *given: Any) -> Any:
            return course(command, given)

        return handle

    def _answer(self, command: Command, given: Sequence[Any]) -> Any:
        self._note(command, given)
        return self._returned()

    async def _consume(self, command: Command, given: Sequence[Any]) -> Any:
        self._note(command, given)
        await self._read(command, given)
        return self._returned()

    async def _produce(
        self, command: Command, given: Sequence[Any]
    ) -> AsyncGenerator[Any]:
        self._note(command, given)
        await self._read(command, given)
        self._returned()
        outcome = None if self._trial is None else self._trial.outcome
        if isinstance(outcome, Yields):
            for item in outcome.values:
                yield item

    def _note(self, command: Command, given: Sequence[Any]) -> None:
        by_name = dict(zip((f.name for f in command.arguments), given, strict=True))
        self._course.arguments = box_of(in_request(command), by_name)

    async def _read(self, command: Command, given: Sequence[Any]) -> None:
        field = stream_argument(command)
        if field is None:
            return
        stream = given[command.arguments.index(field)]
        try:
            async for item in stream:
                said = Box({"item": meaning(field.type, item)}, {"item": field})
                self._course.items.append(said)
        except Exception as error:
            self._course.items_error = error
            raise

    def _returned(self) -> Any:
        outcome = NOTHING if self._trial is None else self._trial.outcome
        if isinstance(outcome, Raises):
            raise outcome.error
        return outcome.value if isinstance(outcome, Returns) else None

    # --- the call ---------------------------------------------------------------------

    async def run(self, trial: Trial) -> tuple[Course, list[Written], list[Written]]:
        """What came of it, and the boxes of the caller and of the implementer."""
        if not self._connected or self._here.is_closed:
            await self._close()
            await self._connect()
        self._sent.written.clear()
        self._came.written.clear()
        self._trial, self._course, self._words.last = trial, Course(), ""
        course = self._course
        try:
            await _soon(self._call(trial))
            if trial.caller.oneway:
                await _soon(self._check())
        except Exception as error:
            course.error = error
            self._read_error(trial.caller, error)
        sent, came = _without_check(self._sent.boxes(), self._came.boxes())
        course.closed = isinstance(course.error, ConnectionLost)
        if _is_fatal(trial, course.error):
            await _soon(self._here.wait_closed())
            course.closed = True
        course.refused = self._words.last
        is_over = course.error is None and not course.refused
        if stream_argument(trial.caller) or not is_over:
            await self._close()  # no box of it comes behind; the log tells the next one
        return course, sent, came

    async def _check(self) -> None:
        """Wait until a oneway command has been served."""
        with suppress(UnknownCommand):
            await self._here.call_box(_CHECK, {})

    async def _call(self, trial: Trial) -> None:
        command, course = trial.caller, self._course
        method = getattr(self._client(self._here), names.method_name(command))
        arguments = Samples.named(
            in_request(command), trial.asked.given, names.argument_name
        )
        sent = stream_argument(command)
        if sent is not None:
            arguments[names.argument_name(sent)] = trial.asked.items
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            # however slow it is here: a deadline of the schema's is no difference
            answer = method(**arguments, timeout=None)
        result = command.result
        if result is not None and result.stream:
            async with answer as stream:
                async for item in stream:
                    course.result.append(result_box(result, item))
        elif command.oneway:
            await answer
        else:
            course.result.append(result_box(result, await answer))

    def _read_error(self, command: Command, error: Exception) -> None:
        if isinstance(error, CommandError):
            for declared in command.errors:
                if declared.code == error.code:
                    self._course.error_meant = box(
                        declared.fields, error, names.error_field_name
                    )


def _without_check(
    sent: list[Written], came: list[Written]
) -> tuple[list[Written], list[Written]]:
    """The boxes of the call alone."""
    checks = [box for box in sent if box.pairs.get(b"_command") == _CHECK]
    asks = [box.pairs[b"_ask"] for box in checks]
    return (
        [box for box in sent if box not in checks],
        [box for box in came if box.pairs.get(b"_error") not in asks],
    )


async def _soon(what: Coroutine[Any, Any, None]) -> None:
    """Wait for it while there is something left to do; ``TimeoutError`` then."""
    task = asyncio.ensure_future(what)
    for _ in range(_TURNS):
        if task.done():
            break
        await asyncio.sleep(0)
    else:
        task.cancel()
        await asyncio.wait([task])
        raise TimeoutError("no answer comes, and none will")
    await task


def _is_fatal(trial: Trial, error: Exception | None) -> bool:
    """Does the implementer end the connection, now that it has told this error?"""
    outcome = trial.outcome
    return (
        isinstance(outcome, Raises)
        and outcome.declared.fatal
        and isinstance(error, RemoteError)
        and error.code == outcome.declared.code
    )
