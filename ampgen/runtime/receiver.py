"""asyncio's callbacks, handed to the shell, and the buffer that all read into."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ampgen.runtime.descriptors import close_all

if TYPE_CHECKING:
    from typing import Protocol

    class Shell(Protocol):
        """Who acts on what a transport reports."""

        def connection_made(self, transport: asyncio.Transport) -> None: ...
        def data_received(self, data: bytes) -> None: ...
        def eof_received(self) -> None: ...
        def pause_writing(self) -> None: ...
        def resume_writing(self) -> None: ...
        def connection_lost(self, exc: Exception | None) -> None: ...

    class DescriptorShell(Shell, Protocol):
        """One that takes descriptors as well: it owns them from then on."""

        def descriptors_received(self, fds: list[int]) -> None: ...


_RECEIVE = 256 * 1024  # as much as asyncio itself reads at once

_buffers: WeakKeyDictionary[asyncio.AbstractEventLoop, memoryview] = WeakKeyDictionary()


class _Receiver(asyncio.BaseProtocol):
    __slots__ = ("_shell",)

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def pass_to(self, shell: Shell) -> None:
        """From now on another one hears of it all."""
        self._shell = shell

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._shell.connection_made(transport)  # type: ignore[arg-type]

    def descriptors_received(self, fds: list[int]) -> None:
        """Those beside the bytes that come next. Who knows nothing of them wants none.

        They come over Unix sockets, unasked.
        """
        take = getattr(self._shell, "descriptors_received", close_all)
        take(fds)

    def data_received(self, data: bytes) -> None:
        self._shell.data_received(data)

    def eof_received(self) -> bool:
        self._shell.eof_received()
        return True  # the shell closes, once the answers are out

    def pause_writing(self) -> None:
        self._shell.pause_writing()

    def resume_writing(self) -> None:
        self._shell.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._shell.connection_lost(exc)


class BufferedReceiver(_Receiver, asyncio.BufferedProtocol):
    """Reads into the one buffer of its loop: emptied before anybody else reads."""

    __slots__ = ("_view",)

    def __init__(self, shell: Shell) -> None:
        super().__init__(shell)
        loop = asyncio.get_running_loop()
        view = _buffers.get(loop)
        if view is None:
            view = _buffers[loop] = memoryview(bytearray(_RECEIVE))
        self._view = view

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  # asyncio's name
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        self._shell.data_received(bytes(self._view[:nbytes]))


class PlainReceiver(_Receiver, asyncio.Protocol):
    """For a loop that holds a buffer while it waits: two must not share one."""

    __slots__ = ()


def receiver_for(shell: Shell) -> BufferedReceiver | PlainReceiver:
    if hasattr(asyncio.get_running_loop(), "_proactor"):  # Windows
        return PlainReceiver(shell)
    return BufferedReceiver(shell)
