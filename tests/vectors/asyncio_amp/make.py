"""Make ``conversation.json``: what two programs of asyncio-amp say to one another.

Run by hand with asyncio-amp at hand, which nothing of ours installs:
``PYTHONPATH=… python tests/vectors/asyncio_amp/make.py``. Its code has not changed for
years, and needs the decorator that Python 3.11 took away: that is given back here.

The programs are those of the page, ``docs/examples/from_asyncio_amp/before.py``. They
talk twice: as they are, and with each box changed to what ampgen writes in its place,
keys sorted, and `_peer` with the first request of each end. The second time they have
to come to the same. The steps of a conversation are ``[who, as asyncio-amp wrote it, as
ampgen writes it]``, in hex.
"""

# mypy: ignore-errors
# pyright: basic, reportMissingImports=false
from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib
import inspect
import io
import json
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
BEFORE = HERE.parents[2] / "docs" / "examples" / "from_asyncio_amp"


def coroutine(function: Callable[..., Any]) -> Callable[..., Any]:
    """What ``asyncio.coroutine`` was: what it decorates can be waited for."""
    if inspect.isgeneratorfunction(function):
        return types.coroutine(function)

    @types.coroutine
    @functools.wraps(function)
    def wait(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        if inspect.isawaitable(result):
            result = yield from result.__await__()
        return result
        yield  # so that it is a generator

    return wait


class Wire:
    """A transport to a protocol in this process, which remembers what is written."""

    def __init__(self, who: str, steps: list[list[str]], change: bool) -> None:
        self.who = who
        self.steps = steps
        self.change = change
        self.greeted = False
        self.to: Any = None
        self.box = b""

    def write(self, data: bytes) -> None:
        self.box += data
        if data != b"\0\0":
            return
        whole, self.box = self.box, b""
        ours = self.as_ampgen(whole)
        self.steps.append([self.who, whole.hex(), ours.hex()])
        asyncio.get_running_loop().call_soon(
            self.to.data_received, ours if self.change else whole
        )

    def as_ampgen(self, whole: bytes) -> bytes:
        pairs: dict[bytes, bytes] = {}
        parts: list[bytes] = []
        at = 0
        while at < len(whole) - 2:
            size = int.from_bytes(whole[at : at + 2], "big")
            parts.append(whole[at + 2 : at + 2 + size])
            at += 2 + size
        pairs = dict(zip(parts[::2], parts[1::2], strict=True))
        if b"_command" in pairs and not self.greeted:
            self.greeted = True
            pairs[b"_peer"] = b"cancel stream"
        in_order = [part for pair in sorted(pairs.items()) for part in pair]
        sized = (len(part).to_bytes(2, "big") + part for part in in_order)
        return b"".join(sized) + b"\0\0"


async def talk(before: Any, change: bool) -> tuple[str, list[list[str]]]:
    """What the client printed, and each box."""
    steps: list[list[str]] = []
    client, server = before.Station(), before.Weather()
    server.reports = {}
    there, back = Wire("client", steps, change), Wire("server", steps, change)
    there.to, back.to = server, client
    client.connection_made(there)
    server.connection_made(back)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        await before.run(client)
    return printed.getvalue(), steps


def main() -> None:
    if not hasattr(asyncio, "coroutine"):
        made_whole: Any = asyncio
        made_whole.coroutine = coroutine
    sys.path.insert(0, str(BEFORE))
    before: Any = importlib.import_module("before")
    printed, steps = asyncio.run(talk(before, change=False))
    again, changed = asyncio.run(talk(before, change=True))
    assert again == printed
    assert [as_was for _, as_was, _ in changed] == [as_was for _, as_was, _ in steps]
    lines = ",\n".join(f"  {json.dumps(step)}" for step in steps)
    content = (
        f'{{"made_by": "asyncio-amp 0.1",\n "printed": {json.dumps(printed)},\n'
        f' "steps": [\n{lines}\n]}}\n'
    )
    path = HERE / "conversation.json"
    path.write_text(content, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
