"""A server program for the tests: `python -m tests.runtime.program '{"workers": 2}'`.

It prints its addresses, and what `run` does after that. `Repeat` of ``pid`` answers the
process.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ampgen.runtime import run
from tests.runtime.made.text import RepeatResult
from tests.runtime.services import Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


class Telling(Text):
    """`Stop` waits for a second, and says how that ends."""

    async def repeat(self, text: str, times: int) -> RepeatResult:
        if text == "pid":
            return RepeatResult(text=str(os.getpid()), length=os.getppid())
        if text == "start":  # what inherits all that it can, and outlives the worker
            child = subprocess.Popen(["sleep", "600"], close_fds=False)  # noqa: ASYNC220
            return RepeatResult(text=str(child.pid), length=0)
        return await super().repeat(text, times)

    async def stop(self) -> None:
        print("stop: begins", flush=True)
        try:
            await asyncio.sleep(float(os.environ.get("STOP_TAKES", "0.5")))
        except asyncio.CancelledError:
            print("stop: cancelled", flush=True)
            raise
        print("stop: ends", flush=True)


class Hanging(Text):
    """Its `Stop` stops the whole process."""

    async def stop(self) -> None:
        time.sleep(600)  # noqa: ASYNC251  # that is what is wrong with it


@asynccontextmanager
async def telling() -> AsyncGenerator[Any]:
    print("made", flush=True)
    yield [Telling()]
    print("left", flush=True)


def failing() -> Text:
    raise LookupError("no database")


async def failing_now_and_then() -> Text:
    if os.access(os.environ["FAIL_IF"], os.F_OK):
        raise LookupError("no database")
    return Telling()


def options() -> dict[str, Any]:
    return {"drain_timeout": 0.2}


def main() -> None:
    given = json.loads(sys.argv[1])
    for name in ("make", "options"):
        if name in given:
            given[name] = globals()[given[name]]
    address = given.pop("address", "127.0.0.1:0")
    make = given.pop("make", Telling)

    def ready(addresses: list[str]) -> None:
        print("serving", *addresses, flush=True)

    run(address, make, on_ready=ready, **given)
    print("done", flush=True)


if __name__ == "__main__":
    main()
