"""Two processes at one address, one of them killed: `python serving.py`."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from ampgen.runtime import ConnectionLost, Limits, current_call, run
from textpkg.repeat import RepeaterClient, RepeaterServer, RepeatResult


class Repeater(RepeaterServer):
    async def repeat(self, text: str, times: int) -> RepeatResult:
        current_call().answer_metadata["worker"] = str(os.getpid())
        if text == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        return RepeatResult(text=text * times)


@asynccontextmanager
async def services() -> AsyncGenerator[Repeater]:
    # in each process: open here what its calls need ...
    yield Repeater()
    # ... and close it here, when it has drained


def server() -> None:
    run(
        "127.0.0.1:0",
        services,
        workers=2,
        limits=Limits(connections=2000, idle=600),
        on_ready=lambda addresses: print(*addresses, flush=True),
    )


async def call(address: str, text: str) -> str:
    async with RepeaterClient.connect(address, timeout=5) as repeater:
        return (await repeater.repeat(text)).text


async def client(address: str) -> None:
    try:
        await call(address, "die")
    except ConnectionLost:
        print("the worker is dead")
    while True:
        try:
            print(await call(address, "and the next call is answered"))
            break
        except ConnectionError:  # it came to the one that was dying
            await asyncio.sleep(0.1)


def main() -> None:
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        try:
            asyncio.run(client(process.stdout.readline().strip()))
        finally:
            process.terminate()
    print(f"the server has ended: {process.returncode}")


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        server()
    else:
        main()
