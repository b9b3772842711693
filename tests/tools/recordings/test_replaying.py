"""Replays: the same is asked once more, and what is not the same is found."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import serve
from ampgen.runtime.addresses import parse_address
from ampgen.tools.memory import load_schemas
from ampgen.tools.proxy.onlooker import Onlooker
from ampgen.tools.proxy.relay import Entrance, Relay
from ampgen.tools.proxy.upstream import NotConnected, Upstream
from ampgen.tools.recordings.events import (
    Boxed,
    Broken,
    Closed,
    Ended,
    Event,
    Failed,
    Header,
    Opened,
    Values,
    header_line,
    line,
)
from ampgen.tools.recordings.reader import Recording, load_recorded
from ampgen.tools.recordings.recorder import Recorder
from ampgen.tools.recordings.replayed import Outcome, Terms
from ampgen.tools.recordings.replaying import replay
from ampgen.tools.recordings.withholding import Length
from ampgen.tools.seeing.seen import Break, Seen, SeenBox, SeenBytes, Side
from tests.cli.proxying import SCHEMA, SECRET, Vault, talk, vault
from tests.raw import PATIENCE, RawPeer, box, listen

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

CLIENT, SERVER = Side.CLIENT, Side.SERVER


class Blind:
    """``closed``: no connection is open, and there was one."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()
        self._open = 0

    def see(self, number: int, seen: Seen) -> None:
        pass

    def tell(self, event: Event) -> None:
        self._open += isinstance(event, Opened)
        self._open -= isinstance(event, Closed)
        if self._open:
            self.closed.clear()
        else:
            self.closed.set()


class Audience:
    def __init__(self) -> None:
        self.boxes: list[SeenBox] = []
        self.different: list[str] = []
        self.not_sent: list[str] = []

    def seen(self, number: int, seen: Seen) -> None:
        if isinstance(seen, SeenBox):
            self.boxes.append(seen)

    def differs(self, number: int, what: str) -> None:
        self.different.append(what)

    def unsent(self, number: int, what: str) -> None:
        self.not_sent.append(what)


def failed(error: OSError) -> None:
    raise error


@asynccontextmanager
async def recorded(
    upstream: str, path: Path, *, schema: bool = True, secrets: bool = False
) -> AsyncGenerator[str]:
    """A relay that records what passes."""
    loaded = load_schemas([Path(SCHEMA)]) if schema else None
    recorder = Recorder(str(path), loaded, upstream, secrets=secrets)
    display = Blind()
    onlooker = Onlooker(loaded, display, recorder, failed)
    target = Upstream(parse_address(upstream))
    async with Relay(Entrance(parse_address("127.0.0.1:0")), target, onlooker) as relay:
        yield relay.addresses[0]
        async with asyncio.timeout(PATIENCE):
            await display.closed.wait()
    recorder.close()


def reading(path: Path) -> Recording:
    return Recording(path.read_bytes().splitlines(keepends=True))


async def again(
    recording: Recording, address: str, patience: float = PATIENCE, **options: Any
) -> tuple[Outcome, Audience]:
    audience = Audience()
    speed = options.pop("speed", math.inf)
    terms = Terms(
        load_recorded(recording.header),
        Upstream(parse_address(address)),
        audience,
        patience,
        **options,
    )
    return await replay(recording.events(), terms, speed), audience


@pytest.fixture
async def taken(tmp_path: Path) -> Path:
    """A recording of two clients, secrets hidden, and a third one that is refused."""
    path = tmp_path / "calls.jsonl"
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        recorded(server.addresses[0], path) as address,
    ):
        await talk(address)
        await talk(address)
        with pytest.raises(vault.Denied):
            await talk(address, "wrong")
    return path


class Lenient(Vault):
    """It takes any password: what is hidden in a recording is not the right one."""

    async def sign_in(self, name: str, password: str, keys: Any) -> Any:
        allowed = SECRET if password != "no" else password
        return await super().sign_in(name, allowed, keys)


async def test_all_that_was_said_is_said_again(taken: Path) -> None:
    there = Lenient()
    async with serve("127.0.0.1:0", there) as server:
        outcome, audience = await again(reading(taken), server.addresses[0])
    assert audience.not_sent == []
    # the third one was refused, and is not any more
    assert audience.different == [
        "Vault.SignIn error 1: error DENIED, and now answer",
    ]
    assert outcome.connections == 3
    assert outcome.stand_ins > 0
    # what the server asks is answered from the recording, the secret by a stand-in
    assert there.answers == ["[hidden]"] * 3


async def test_with_its_secrets_a_recording_is_the_same_again(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    async with serve("127.0.0.1:0", Vault()) as server:
        async with recorded(server.addresses[0], path, secrets=True) as address:
            await talk(address)
            with pytest.raises(vault.Denied):
                await talk(address, "wrong")
        outcome, audience = await again(reading(path), server.addresses[0])
        assert (audience.different, audience.not_sent) == ([], [])
        assert outcome == Outcome(connections=2, sent=11, received=11)
        assert outcome.good
    async with serve("127.0.0.1:0", Vault("good day")) as server:
        outcome, audience = await again(reading(path), server.addresses[0])
        assert audience.different == [
            'Vault.SignIn answer 1: greeting: "hello word", and now "good day word"',
            'Vault.SignIn answer 5: greeting: "hello ada", and now "good day ada"',
        ]
        assert not outcome.good
        outcome, audience = await again(
            reading(path), server.addresses[0], compare=False
        )
        assert outcome.good


class Changed(Vault):
    async def sign_in(self, name: str, password: str, keys: Any) -> Any:
        result = await super().sign_in(name, password, keys)
        return vault.SignInResult(
            greeting=result.greeting, token="another", key=vault.Key(id=1, secret="x")
        )

    async def listen(self, to: str) -> AsyncIterator[Any]:
        yield vault.ListenItem(line=f"{to} 0", sound="s0und")
        yield vault.ListenItem(line="else", sound="s0und")

    async def tell(self, lines: AsyncIterator[Any]) -> int:
        raise RuntimeError("a bug")


async def test_each_kind_of_difference_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "calls.jsonl"
    async with (
        serve("127.0.0.1:0", Vault()) as server,
        recorded(server.addresses[0], path, secrets=True) as address,
    ):
        await talk(address)
    async with serve("127.0.0.1:0", Changed()) as server:
        outcome, audience = await again(reading(path), server.addresses[0], 0.2)
    hidden = "another value, in what is hidden"
    assert audience.different == [
        f"Vault.SignIn answer 1: token: {hidden}",
        f"Vault.SignIn answer 1: key: {hidden}",
        'Vault.Listen item: line: "the sea 1", and now "else"',
        "Vault.Listen item: does not come within 0.2 s",
        "Vault.Tell credit: does not come within 0.2 s",
        "Vault.Tell answer 3: answer, and now error UNKNOWN",
        f"Vault.SignIn answer 5: token: {hidden}",
        f"Vault.SignIn answer 5: key: {hidden}",
    ]
    assert outcome.differences == 8
    assert SECRET not in repr(audience.different)


async def test_without_a_schema_nothing_can_be_sent(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    async with serve("127.0.0.1:0", Vault()) as server:
        async with recorded(server.addresses[0], path, schema=False) as address:
            await talk(address)
        outcome, audience = await again(reading(path), server.addresses[0])
        why = "no value is in the recording"
        before = "what comes before it in its stream is not sent"
        assert audience.not_sent == [
            f"SignIn ask 1: {why}: keys",
            f"Listen ask 2: {why}: to",
            f"Tell item: {why}: item",
            f"Tell item: {why}: item",
            f"Tell end: {before}",
            f"SignIn ask 5: {why}: keys",
        ]
        assert audience.different == []
        assert not outcome.good


async def test_with_secrets_but_without_a_schema_bytes_are_compared(
    tmp_path: Path,
) -> None:
    path = tmp_path / "calls.jsonl"
    async with serve("127.0.0.1:0", Vault()) as server:
        async with recorded(
            server.addresses[0], path, schema=False, secrets=True
        ) as address:
            await talk(address)
        outcome, audience = await again(reading(path), server.addresses[0])
        assert outcome.good
    async with serve("127.0.0.1:0", Vault("good day")) as server:
        outcome, audience = await again(reading(path), server.addresses[0])
    assert audience.different == [
        "SignIn answer 1: greeting: other bytes",
        "SignIn answer 5: greeting: other bytes",
    ]


async def test_the_times_of_a_recording_are_kept(tmp_path: Path) -> None:
    def at(seconds: float) -> list[Event]:
        leave: dict[bytes, Any] = {b"_command": b"Leave"}
        return [
            Opened(1, 0.0, ""),
            Boxed(1, seconds, CLIENT, leave),
            Ended(1, seconds, CLIENT),
            Closed(1, seconds),
        ]

    loop = asyncio.get_running_loop()
    async with serve("127.0.0.1:0", Vault()) as server:
        for speed, least, most in ((2.0, 0.5, 9), (10.0, 0.1, 9), (math.inf, 0, 1)):
            began = loop.time()
            recording = made(*at(1.0))
            await again(recording, server.addresses[0], speed=speed)
            assert least <= loop.time() - began < most


def made(*events: Event, **header: Any) -> Recording:
    header = {"values": Values.ALL, "began": "", "upstream": ""} | header
    lines = [header_line(Header(**header)), *map(line, events)]
    return Recording([one.encode() for one in lines])


def call(tag: bytes, **more: Any) -> dict[bytes, Any]:
    pairs = {key.encode(): value for key, value in more.items()}
    return {b"_ask": tag, b"_command": b"Do", **pairs}


async def test_nothing_is_sent_before_what_came_first_has_come() -> None:
    answers = {b"_answer": b"1"}
    recording = made(
        Opened(1, 0.0, ""),
        Opened(2, 0.0, ""),
        Boxed(1, 0.0, CLIENT, call(b"1")),
        Boxed(1, 0.0, SERVER, {**answers}),
        Boxed(2, 0.0, CLIENT, call(b"1")),
        Boxed(2, 0.0, SERVER, {**answers}),
    )
    async with listen() as listener:
        running = asyncio.create_task(again(recording, listener.address))
        one, two = await listener.accept(), await listener.accept()
        assert await one.receive_box() == call(b"1")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(two.reader.read(1), 0.1)
        await one.send(box(answers))
        assert await two.receive_box() == call(b"1")
        await two.send(box(answers))
        outcome, _ = await running
        assert outcome.good


async def test_keys_keep_the_order_that_they_had() -> None:
    pairs: dict[bytes, Any] = {b"z": b"1", b"_command": b"Do", b"a": b"\xff"}
    async with listen() as listener:
        recording = made(Opened(1, 0.0, ""), Boxed(1, 0.0, CLIENT, pairs))
        running = asyncio.create_task(again(recording, listener.address))
        there = await listener.accept()
        got = await there.receive_box()
        assert list(got.items()) == list(pairs.items())
        await running


async def test_what_the_server_asks_is_answered_under_its_own_tag() -> None:
    ask: dict[bytes, Any] = {b"_ask": b"a", b"_command": b"Word"}
    answer: dict[bytes, Any] = {b"_answer": b"a", b"word": b"yes"}
    error: dict[bytes, Any] = {b"_error": b"b", b"_error_code": b"NO"}
    error[b"_error_description"] = b""
    recording = made(
        Opened(1, 0.0, ""),
        Boxed(1, 0.0, SERVER, ask),
        Boxed(1, 0.0, CLIENT, answer),
        Boxed(1, 0.0, SERVER, {**ask, b"_ask": b"b"}),
        Boxed(1, 0.0, CLIENT, error),
    )
    async with listen() as listener:
        running = asyncio.create_task(again(recording, listener.address))
        there = await listener.accept()
        await there.send(box({**ask, b"_ask": b"77"}))
        assert await there.receive_box() == {**answer, b"_answer": b"77"}
        await there.send(box({**ask, b"_ask": b"78"}))
        assert await there.receive_box() == {**error, b"_error": b"78"}
        outcome, _ = await running
        assert outcome.good


async def test_a_sign_of_life_is_given_at_once_and_never_expected() -> None:
    ping: dict[bytes, Any] = {b"_ask": b"a", b"_command": b"_ping"}
    recording = made(
        Opened(1, 0.0, ""),
        Boxed(1, 0.0, SERVER, ping),
        Boxed(1, 0.0, CLIENT, {b"_answer": b"a"}),
        Boxed(1, 0.0, CLIENT, call(b"1")),
        Boxed(1, 0.0, SERVER, {b"_answer": b"1"}),
    )
    async with listen() as listener:
        running = asyncio.create_task(again(recording, listener.address))
        there = await listener.accept()
        assert await there.receive_box() == call(b"1")
        await there.send(box({**ping, b"_ask": b"z"}))
        assert await there.receive_box() == {b"_answer": b"z"}
        await there.send(box({b"_answer": b"1"}))
        outcome, audience = await running
        assert audience.different == []
        assert outcome.good


async def told_of(recording: Recording, *answers: bytes, end: bool = True) -> list[str]:
    """What is different where the server says just this, and ends."""
    async with listen() as listener:
        running = asyncio.create_task(again(recording, listener.address, 0.2))
        there: RawPeer = await listener.accept()
        for one in answers:
            await there.send(one)
        if end:
            there.writer.write_eof()
        _outcome, audience = await asyncio.wait_for(running, PATIENCE)
        return audience.different


CALLED = (Opened(1, 0.0, ""), Boxed(1, 0.0, CLIENT, call(b"1")))
ANSWER = Boxed(1, 0.0, SERVER, {b"_answer": b"1"})


async def test_what_the_server_does_not_say_or_says_beyond_is_told() -> None:
    good = box({b"_answer": b"1"})
    assert await told_of(made(*CALLED, ANSWER), good) == []
    assert await told_of(made(*CALLED, ANSWER)) == [
        "Do answer 1: does not come, the server has ended the connection"
    ]
    assert await told_of(made(*CALLED, ANSWER), end=False) == [
        "Do answer 1: does not come within 0.2 s"
    ]
    more = box({b"_command": b"More"})
    closed = (Ended(1, 0.0, SERVER), Closed(1, 0.0))
    assert await told_of(made(*CALLED, ANSWER, *closed), good, more) == [
        "More oneway: more than there was"
    ]
    assert await told_of(made(*CALLED, ANSWER, *closed), good, end=False) == [
        "the server does not end the connection"
    ]
    assert await told_of(made(*CALLED, ANSWER), good + b"GET / HTTP/1.1 and so on") == [
        "bytes that are no box: a key of 18,245 bytes, at most 255 are allowed: this"
        " looks like HTTP"
    ]


async def test_other_keys_and_other_words_are_told() -> None:
    error: dict[bytes, Any] = {b"_error": b"1", b"_error_code": b"NO"}
    error[b"_error_description"] = b"not that"
    recording = made(*CALLED, Boxed(1, 0.0, SERVER, error))
    for now, different in (
        (error, []),
        ({**error, b"_error_code": b"NOT"}, ["error NO, and now NOT"]),
        (
            {**error, b"_error_description": b"no"},
            ['description "not that", and now "no"'],
        ),
        ({**error, b"limit": b"1"}, ["limit: not there before"]),
        ({**error, b"_meta.a": b"1", b"_peer": b"x"}, []),
    ):
        told = await told_of(recording, box(now))
        assert told == [f"Do error 1: {one}" for one in different]
        recording = made(*CALLED, Boxed(1, 0.0, SERVER, error))
    lengths: dict[bytes, Any] = {b"_answer": b"1", b"a": Length(5), b"b": Length(1)}
    recording = made(*CALLED, Boxed(1, 0.0, SERVER, lengths))
    told = await told_of(recording, box({b"_answer": b"1", b"a": b"1"}))
    assert told == ["Do answer 1: b: not there any more"]


async def test_credit_may_come_in_other_portions() -> None:
    def credit(number: bytes) -> dict[bytes, Any]:
        command = {b"_command": b"Do._send_credit", b"_stream": b"1"}
        return {**command, b"_credit": number}

    item: dict[bytes, Any] = {b"_command": b"Do._send", b"_stream": b"1"}
    recording = made(
        Opened(1, 0.0, ""),
        Boxed(1, 0.0, CLIENT, call(b"1", _stream=b"1")),
        Boxed(1, 0.0, SERVER, credit(b"4")),
        Boxed(1, 0.0, CLIENT, item),
        Boxed(1, 0.0, SERVER, credit(b"2")),
        Boxed(1, 0.0, CLIENT, item),
    )
    async with listen() as listener:
        running = asyncio.create_task(again(recording, listener.address))
        there = await listener.accept()
        assert b"_ask" in await there.receive_box()
        for number in (b"1", b"1", b"3"):
            await there.send(box(credit(number)))
        assert await there.receive_box() == item
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(there.reader.read(1), 0.1)
        await there.send(box(credit(b"1")))
        assert await there.receive_box() == item
        _outcome, audience = await running
        assert audience.different == []


async def test_what_cannot_be_sent_again_is_told() -> None:
    seen = SeenBytes(
        sender=CLIENT,
        at=0.0,
        offset=10,
        size=0,
        why=Break.LOST,
        rule="a key of 300 bytes",
        fault=True,
    )
    lost = Broken(1, 0.0, seen)
    more = Boxed(1, 0.0, CLIENT, call(b"2"))
    recording = made(
        *CALLED, ANSWER, lost, more, Boxed(1, 0.0, SERVER, {b"_answer": b"2"})
    )
    async with listen() as listener:
        running = asyncio.create_task(again(recording, listener.address))
        there = await listener.accept()
        assert await there.receive_box() == call(b"1")
        await there.send(box({b"_answer": b"1"}))
        outcome, audience = await running
        assert await there.ended()
    assert audience.not_sent == ["what follows is no AMP: a key of 300 bytes"]
    assert audience.different == []
    assert not outcome.good


async def test_a_connection_that_never_was_is_none_now() -> None:
    async with serve("127.0.0.1:0", Vault()) as server:
        recording = made(Failed(1, 0.0, None, "cannot connect"), Closed(1, 0.0))
        outcome, _ = await again(recording, server.addresses[0])
        assert outcome == Outcome()


async def test_a_server_that_is_not_there() -> None:
    with pytest.raises(NotConnected, match=r"127.0.0.1:1: .* refused"):
        await again(made(*CALLED), "127.0.0.1:1")


async def test_a_server_that_does_not_read_is_waited_for() -> None:
    many = [Boxed(1, 0.0, CLIENT, call(b"%d" % n, a=b"x" * 60_000)) for n in range(300)]
    async with listen() as listener:
        running = asyncio.create_task(
            again(made(Opened(1, 0.0, ""), *many), listener.address)
        )
        there = await listener.accept()
        transport: Any = there.writer.transport
        transport.pause_reading()
        done, _ = await asyncio.wait([running], timeout=0.5)
        assert not done
        transport.resume_reading()
        for number in range(300):
            assert (await there.receive_box())[b"_ask"] == b"%d" % number
        outcome, _ = await running
        assert outcome.sent == 300


async def test_a_server_that_never_reads_is_not_waited_for_for_ever() -> None:
    many = [Boxed(1, 0.0, CLIENT, call(b"%d" % n, a=b"x" * 60_000)) for n in range(300)]
    async with listen() as listener:
        recording = made(Opened(1, 0.0, ""), *many, Closed(1, 0.0))
        running = asyncio.create_task(again(recording, listener.address, 0.5))
        there = await listener.accept()
        transport: Any = there.writer.transport
        transport.pause_reading()
        outcome, audience = await asyncio.wait_for(running, PATIENCE)
    assert 0 < outcome.sent < 300
    assert not outcome.good
    tag = outcome.sent
    expected = f"Do ask {tag}: the server takes nothing for 0.5 s"
    assert audience.not_sent == [expected]
