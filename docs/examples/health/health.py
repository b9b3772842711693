"""A server that says when it should be sent no calls."""

import asyncio

from ampgen.runtime import HealthClient, HealthService, serve
from ampgen.runtime.health import Status, UnknownService
from textpkg.repeat import RepeaterServer, RepeatResult


class Repeater(RepeaterServer):
    def repeat(self, text: str, times: int) -> RepeatResult:
        return RepeatResult(text=text * times)


async def main() -> None:
    health = HealthService({"Repeater": Status.SERVING})
    async with (
        serve("127.0.0.1:0", Repeater(), health) as server,
        HealthClient.connect(server.addresses[0], timeout=5.0) as client,
    ):
        print("the server:", (await client.check()).status)

        async with client.watch("Repeater") as statuses:
            print("Repeater:", (await anext(statuses)).status)
            health.set_status(Status.NOT_SERVING, "Repeater")  # no database any more
            print("Repeater:", (await anext(statuses)).status)

        try:
            await client.check("Chat")
        except UnknownService as error:
            print(error)


if __name__ == "__main__":
    asyncio.run(main())
