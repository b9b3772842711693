"""A worker process that is handed connections, and hands out open files."""

import asyncio
import os
import socket
import sys
import tempfile
from pathlib import Path

from ampgen.runtime import Handover, serve
from textpkg.worker import OpenResult, WorkerClient, WorkerServer


class Worker(WorkerServer):
    def greet(self, connection: int, name: str) -> None:
        with socket.socket(fileno=connection) as peer:  # it is ours: we close it
            peer.sendall(f"Hello {name}!".encode())

    def open(self, path: Path) -> OpenResult:
        file = os.open(path, os.O_RDONLY)
        size = os.fstat(file).st_size
        return OpenResult(file=Handover(file), size=size)  # closed once it is sent


async def work(address: str) -> None:
    async with serve(address, Worker()) as server:
        print("ready", flush=True)
        await server.serve_forever()


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        address = f"unix:{folder}/worker.sock"
        process = await asyncio.create_subprocess_exec(
            sys.executable, __file__, address, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        await process.stdout.readline()  # "ready"

        async with WorkerClient.connect(address) as worker:
            ours, theirs = socket.socketpair()
            with ours:
                with theirs:
                    await worker.greet(theirs.fileno(), "you")
                # both copies of it are closed: the greeting is all there is
                print(ours.makefile().read())

            opened = await worker.open(__file__)
            with os.fdopen(opened.file) as file:  # ours as well
                text = file.read()
            print(len(text) == opened.size, text.splitlines()[0])

        process.terminate()
        print("the worker ended with", await process.wait())


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]) if sys.argv[1:] else main())
