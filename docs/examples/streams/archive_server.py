"""A server of files that it keeps in memory."""

import asyncio
import sys
from collections.abc import AsyncIterator

from ampgen.runtime import Stream, serve
from textpkg.archive import ArchiveServer, NoSuchFile, TailItem, UploadResult


class Files(ArchiveServer):
    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def content(self, name: str) -> bytes:
        if name not in self.files:
            raise NoSuchFile(f"no file is called {name}", name=name)
        return self.files[name]

    async def upload(self, name: str, chunks: Stream[bytes]) -> UploadResult:
        self.files[name] = b"".join([chunk async for chunk in chunks])
        return UploadResult(size=len(self.files[name]))

    async def tail(self, name: str, from_: int) -> AsyncIterator[TailItem]:
        try:
            number = from_
            while True:  # those that are there, then those that come
                lines = self.content(name).decode().splitlines()
                for line in lines[number:]:
                    yield TailItem(number=number, line=line)
                    number += 1
                await asyncio.sleep(0.05)
        finally:
            print(f"nobody reads {name} any more", flush=True)

    async def download(self, name: str) -> AsyncIterator[bytes]:
        content = self.content(name)
        for at in range(0, len(content), 50_000):
            yield content[at : at + 50_000]

    async def search(self, word: str, lines: Stream[str]) -> AsyncIterator[str]:
        async for line in lines:
            if word in line:
                yield line

    def size(self, name: str) -> int:
        return len(self.content(name))


async def main(address: str) -> None:
    async with serve(address, Files()) as server:
        print(f"serving on {server.addresses[0]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
