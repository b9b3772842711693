"""Values over 64 KiB, both ways between us and Twisted programs that know them."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from twisted.protocols import amp

from ampgen.runtime import serve
from ampgen.runtime.large import get_large
from tests.interop import twisted_large as commands
from tests.interop.reactor import ask, twisted_client, twisted_server

if TYPE_CHECKING:
    from tests.conftest import CompileSchema

FULL = 65_535
EDGES = [0, 1, FULL - 1, FULL, FULL + 1, 2 * FULL, 2 * FULL + 1, 12 * FULL]


@pytest.fixture(scope="module")
def made(compile_schema: CompileSchema) -> Any:
    return compile_schema(Path(__file__).parent / "large.amp")


def store(made: Any) -> Any:
    class Store(made.StoreServer):  # type: ignore[misc]
        def echo(self, *values: Any) -> Any:
            names = ("text", "size", "raw", "points", "words")
            return made.EchoResult(**dict(zip(names, values, strict=True)))

        def make(self, size: int) -> bytes:
            return b"x" * size

        def small(self, text: str) -> str:
            return text

    return Store()


WORDS = [f"word {number} äöü" for number in range(10_000)]


async def test_we_ask_a_twisted_program(made: Any) -> None:
    points = [made.Point(x=float(at), y=0.5) for at in range(5_000)]
    async with (
        twisted_server(end=commands.Store) as server,
        made.StoreClient.connect(server.address) as client,
    ):
        for size in EDGES:
            assert await client.make(size) == b"x" * size
            answer = await client.echo("y" * size, 3)
            assert (answer.text, answer.size, answer.raw) == ("y" * size, 3, None)
        text = " ".join(WORDS)
        answer = await client.echo(text, raw=text.encode(), points=points, words=WORDS)
        assert answer == made.EchoResult(
            text=text, size=0, raw=text.encode(), points=points, words=WORDS
        )
        [seen] = [end.seen[-1] for end in server.ends]
        assert (seen["Words"], len(seen["points"])) == (WORDS, 5_000)


async def test_a_twisted_program_asks_us(made: Any) -> None:
    points = [{"x": float(at), "y": 0.5, "label": None} for at in range(5_000)]
    async with (
        serve("127.0.0.1:0", store(made)) as server,
        twisted_client(server.addresses[0], end=commands.Store) as end,
    ):
        for size in EDGES:
            assert await ask(end, commands.Make, size=size) == {"raw": b"x" * size}
        text = " ".join(WORDS)
        values = {"text": text, "size": 3, "raw": None, "points": points}
        answer = await ask(end, commands.Echo, Words=WORDS, **values)
        assert answer == values | {"Words": WORDS}


async def test_many_megabytes_go_both_ways_and_others_are_answered(made: Any) -> None:
    most = 16 * 1024 * 1024
    async with (
        twisted_server(end=commands.Store) as server,
        made.StoreClient.connect(server.address) as client,
    ):
        calls: list[Any] = [client.make(most), client.small("a")]
        calls.append(client.echo("z" * most))
        made_there, small, echoed = await asyncio.gather(*calls)
        assert (len(made_there), small) == (most, "a")
        assert echoed.text == "z" * most


def test_the_docs_show_an_argument_for_twisted_that_does_it() -> None:
    page = (Path(__file__).parents[2] / "docs" / "large.md").read_text("utf-8")
    [shown] = re.findall(r"```python\n(class Big.*?)```\n", page, re.DOTALL)
    made: dict[str, Any] = {"amp": amp}
    exec(shown, made)
    for size in EDGES:
        box: dict[bytes, bytes] = {}
        made["Big"]().toBox(b"page", box, {"page": b"x" * size}, None)
        assert get_large(box, b"page") == b"x" * size
        objects: dict[str, bytes] = {}
        made["Big"]().fromBox(b"page", box, objects, None)
        assert objects == {"page": b"x" * size}


async def test_what_is_not_large_at_our_end_is_never_cut(made: Any) -> None:
    async with (
        serve("127.0.0.1:0", store(made)) as server,
        twisted_client(server.addresses[0], end=commands.Store) as end,
    ):
        answer = await ask(end, commands.Large, text="x" * FULL)
        assert answer == {"text": "x" * FULL}
        with pytest.raises(ValueError, match="Small: text: over 65,535 bytes"):
            await ask(end, commands.Large, text="x" * (FULL + 1))
        assert await ask(end, commands.Small, text="x") == {"text": "x"}
