"""A server of the schema beside it; with a second argument, another version."""

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import ampgen
from ampgen.runtime import serve

door: Any = ampgen.load(Path(__file__).with_name("door.amp"))


class Door(door.DoorServer):  # type: ignore[misc]
    def __init__(self, open_for: timedelta) -> None:
        self.left = 3
        self._visits: list[Any] = []
        self._open_for = open_for

    def unlock(self, name: str, code: str) -> Any:
        if code != "4711":
            self.left -= 1
            raise door.WrongCode(f"{name}, have another try", left=self.left)
        self._visits.append(door.Visit(name=name, code=code))
        return door.UnlockResult(open=self._open_for)

    async def visits(self) -> AsyncIterator[Any]:
        for visit in self._visits:
            yield visit


async def main(address: str, version: str = "1") -> None:
    open_for = timedelta(seconds=8 if version == "1" else 5)
    async with serve(address, Door(open_for), reflect=True) as server:
        print(f"serving on {server.addresses[0]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
