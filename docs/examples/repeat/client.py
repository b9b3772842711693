"""The client of the first example: `python client.py [ADDRESS]`."""

import asyncio
import sys

from textpkg.repeat import RepeaterClient, TooLong


async def main(address: str) -> None:
    async with RepeaterClient.connect(address, timeout=5.0) as repeater:
        answer = await repeater.repeat("abc", times=3)
        print(answer.text)
        try:
            await repeater.repeat("abc", times=1000)
        except TooLong as error:
            print(f"TooLong: {error}, the limit is {error.limit}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8000"))
