"""A client that sends a file, reads one, and does both at once."""

import asyncio
import sys
from collections.abc import AsyncIterator

from textpkg.archive import ArchiveClient, NoSuchFile


async def verses() -> AsyncIterator[bytes]:
    for verse in ("the sun", "the moon", "and the stars"):
        await asyncio.sleep(0)  # it may take its time
        yield f"{verse}\n".encode()


async def main(address: str) -> None:
    async with ArchiveClient.connect(address) as files:
        stored = await files.upload("song", verses())
        print(f"{stored.size} bytes")

        async with files.tail("song", from_=1) as lines:
            async for line in lines:
                print(line.number, line.line)
                if line.number == 2:
                    break  # leaving the block ends it at the server, too

        async for found in files.search("o", ["one", "three", "four"]):
            print(found)

        try:
            async for chunk in files.download("poem"):
                print(chunk)
        except NoSuchFile as error:
            print(f"NoSuchFile: {error}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
