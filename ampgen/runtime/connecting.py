"""``connect``: a connection, or several that are made again, and their options."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Protocol, TypedDict, TypeVar

from ampgen.runtime.addresses import parse_addresses
from ampgen.runtime.backoff import Reconnect
from ampgen.runtime.connection import DRAIN_TIMEOUT, Connection
from ampgen.runtime.dialling import dial_one, securing_of
from ampgen.runtime.interception import checked, intercepted_caller
from ampgen.runtime.keepalive import check_keepalive
from ampgen.runtime.lasting import LastingCaller, LastingConnection
from ampgen.runtime.link import dial_in_turn
from ampgen.runtime.services import Services
from ampgen.runtime.status import tell_status
from ampgen.runtime.wire import Limits

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Generator, Iterable
    from types import TracebackType

    from ampgen.runtime.addresses import Addresses, Tcp, Unix
    from ampgen.runtime.command import Timeout
    from ampgen.runtime.interception import Interceptor
    from ampgen.runtime.services import Service
    from ampgen.runtime.status import OnState

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
        where: securing_of(where, tls, starttls, server_hostname) for where in addresses
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
            intercept_connection(lasted, around)
            return lasted
        connection = await dial_in_turn(dial, list(addresses), connect_timeout)
        tell = on_state
        if tell is not None:
            tell_status(tell, connection.status)
            connection.add_close_callback(lambda it: tell_status(tell, it.status))
        return connection

    async def dial(where: Tcp | Unix, seconds: float | None) -> Connection:
        connection = Connection(
            services.handlers,
            limits=limits or Limits(),
            drain_timeout=drain_timeout,
            keepalive=keepalive,
        )
        intercept_connection(connection, around)
        try:
            await dial_one(where, connection._shell, seconds, securing[where])
        except BaseException:
            connection._shell.never_connected()
            raise
        return connection

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


def intercept_connection(
    connection: Connection, interceptors: tuple[Interceptor, ...]
) -> None:
    """Put them around all calls that are made on the connection."""
    if interceptors:
        connection.interceptors = interceptors
        connection._around = intercepted_caller(connection._caller, interceptors)
