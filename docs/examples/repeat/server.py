"""The server of the first example: `python server.py [ADDRESS]`."""

import asyncio
import sys

from ampgen.runtime import serve
from textpkg.repeat import RepeaterServer, RepeatResult, TooLong

LIMIT = 100


class Repeater(RepeaterServer):
    async def repeat(self, text: str, times: int) -> RepeatResult:
        length = len(text) * times
        if length > LIMIT:
            raise TooLong(f"{length} characters", limit=LIMIT)
        return RepeatResult(text=text * times)


async def main(address: str) -> None:
    async with serve(address, Repeater()) as server:
        print(f"serving on {server.addresses[0]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:8000"))
