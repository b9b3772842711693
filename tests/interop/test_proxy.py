"""Real Twisted on either side of a relay: it notices nothing, and all of it is seen."""

# mypy: disable-error-code="no-untyped-call"
# pyright: basic
from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import InternalError, serve
from ampgen.runtime.addresses import parse_address
from ampgen.tools.memory import load_schemas
from ampgen.tools.proxy.onlooker import Onlooker
from ampgen.tools.proxy.relay import Entrance, Relay
from ampgen.tools.proxy.upstream import Upstream
from ampgen.tools.recordings.events import Closed, Ended, Failed
from ampgen.tools.recordings.reader import Recording
from ampgen.tools.recordings.recorder import Recorder
from ampgen.tools.recordings.replayed import Terms
from ampgen.tools.recordings.replaying import replay
from ampgen.tools.seeing.seen import Kind, SeenBox, Side
from tests.interop import twisted_commands as twisted
from tests.interop.ours import events_service, interop_service
from tests.interop.reactor import ask, there, twisted_client, twisted_server
from tests.raw import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from ampgen.tools.recordings.events import Event
    from ampgen.tools.seeing.seen import Seen


SCHEMA = Path(__file__).with_name("interop.amp")


class Seeing:
    def __init__(self) -> None:
        self.boxes: list[SeenBox] = []
        self.faults: list[object] = []
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    def see(self, number: int, seen: Seen) -> None:
        if isinstance(seen, SeenBox):
            self.boxes.append(seen)
        if seen.fault:
            self.faults.append(seen)

    def tell(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, kind: type[Event]) -> Any:
        async with asyncio.timeout(PATIENCE):
            while not any(isinstance(one, kind) for one in self.events):
                self._changed.clear()
                await self._changed.wait()
        return next(one for one in self.events if isinstance(one, kind))

    def said(self) -> list[tuple[Side, Kind, str]]:
        return [(one.sender, one.kind, one.command) for one in self.boxes]


def _failed(error: OSError) -> None:
    raise error


@asynccontextmanager
async def relayed(
    upstream: str, where: str = "127.0.0.1:0", record: Path | None = None
) -> AsyncGenerator[tuple[str, Seeing]]:
    loaded = load_schemas([SCHEMA])
    seeing = Seeing()
    recorder = None
    if record is not None:
        recorder = Recorder(str(record), loaded, upstream, secrets=False)
    onlooker = Onlooker(loaded, seeing, recorder, _failed)
    entrance = Entrance(parse_address(where))
    async with Relay(entrance, Upstream(parse_address(upstream)), onlooker) as relay:
        yield relay.addresses[0], seeing
    if recorder is not None:
        recorder.close()


ASK, ANSWER, ERROR, ONEWAY = Kind.ASK, Kind.ANSWER, Kind.ERROR, Kind.ONEWAY
CLIENT, SERVER = Side.CLIENT, Side.SERVER


async def test_twisted_on_both_sides() -> None:
    async with (
        twisted_server() as server,
        relayed(server.address) as (address, seeing),
        twisted_client(address) as client,
    ):
        answer = await ask(client, twisted.CallBack, text="abc")
        assert answer == {"answer": "ABC"}
        with pytest.raises(twisted.Refused):
            await ask(client, twisted.Fail, how="refused")
    assert seeing.faults == []
    assert seeing.said() == [
        (CLIENT, ASK, "CallBack"),
        (SERVER, ONEWAY, "Notice"),
        (SERVER, ASK, "Question"),
        (CLIENT, ANSWER, "Question"),
        (SERVER, ANSWER, "CallBack"),
        (CLIENT, ASK, "Fail"),
        (SERVER, ERROR, "Fail"),
    ]
    assert seeing.boxes[0].fields == {"text": "abc"}
    assert seeing.boxes[-1].code == "REFUSED"


async def test_our_client_and_a_twisted_server(interop: Any) -> None:
    async with (
        twisted_server() as server,
        relayed(server.address) as (address, seeing),
        interop.InteropClient.connect(address, events=events_service(interop)) as ours,
    ):
        assert (await ours.call_back("abc")).answer == "ABC"
        # Twisted ends the connection behind an error that nobody declares
        with pytest.raises(InternalError):
            await ours.fail("undeclared")
        await ours.connection.wait_closed()
        await seeing.until(Closed)
    ended = [one for one in seeing.events if isinstance(one, Ended)]
    assert ended[0].sender is SERVER


async def test_a_twisted_client_and_our_server(interop: Any) -> None:
    service = interop_service(interop)
    async with (
        serve("127.0.0.1:0", service) as server,
        relayed(server.addresses[0]) as (address, seeing),
        twisted_client(address) as client,
    ):
        answer = await ask(client, twisted.CallBack, text="abc")
        assert answer == {"answer": "ABC"}
        assert seeing.faults == []


@pytest.mark.parametrize("killed", [CLIENT, SERVER])
async def test_an_end_that_is_killed_in_the_midst(killed: Side, interop: Any) -> None:
    service = interop_service(interop)
    async with (
        serve("127.0.0.1:0", service) as server,
        relayed(server.addresses[0]) as (address, seeing),
        twisted_client(address) as client,
    ):
        service.expect(1)
        waiting = asyncio.create_task(ask(client, twisted.Wait, number=1))
        await asyncio.wait_for(service.full.wait(), PATIENCE)
        if killed is CLIENT:
            await there(client.abort)
        else:
            for shell in list(server._shells.values()):
                shell.abort()
        await seeing.until(Closed)
        if killed is CLIENT:
            failed = await seeing.until(Failed)
            assert failed.side is CLIENT
        with pytest.raises(Exception, match=r"[Cc]onnection"):
            await waiting


async def test_five_megabytes_through_both(interop: Any) -> None:
    size = 60_000
    async with (
        serve("127.0.0.1:0", interop_service(interop)) as server,
        relayed(server.addresses[0]) as (address, seeing),
        twisted_client(address) as client,
    ):
        answers = await asyncio.gather(
            *(ask(client, twisted.Large, size=size) for _ in range(90))
        )
        assert all(one["raw"] == b"x" * size for one in answers)
        assert seeing.faults == []
        assert seeing.said().count((SERVER, ANSWER, "Large")) == 90


async def test_a_recording_of_twisted_is_replayed_to_ours(
    interop: Any, tmp_path: Path
) -> None:
    path = tmp_path / "calls.jsonl"
    async with (
        twisted_server() as server,
        relayed(server.address, record=path) as (address, seeing),
    ):
        async with twisted_client(address) as client:
            await ask(client, twisted.CallBack, text="abc")
            with pytest.raises(twisted.NotFound):
                await ask(client, twisted.Fail, how="missing")
        await seeing.until(Closed)

    class Audience:
        def __init__(self) -> None:
            self.told: list[str] = []

        def seen(self, number: int, seen: Seen) -> None:
            pass

        def differs(self, number: int, what: str) -> None:
            self.told.append(what)

        def unsent(self, number: int, what: str) -> None:
            self.told.append(what)

    async with serve("127.0.0.1:0", interop_service(interop)) as ours:
        audience = Audience()
        terms = Terms(
            load_schemas([SCHEMA]), Upstream(parse_address(ours.addresses[0])), audience
        )
        recording = Recording(path.read_bytes().splitlines(keepends=True))
        outcome = await replay(recording.events(), terms, float("inf"))
    assert audience.told == []
    assert outcome.sent == 3
