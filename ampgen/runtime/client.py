"""The base of the generated clients."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ampgen.runtime.command import DEFAULT, Timeout
from ampgen.runtime.connecting import (
    CONNECT_TIMEOUT,
    Connecting,
    connect,
    intercept_connection,
)
from ampgen.runtime.connection import DRAIN_TIMEOUT, Connection
from ampgen.runtime.incoming import Stream
from ampgen.runtime.interception import checked, intercepted_caller
from ampgen.runtime.local import join
from ampgen.runtime.services import Services
from ampgen.runtime.streaming import StreamCall
from ampgen.runtime.wire import Limits

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Awaitable, Iterable, Mapping
    from types import TracebackType
    from typing import Self, Unpack

    from ampgen.runtime.addresses import Addresses
    from ampgen.runtime.command import AnyCommand, Command
    from ampgen.runtime.connecting import ConnectOptions, LocalOptions
    from ampgen.runtime.connection import Caller
    from ampgen.runtime.interception import Interceptor
    from ampgen.runtime.services import Server, Service
    from ampgen.runtime.streaming import Received

A = TypeVar("A")
R = TypeVar("R")


class _Performer:
    """A caller for one call that streams, for interceptors to be around it."""

    def __init__(self, caller: Caller, call: StreamCall) -> None:
        self._caller = caller
        self._stream_call = call

    def __getattr__(self, name: str) -> Any:
        return getattr(self._caller, name)

    async def call(
        self,
        _command: AnyCommand,
        arguments: Any,
        seconds: float | None,
        metadata: Mapping[str, str] | None = None,
    ) -> Any:
        return await self._stream_call.perform(arguments, seconds, metadata)


class Client:
    """The base of the generated clients: commands to call over one connection."""

    _interceptors: tuple[Any, ...] = ()

    def __init__(
        self,
        connection: Connection,
        *,
        timeout: Timeout = DEFAULT,
        interceptors: Iterable[Interceptor] = (),
    ) -> None:
        """``interceptors`` are around the calls of this client, inside of those of the
        connection.
        """
        self._connection = connection
        self._shell: Caller = connection._caller
        self._timeout = timeout
        if interceptors or connection.interceptors:
            self._intercept((*connection.interceptors, *checked(interceptors)))

    def _intercept(self, interceptors: tuple[Interceptor, ...]) -> None:
        """Put them around the ways of a call, on this object alone."""
        caller = intercepted_caller(self._shell, interceptors)
        seconds = self._seconds

        def call(
            command: Command[A, R],
            arguments: A,
            timeout: Timeout,
            metadata: Mapping[str, str] | None,
            oneway: bool = False,
        ) -> Awaitable[R]:
            time = seconds(command, timeout)
            return caller(command, arguments, time, metadata, oneway)

        self._interceptors = interceptors
        vars(self).update(_call=call, _send=functools.partial(call, oneway=True))

    @property
    def connection(self) -> Connection:
        return self._connection

    async def aclose(self) -> None:
        """Close the connection, and wait for its end."""
        await self._connection.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _call(
        self,
        command: Command[A, R],
        arguments: A,
        timeout: Timeout,
        metadata: Mapping[str, str] | None,
    ) -> Awaitable[R]:
        if timeout is DEFAULT:  # as in `_seconds`: a call less, and there are many
            timeout = self._timeout
            if timeout is DEFAULT:
                timeout = command.timeout
        return self._shell.call(command, arguments, timeout, metadata)

    def _send(
        self,
        command: Command[A, Any],
        arguments: A,
        timeout: Timeout,
        metadata: Mapping[str, str] | None,
    ) -> Awaitable[None]:
        seconds = self._seconds(command, timeout)
        return self._shell.tell(command, arguments, seconds, metadata)

    def _stream(
        self,
        command: Command[Any, None],
        arguments: Any,
        timeout: Timeout,
        metadata: Mapping[str, str] | None,
        sent: AsyncIterable[Any] | Iterable[Any] = (),
    ) -> Stream[Any]:
        """A call with a stream of results; ``sent``: its stream argument."""
        call = self._stream_call(command, arguments, sent, timeout, metadata)
        return Stream(cast("Received", call.incoming))  # the command has such a stream

    def _call_sending(
        self,
        command: Command[A, R],
        arguments: Any,
        timeout: Timeout,
        metadata: Mapping[str, str] | None,
        sent: AsyncIterable[Any] | Iterable[Any],
    ) -> Awaitable[R]:
        """A call with a stream argument."""
        call = self._stream_call(command, arguments, sent, timeout, metadata)
        return call.result()

    def _stream_call(
        self,
        command: AnyCommand,
        arguments: Any,
        sent: AsyncIterable[Any] | Iterable[Any],
        timeout: Timeout,
        metadata: Mapping[str, str] | None,
    ) -> StreamCall:
        """A stream lasts as long as it has items: it has a time of its own alone."""
        seconds = None if timeout is DEFAULT else timeout
        call = StreamCall(self._shell, command, arguments, sent, seconds, metadata)
        if self._interceptors:
            performer: Any = _Performer(self._shell, call)
            call.around = intercepted_caller(performer, self._interceptors)
        return call

    def _seconds(self, command: Command[Any, Any], timeout: Timeout) -> float | None:
        if timeout is DEFAULT:
            timeout = self._timeout
        return command.timeout if timeout is DEFAULT else timeout

    @classmethod
    def connect(
        cls, address: Addresses, **options: Unpack[ConnectOptions]
    ) -> Connecting[Self]:
        """Connect to a server: ``async with`` it, or ``await`` it.

        Raises what ``ampgen.runtime.connect`` does.
        """
        return cls._connect(address, (), options)

    @classmethod
    def local(
        cls, service: Server, **options: Unpack[LocalOptions]
    ) -> Connecting[Self]:
        """Call a service in this process, through the encoding but no socket."""
        return cls._local(service, (), options)

    @classmethod
    def _connect(
        cls,
        address: Addresses,
        serve: Iterable[Service | None],
        options: ConnectOptions,
    ) -> Connecting[Self]:
        timeout = options.get("timeout", DEFAULT)
        connecting = connect(
            address,
            serve=[service for service in serve if service is not None],
            connect_timeout=options.get("connect_timeout", CONNECT_TIMEOUT),
            limits=options.get("limits"),
            drain_timeout=options.get("drain_timeout", DRAIN_TIMEOUT),
            tls=options.get("tls"),
            starttls=options.get("starttls"),
            server_hostname=options.get("server_hostname"),
            reconnect=options.get("reconnect"),
            pool=options.get("pool", 1),
            keepalive=options.get("keepalive"),
            on_state=options.get("on_state"),
            interceptors=options.get("interceptors", ()),
        )

        async def connected() -> Self:
            return cls(await connecting, timeout=timeout)

        return Connecting(connected)

    @classmethod
    def _local(
        cls, service: Server, serve: Iterable[Service | None], options: LocalOptions
    ) -> Connecting[Self]:
        limits = options.get("limits") or Limits()
        drain_timeout = options.get("drain_timeout", DRAIN_TIMEOUT)
        timeout = options.get("timeout", DEFAULT)
        around = checked(options.get("interceptors", ()))
        theirs = Services((service,))
        ours = Services(service for service in serve if service is not None)

        async def connected() -> Self:
            there = Connection(
                theirs.handlers, limits=limits, drain_timeout=drain_timeout
            )
            here = Connection(ours.handlers, limits=limits, drain_timeout=drain_timeout)
            intercept_connection(here, around)
            join(here._shell, there._shell)
            return cls(here, timeout=timeout)

        return Connecting(connected)
