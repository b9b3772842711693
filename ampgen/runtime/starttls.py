"""AMP's own ``StartTLS``: what is said in the clear before TLS begins.

The TCP client asks, the server answers, and TLS starts right behind the answer. Nothing
that comes in the clear is ever taken for something that came through TLS: an end that
sends bytes behind its last words in the clear is cut off.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ampgen.runtime.answers import Failure, write_error
from ampgen.runtime.command import Handler, raw_command
from ampgen.runtime.errors import Malformed, TlsError, Unavailable
from ampgen.runtime.serving import current
from ampgen.runtime.wire import SIZE, BoxParser, write_box

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from typing import TypeAlias

    from ampgen.runtime.shell import Shell
    from ampgen.runtime.tlslayer import TlsLayer

    Established: TypeAlias = Callable[[asyncio.Transport], None]

logger = logging.getLogger("ampgen")

STARTTLS = b"StartTLS"
_TAG = b"0"  # what is asked through TLS counts from 1
_REFUSALS = 64 * 1024  # bytes that they may take
_BEHIND = "bytes in the clear behind StartTLS: somebody may have put them there"
_REQUIRED = Failure(
    b"TLS_REQUIRED", "nothing is answered in the clear: begin with StartTLS"
)


class _Preamble:
    """One box after the other, each bounded."""

    def __init__(self, limit: int) -> None:
        self.later = b""
        self._complained = False
        self._refused = 0  # bytes of refusals
        self._limit = limit
        self._parser = BoxParser(limit)

    def receive(self, data: bytes) -> tuple[bytes, bool]:
        replies: list[bytes] = []
        at = 0
        while at < len(data):
            try:
                at = self._parser.feed(data, at)
            except Malformed as fault:
                raise TlsError(f"the peer broke the protocol: {fault.rule}") from None
            if self._parser.done:
                box = self._parser.box
                self._parser = BoxParser(self._limit)
                reply, done = self._receive_box(box)
                if done and at < len(data):
                    raise TlsError(_BEHIND)
                replies.append(reply)
                if done:
                    return b"".join(replies), True
        return b"".join(replies), False

    def _receive_box(self, box: dict[bytes, bytes]) -> tuple[bytes, bool]:
        raise NotImplementedError

    def _refuse(self, box: dict[bytes, bytes]) -> bytes:
        """The answer to a request that has to wait for TLS."""
        name = box.get(b"_command")
        if name is None or b"_answer" in box or b"_error" in box:
            raise TlsError("the peer broke the protocol: a box that nobody asked for")
        tag = box.get(b"_ask")
        if tag is None:
            if not self._complained:
                self._complained = True
                logger.warning("dropped %.200r: it came before StartTLS", name)
            return b""
        refusal = write_error(SIZE[len(tag)] + tag, _REQUIRED)
        self._refused += len(refusal)
        if self._refused > _REFUSALS:
            raise TlsError("the peer asks too much before StartTLS")
        return refusal


class Answering(_Preamble):
    """At a server that serves nothing in the clear."""

    def begin(self) -> bytes:
        return b""

    def _receive_box(self, box: dict[bytes, bytes]) -> tuple[bytes, bool]:
        tag = box.get(b"_ask")
        if box.get(b"_command") != STARTTLS or tag is None:
            return self._refuse(box), False
        return write_box({b"_answer": tag}), True


class Asking(_Preamble):
    """At a client. What the server asks meanwhile is refused, through TLS: the server
    may have begun it already.
    """

    def begin(self) -> bytes:
        return write_box({b"_ask": _TAG, b"_command": STARTTLS})

    def _receive_box(self, box: dict[bytes, bytes]) -> tuple[bytes, bool]:
        if box.get(b"_answer") == _TAG:
            return b"", True
        if b"_answer" not in box and box.get(b"_error") == _TAG:
            code = box.get(b"_error_code", b"").decode("utf-8", "replace")
            text = box.get(b"_error_description", b"").decode("utf-8", "replace")
            raise TlsError(f"the server refuses StartTLS: {code:.100}: {text:.1024}")
        self.later += self._refuse(box)
        return b"", False


# --- at a server that serves in the clear, too ----------------------------------------


def handler_of(secure: Callable[[Shell, Established], TlsLayer]) -> Handler:
    """What answers ``StartTLS`` between other calls.

    ``secure(shell, established)`` makes the layer that the connection is to have.
    """

    def start(_box: object) -> dict[bytes, bytes]:
        shell: Shell = current.get().host
        protocol = shell.protocol
        if shell.transport.get_extra_info("ssl_object") is not None:
            raise Unavailable("TLS has begun already")
        if (
            protocol.in_flight > 1
            or protocol.calls
            or protocol.sending
            or protocol.blocked
        ):
            raise Unavailable("StartTLS has to wait until no call is in flight")
        if current.get().tag is None:
            raise Unavailable("StartTLS wants an answer")
        # nothing is read, nor sent, until there is TLS
        protocol.blocked = True
        shell.loop.call_soon(switch, shell)
        return {}

    def switch(shell: Shell) -> None:
        plain = shell.transport
        if shell.protocol.holds:
            logger.warning("%s: closed: %s", shell.peer_address, _BEHIND)
            plain.abort()
        elif not plain.is_closing():
            # somebody on the way may have proven to be somebody, for what comes now
            shell.connection.identity = None
            layer = secure(shell, lambda _layer: shell.resume_writing())
            shell.transport = layer
            receiver: Any = plain.get_protocol()
            receiver.pass_to(layer)
            layer.connection_made(plain)
            plain.resume_reading()

    return Handler(raw_command(STARTTLS), start, 1)
