"""A text of a megabyte goes there, and comes back longer."""

import asyncio

from ampgen.runtime import EncodeError, Limits, serve
from textpkg.pages import PagesClient, PagesServer

MOST = Limits(large=2_000_000)


class Pages(PagesServer):
    def number(self, text: str, first: int) -> str:
        lines = enumerate(text.splitlines(keepends=True), first)
        return "".join(f"{number} {line}" for number, line in lines)


async def main() -> None:
    async with (
        serve("127.0.0.1:0", Pages(), limits=MOST) as server,
        PagesClient.connect(server.addresses[0], limits=MOST) as pages,
    ):
        text = "A line like any other.\n" * 50_000
        numbered = await pages.number(text)
        print(f"{len(text):,} bytes have become {len(numbered):,}")
        print(numbered.splitlines()[-1])

        try:
            await pages.number(text * 2)
        except EncodeError as error:
            print(error)


if __name__ == "__main__":
    asyncio.run(main())
