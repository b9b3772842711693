"""A relay: what comes from one end goes to the other one, as it is and as it comes.

Each client that connects to the relay gets a connection of its own to the server behind
it. Bytes pass unchanged, both ways, and so does how either end ends: it sends no more,
or it breaks off. An end that does not read is waited for: meanwhile the other one is
not read, and no more than a few hundred KiB are held. Descriptors pass where both ends
are Unix sockets in the clear.

What passes is told to a ``Watcher``, after it has been passed on.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from ampgen.runtime.addresses import Tcp, format_address
from ampgen.runtime.listening import SocketFile
from ampgen.runtime.receiver import receiver_for
from ampgen.runtime.starttls import Answering
from ampgen.runtime.tlslayer import TlsLayer
from ampgen.runtime.unix import listen_unix
from ampgen.tools.proxy.pair import LAST_WORDS, Pair

if TYPE_CHECKING:
    import ssl
    from types import TracebackType
    from typing import Self

    from ampgen.runtime.addresses import Unix
    from ampgen.runtime.unix import UnixListener
    from ampgen.tools.proxy.pair import Watcher
    from ampgen.tools.proxy.upstream import Upstream


class Entrance(NamedTuple):
    """Where a relay listens. ``starttls``: TLS begins when the client asks for it."""

    where: Tcp | Unix
    tls: ssl.SSLContext | None = None
    starttls: bool = False


class Relay:
    """Enter it to listen; leaving it ends every connection.

    ``addresses`` are those that it listens on, once it does. What the system refuses
    is ``OSError``.
    """

    def __init__(
        self, entrance: Entrance, upstream: Upstream, watcher: Watcher
    ) -> None:
        self.addresses: list[str] = []
        self._upstream = upstream
        self._watcher = watcher
        self._closing = False
        self._entrance = entrance
        self._count = 0
        self._pairs: dict[asyncio.Future[None], Pair] = {}
        self._server: asyncio.Server | UnixListener | None = None
        self._file: SocketFile | None = None

    async def __aenter__(self) -> Self:
        where = self._entrance.where
        if isinstance(where, Tcp):
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                self._arrive, where.host, where.port
            )
        else:
            self._file = SocketFile(where.path)
            self._server = listen_unix(self._file.listen(), self._arrive)
        self.addresses = [
            format_address(sock.getsockname()) for sock in self._server.sockets
        ]
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._closing = True
        if self._file is not None:
            self._file.remove()
        if self._server is not None:
            self._server.close()
        for pair in list(self._pairs.values()):
            pair.close()
        if self._pairs:
            await asyncio.wait(list(self._pairs), timeout=LAST_WORDS)
        for pair in list(self._pairs.values()):
            pair.abort()
        if self._pairs:
            await asyncio.wait(list(self._pairs))

    def _arrive(self) -> asyncio.BaseProtocol:
        self._count += 1
        pair = Pair(
            self._count, self._upstream, self._watcher, wanted=not self._closing
        )
        self._pairs[pair.done] = pair
        pair.done.add_done_callback(self._pairs.pop)
        _where, tls, starttls = self._entrance
        if tls is None:
            return receiver_for(pair.client)
        layer = TlsLayer(
            pair.client,
            tls,
            server_side=True,
            established=pair.client.connection_made,
            settled=pair.settled,
            preamble=Answering(pair.client.limits.box) if starttls else None,
        )
        pair.layer = layer
        return receiver_for(layer)
