"""TLS between a transport and the shell that speaks AMP.

To the transport below it is what a shell is, to the shell above it is a transport. It
stands in the place of asyncio's own layer because that one sends no alert when a
handshake fails, so that the other end never hears why; tells the accepting end nothing
of such a failure; drops what is unsent if the peer still talks while it closes; and
holds 256 KiB for each connection.

TLS knows no half-close here: when the peer ends its side, both sides end.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Any

from ampgen.runtime.addresses import format_address
from ampgen.runtime.errors import TlsError
from ampgen.runtime.tls import NO_TLS, explain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Protocol

    from ampgen.runtime.receiver import Shell

    class Preamble(Protocol):
        """What is said in the clear before TLS begins.

        ``later``: what is to be sent as soon as it has.
        """

        later: bytes

        def begin(self) -> bytes:
            """What to send at first."""
            ...

        def receive(self, data: bytes) -> tuple[bytes, bool]:
            """What to send, and whether TLS begins behind it.

            Raises ``TlsError`` with the reason why it never will.
            """
            ...


logger = logging.getLogger("ampgen")

HANDSHAKE_TIMEOUT = 10.0  # seconds until TLS is there, a `StartTLS` before it included
SHUTDOWN_TIMEOUT = 5.0  # seconds that the peer has to close, once all has been sent
_LINGER = 1.0  # seconds that the peer has to read why the handshake failed
_RECORD = 16 * 1024  # as much as one record of TLS holds
# An alert, unexpected message: to who speaks no TLS OpenSSL says nothing
_NO_TLS_HERE = b"\x15\x03\x01\x00\x02\x02\x0a"
_HANDSHAKES = (0x15, 0x16)  # the first byte of an alert, and of a handshake


class _State(Enum):
    PREAMBLE = 0
    HANDSHAKE = 1
    OPEN = 2
    CLOSING = 3  # all is encrypted and handed down; what comes is dropped
    FAILED = 4  # before it was open
    GONE = 5


class TlsLayer(asyncio.Transport):
    """One end of TLS on one connection.

    ``established`` is called with this as soon as there is TLS; ``settled`` either
    right after it, or, with the reason, when the connection is gone without.
    ``unnoticed``: it is gone, and nothing is wrong with that: the peer never said a
    thing, or this end closed.
    """

    __slots__ = (
        "_established",
        "_heard",
        "_host",
        "_incoming",
        "_later",
        "_loop",
        "_outgoing",
        "_plain",
        "_preamble",
        "_reason",
        "_settled",
        "_shell",
        "_state",
        "_timeout",
        "_timer",
        "_tls",
        "unnoticed",
    )

    def __init__(
        self,
        shell: Shell,
        context: ssl.SSLContext,
        *,
        server_side: bool,
        established: Callable[[asyncio.Transport], None],
        settled: Callable[[TlsLayer, TlsError | None], None],
        host: str | None = None,
        preamble: Preamble | None = None,
        timeout: float | None = HANDSHAKE_TIMEOUT,
    ) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._shell = shell
        self._established = established
        self._settled = settled
        self._host = host
        self._preamble = preamble
        self._timeout = timeout
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming,
            self._outgoing,
            server_side=server_side,
            server_hostname=host,
        )
        self._later = bytearray()  # waits for a handshake
        self._state = _State.HANDSHAKE if preamble is None else _State.PREAMBLE
        self._heard = False  # has the peer said anything, in this state?
        self._reason: TlsError | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.unnoticed = False

    # --- from the transport below -----------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._plain = transport
        if self._timeout is not None:
            self._timer = self._loop.call_later(self._timeout, self._too_slow)
        if self._preamble is None:
            self._shake_hands()
        else:
            self._plain.write(self._preamble.begin())

    def data_received(self, data: bytes) -> None:
        if self._state is _State.OPEN:
            self._incoming.write(data)
            self._read()
        elif self._state is _State.HANDSHAKE:
            if not self._heard and data[0] not in _HANDSHAKES:
                self._reason = self._error(NO_TLS)
            self._heard = True
            self._incoming.write(data)
            self._shake_hands()
        elif self._preamble is not None:
            self._heard = True
            self._receive_preamble(self._preamble, data)

    def eof_received(self) -> None:
        if self._state is _State.OPEN:
            if not self._heard and not self._tls.server_side:
                self._reason = self._error(
                    "the peer closed the connection right behind the handshake, and"
                    " does not say why: it may want a certificate of this end"
                )
                self._plain.abort()
            else:
                self._end()
        elif self._state in (_State.PREAMBLE, _State.HANDSHAKE):
            self.unnoticed = not self._heard and self._tls.server_side
            self._fail(self._closed_early())
            self._plain.close()  # nobody reads last words
        else:
            self._plain.close()

    def pause_writing(self) -> None:
        if self._state is _State.OPEN:
            self._shell.pause_writing()

    def resume_writing(self) -> None:
        if self._state is _State.OPEN:
            self._shell.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        before, self._state = self._state, _State.GONE
        self._stop_timer()
        if before in (_State.PREAMBLE, _State.HANDSHAKE):
            self._reason = self._reason or self._error(
                "the connection is closed" if exc is None else str(exc)
            )
            before = _State.FAILED
        self._shell.connection_lost(self._reason or exc)
        if before is _State.FAILED:
            self._settled(self, self._reason)

    # --- until there is TLS -----------------------------------------------------------

    def _receive_preamble(self, preamble: Preamble, data: bytes) -> None:
        try:
            reply, done = preamble.receive(data)
        except TlsError as error:
            self._fail(str(error))
            return
        self._plain.write(reply)
        if done:
            self._later += preamble.later
            self._preamble = None
            self._state = _State.HANDSHAKE
            self._heard = False
            self._shake_hands()

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._send()
        except ssl.SSLError as error:
            if self._reason is not None and self._tls.server_side:
                self._plain.write(_NO_TLS_HERE)
            self._send()  # an alert
            self._fail(explain(error, self._host), error)
        else:
            self._stop_timer()
            self._state = _State.OPEN
            self._heard = False
            self._reason = None
            self._send()
            self._push()
            self._established(self)
            self._settled(self, None)
            if self._state is _State.OPEN:
                self._read()

    def _too_slow(self) -> None:
        self._reason = self._error(f"no handshake within {self._timeout:g} s")
        self._plain.abort()

    def _closed_early(self) -> str:
        if self._state is _State.PREAMBLE:
            return "the peer closed the connection before TLS began"
        if self._heard:
            return (
                "the peer closed the connection in the handshake, and does not say why:"
                " it may not accept this end's certificate, or want one"
            )
        return f"the peer closed the connection: {NO_TLS}, or it is not willing to"

    def _fail(self, reason: str, cause: ssl.SSLError | None = None) -> None:
        """There will be no TLS. The peer has a moment to read the last words."""
        self._stop_timer()
        self._preamble = None
        self._state = _State.FAILED
        if self._reason is None:
            self._reason = self._error(reason, cause)
        self._timer = self._loop.call_later(_LINGER, self._plain.abort)
        # A server that closed now, with a request unread, would make the peer's system
        # throw away the alert.
        if not self._tls.server_side or not self._end_writing():
            self._plain.close()

    def _end_writing(self) -> bool:
        """Tell the peer's system that no more comes; false where that cannot be."""
        if not self._plain.can_write_eof():
            return False
        with suppress(OSError):  # the peer is gone
            self._plain.write_eof()
        return True

    def _error(self, reason: str, cause: Exception | None = None) -> TlsError:
        name = self._plain.get_extra_info("peername")
        peer = format_address(name or self._plain.get_extra_info("sockname"))
        error = TlsError(f"no TLS with {peer}: {reason}" if peer else reason)
        error.__cause__ = cause
        return error

    # --- while there is ---------------------------------------------------------------

    def _read(self) -> None:
        pieces: list[bytes] = []
        ended = False
        broken: ssl.SSLError | None = None
        try:
            while piece := self._tls.read(_RECORD):
                pieces.append(piece)
            ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            broken = error
            self._state = _State.CLOSING  # OpenSSL encrypts nothing any more
        self._send()  # what TLS itself has to say
        if self._later and broken is None:
            self._push()
        if pieces:
            self._heard = True
            self._shell.data_received(b"".join(pieces))
        if broken is not None:
            self._break(broken)
        elif ended:
            self._end()

    def _end(self) -> None:
        """The peer has ended its side, and so this one ends."""
        self._shell.eof_received()  # what is finished leaves
        self.close()
        self._plain.close()

    def _break(self, cause: ssl.SSLError) -> None:
        self._reason = self._error(explain(cause, self._host), cause)
        self._state = _State.CLOSING
        self._plain.close()
        self._timer = self._loop.call_later(_LINGER, self._plain.abort)

    def _push(self) -> None:
        """Encrypt what waits, as far as it goes."""
        try:
            while self._later:
                del self._later[: self._tls.write(self._later)]
        except ssl.SSLWantReadError:  # the peer begins a second handshake
            pass
        self._send()

    def _send(self) -> None:
        if self._outgoing.pending:
            self._plain.write(self._outgoing.read())

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- what the shell above asks for ------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``ssl_object``, once there is TLS, and what the transport below knows."""
        if name == "ssl_object":
            return default if self._tls.version() is None else self._tls
        return self._plain.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if not self.is_closing():
            self._later += data
            if self._state is _State.OPEN:
                self._push()

    def writelines(
        self, list_of_data: Iterable[bytes | bytearray | memoryview[Any]]
    ) -> None:
        self.write(b"".join(list_of_data))

    def get_write_buffer_size(self) -> int:
        return len(self._later) + self._plain.get_write_buffer_size()

    def can_write_eof(self) -> bool:
        return False

    def is_closing(self) -> bool:
        return self._state in (_State.CLOSING, _State.FAILED, _State.GONE)

    def pause_reading(self) -> None:
        self._plain.pause_reading()

    def resume_reading(self) -> None:
        self._plain.resume_reading()

    def close(self) -> None:
        """Say goodbye behind what was written, and wait for the peer to close.

        Not waiting would lose what the peer has not read yet: a system that closes with
        something unread, be it of TLS's own, drops the connection.
        """
        if self._state is not _State.OPEN:
            if not self.is_closing():
                self.abort()
            return
        self._state = _State.CLOSING
        with suppress(ssl.SSLError):  # it wants to read the peer's goodbye
            self._tls.unwrap()
        self._send()
        self._end_writing()
        self._plain.resume_reading()
        self._timer = self._loop.call_later(SHUTDOWN_TIMEOUT, self._unanswered)

    def _unanswered(self) -> None:
        """The peer does not close. As long as it still takes bytes, the shell waits."""
        if self._plain.get_write_buffer_size():
            self._timer = self._loop.call_later(SHUTDOWN_TIMEOUT, self._unanswered)
        else:
            self._plain.abort()

    def abort(self) -> None:
        if self._state in (_State.PREAMBLE, _State.HANDSHAKE):
            self.unnoticed = True
            self._reason = self._error("this end closed the connection")
            self._state = _State.FAILED
        elif self._state is _State.OPEN:
            self._state = _State.CLOSING
        self._plain.abort()
