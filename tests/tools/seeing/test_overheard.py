"""What our own two ends say, overheard: all of it is known, and nothing is wrong."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import DeadlineExceeded, serve
from ampgen.tools.memory import Loaded, load_schemas
from ampgen.tools.seeing.seen import Break, Kind, SeenBox, SeenBytes, Side
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from tests.certificates import Certificates

SCHEMA = Path(__file__).parents[3] / "schemas" / "archive.amp"
PATIENCE = 20.0


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_schemas([SCHEMA])


def service(module: Any) -> Any:
    class Archive(module.ArchiveServer):  # type: ignore[misc]
        async def tail(self, name: str, from_: int) -> AsyncIterator[Any]:
            if name == "missing":
                raise module.NoSuchFile(f"no {name}", name=name)
            for number in range(from_, 100):
                yield module.TailItem(number=number, line="x" * number)

        async def download(self, name: str) -> AsyncIterator[bytes]:
            yield name.encode()

        async def upload(self, name: str, chunks: AsyncIterator[bytes]) -> Any:
            size = 0
            async for chunk in chunks:
                size += len(chunk)
            return module.UploadResult(size=size)

        async def search(self, word: str, lines: AsyncIterator[str]) -> Any:
            async for line in lines:
                if word in line:
                    yield line

        async def size(self, name: str) -> int:
            await asyncio.Event().wait()
            return len(name)

    return Archive()


@contextlib.asynccontextmanager
async def overheard(
    loaded: Loaded, serving: dict[str, Any], connecting: dict[str, Any]
) -> AsyncGenerator[tuple[Any, Relay]]:
    """A client, and what listens to it."""
    module = loaded.modules[loaded.schema.roots[0]]
    async with serve("127.0.0.1:0", service(module), **serving) as server:
        relay = Relay(loaded, server.addresses[0])
        async with await asyncio.start_server(relay, "127.0.0.1") as between:
            port = between.sockets[0].getsockname()[1]
            address = f"127.0.0.1:{port}"
            async with module.ArchiveClient.connect(address, **connecting) as client:
                yield client, relay
            await asyncio.wait_for(relay.over.wait(), PATIENCE)


async def test_streams_errors_cancels_and_all_that_goes_beyond_amp(
    loaded: Loaded,
) -> None:
    module = loaded.modules[loaded.schema.roots[0]]
    async with overheard(loaded, {"reflect": True}, {}) as (client, relay):
        async with client.tail("x", 3, metadata={"trace": "t"}) as lines:
            items = [item async for item in lines]
        assert len(items) == 97
        async with client.tail("y") as lines:
            async for _item in lines:
                break
        with pytest.raises(module.NoSuchFile):
            async with client.tail("missing") as lines:
                [_ async for _ in lines]
        assert (await client.upload("u", [b"a", b"bc"])).size == 3
        async with client.search("b", ["ab", "c", "b"]) as found:
            assert [line async for line in found] == ["ab", "b"]
        with pytest.raises(DeadlineExceeded):
            await client.size("x", timeout=0.01)
        task = asyncio.create_task(client.size("y"))
        await client.upload("after it", [])
        task.cancel()
        await client.connection.schemas()
    seen = relay.seen
    assert all(isinstance(one, SeenBox) for one in seen)
    boxes = [one for one in seen if isinstance(one, SeenBox)]
    for one in boxes:
        assert one.known, one
        assert not one.blames, one
        assert not one.others, one
        assert not set(one.notes) - {"the stream is not open"}, one
        if one.kind in (Kind.ANSWER, Kind.ERROR, Kind.ITEM):
            assert one.elapsed is not None
            assert 0 <= one.elapsed < PATIENCE
    tail = [one for one in boxes if one.command == "Tail" and one.kind is Kind.ITEM]
    assert [one.fields for one in tail[:97]] == [
        {"number": number, "line": "x" * number} for number in range(3, 100)
    ]
    kinds = Counter((str(one.sender), one.kind) for one in boxes)
    assert kinds["client", Kind.STOP] >= 1
    assert kinds["client", Kind.CREDIT] >= 1
    assert kinds["client", Kind.CANCEL] >= 1
    assert kinds["client", Kind.END] == 3
    assert kinds["server", Kind.CREDIT] >= 3
    [error] = [one for one in boxes if one.code == "NO_SUCH_FILE"]
    assert error.fields == {"name": "missing"}
    [schemas] = [one for one in boxes if one.command == "_schema" and one.fields]
    assert schemas.fields == {"schemas": ["archive.amp"], "services": ["Archive"]}
    [first, *_] = boxes
    assert first.metadata == {"trace": "t"}
    assert first.extras["understands"] == ["cancel", "stream"]


async def test_pings(loaded: Loaded) -> None:
    async with overheard(loaded, {}, {"keepalive": 0.01}) as (_client, relay):
        await asyncio.wait_for(relay.until(4), PATIENCE)
    for one in relay.seen:
        assert isinstance(one, SeenBox)
        assert (one.command, one.known, one.blames) == ("_ping", True, ())


async def test_starttls(loaded: Loaded, certificates: Certificates) -> None:
    async with overheard(
        loaded,
        {"starttls": certificates.server_tls()},
        {"starttls": certificates.client_tls(), "server_hostname": "127.0.0.1"},
    ) as (client, relay):
        assert (await client.upload("secret", [b"x"])).size == 1
    ask, answer, *rest = relay.seen
    for one in (ask, answer):
        assert isinstance(one, SeenBox)
        assert (one.command, one.known, one.blames) == ("StartTLS", True, ())
    others = [one for one in rest if isinstance(one, SeenBytes)]
    assert len(others) == len(rest) == 4
    assert Counter((one.sender, one.why) for one in others) == {
        (side, why): 1 for side in Side for why in (Break.TLS, Break.UNREAD)
    }
    assert not any(one.fault for one in others)
    assert all(one.size > 500 for one in others if one.why is Break.UNREAD)
