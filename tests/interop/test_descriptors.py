"""File descriptors to and from Twisted, which knows them as ``amp.Descriptor``."""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
# ruff: noqa: N802, N815, RUF012 (its names, and its way to declare)
from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.endpoints import (
    clientFromString,
    connectProtocol,
    serverFromString,
)
from twisted.internet.protocol import Factory
from twisted.protocols import amp

from ampgen.runtime import Handover, serve
from tests.fds import Pipe, none_left
from tests.interop.reactor import reactor, there, twisted_client, twisted_server
from tests.interop.twisted_commands import End

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from tests.conftest import CompileSchema

SCHEMA = """\
service Files {
    command Adopt(file: fd, name: str, spare: fd?) -> (size: int);
    command Pair(path: str) -> (one: fd, two: fd?, note: str);
    command Sizes() -> (sizes: [int]);
    oneway command Drop(file: fd);
}
"""

MANY = 100


class Adopt(amp.Command):
    # declared in another order than that of their keys in a box
    arguments = [
        (b"spare", amp.Descriptor(optional=True)),
        (b"name", amp.Unicode()),
        (b"file", amp.Descriptor()),
    ]
    response = [(b"size", amp.Integer())]


class Pair(amp.Command):
    arguments = [(b"path", amp.Unicode())]
    response = [
        (b"two", amp.Descriptor(optional=True)),
        (b"one", amp.Descriptor()),
        (b"note", amp.Unicode()),
    ]


class Sizes(amp.Command):
    arguments = []
    response = [(b"sizes", amp.ListOf(amp.Integer()))]


class Drop(amp.Command):
    arguments = [(b"file", amp.Descriptor())]
    requiresAnswer = False


def size_of(file: int, spare: int | None = None) -> int:
    """And close them."""
    size = os.fstat(file).st_size
    if spare is not None:
        size += os.fstat(spare).st_size
        os.close(spare)
    os.close(file)
    return size


class FilesEnd(End):
    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.sent: list[int] = []  # Twisted leaves what it has sent open

    @Adopt.responder
    def adopt(self, file: int, name: str, spare: int | None = None) -> Any:
        return {"size": size_of(file, spare)}

    @Pair.responder
    def pair(self, path: str) -> Any:
        self.sent.append(os.open(path, os.O_RDONLY))
        if path == os.devnull:
            return {"one": self.sent[-1], "note": path}
        return {"one": self.sent[-1], "two": self.sent[-1], "note": path}

    @Drop.responder
    def drop(self, file: int) -> Any:
        self.sizes.append(size_of(file))
        return {}

    @Sizes.responder
    def all_sizes(self) -> Any:
        return {"sizes": self.sizes}

    def connectionLost(self, reason: Any = None) -> None:
        for fd in self.sent:
            os.close(fd)
        super().connectionLost(reason)


@pytest.fixture(scope="module")
def files(compile_schema: CompileSchema) -> Any:
    return compile_schema(SCHEMA)


@pytest.fixture
async def path(tmp_path: Path) -> str:
    async with twisted_server(str(tmp_path / "first")):
        pass  # when it listens first, Twisted puts a descriptor by for bad times
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    return str(path)


def service(files: Any) -> Any:
    class Files(files.FilesServer):  # type: ignore[misc]
        def __init__(self) -> None:
            self.all: list[int] = []

        def adopt(self, file: int, name: str, spare: int | None) -> Any:
            return files.AdoptResult(size=size_of(file, spare))

        def pair(self, path: str) -> Any:
            one = Handover(os.open(path, os.O_RDONLY))
            two = None if path == os.devnull else one
            return files.PairResult(one=one, two=two, note=path)

        def sizes(self) -> Any:
            return files.SizesResult(sizes=self.all)

        def drop(self, file: int) -> None:
            self.all.append(size_of(file))

    return Files()


@asynccontextmanager
async def twisted_files(path: str) -> AsyncGenerator[str]:
    """A Twisted program that serves them; its address."""
    ends: list[FilesEnd] = []

    def build() -> FilesEnd:
        ends.append(FilesEnd())
        return ends[-1]

    factory = Factory.forProtocol(build)
    endpoint = await there(lambda: serverFromString(reactor, f"unix:{path}"))
    port = await there(endpoint.listen, factory)
    try:
        yield f"unix:{path}"
    finally:
        await there(port.stopListening)
        for end in ends:
            await there(end.abort)
            await there(lambda end=end: end.lost)


async def test_we_pass_descriptors_to_twisted(
    files: Any, tmp_path: Path, path: str
) -> None:
    with none_left():
        async with (
            twisted_files(str(tmp_path / "socket")) as address,
            files.FilesClient.connect(address) as client,
        ):
            file = os.open(path, os.O_RDONLY)
            assert (await client.adopt(file, "x")).size == 3
            assert (await client.adopt(file, "x", file)).size == 6
            answers = await asyncio.gather(
                *(client.adopt(file, "x" * 999, file) for _ in range(MANY))
            )
            assert {answer.size for answer in answers} == {6}
            await client.drop(file)
            assert (await client.sizes()).sizes == [3]
            os.close(file)


async def test_twisted_answers_with_descriptors(
    files: Any, tmp_path: Path, path: str
) -> None:
    with none_left():
        async with (
            twisted_files(str(tmp_path / "socket")) as address,
            files.FilesClient.connect(address) as client,
        ):
            pair = await client.pair(os.devnull)
            assert pair.two is None
            os.close(pair.one)
            pairs = await asyncio.gather(*(client.pair(path) for _ in range(MANY)))
            assert [size_of(pair.one, pair.two) for pair in pairs] == [6] * MANY


async def test_twisted_passes_descriptors_to_us(
    files: Any, tmp_path: Path, path: str
) -> None:
    with none_left():
        async with (
            serve(f"unix:{tmp_path}/socket", service(files)) as server,
            twisted_client(server.addresses[0]) as end,
        ):
            file = os.open(path, os.O_RDONLY)
            call = end.callRemote
            answer = await there(call, Adopt, file=file, name="x")
            assert answer == {"size": 3}
            answer = await there(call, Adopt, file=file, name="x", spare=file)
            assert answer == {"size": 6}
            answers = await asyncio.gather(
                *(
                    there(call, Adopt, file=file, name="x" * 999, spare=file)
                    for _ in range(MANY)
                )
            )
            assert answers == [{"size": 6}] * MANY
            await there(call, Drop, file=file)
            assert await there(call, Sizes) == {"sizes": [3]}
            os.close(file)


async def test_we_answer_twisted_with_descriptors(
    files: Any, tmp_path: Path, path: str
) -> None:
    with none_left():
        async with (
            serve(f"unix:{tmp_path}/socket", service(files)) as server,
            twisted_client(server.addresses[0]) as end,
        ):
            call = end.callRemote
            answer = await there(call, Pair, path=os.devnull)
            assert answer["two"] is None
            os.close(answer["one"])
            answers = await asyncio.gather(
                *(there(call, Pair, path=path) for _ in range(MANY))
            )
            assert [size_of(a["one"], a["two"]) for a in answers] == [6] * MANY


async def test_what_twisted_passes_to_nobody_is_closed(
    files: Any, tmp_path: Path
) -> None:
    """It ends the connection after what it takes for an unknown error."""
    with none_left():
        async with serve(f"unix:{tmp_path}/socket", service(files)) as server:
            end = FilesEnd()
            where = clientFromString(reactor, server.addresses[0])
            await there(lambda: connectProtocol(where, end))
            pipe = Pipe()

            class Nobody(amp.Command):
                arguments = [(b"file", amp.Descriptor())]

            with pytest.raises(amp.UnhandledCommand):
                await there(end.callRemote, Nobody, file=pipe.fd)
            await there(end.abort)
            await there(lambda: end.lost)
            await pipe.closed()
