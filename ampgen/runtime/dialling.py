"""One connection is opened: a socket to an address, and TLS on it if there is to be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from ampgen.runtime.addresses import Tcp, name_path
from ampgen.runtime.errors import TlsError
from ampgen.runtime.racing import addresses_of, race
from ampgen.runtime.receiver import receiver_for
from ampgen.runtime.starttls import Asking
from ampgen.runtime.tls import check_context, check_host
from ampgen.runtime.tlslayer import TlsLayer
from ampgen.runtime.unix import connect_unix

if TYPE_CHECKING:
    import ssl

    from ampgen.runtime.addresses import Unix
    from ampgen.runtime.receiver import Shell
    from ampgen.runtime.shell import Shell as AmpShell


class Securing(NamedTuple):
    """How TLS begins, and whom the server's certificate has to be for."""

    context: ssl.SSLContext
    host: str | None
    ask: bool  # by `StartTLS`


def securing_of(
    where: Tcp | Unix,
    tls: ssl.SSLContext | None,
    starttls: ssl.SSLContext | None,
    host: str | None,
) -> Securing | None:
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
    check_host(context, host or None)
    return Securing(context, host or None, starttls is not None)


async def dial_one(
    where: Tcp | Unix, shell: AmpShell, seconds: float | None, securing: Securing | None
) -> None:
    """Connect a shell, within so many seconds; an ``OSError`` names the address."""
    loop = asyncio.get_running_loop()
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            if securing is None:
                await _open(loop, where, shell)
            else:
                await _open_secured(loop, where, shell, securing)
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
            name_path(error, where.path)
        elif error.strerror and str(where.port) not in str(error):
            error.filename = str(where)
        raise


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
    securing: Securing,
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
