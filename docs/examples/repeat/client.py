"""The client of the first example: `python client.py [ADDRESS]`."""

import asyncio
import sys

from textpkg.repeat import TextClient, TooLong


async def main(address: str) -> None:
    async with TextClient.connect(address, timeout=5.0) as text:
        answer = await text.repeat("abc", times=3)
        print(answer.text)
        try:
            await text.repeat("abc", times=1000)
        except TooLong as error:
            print(f"TooLong: {error}, the limit is {error.limit}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8000"))
