"""A transport for Unix sockets that takes descriptors along with the bytes.

asyncio's own has no way to send or receive any. This one does else what that does, on
any loop that has ``add_reader`` and ``add_writer``.
"""

from __future__ import annotations

import array
import asyncio
import errno
import logging
import os
import socket
import warnings
from asyncio.trsock import TransportSocket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ampgen.runtime.addresses import name_path
from ampgen.runtime.descriptors import Attached, close_all

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger("ampgen")

_HIGH_WATER = 64 * 1024  # bytes not sent yet, as asyncio's own transports
_MOST_BATCHES = 64  # boxes with descriptors not sent yet, as in Twisted

_BACKLOG = 100  # connections that wait to be accepted, as asyncio
_REST = 1.0  # seconds without accepting when there are no descriptors left, as asyncio
_KNOCK = 0.01  # seconds until the next try where the server's backlog is full

# For as many as a message may have, on Linux 253, and their head: CMSG_SPACE, which not
# every system has.
_ROOM = 256 * array.array("i").itemsize + 64
_CLOEXEC = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))  # plain ints: flags are slow
_LOST = int(getattr(socket, "MSG_CTRUNC", 0))

# Measured: more costs a system call's time to get memory for, each time.
_RECEIVE = 64 * 1024


class UnixTransport(asyncio.Transport):
    """One connection over a Unix socket.

    Its protocol is called as by asyncio, and its ``descriptors_received(fds)`` before
    the bytes beside which they came; it owns them.
    """

    __slots__ = (
        "_attached",
        "_blocked",
        "_closing",
        "_ended",
        "_eof",
        "_fileno",
        "_high",
        "_loop",
        "_lost",
        "_low",
        "_protocol",
        "_reading",
        "_socket",
        "_unsent",
        "_writing",
    )

    _protocol: Any  # asyncio's `Protocol`, and perhaps `descriptors_received`

    def __init__(self, sock: socket.socket, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._fileno = sock.fileno()
        self._protocol = protocol
        self._unsent = bytearray()
        self._attached: Attached | None = None
        self._blocked = False  # and the protocol has been told
        self._writing = False  # a writer waits at the loop
        self._reading = False
        self._closing = False
        self._lost = False
        self._ended = False  # the peer has
        self._eof = False  # nothing is written any more
        self.set_write_buffer_limits()
        protocol.connection_made(self)
        self.resume_reading()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``socket``, ``sockname``, ``peername``."""
        try:
            if name == "socket":
                return TransportSocket(self._socket)
            if name == "sockname":
                return self._socket.getsockname()
            if name == "peername":
                return self._socket.getpeername()
        except OSError:
            pass
        return default

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    # --- in ---------------------------------------------------------------------------

    def is_reading(self) -> bool:
        return self._reading

    def pause_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._fileno)

    def resume_reading(self) -> None:
        if not (self._reading or self._closing or self._ended):
            self._reading = True
            self._loop.add_reader(self._fileno, self._read)

    def _read(self) -> None:
        try:
            data, ancillary, flags, _address = self._socket.recvmsg(
                _RECEIVE, _ROOM, _CLOEXEC
            )
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._break(error)
            return
        try:
            if ancillary:
                self._take(ancillary)
            if flags & _LOST:
                # the system had no room for them in this process, or we had none
                self._break(OSError(errno.EMFILE, "descriptors were lost on the way"))
            elif data:
                self._protocol.data_received(data)
            else:
                self._end()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fail(error)

    def _take(self, ancillary: list[tuple[int, int, bytes]]) -> None:
        fds = array.array("i")
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(data[: len(data) - len(data) % fds.itemsize])
        if not fds:
            return
        if not _CLOEXEC:
            for fd in fds:
                os.set_inheritable(fd, False)
        self._protocol.descriptors_received(fds.tolist())

    def _end(self) -> None:
        """The peer sends no more."""
        self._ended = True
        self.pause_reading()
        if not self._protocol.eof_received():
            self.close()

    # --- out --------------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        if self._eof:
            raise RuntimeError("write() after write_eof()")
        if self._closing or not data:
            return
        if not self._unsent and not self._attached:
            try:
                count = self._socket.send(data)
            except (BlockingIOError, InterruptedError):
                count = 0
            except OSError as error:
                self._break(error)
                return
            if count == len(data):
                return
            self._unsent += memoryview(data)[count:]
        else:
            self._unsent += data
            if not self._writing:  # descriptors have waited for it
                self._send()
        self._wait()

    def send_descriptors(self, fds: list[int]) -> None:
        """Send these beside the next byte that is written, and close them."""
        if self._closing or self._eof:
            close_all(fds)
            return
        if self._attached is None:
            self._attached = Attached()
        self._attached.add(len(self._unsent), fds)

    def _send(self) -> None:
        """As much as the system takes."""
        try:
            while self._unsent:
                count = self._send_some()
                del self._unsent[:count]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            self._break(error)

    def _send_some(self) -> int:
        if not self._attached:
            return self._socket.send(self._unsent)
        fds, end = self._attached.next(len(self._unsent))
        with memoryview(self._unsent) as view, view[:end] as piece:
            if fds:
                rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))
                count = self._socket.sendmsg((piece,), (rights,))
            else:
                count = self._socket.send(piece)
        close_all(self._attached.sent(count))
        return count

    def _wait(self) -> None:
        """For the peer to take what is left; and the protocol, if that is much."""
        if self._unsent and not self._writing:
            self._writing = True
            self._loop.add_writer(self._fileno, self._write_ready)
        if not self._blocked and self._much(self._high):
            self._blocked = True
            self._protocol.pause_writing()

    def _much(self, limit: int) -> bool:
        batches = 0 if self._attached is None else len(self._attached)
        return len(self._unsent) > limit or batches > _MOST_BATCHES

    def _write_ready(self) -> None:
        self._send()
        if self._lost:
            return
        if not self._unsent:
            self._stop_writing()
            if self._closing:
                self._lose(None)
                return
            if self._eof:
                self._shut()
        if self._blocked and not self._much(self._low):
            self._blocked = False
            self._protocol.resume_writing()

    def _stop_writing(self) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(self._fileno)

    def get_write_buffer_size(self) -> int:
        return len(self._unsent)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._low, self._high

    def set_write_buffer_limits(
        self, high: int | None = None, low: int | None = None
    ) -> None:
        """Between the two the protocol stays as it is, paused or not."""
        if high is None:
            high = _HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high = high
        self._low = low

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        """Send no more, once all is out; go on reading."""
        if self._closing or self._eof:
            return
        self._eof = True
        if not self._unsent:
            self._shut()

    def _shut(self) -> None:
        with suppress(OSError):  # the peer has ended: reading tells
            self._socket.shutdown(socket.SHUT_WR)

    # --- the end ----------------------------------------------------------------------

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        """Read no more, and end once all is out."""
        if self._closing:
            return
        self.pause_reading()
        self._closing = True
        if not self._unsent:
            self._lose(None)

    def abort(self) -> None:
        self._lose(None)

    def _break(self, error: OSError) -> None:
        """The connection has ended by itself."""
        logger.debug("a Unix socket failed: %s", error)
        self._lose(error)

    def _fail(self, error: BaseException) -> None:
        self._loop.call_exception_handler(
            {
                "message": "the protocol failed: its connection is closed",
                "exception": error,
                "transport": self,
                "protocol": self._protocol,
            }
        )
        self._lose(error)

    def _lose(self, error: BaseException | None) -> None:
        if self._lost:
            return
        self.pause_reading()
        self._stop_writing()
        self._closing = self._lost = True
        self._unsent.clear()
        if self._attached is not None:
            self._attached.close()
        self._loop.call_soon(self._tell_lost, error)

    def _tell_lost(self, error: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._socket.close()

    def __del__(self) -> None:
        if not self._lost:
            warnings.warn(
                f"unclosed transport {self!r}",
                ResourceWarning,
                stacklevel=2,
                source=self,
            )
            if self._attached is not None:
                self._attached.close()
            self._socket.close()


async def connect_unix(
    path: str, protocol: Callable[[], asyncio.BaseProtocol]
) -> UnixTransport:
    """Connect to the socket at ``path``; what the system says is ``OSError``."""
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.setblocking(False)
        while True:
            try:
                sock.connect(path)
                break
            except BlockingIOError:  # the server is behind with accepting
                await asyncio.sleep(_KNOCK)
        return UnixTransport(sock, protocol())
    except BaseException:
        sock.close()
        raise


class UnixListener:
    """Accepts connections on a Unix socket, of which it is the owner."""

    def __init__(
        self, sock: socket.socket, protocol: Callable[[], asyncio.BaseProtocol]
    ) -> None:
        sock.setblocking(False)
        sock.listen(_BACKLOG)
        self.sockets = (sock,)
        self._socket = sock
        self._protocol = protocol
        self._loop = asyncio.get_running_loop()
        self._resting: asyncio.TimerHandle | None = None
        self._fileno = sock.fileno()
        self._listen()

    def close(self) -> None:
        """Accept no more; the connections stay."""
        if self._resting is not None:
            self._resting.cancel()
        if self._socket.fileno() != -1:
            self._loop.remove_reader(self._fileno)
            self._socket.close()

    def _listen(self) -> None:
        self._resting = None
        self._loop.add_reader(self._fileno, self._accept)

    def _accept(self) -> None:
        for _more in range(_BACKLOG):
            try:
                sock, _address = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_MORE:
                    raise
                logger.error("no connection is accepted for a while: %s", error)
                self._loop.remove_reader(self._fileno)
                self._resting = self._loop.call_later(_REST, self._listen)
                return
            sock.setblocking(False)
            UnixTransport(sock, self._protocol())


_NO_MORE = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


def listen_unix(
    where: str | socket.socket, protocol: Callable[[], asyncio.BaseProtocol]
) -> UnixListener:
    """Listen on a socket, or make one at ``where``; an ``OSError`` names the path."""
    if isinstance(where, socket.socket):
        return UnixListener(where, protocol)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.bind(where)
        return UnixListener(sock, protocol)
    except OSError as error:
        sock.close()
        name_path(error, where)
        raise
