"""Interceptors on both ends: one that tells, one that changes, one that tries again."""

import asyncio

from ampgen.runtime import InterceptedCall, Overloaded, Proceed, intercepted, serve
from textpkg.repeat import RepeaterClient, RepeaterServer, RepeatResult


class Repeater(RepeaterServer):
    def repeat(self, text: str, times: int) -> RepeatResult:
        return RepeatResult(text=text * times)


async def tell(call: InterceptedCall, proceed: Proceed) -> object:
    """For either end."""
    print(f"{call.side}: {call.name} {dict(call.arguments)}")
    try:
        result = await proceed(call)
    except Exception as error:
        print(f"{call.side}: {call.code(error)}")
        raise
    print(f"{call.side}: {result}")
    return result


async def at_most_three(call: InterceptedCall, proceed: Proceed) -> object:
    """Around one service, whose commands it knows."""
    times = min(call.arguments["times"], 3)
    return await proceed(call.replace(arguments={"times": times}))


class Starting:
    """Refuses the first call."""

    def __init__(self) -> None:
        self.started = False

    async def __call__(self, call: InterceptedCall, proceed: Proceed) -> object:
        if not self.started:
            self.started = True
            raise Overloaded("not ready yet")
        return await proceed(call)


async def patient(call: InterceptedCall, proceed: Proceed) -> object:
    """For a client."""
    for pause in (0.01, 0.1):
        try:
            return await proceed(call)
        except Overloaded:
            if call.streams:
                raise
            await asyncio.sleep(pause)
    return await proceed(call)


async def main() -> None:
    repeater = intercepted(Repeater(), [at_most_three])
    async with (
        serve("127.0.0.1:0", repeater, interceptors=[tell, Starting()]) as server,
        RepeaterClient.connect(
            server.addresses[0], timeout=5.0, interceptors=[patient, tell]
        ) as client,
    ):
        await client.repeat("abc", times=100)


if __name__ == "__main__":
    asyncio.run(main())
