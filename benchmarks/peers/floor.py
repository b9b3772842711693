"""The floor: asyncio moves the bytes of a small AMP call there and back, unread.

No RPC on asyncio's own loop can be faster in Python, one call at a time.
"""

from __future__ import annotations

import asyncio
from time import perf_counter

from benchmarks.contract import WrongAnswer
from benchmarks.peers.on_asyncio import AsyncioEndpoint, run

MESSAGE = (
    b"\x00\x04_ask\x00\x041f40\x00\x08_command\x00\x06Repeat"
    b"\x00\x04text\x00\x09text 0000\x00\x05times\x00\x012\x00\x00"
)
PATTERN = MESSAGE * 4096  # longer than one read


class Echo(asyncio.BufferedProtocol):
    _view = memoryview(bytearray(256 * 1024))

    def connection_made(self, transport) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        self._transport.write(bytes(self._view[:nbytes]))


class Caller(asyncio.BufferedProtocol):
    _view = memoryview(bytearray(256 * 1024))

    def connection_made(self, transport) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002
        return self._view

    async def pump(self, in_flight: int, seconds: float) -> int:
        self._done = asyncio.get_running_loop().create_future()
        self._until = perf_counter() + seconds
        self._outstanding = in_flight
        self._came = 0  # messages
        self._rest = 0  # bytes of the next one that are here
        self._transport.write(MESSAGE * in_flight)
        return await self._done

    def buffer_updated(self, nbytes: int) -> None:
        if self._view[:nbytes] != PATTERN[self._rest : self._rest + nbytes]:
            self._done.set_exception(WrongAnswer("other bytes came back"))
            return
        whole, self._rest = divmod(self._rest + nbytes, len(MESSAGE))
        self._came += whole
        self._outstanding -= whole
        if perf_counter() < self._until:
            self._outstanding += whole
            self._transport.write(MESSAGE * whole)
        elif not self._outstanding:
            self._done.set_result(self._came)

    async def close(self) -> None:
        self._transport.close()


class Endpoint(AsyncioEndpoint):
    async def connect(self) -> Caller:
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Caller, "127.0.0.1", self.port))[1]


class Served:
    def serve(self, announce) -> None:
        async def main() -> None:
            loop = asyncio.get_running_loop()
            server = await loop.create_server(Echo, "127.0.0.1", 0, backlog=1000)
            announce(server.sockets[0].getsockname()[1])
            await server.serve_forever()

        run(main())

    def call(self, port: int, session) -> None:
        run(session(Endpoint(port)))
