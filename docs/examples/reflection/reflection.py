"""A client that has no schema, and asks the server for it."""

import asyncio

from ampgen.runtime import UnknownCommand, connect, serve
from textpkg.repeat import RepeaterServer, RepeatResult


class Repeater(RepeaterServer):
    def repeat(self, text: str, times: int) -> RepeatResult:
        return RepeatResult(text=text * times)


async def main() -> None:
    async with (
        serve("127.0.0.1:0", Repeater(), reflect=True) as server,
        connect(server.addresses[0]) as connection,
    ):
        schemas = await connection.schemas()
        for name, path in schemas.services:
            print(f"{name}, declared in {path}:\n")
            print(schemas[path])

    async with (
        serve("127.0.0.1:0", Repeater()) as server,
        connect(server.addresses[0]) as connection,
    ):
        try:
            await connection.schemas()
        except UnknownCommand as error:
            print(error)


if __name__ == "__main__":
    asyncio.run(main())
