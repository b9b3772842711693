"""The calling end: ``connect``, and the base of the generated clients."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypedDict, TypeVar

from ampgen.runtime.addresses import Tcp, parse_address
from ampgen.runtime.command import DEFAULT, Timeout
from ampgen.runtime.connection import DRAIN_TIMEOUT, Connection
from ampgen.runtime.interception import checked, intercepted_caller
from ampgen.runtime.local import join
from ampgen.runtime.receiver import receiver_for
from ampgen.runtime.services import Services
from ampgen.runtime.wire import Limits

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
    from types import TracebackType
    from typing import Self, Unpack

    from ampgen.runtime.addresses import Address
    from ampgen.runtime.command import Command
    from ampgen.runtime.interception import Interceptor
    from ampgen.runtime.services import Server, Service

A = TypeVar("A")
R = TypeVar("R")

CONNECT_TIMEOUT = 10.0  # seconds


class LocalOptions(TypedDict, total=False):
    """``timeout``: seconds that each call has, unless it says otherwise.

    ``interceptors`` are around what is called, not around what is answered meanwhile.
    """

    timeout: Timeout
    interceptors: Iterable[Interceptor]
    limits: Limits
    drain_timeout: float


class ConnectOptions(LocalOptions, total=False):
    """``connect_timeout``: seconds; ``None`` for as long as the system takes."""

    connect_timeout: float | None


class _Closable(Protocol):
    async def aclose(self) -> None: ...


C_co = TypeVar("C_co", bound=_Closable, covariant=True)


class Connecting(Generic[C_co]):
    """``await`` it for what it connects, or enter it to have that closed in the end."""

    def __init__(self, connect: Callable[[], Awaitable[C_co]]) -> None:
        self._connect = connect
        self._connected: C_co | None = None

    def __await__(self) -> Generator[Any, None, C_co]:
        return self._connect().__await__()

    async def __aenter__(self) -> C_co:
        self._connected = connected = await self._connect()
        return connected

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._connected is not None:
            await self._connected.aclose()


def connect(
    address: Address,
    *,
    serve: Iterable[Service] = (),
    connect_timeout: float | None = CONNECT_TIMEOUT,
    limits: Limits | None = None,
    drain_timeout: float = DRAIN_TIMEOUT,
    interceptors: Iterable[Interceptor] = (),
) -> Connecting[Connection]:
    """Connect to a peer; ``serve`` is what this end answers meanwhile.

    ``interceptors`` are around all calls that are made on the connection.
    Raises ``TimeoutError`` after ``connect_timeout`` seconds, else what the system says
    (``OSError``); ``ValueError`` for what is no address.
    """
    where = parse_address(address)
    services = Services(serve)
    around = checked(interceptors)

    async def connected() -> Connection:
        connection = Connection(
            services.handlers, limits=limits or Limits(), drain_timeout=drain_timeout
        )
        _intercept_connection(connection, around)
        try:
            await open_(connection)
        except BaseException:
            connection._shell.never_connected()
            raise
        return connection

    async def open_(connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        limit = asyncio.timeout(connect_timeout)
        try:
            async with limit:
                if isinstance(where, Tcp):
                    await loop.create_connection(
                        lambda: receiver_for(connection._shell), where.host, where.port
                    )
                else:
                    await loop.create_unix_connection(
                        lambda: receiver_for(connection._shell), where.path
                    )
        except TimeoutError:
            if limit.expired():
                reason = f"no connection to {address} within {connect_timeout:g} s"
                raise TimeoutError(reason) from None
            raise  # what the system says
        except OSError as error:
            # asyncio names a TCP peer, uvloop none, and nobody a socket file
            if not isinstance(where, Tcp):
                error.filename = where.path
            elif error.strerror and str(where.port) not in str(error):
                error.filename = address
            raise

    return Connecting(connected)


def _intercept_connection(
    connection: Connection, interceptors: tuple[Interceptor, ...]
) -> None:
    if interceptors:
        connection.interceptors = interceptors
        connection._caller = intercepted_caller(connection._shell, interceptors)


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
        self._shell = connection._shell
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

    def _seconds(self, command: Command[Any, Any], timeout: Timeout) -> float | None:
        if timeout is DEFAULT:
            timeout = self._timeout
        return command.timeout if timeout is DEFAULT else timeout

    @classmethod
    def connect(
        cls, address: Address, **options: Unpack[ConnectOptions]
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
        cls, address: Address, serve: Iterable[Service | None], options: ConnectOptions
    ) -> Connecting[Self]:
        timeout = options.get("timeout", DEFAULT)
        connecting = connect(
            address,
            serve=[service for service in serve if service is not None],
            connect_timeout=options.get("connect_timeout", CONNECT_TIMEOUT),
            limits=options.get("limits"),
            drain_timeout=options.get("drain_timeout", DRAIN_TIMEOUT),
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
            _intercept_connection(here, around)
            join(here._shell, there._shell)
            return cls(here, timeout=timeout)

        return Connecting(connected)
