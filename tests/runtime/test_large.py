"""Values over 64 KiB: in pieces under several keys, within their bounds."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import (
    Connection,
    DecodeError,
    EncodeError,
    InternalError,
    InvalidArgument,
    Limits,
    ProtocolError,
    serve,
)
from ampgen.runtime.errors import Fault, Malformed
from ampgen.runtime.large import LargeBox, get_large
from ampgen.runtime.services import handlers_of
from ampgen.runtime.wire import BoxParser, check_size, read_box, write_box
from tests.raw import PATIENCE, client_of, dial, server_of
from tests.runtime import peers
from tests.runtime.peers import HeldCall

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from tests.conftest import CompileSchema

FULL = 65_535
EDGES = [
    0,
    1,
    FULL - 1,
    FULL,
    FULL + 1,
    2 * FULL - 1,
    2 * FULL,
    2 * FULL + 1,
    11 * FULL,
]


@pytest.fixture(scope="module")
def made(compile_schema: CompileSchema) -> Any:
    return compile_schema(Path(__file__).parent / "large.amp")


def pieces(key: bytes, value: bytes) -> dict[bytes, bytes]:
    """A large value as other programs put it into a box."""
    box = {key: value[:FULL]}
    for number in range(2, -(-len(value) // FULL) + 1):
        box[b"%b.%d" % (key, number)] = value[(number - 1) * FULL : number * FULL]
    return box


# --- one box --------------------------------------------------------------------------


@pytest.mark.parametrize("size", EDGES)
def test_a_value_is_cut_and_put_together(size: int) -> None:
    value = bytes(range(251)) * (size // 251 + 1)
    value = value[:size]
    writer = LargeBox()
    writer.put(b"a", b"1")
    writer.put_large(b"page", value)
    data = writer.write(b"\0\4_ask\0\0019")
    box, end = read_box(data, 0)
    assert end == len(data)
    assert box == {b"_ask": b"9", b"a": b"1"} | pieces(b"page", value)
    assert list(box) == sorted(box)
    assert get_large(box, b"page") == value
    assert get_large(box, b"other") is None


@pytest.mark.parametrize(
    ("size", "first"), [(FULL, [b"Page", b"_ask"]), (FULL + 1, [b"_ask", b"Page"])]
)
def test_where_a_value_is_in_pieces_what_the_box_is_comes_first(
    size: int, first: list[bytes]
) -> None:
    writer = LargeBox()
    writer.put_large(b"Page", b"x" * size)
    box, _end = read_box(writer.write(b"\0\4_ask\0\0019"), 0)
    assert list(box)[:2] == first
    writer.put(b"a", b"")
    box, _end = read_box(writer.write(b"\0\4_ask\0\0019"), 0)
    assert [*first, b"a"] == [key for key in box if key != b"Page.2"]


def test_a_value_that_is_not_large_has_its_length_told() -> None:
    with pytest.raises(Fault, match=r"over 65,535 bytes.*: this one has 65,536"):
        LargeBox().put(b"k", bytes(65_536))
    with pytest.raises(Fault, match=r"over 65,535 bytes.*: this one has 70,000"):
        write_box({b"a": b"", b"k": bytes(70_000)})


BROKEN: list[tuple[dict[str, int], str]] = [
    ({"k.2": 1}, "there are pieces of it, and the first one is missing"),
    ({"k": FULL, "k.3": 1}, "its piece `k.2` is missing"),
    ({"k": FULL, "k.2": FULL, "k.4": 1}, "its piece `k.3` is missing"),
    ({"k": 9, "k.2": 1}, "its piece 1 has 9 bytes: all but the last have 65,535"),
    ({"k": FULL, "k.2": 1_000, "k.3": 1}, "its piece 2 has 1,000 bytes: all but"),
    ({"k": FULL, "k.1": 1}, "`k.1` is no piece of it: they are numbered 2, 3"),
    ({"k.0": FULL, "k.1": 1}, r"`k.[01]` is no piece of it: they are numbered"),
    ({"k": FULL, "k.02": 1}, "`k.02` is no piece of it: they are numbered 2, 3"),
    ({"k": FULL, "k.2": 0}, "its last piece `k.2` is empty"),
    ({"k": FULL, "k.2": FULL, "k.3": 0}, "its last piece `k.3` is empty"),
]


@pytest.mark.parametrize(("sizes", "rule"), BROKEN)
def test_pieces_that_are_not_whole_are_refused(
    sizes: dict[str, int], rule: str
) -> None:
    box = {key.encode(): b"x" * size for key, size in sizes.items()}
    with pytest.raises(Fault, match=rule) as caught:
        get_large(box, b"k")
    assert caught.value.path == "k"


def test_keys_that_only_look_like_pieces_are_none() -> None:
    box = {b"k": b"x" * FULL, b"k.2": b"y", b"k.2x": b"", b"k.": b"", b"kk.3": b""}
    assert get_large(box, b"k") == b"x" * FULL + b"y"
    box |= {b"k.1": b"declared", b"k.02": b"declared"}
    assert get_large(box, b"k", b"k.02", b"k.1") == b"x" * FULL + b"y"


# --- counted while it is read ---------------------------------------------------------


def parse(
    pairs: list[tuple[bytes, int]], bounds: Mapping[bytes, int], limit: int = 100
) -> BoxParser:
    """A box of those keys, the values that long, as it comes; `_command` is `c`."""
    asked: list[set[bytes]] = []

    def large(box: Mapping[bytes, bytes]) -> Mapping[bytes, int]:
        asked.append(set(box))
        return bounds if b"_answer" not in box else {}

    parser = BoxParser(limit, large)
    for key, size in pairs:
        parser.feed(len(key).to_bytes(2, "big") + key, 0)
        parser.feed(size.to_bytes(2, "big") + b"x" * size, 0)
    parser.feed(b"\0\0", 0)
    kinds = {b"_answer", b"_command", b"_error"}
    assert len(asked) == len(kinds & set(parser.box))  # once each
    return parser


C = (b"_command", 1)  # nine bytes


@pytest.mark.parametrize(
    "pairs",
    [
        [C, (b"k", 300)],
        [C, (b"k", 200), (b"k.2", 100)],
        [C, (b"k.2", 100), (b"k", 200), (b"a", 80)],
        [(b"k", 90), C, (b"k.2", 210), (b"a", 80)],
        [(b"k", 40), (b"k.2", 30), C, (b"k.3", 230), (b"a", 60)],
        [C, (b"k", 300), C],
    ],
)
def test_a_large_value_has_a_bound_of_its_own(pairs: list[tuple[bytes, int]]) -> None:
    parser = parse(pairs, {b"k": 300})
    assert parser.done
    assert {key: len(value) for key, value in parser.box.items()} == dict(pairs)


@pytest.mark.parametrize(
    ("pairs", "rule"),
    [
        ([(b"k", 100), C], "a box over 100 bytes of keys and values"),
        ([(b"k", 60), (b"k.2", 60), C], "a box over 100 bytes of keys and values"),
        ([C, (b"k", 301)], "a large value `k` over 300 bytes"),
        ([C, (b"k", 200), (b"k.2", 101)], "a large value `k` over 300 bytes"),
        ([C, (b"k", 200), (b"k", 101)], "a large value `k` over 300 bytes"),
        ([C, (b"k", 300), (b"a", 90)], "a box over 100 bytes of keys and values"),
        ([C, (b"k", 10), (b"k.x", 88)], "a box over 100 bytes of keys and values"),
        ([C, *((b"k.%d" % n, 0) for n in range(2, 40))], "a box over 100 bytes"),
        ([C, (b"k", 150), (b"_answer", 1)], "a box over 100 bytes of keys and"),
    ],
)
def test_what_is_beyond_a_bound_is_refused_as_soon_as_it_is_announced(
    pairs: list[tuple[bytes, int]], rule: str
) -> None:
    with pytest.raises(Malformed, match=rule):
        parse(pairs, {b"k": 300})


def test_a_bound_that_is_less_than_what_has_come_holds() -> None:
    parse([(b"k", 50), C], {b"k": 50})
    with pytest.raises(Malformed, match="a large value `k` over 49 bytes"):
        parse([(b"k", 50), C], {b"k": 49})


def test_a_box_of_ours_is_counted_the_same_way() -> None:
    limits = Limits(box=20, large=70_000)
    fits = write_box({b"_ask": b"1", b"a": b"x" * 7} | pieces(b"k", b"x" * 70_000))
    check_size(fits, limits, (b"k",))
    more = write_box({b"_ask": b"1", b"a": b"x" * 11} | pieces(b"k", b"x" * 70_000))
    with pytest.raises(Fault, match=r"a box over 20 bytes.*: this one has 21"):
        check_size(more, limits, (b"k",))
    longer = write_box(pieces(b"k", b"x" * 70_001))
    with pytest.raises(Fault, match=r"k: over 70,000 bytes.*: this one has 70,001"):
        check_size(longer, limits, (b"k",))


# --- the protocol ---------------------------------------------------------------------


class Host(peers.Host):
    def __init__(self, service: Any, **limits: int) -> None:
        super().__init__(limits=Limits(**limits))
        self.protocol.handlers = handlers_of([service])

    def called(self, command: Any, *arguments: Any) -> HeldCall:
        call = HeldCall(command, None, None)
        self.protocol.ask(call, arguments)
        return call


@pytest.fixture
def host(made: Any) -> Host:
    return Host(store(made))


def command(made: Any, name: str) -> Any:
    commands = {one.name: one for one, _ in made.StoreServer.__ampgen_commands__}
    return commands[name]


TEXT = {b"_ask": b"1", b"_command": b"Text"}


@pytest.mark.parametrize("step", [1, 7, 65_537, 1 << 30])
def test_a_request_comes_in_any_pieces_and_any_order(host: Host, step: int) -> None:
    box = pieces(b"text", b"abcdefg" * 20_000) | TEXT  # what it is comes last
    data = b"".join(
        b"".join((len(k).to_bytes(2, "big"), k, len(v).to_bytes(2, "big"), v))
        for k, v in reversed([*TEXT.items(), *box.items()])
    )
    data += b"\0\0"
    for at in range(0, len(data), step):
        host.protocol.receive_data(data[at : at + step])
    [(_serving, arguments)] = host.requests
    assert arguments == ("abcdefg" * 20_000, 0)


def test_twisteds_order_is_read_and_what_fits_is_read_where_it_lies(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.protocol.receive_data(write_box(TEXT | pieces(b"text", b"a" * 200_000)))
    monkeypatch.setattr("ampgen.runtime.protocol.BoxParser", None)
    fits = pieces(b"text", b"b" * FULL) | {b"_ask": b"2"}
    host.protocol.receive_data(write_box(TEXT | fits))
    assert [arguments for _, arguments in host.requests] == [
        ("a" * 200_000, 0),
        ("b" * FULL, 0),
    ]


@pytest.mark.parametrize(("sizes", "rule"), BROKEN)
def test_broken_pieces_are_an_invalid_argument(
    host: Host, sizes: dict[str, int], rule: str
) -> None:
    names = {key.replace("k", "text").encode(): size for key, size in sizes.items()}
    box = {key: b"x" * size for key, size in names.items()}
    host.protocol.receive_data(write_box(TEXT | box))
    [answer] = host.sent()
    assert answer[b"_error_code"] == b"INVALID_ARGUMENT"
    assert answer[b"_error_description"].startswith(b"Text: text: ")
    assert not host.requests
    host.protocol.receive_data(write_box(TEXT | {b"text": b"on it goes"}))
    assert host.requests[0][1] == ("on it goes", 0)


def test_broken_pieces_of_an_answer_fail_the_call(made: Any, host: Host) -> None:
    waiter = host.ask(command(made, "Raw"), None)
    answer = {b"_answer": b"1", b"raw.2": b"x"}
    host.protocol.receive_data(write_box(answer))
    error = waiter.exception()
    assert isinstance(error, DecodeError)
    assert (error.command, error.key) == ("Raw", "raw")


@pytest.mark.parametrize("whole", [True, False])
def test_bounds_hold_however_a_box_comes(made: Any, whole: bool) -> None:
    """In one go it could be read where it lies, which counts nothing."""
    for size, refused in ((99_999, False), (100_000, False), (100_001, True)):
        host = Host(store(made), large=100_000)
        data = write_box(TEXT | pieces(b"text", b"x" * size))
        for at in range(0, len(data), len(data) if whole else 1_000):
            host.protocol.receive_data(data[at : at + (len(data) if whole else 1_000)])
        assert bool(host.requests) is not refused


def test_a_value_beyond_the_bound_ends_the_connection_and_says_why(
    made: Any, host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    waiter = host.ask(command(made, "Text"), "a", 0)
    sent = 1
    host.protocol.receive_data(write_box(TEXT | {b"text": b"x" * FULL})[:-2])
    while not waiter.done():
        sent += 1
        piece = write_box({b"text.%d" % sent: b"x" * FULL})[:-2]
        host.protocol.receive_data(piece)
    assert sent == 16 * 1024 * 1024 // FULL + 1
    assert isinstance(waiter.exception(), ProtocolError)
    assert "a large value `text` over 16,777,216 bytes" in caplog.text


@pytest.mark.parametrize(
    "first",
    [
        {b"_ask": b"1", b"_command": b"Small"},
        {b"_ask": b"1", b"_command": b"Nope"},
        {b"_error": b"1"},
        {b"_answer": b"9"},
        {},
    ],
)
def test_no_other_box_may_be_larger(
    made: Any, host: Host, first: dict[bytes, bytes]
) -> None:
    waiter = host.ask(command(made, "Text"), "a", 0)
    box = first | pieces(b"text", b"x" * 1_100_000)
    host.protocol.receive_data(write_box(box)[:-2])
    assert isinstance(waiter.exception(), ProtocolError)


def test_a_large_answer_to_a_call_that_was_given_up_is_dropped(
    made: Any, host: Host
) -> None:
    call = host.called(command(made, "Text"), "a", 0)
    other = host.ask(command(made, "Text"), "b", 0)
    answer = write_box({b"_answer": b"1"} | pieces(b"text", b"x" * 3_000_000))
    host.protocol.receive_data(answer[:100_000])
    host.protocol.give_up(call)
    host.protocol.receive_data(answer[100_000:])
    again = {b"_answer": b"2"} | pieces(b"text", b"y" * 3_000_000)
    host.protocol.receive_data(write_box(again))
    assert other.result() == "y" * 3_000_000
    assert not call.waiter.done()
    call = host.called(command(made, "Raw"), None)
    host.protocol.give_up(call)  # before anything of the answer has come
    late = {b"_answer": b"3"} | pieces(b"raw", b"x" * 3_000_000)
    host.protocol.receive_data(write_box(late))
    assert not call.waiter.done()
    assert not host.protocol.state


# --- calls ----------------------------------------------------------------------------


def store(made: Any) -> Any:
    class Store(made.StoreServer):  # type: ignore[misc]
        def __init__(self) -> None:
            self.logged: list[int] = []

        def text(self, text: str, size: int) -> str:
            return "x" * size or text

        def _same(self, value: Any) -> Any:
            return value

        raw = any = items = index = page = part = small = _same

        def both(self, upper: str, one: str, text: str) -> Any:
            return made.BothResult(length=len(one), text=text, upper=upper)

        def log(self, line: str) -> None:
            self.logged.append(len(line))

        def lines(self) -> list[int]:
            return self.logged

    return Store()


@contextlib.asynccontextmanager
async def over(
    made: Any, how: str, tmp_path: Path, **limits: int
) -> AsyncGenerator[Any]:
    service = store(made)
    if how == "local":
        async with made.StoreClient.local(service) as client:
            yield client
        return
    address = {"tcp": "127.0.0.1:0", "unix": f"unix:{tmp_path}/socket"}[how]
    async with (
        serve(address, service, limits=Limits(**limits)) as server,
        made.StoreClient.connect(
            server.addresses[0], limits=Limits(**limits)
        ) as client,
    ):
        yield client


WAYS = pytest.mark.parametrize("how", ["tcp", "unix", "local"])


@WAYS
async def test_values_of_every_type_come_back(
    made: Any, how: str, tmp_path: Path
) -> None:
    words = [f"word {number} äöü" for number in range(20_000)]
    async with over(made, how, tmp_path) as client:
        text = "\n".join(words)
        assert await client.text(text) == text
        assert await client.text("") == ""
        assert await client.raw(text.encode()) == text.encode()
        assert await client.raw(b"") == b""
        assert await client.raw(None) is None
        assert await client.any({"words": words}) == {"words": words}
        items = [made.Item(id=at, name=word) for at, word in enumerate(words)]
        assert await client.items(items) == items
        assert await client.items() == []
        index = {word: at for at, word in enumerate(words)}
        assert await client.index(index) == index
        page = made.Page(
            title="x" * FULL, body=words[:3_000], notes={"a": "y" * 65_000}
        )
        assert await client.page(page) == page
        part = made.PartText("x" * FULL)  # a few bytes more, with its key
        assert await client.part(part) == part
        answer = await client.both(text, "one", text + "!")
        assert (answer.length, answer.upper, answer.text) == (3, text, text + "!")
        assert (await client.both("", "")).text == "none"
        await client.log(text)
        assert await client.lines() == [len(text)]


@WAYS
async def test_the_bound_is_reached_and_not_passed(
    made: Any, how: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    most = 16 * 1024 * 1024
    rule = (
        "Text: text: over 16,777,216 bytes, the most that `Limits.large` allows:"
        " this one has 16,777,217"
    )
    async with over(made, how, tmp_path) as client:
        assert len(await client.text("", most)) == most
        await client.log("x" * most)
        with pytest.raises(EncodeError) as caught:
            await client.text("x" * (most + 1))
        assert str(caught.value) == rule
        with pytest.raises(InternalError):
            await client.text("", most + 1)
        assert rule in caplog.text
        assert await client.lines() == [most]


async def test_the_bound_is_the_programs_to_set(made: Any, tmp_path: Path) -> None:
    async with over(made, "tcp", tmp_path, large=20_000_000) as client:
        assert len(await client.text("", 20_000_000)) == 20_000_000
    async with over(made, "tcp", tmp_path, large=1_000) as client:
        assert await client.text("x" * 1_000) == "x" * 1_000
        with pytest.raises(EncodeError, match=r"over 1,000 bytes.*this one has 1,001"):
            await client.text("x" * 1_001)
        # of what is not large the other bound holds
        assert await client.small("x" * FULL) == "x" * FULL


async def test_an_error_of_encoding_names_all_there_is_to_know(
    made: Any, tmp_path: Path
) -> None:
    async with over(made, "tcp", tmp_path) as client:
        bad: list[tuple[Any, str]] = [
            (
                client.small("ä" * 40_000),
                "Small: text: over 65,535 bytes, the most that"
                " a value holds: this one has 80,000",
            ),
            (
                client.both("", "x" * 65_536),
                "Both: text.1: over 65,535 bytes, the most"
                " that a value holds: this one has 65,536",
            ),
            (
                client.items([made.Item(id=1, name="x" * 70_000)]),
                "Items: items[0].name:"
                " over 65,535 bytes, the most that a value holds: this one has 70,000",
            ),
            (client.text(b"bytes"), "Text: text: expected a str, got bytes"),
        ]
        for call, message in bad:
            with pytest.raises(EncodeError) as caught:
                await call
            assert str(caught.value) == message
        assert await client.small("on it goes") == "on it goes"


async def test_others_are_served_beside_a_large_value(
    made: Any, tmp_path: Path
) -> None:
    async with over(made, "tcp", tmp_path) as client:
        large = [client.text("x" * 5_000_000, size) for size in (0, 1, 6_000_000)]
        small = [client.small(str(number)) for number in range(50)]
        answers = await asyncio.gather(*large, *small)
    assert [len(answer) for answer in answers[:3]] == [5_000_000, 1, 6_000_000]
    assert answers[3:] == [str(number) for number in range(50)]


def slow(made: Any) -> Any:
    """All calls that come together are answered together, and not at once."""

    class Slow(type(store(made))):  # type: ignore[misc]
        async def text(self, text: str, size: int) -> str:
            await asyncio.sleep(0)
            return "x" * size

    return Slow()


@pytest.mark.parametrize("kind", [store, slow])
async def test_many_large_answers_wait_for_one_another(made: Any, kind: Any) -> None:
    """All at once they are more than may be unsent."""
    limits = Limits(unsent=3_000_000)
    async with (
        serve("127.0.0.1:0", kind(made), limits=limits) as server,
        made.StoreClient.connect(server.addresses[0]) as client,
    ):
        calls = [client.text("", 2_000_000) for _ in range(20)]
        answers = await asyncio.wait_for(
            asyncio.gather(*calls, client.small("a")), PATIENCE
        )
    assert [len(answer) for answer in answers] == [2_000_000] * 20 + [1]


async def test_large_answers_that_nobody_takes_end_with_the_connection(
    made: Any,
) -> None:
    served: list[Connection] = []

    def factory(connection: Connection) -> Any:
        served.append(connection)
        return slow(made)

    async with (
        serve("127.0.0.1:0", factory, drain_timeout=0.1) as server,
        dial(server.addresses[0]) as peer,
    ):
        asked = [
            TEXT | {b"_ask": b"%d" % number, b"text": b"", b"size": b"16000000"}
            for number in range(4)
        ]
        await peer.send(b"".join(map(write_box, asked)))
        assert await peer.receive(9) == b"\0\7_answer"
        [connection] = served
        protocol = connection._shell.protocol
        assert protocol.in_flight == 3
        connection.close()
        await asyncio.wait_for(connection.wait_closed(), PATIENCE)
        assert protocol.in_flight == 0


async def test_a_plain_peer_reads_and_writes_the_pieces(made: Any) -> None:
    async with server_of(store(made)) as peer:
        box = TEXT | pieces(b"text", b"y" * 150_000)
        await peer.send(write_box(box))
        answer = await peer.receive_box()
        assert answer == {b"_answer": b"1"} | pieces(b"text", b"y" * 150_000)
        await peer.send(write_box(TEXT | {b"text": b"y" * FULL, b"text.3": b""}))
        answer = await peer.receive_box()
        assert answer[b"_error_code"] == b"INVALID_ARGUMENT"
    async with client_of(made.StoreClient) as (client, peer):
        call = asyncio.create_task(client.both("u" * 70_000, "o", "t" * 150_000))
        asked = await peer.receive_box()
        assert list(asked) == [
            *(b"_ask", b"_command", b"Upper", b"Upper.2"),
            *(b"text", b"text.1", b"text.2", b"text.3"),
        ]
        large = pieces(b"text", b"t" * 150_000) | pieces(b"Upper", b"u" * 70_000)
        await peer.send(write_box({b"_answer": b"1", b"length": b"1"} | large))
        answer = await call
        assert (len(answer.text), len(answer.upper)) == (150_000, 70_000)
        call = asyncio.create_task(client.text("x"))
        await peer.receive_box()
        await peer.send(write_box({b"_answer": b"2", b"text.2": b"t"}))
        with pytest.raises(DecodeError, match="Text: text: there are pieces of it"):
            await call
        call = asyncio.create_task(client.text("x"))
        await peer.receive_box()
        refused = {b"_error": b"3", b"_error_code": b"INVALID_ARGUMENT"}
        await peer.send(write_box(refused | {b"_error_description": b"no"}))
        with pytest.raises(InvalidArgument, match="no"):
            await call
