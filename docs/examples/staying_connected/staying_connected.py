"""A client that outlives its server."""

import asyncio

from ampgen.runtime import (
    ConnectionState,
    ConnectionStatus,
    DeadlineExceeded,
    Reconnect,
    serve,
)
from textpkg.repeat import RepeaterClient, RepeaterServer, RepeatResult


class Repeater(RepeaterServer):
    async def repeat(self, text: str, times: int) -> RepeatResult:
        return RepeatResult(text=text * times)


def show(status: ConnectionStatus) -> None:
    if status.state is ConnectionState.CONNECTED:
        print("connected")
    elif status.state is ConnectionState.WAITING and status.attempt == 0:
        print(f"not connected: {status.reason}")


async def main() -> None:
    async with serve("127.0.0.1:0", Repeater()) as server:
        address = server.addresses[0]
        repeater = await RepeaterClient.connect(
            address,
            reconnect=Reconnect(first=0.1, most=5.0),
            keepalive=20.0,
            on_state=show,
        )
        print((await repeater.repeat("abc", times=2)).text)

    # The server is gone: calls wait for the next one, as long as they may.
    waiting = asyncio.create_task(repeater.repeat("def", times=2, timeout=30))
    try:
        await repeater.repeat("ghi", timeout=0.05)
    except DeadlineExceeded:
        print("nobody there within 0.05 s")

    async with serve(address, Repeater()):
        print((await waiting).text)
        await repeater.aclose()


if __name__ == "__main__":
    asyncio.run(main())
