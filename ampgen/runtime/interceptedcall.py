"""A call as interceptors see it, on either end."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from ampgen.runtime.answers import CANCELLED, UNKNOWN, code_of
from ampgen.runtime.command import DEFAULT
from ampgen.runtime.errors import (
    ConnectionLost,
    DeadlineExceeded,
    DecodeError,
    EncodeError,
    RemoteError,
)
from ampgen.runtime.redaction import HIDDEN, redact
from ampgen.runtime.shell import TICK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ampgen.runtime.answers import Failure
    from ampgen.runtime.command import AnyCommand, Timeout
    from ampgen.runtime.connection import Caller, Connection
    from ampgen.runtime.errors import CommandError
    from ampgen.runtime.serving import Serving


class InterceptedCall:
    """A call, as interceptors see it. It does not change: ``replace`` makes another.

    ``side`` is ``"client"`` where the call is made, ``"server"`` where it is answered.
    ``arguments`` are by name, as a handler's parameters are called. ``metadata`` is
    what goes along with the call, or has come along with it. ``oneway``: no answer is
    wanted.
    """

    __slots__ = (
        "_answer_metadata",
        "_caller",
        "_command",
        "_deadline",
        "_serving",
        "_values",
        "metadata",
        "oneway",
        "side",
    )

    def __init__(
        self,
        command: AnyCommand,
        values: tuple[Any, ...],
        caller: Caller,
        *,
        serving: Serving | None,
        oneway: bool,
        metadata: Mapping[str, str],
        deadline: float | None,
        answer_metadata: dict[str, str],
    ) -> None:
        self._command = command
        self._values = values
        self._caller = caller
        self._serving = serving
        self._deadline = deadline
        self._answer_metadata = answer_metadata
        self.side: Literal["client", "server"] = (
            "client" if serving is None else "server"
        )
        self.oneway = oneway
        self.metadata: Mapping[str, str] = MappingProxyType(metadata)

    # --- what is called ---------------------------------------------------------------

    @property
    def service(self) -> str:
        """The service that declares it; empty for a box without a schema."""
        return self._command.service

    @property
    def command(self) -> str:
        """Its name in the schema."""
        return self._command.name

    @property
    def wire(self) -> bytes:
        """Its name on the wire."""
        return self._command.wire

    @property
    def name(self) -> str:
        """``Service.Command``, or the command alone."""
        service = self._command.service
        return f"{service}.{self._command.name}" if service else self._command.name

    @property
    def streams(self) -> bool:
        """Its results, or an argument, are a stream: the call lasts as long."""
        return self._command.streams

    @property
    def errors(self) -> tuple[type[CommandError], ...]:
        """Those that the command declares."""
        return tuple(declared.error for declared in self._command.errors)

    @property
    def arguments(self) -> Mapping[str, Any]:
        return MappingProxyType(
            dict(zip(self._command.arguments, self._values, strict=False))
        )

    @property
    def sensitive(self) -> frozenset[str]:
        """Names of arguments whose values are for no log: ``@sensitive``."""
        return frozenset(self._command.sensitive)

    def redacted(self) -> dict[str, object]:
        """The arguments as a log may have them, ready for JSON.

        What is ``@sensitive`` is hidden, in structs too; what is long is cut.
        """
        hidden = self._command.sensitive
        return {
            name: HIDDEN if name in hidden else redact(value)
            for name, value in self.arguments.items()
        }

    # --- who calls whom, and until when -----------------------------------------------

    @property
    def connection(self) -> Connection:
        connection: Connection = self._caller.connection  # type: ignore[assignment]
        return connection

    @property
    def peer_address(self) -> str:
        return self._caller.peer_address

    @property
    def deadline(self) -> float | None:
        """When the caller gives up, on the loop's clock; ``None`` for never."""
        return self._deadline

    @property
    def timeout(self) -> float | None:
        """Seconds until then, not below zero."""
        if self._deadline is None:
            return None
        return max(self._deadline - self._caller.loop.time(), 0.0)

    @property
    def answer_metadata(self) -> dict[str, str]:
        """What goes along with the answer: to fill where the call is answered, to read
        after ``proceed`` where it is made.
        """
        if self._serving is not None:
            return self._serving.answer_metadata
        return self._answer_metadata

    @property
    def identity(self) -> Any:
        """Who calls, as far as it is known: by ``identify``, else the connection's."""
        if self._serving is not None and self._serving.identity is not None:
            return self._serving.identity
        return self.connection.identity

    def identify(self, identity: object) -> None:
        """Say who makes this one call; ``ValueError`` where it is not answered here."""
        if self._serving is None:
            raise ValueError("who calls is found out where the call is answered")
        self._serving.identity = identity

    # --- another one like it ----------------------------------------------------------

    def replace(
        self,
        *,
        arguments: Mapping[str, object] | None = None,
        metadata: Mapping[str, str] | None = None,
        timeout: Timeout = DEFAULT,
    ) -> InterceptedCall:
        """A call to proceed with instead of this one.

        ``arguments``: the new ones, by name; the others stay. ``metadata``: all that is
        sent. ``timeout``: seconds from now on, within the time that the call has. Where
        it is answered the last two stay as they came: ``ValueError``.
        """
        if self._serving is not None and not (metadata is None and timeout is DEFAULT):
            raise ValueError(
                "metadata and timeout are the caller's: only arguments change here"
            )
        deadline = self._deadline
        if timeout is not DEFAULT and timeout is not None:
            sooner = self._caller.loop.time() + timeout
            deadline = sooner if deadline is None else min(deadline, sooner)
        return InterceptedCall(
            self._command,
            self._replaced(arguments or {}),
            self._caller,
            serving=self._serving,
            oneway=self.oneway,
            metadata=self.metadata if metadata is None else dict(metadata),
            deadline=deadline,
            answer_metadata=self._answer_metadata,
        )

    def _replaced(self, arguments: Mapping[str, object]) -> tuple[Any, ...]:
        names = self._command.arguments
        for name in arguments:
            if name not in names:
                known = ", ".join(names) or "none"
                raise TypeError(f"{self.name} has no argument {name!r}, but: {known}")
        return tuple(
            arguments.get(name, value)
            for name, value in zip(names, self._values, strict=True)
        )

    # --- how it ended -----------------------------------------------------------------

    def code(self, error: BaseException | None) -> str:
        """What came of it, in one word for logs and metrics: ``OK``, or a code.

        Where the call is answered, it is what the peer hears. Where it is made, a
        failure of this end has one too: ``CONNECTION_LOST``, ``ENCODE``, ``DECODE``,
        ``CANCELLED``, and ``INTERNAL`` for what is no error of the runtime.
        """
        if error is None:
            return "OK"
        if self._serving is None:
            return _code_here(error)
        if isinstance(error, asyncio.CancelledError):
            return _cancelled(self._serving).code.decode()
        if isinstance(error, DeadlineExceeded) and self._is_late():
            return DeadlineExceeded.code  # as the shell takes it
        return code_of(self._command, error)

    def _is_late(self) -> bool:
        now = self._caller.loop.time()
        return self._deadline is not None and self._deadline <= now + TICK

    def __repr__(self) -> str:
        return f"<{self.side} call of {self.name}>"


def _cancelled(serving: Serving) -> Failure:
    """Why a handler ends so; it may be what it waited for that was cancelled."""
    if serving.ended is not None:
        return serving.ended
    task = asyncio.current_task()
    return CANCELLED if task is not None and task.cancelling() else UNKNOWN


def _code_here(error: BaseException) -> str:
    if isinstance(error, RemoteError):
        return error.code
    for kind, code in _CODES_HERE:
        if isinstance(error, kind):
            return code
    return "INTERNAL"


_CODES_HERE: tuple[tuple[type[BaseException], str], ...] = (
    (asyncio.CancelledError, "CANCELLED"),
    (ConnectionLost, "CONNECTION_LOST"),
    (EncodeError, "ENCODE"),
    (DecodeError, "DECODE"),
)
