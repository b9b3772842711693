"""`ampgen proxy` in a process of its own, and the server of a vault behind it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ampgen
from tests.cli.test_call import Done
from tests.cli.test_compile import ROOT
from tests.raw import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

SCHEMA = str(Path(__file__).with_name("vault.amp"))
vault: Any = ampgen.load(SCHEMA)
SECRET = "p4ssw0rd"
SECRETS = (SECRET, "t0k3n", "wh1sp3r", "h1nt", "s0und")


class Vault(vault.VaultServer):  # type: ignore[misc]
    """``answers``: what the client answered when it was asked for a word."""

    def __init__(self, greeting: str = "hello") -> None:
        self.answers: list[str] = []
        self._greeting = greeting

    async def sign_in(self, name: str, password: str, keys: Any) -> Any:
        if name == "word":
            self.answers.append((await self.doorman.word(name)).word)
        if password != SECRET:
            raise vault.Denied("no", hint="h1nt", left=2)
        text = f"{self._greeting} {name}"
        return vault.SignInResult(greeting=text, token="t0k3n", key=keys["one"])

    async def listen(self, to: str) -> AsyncIterator[Any]:
        for number in range(3):
            yield vault.ListenItem(line=f"{to} {number}", sound="s0und")

    async def tell(self, lines: AsyncIterator[Any]) -> int:
        return len([line async for line in lines])

    def leave(self) -> None:
        pass


class Doorman(vault.DoormanServer):  # type: ignore[misc]
    def word(self, about: str) -> Any:
        return vault.WordResult(word="wh1sp3r")


async def talk(address: str, password: str = SECRET, **options: Any) -> list[Any]:
    """Make one call of each kind, through a proxy or not."""
    keys = {"one": vault.Key(id=1, secret=SECRET)}
    async with (
        asyncio.timeout(2 * PATIENCE),
        vault.VaultClient.connect(address, doorman=Doorman(), **options) as client,
    ):
        said = [await client.sign_in("word", password, keys)]
        async with client.listen("the sea") as lines:
            said += [line async for line in lines]
        said.append(await client.tell([vault.Line(text=t) for t in ("a", "b")]))
        await client.leave()
        said.append(await client.sign_in("ada", password, keys))
    return said


@dataclass
class Proxy:
    """``address``: where it listens; ``told`` and ``printed``: the lines so far."""

    address: str
    told: list[str]
    process: asyncio.subprocess.Process
    printed: list[str] = field(default_factory=list[str])

    async def until(self, text: str) -> None:
        """Until it has printed a line with this."""
        assert self.process.stdout is not None
        while not (self.printed and text in self.printed[-1]):
            line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
            assert line, self.printed
            self.printed.append(line.decode())

    async def end(self) -> Done:
        """By Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        out, err = await asyncio.wait_for(self.process.communicate(), 2 * PATIENCE)
        assert self.process.returncode is not None
        printed = "".join(self.printed) + out.decode()
        told = "".join(self.told) + err.decode()
        return Done(self.process.returncode, printed, told)


@asynccontextmanager
async def proxying(
    upstream: str, *arguments: str, listen: str = "127.0.0.1:0", stdout: Any = None
) -> AsyncGenerator[Proxy]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ampgen", "proxy", listen, upstream, *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if stdout is None else stdout,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONASYNCIODEBUG": ""},
    )
    try:
        assert process.stderr is not None
        line = await asyncio.wait_for(process.stderr.readline(), 2 * PATIENCE)
        words = line.decode().split()
        assert words[:2] == ["listening", "on"], line
        yield Proxy(words[2], [line.decode()], process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
