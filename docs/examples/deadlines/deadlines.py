"""A handler that knows how much time it has, and what a caller sent along."""

import asyncio

from ampgen.runtime import DeadlineExceeded, Metadata, current_call, serve
from textpkg.repeat import RepeaterClient, RepeaterServer, RepeatResult


class Patient(RepeaterServer):
    """Takes a second for each repetition."""

    async def repeat(self, text: str, times: int) -> RepeatResult:
        call = current_call()
        print(f"{call.command} for {call.metadata.get('user', 'nobody')}")
        if call.deadline is not None:
            left = call.deadline - asyncio.get_running_loop().time()
            print(f"{left:.1f} s left")
        try:
            await asyncio.sleep(times)
        except asyncio.CancelledError:
            print("cancelled")
            raise
        call.answer_metadata["slept"] = f"{times} s"
        return RepeatResult(text=text * times)


async def main() -> None:
    async with (
        serve("127.0.0.1:0", Patient()) as server,
        RepeaterClient.connect(server.addresses[0], timeout=30) as repeater,
    ):
        metadata = Metadata({"user": "ada"})
        await repeater.repeat("abc", times=0, metadata=metadata)
        print(f"answered: {metadata.answer}")

        try:
            await repeater.repeat("abc", times=60, timeout=0.1)
        except DeadlineExceeded as error:
            print(error)

        call = asyncio.create_task(repeater.repeat("abc", times=60))
        await asyncio.sleep(0.1)
        call.cancel()  # and the handler is cancelled, too


if __name__ == "__main__":
    asyncio.run(main())
