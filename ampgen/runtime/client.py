"""The calling end: ``connect``, and the base of the generated clients."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import functools
from typing import (
    TYPE_CHECKING,
    Any,
    Generic,
    NamedTuple,
    Protocol,
    TypedDict,
    TypeVar,
    cast,
)

from ampgen.runtime.addresses import Tcp, parse_addresses
from ampgen.runtime.backoff import Reconnect
from ampgen.runtime.command import DEFAULT, Timeout
from ampgen.runtime.connection import DRAIN_TIMEOUT, Connection
from ampgen.runtime.errors import TlsError
from ampgen.runtime.interception import checked, intercepted_caller
from ampgen.runtime.keepalive import check_keepalive
from ampgen.runtime.lasting import LastingCaller, LastingConnection
from ampgen.runtime.link import dial_in_turn
from ampgen.runtime.local import join
from ampgen.runtime.racing import addresses_of, race
from ampgen.runtime.receiver import receiver_for
from ampgen.runtime.services import Services
from ampgen.runtime.starttls import Asking
from ampgen.runtime.streaming import StreamCall
from ampgen.runtime.streams import Stream
from ampgen.runtime.tls import check_context
from ampgen.runtime.tlslayer import TlsLayer
from ampgen.runtime.unix import connect_unix
from ampgen.runtime.wire import Limits

if TYPE_CHECKING:
    import ssl
    from collections.abc import (
        AsyncIterable,
        Awaitable,
        Callable,
        Generator,
        Iterable,
        Mapping,
    )
    from types import TracebackType
    from typing import Self, Unpack

    from ampgen.runtime.addresses import Addresses, Unix
    from ampgen.runtime.command import AnyCommand, Command
    from ampgen.runtime.connection import Caller
    from ampgen.runtime.interception import Interceptor
    from ampgen.runtime.lasting import OnState
    from ampgen.runtime.receiver import Shell
    from ampgen.runtime.services import Server, Service
    from ampgen.runtime.shell import Shell as AmpShell
    from ampgen.runtime.streaming import Received

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
    """What ``connect`` takes, but for what is served.

    ``connect_timeout``: seconds; ``None`` for as long as the system takes.
    ``reconnect``: connect again when the connection ends, ``True`` for the usual way.
    ``pool``: how many connections calls are spread over. ``keepalive``: seconds of
    silence after which the peer is asked for a sign of life. ``on_state`` is called
    with each new ``ConnectionStatus``. ``tls``, ``starttls``, ``server_hostname``: see
    ``ampgen.runtime.connect``.
    """

    connect_timeout: float | None
    reconnect: Reconnect | bool | None
    pool: int
    keepalive: float | None
    on_state: OnState | None
    tls: ssl.SSLContext | None
    starttls: ssl.SSLContext | None
    server_hostname: str | None


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
    address: Addresses,
    *,
    serve: Iterable[Service] = (),
    connect_timeout: float | None = CONNECT_TIMEOUT,
    limits: Limits | None = None,
    drain_timeout: float = DRAIN_TIMEOUT,
    reconnect: Reconnect | bool | None = None,
    pool: int = 1,
    keepalive: float | None = None,
    on_state: OnState | None = None,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    server_hostname: str | None = None,
    interceptors: Iterable[Interceptor] = (),
) -> Connecting[Connection]:
    """Connect to a peer; ``serve`` is what this end answers meanwhile.

    Of several addresses each is tried in turn. ``reconnect`` makes a connection that
    is made again when it ends; it goes without saying for a ``pool`` of several.
    ``interceptors`` are around all calls that are made on the connection. For the other
    options see ``ConnectOptions``.

    ``tls``: the connection begins with TLS (``client_tls`` makes a context).
    ``starttls``: TLS begins when the server has answered ``StartTLS``, and nothing is
    called or served before. ``server_hostname``: whom the server's certificate has to
    be for, if that is not the host in the address.

    Raises ``TimeoutError`` after ``connect_timeout`` seconds, else what the system says
    (``OSError``), or ``TlsError``, which is one too; ``ValueError`` for what is no
    address.
    """
    addresses = parse_addresses(address)
    securing = {
        where: _securing(where, tls, starttls, server_hostname) for where in addresses
    }
    services = Services(serve)
    check_keepalive(keepalive)
    lasting = _lasting(reconnect, pool)
    around = checked(interceptors)

    async def connected() -> Connection:
        if lasting is not None:
            caller = LastingCaller(
                dial,
                addresses,
                lasting,
                pool=pool,
                connect_timeout=connect_timeout,
                on_state=on_state,
            )
            await caller.open()
            lasted = LastingConnection(caller)
            _intercept_connection(lasted, around)
            return lasted
        connection = await dial_in_turn(dial, list(addresses), connect_timeout)
        tell = on_state
        if tell is not None:
            tell(connection.status)
            connection.add_close_callback(lambda closed: tell(closed.status))
        return connection

    async def dial(where: Tcp | Unix, seconds: float | None) -> Connection:
        connection = Connection(
            services.handlers,
            limits=limits or Limits(),
            drain_timeout=drain_timeout,
            keepalive=keepalive,
        )
        _intercept_connection(connection, around)
        try:
            await open_(connection, where, seconds)
        except BaseException:
            connection._shell.never_connected()
            raise
        return connection

    async def open_(
        connection: Connection, where: Tcp | Unix, seconds: float | None
    ) -> None:
        loop = asyncio.get_running_loop()
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                secured = securing[where]
                if secured is None:
                    await _open(loop, where, connection._shell)
                else:
                    await _open_secured(loop, where, connection._shell, secured)
        except TlsError:
            raise
        except TimeoutError:
            if limit.expired():
                reason = f"no connection to {where} within {seconds:g} s"
                raise TimeoutError(reason) from None
            raise  # what the system says
        except OSError as error:
            # asyncio names a TCP peer, uvloop none, and nobody a socket file
            if not isinstance(where, Tcp):
                error.filename = where.path
            elif error.strerror and str(where.port) not in str(error):
                error.filename = str(where)
            raise

    return Connecting(connected)


def _lasting(reconnect: Reconnect | bool | None, pool: int) -> Reconnect | None:
    """How to stay connected, if at all; says what is wrong with the two options."""
    if isinstance(pool, bool) or not isinstance(pool, int) or pool < 1:  # pyright: ignore[reportUnnecessaryIsInstance]  # not all programs are typed
        raise ValueError(f"pool is how many connections: 1 or more, not {pool!r}")
    if reconnect is None:
        reconnect = pool > 1
    if isinstance(reconnect, Reconnect):
        return reconnect
    if not isinstance(reconnect, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        kind = type(reconnect).__qualname__
        raise TypeError(f"reconnect is a Reconnect(...), True or False, not a {kind}")
    if not reconnect and pool > 1:
        raise ValueError("a pool of several connections needs reconnect=")
    return Reconnect() if reconnect else None


class _Securing(NamedTuple):
    context: ssl.SSLContext
    host: str | None
    ask: bool  # by `StartTLS`


def _securing(
    where: Tcp | Unix,
    tls: ssl.SSLContext | None,
    starttls: ssl.SSLContext | None,
    host: str | None,
) -> _Securing | None:
    """What TLS there is to be, if any; ``ValueError`` for what does not fit."""
    if tls is not None and starttls is not None:
        raise ValueError("tls= and starttls=: one of them, TLS begins only once")
    option, context = ("tls", tls) if starttls is None else ("starttls", starttls)
    if context is None:
        if host is not None:
            raise ValueError("server_hostname= without tls= or starttls=")
        return None
    check_context(context, option, server_side=False)
    if host is None and isinstance(where, Tcp):
        host = where.host
    if not host and context.check_hostname:
        raise ValueError(
            "server_hostname= is missing: the address names no host that the server's"
            " certificate could be for"
        )
    return _Securing(context, host or None, starttls is not None)


async def _open(
    loop: asyncio.AbstractEventLoop, where: Tcp | Unix, lower: Shell
) -> None:
    def factory() -> asyncio.BaseProtocol:
        return receiver_for(lower)

    if isinstance(where, Tcp):
        several = await addresses_of(where.host, where.port)
        if len(several) > 1:
            sock = await race(where.host, several)
            await loop.create_connection(factory, sock=sock)
        else:
            await loop.create_connection(factory, where.host, where.port)
    else:
        await connect_unix(where.path, factory)


async def _open_secured(
    loop: asyncio.AbstractEventLoop,
    where: Tcp | Unix,
    shell: AmpShell,
    securing: _Securing,
) -> None:
    def settle(_layer: TlsLayer, error: TlsError | None) -> None:
        if settled.done():  # nobody waits any more
            return
        if error is None:
            settled.set_result(None)
        else:
            settled.set_exception(error)

    settled: asyncio.Future[None] = loop.create_future()
    layer = TlsLayer(
        shell,
        securing.context,
        server_side=False,
        established=shell.connection_made,
        settled=settle,
        host=securing.host,
        preamble=Asking(shell.limits.box) if securing.ask else None,
        timeout=None,  # whoever connects has one for it all
    )
    try:
        await _open(loop, where, layer)
        try:
            await settled
        except asyncio.CancelledError:
            layer.abort()
            raise
    finally:
        settled.cancel()


def _intercept_connection(
    connection: Connection, interceptors: tuple[Interceptor, ...]
) -> None:
    if interceptors:
        connection.interceptors = interceptors
        connection._around = intercepted_caller(connection._caller, interceptors)


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
            _intercept_connection(here, around)
            join(here._shell, there._shell)
            return cls(here, timeout=timeout)

        return Connecting(connected)
