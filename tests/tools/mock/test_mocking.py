"""A mock over real sockets: what it answers, and what it tells."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.model import Service
from ampgen.runtime import (
    CommandError,
    Limits,
    Overloaded,
    connect,
    serve,
)
from ampgen.tools.memory import Loaded, load_schemas
from ampgen.tools.mock.callingback import CallingBack
from ampgen.tools.mock.examples import NO_EXAMPLES, Example, Examples, Raised
from ampgen.tools.mock.mocking import Mock, Told
from ampgen.tools.mock.outcomes import Outcomes
from ampgen.tools.mock.samples import Samples
from ampgen.tools.mock.standin import clash, stand_ins
from tests.raw import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

    from ampgen.runtime.jsonvalue import Json

ROOT = Path(__file__).parents[3]
LOADED = load_schemas([Path(__file__).with_name("mocked.amp")])
made: Any = LOADED.modules[LOADED.schema.roots[0]]


def services(loaded: Loaded = LOADED) -> dict[str, Service]:
    return {
        one.name: one
        for module in loaded.schema.roots
        for one in module.declarations
        if isinstance(one, Service)
    }


class Heard:
    """What a mock tells; ``wait`` for so much of it."""

    def __init__(self) -> None:
        self.told: list[Told] = []
        self._more = asyncio.Condition()

    def __call__(self, told: Told) -> None:
        self.told.append(told)
        asyncio.get_running_loop().create_task(self._wake())

    async def _wake(self) -> None:
        async with self._more:
            self._more.notify_all()

    async def wait(self, count: int) -> list[dict[str, Json]]:
        async with asyncio.timeout(PATIENCE), self._more:
            await self._more.wait_for(lambda: len(self.told) >= count)
        return self.what()

    def what(self) -> list[dict[str, Json]]:
        return [dict(one.what) for one in self.told]


@asynccontextmanager
async def mocked(
    *names: str,
    loaded: Loaded = LOADED,
    address: str = "127.0.0.1:0",
    seed: str | int = 0,
    errors: float = 0.0,
    examples: Examples = NO_EXAMPLES,
    calls_back: bool = False,
    heard: Heard | None = None,
    delay: float = 0.0,
) -> AsyncGenerator[str]:
    known = services(loaded)
    served: Sequence[Service] = [known[name] for name in names or ("Desk",)]
    mock = Mock(
        loaded,
        Outcomes(seed, errors, examples),
        heard or (lambda _told: None),
        delay=delay,
        calling_back=CallingBack(loaded, served, Samples(seed)) if calls_back else None,
    )
    listener = serve(address, *stand_ins(loaded, served, mock.answer), reflect=True)
    async with listener as server:
        yield server.addresses[0]


@asynccontextmanager
async def desk(**options: Any) -> AsyncGenerator[Any]:
    """A client of the mock that these options make."""
    async with (
        mocked(**options) as address,
        made.DeskClient.connect(address, timeout=PATIENCE) as client,
    ):
        yield client


async def until_it_fails(stream: Any) -> tuple[list[Any], CommandError | None]:
    """The items of a stream, and what ended it."""
    items: list[Any] = []
    try:
        async for item in stream:
            items.append(item)  # noqa: PERF401
    except CommandError as error:
        return items, error
    return items, None


async def test_the_same_call_has_the_same_answer() -> None:
    async with desk() as one, desk() as same, desk(seed=1) as other:
        answers = [await client.find("a", limit=3) for client in (one, same, other)]
        assert answers[0] == answers[1] == await one.find("a", limit=3)
        assert answers[0] != answers[2]
        assert await one.find("b", limit=3) != answers[0]
        assert await one.find("a", limit=4) != answers[0]


async def test_an_answer_has_what_was_asked_for_by_name() -> None:
    async with desk() as client:
        for level in made.Level:
            answer = await client.find("flour", level)
            assert (answer.name, answer.level) == ("flour", level)
        async with client.list(made.Level.HIGH) as items:
            assert {item.level async for item in items} == {made.Level.HIGH}
        login = await client.login("sesame", made.Key(name="a", secret="b"))
        assert login.password != "sesame"  # it would be printed


async def test_each_call_is_told_and_nothing_sensitive() -> None:
    heard = Heard()
    async with desk(heard=heard) as client:
        for at in range(8):
            await client.login(f"sesame{at}", made.Key(name="a", secret="sesame"))
            await client.find("flour")
        await client.nothing("x")
        await client.log("to whom it may concern")
        await heard.wait(18)
    assert [told.call for told in heard.told] == list(range(1, 19))
    assert {told.peer.rpartition(":")[0] for told in heard.told} == {"127.0.0.1"}
    login, find, *_, nothing, log = heard.told
    assert login.command == "Desk.Login"
    key: Json = {"name": "a", "secret": "[hidden]"}
    assert login.what["arguments"] == {"password": "[hidden]", "key": key}
    assert find.what["arguments"] == {"name": "flour", "level": "low"}
    answer: Any = find.what["answer"]
    assert (answer["name"], answer["token"]) == ("flour", "[hidden]")
    assert nothing.what == {"arguments": {"text": "x"}, "answer": None}
    assert log.what == {"arguments": {"line": "to whom it may concern"}}
    assert log.to_json()["command"] == "Desk.Log"
    answers: Any = [told.what["answer"] for told in heard.told[:16:2]]
    secrets = [key["secret"] for one in answers for key in one["keys"].values()]
    secrets += [
        either["key"]["secret"]
        for one in answers
        for either in one["either"]
        if "key" in either
    ]
    assert len(secrets) > 5
    assert set(secrets) == {"[hidden]"}


async def test_null_is_a_value_where_json_has_to_be_given() -> None:
    heard = Heard()
    async with desk(heard=heard) as client:
        answer = await client.note(None, None)
        assert answer.any is None
    [told] = await heard.wait(1)
    assert told["arguments"] == {"any": None}


async def test_streams_are_told_item_by_item() -> None:
    heard = Heard()
    async with desk(heard=heard) as client:
        async with client.names(2) as names:
            items = [name async for name in names]
        assert 3 <= len(items) < 6
        told = await heard.wait(len(items) + 2)
        assert told[0] == {"arguments": {"to": 2}}
        assert told[1:-1] == [{"sent": item} for item in items]
        assert told[-1] == {"answer": None}
        assert {one.call for one in heard.told} == {1}
        heard.told.clear()
        answer = await client.sum("a", [1, 2])
        assert await heard.wait(4) == [
            {"arguments": {"name": "a"}},
            {"received": 1},
            {"received": 2},
            {"answer": answer},
        ]
        heard.told.clear()
        async with client.translate(["a", "b"]) as words:
            found = [word async for word in words]
        assert len(found) == 2
        told = await heard.wait(6)
        assert [one for one in told if "received" in one] == 2 * [
            {"received": "[hidden]"}
        ]
        assert [one["sent"] for one in told if "sent" in one] == [
            {"word": one.word, "n": one.n} for one in found
        ]


async def test_a_stream_that_the_caller_leaves_or_that_fails() -> None:
    heard = Heard()

    async def failing() -> AsyncIterator[int]:
        yield 1
        raise ValueError("no more")

    async with desk(heard=heard, delay=0.001) as client:
        with pytest.raises(ValueError, match="no more"):
            await client.sum("a", failing())
        told = await heard.wait(3)
        assert told[:2] == [{"arguments": {"name": "a"}}, {"received": 1}]
        assert str(told[2]["ended"]).startswith("what the caller sends: ")
        heard.told.clear()
        gate = asyncio.Event()

        async def slow() -> AsyncIterator[str]:
            yield "a"
            await gate.wait()

        async with client.translate(slow()) as words:
            await anext(aiter(words))
        told = await heard.wait(4)
        assert told[-1] == {"ended": "the caller waits no longer"}


async def test_a_stream_that_is_left_while_it_waits_for_room() -> None:
    heard = Heard()
    async with (
        mocked(heard=heard) as address,
        made.DeskClient.connect(address, limits=Limits(credit=1)) as client,
    ):
        async with client.names(3) as names:
            await anext(aiter(names))
        told = await heard.wait(4)
        assert told[-1] == {"ended": "the caller waits no longer"}
        assert len(told) == 4  # the item that there was no room for, too


async def test_a_caller_that_gives_up_is_told() -> None:
    heard = Heard()
    async with desk(heard=heard, delay=60) as client:
        await client.connection.schemas()  # now either end knows what the other can do
        waiting = asyncio.create_task(client.hang("x"))
        other = asyncio.create_task(client.ping(timeout=0.05))
        with pytest.raises(TimeoutError):
            await other
        waiting.cancel()
        told = await heard.wait(2)
        assert {"arguments": {"name": "x"}, "ended": "the caller waits no longer"} in (
            told
        )
        assert {"arguments": {}, "ended": "the caller waits no longer"} in told


async def test_some_calls_fail_if_they_are_to() -> None:
    async def outcomes(seed: int, errors: float) -> list[str]:
        found: list[str] = []
        heard = Heard()
        async with mocked(seed=seed, errors=errors, heard=heard) as address:
            for number in range(40):
                async with made.DeskClient.connect(address) as client:
                    try:
                        await client.find("a", limit=number % 2)
                    except CommandError as error:
                        found.append(error.code if error.description else "?")
                    else:
                        found.append("")
        told = [one.get("error", {"code": ""}) for one in heard.what()]
        assert [one["code"] for one in told if isinstance(one, dict)] == found
        return found

    some = await outcomes(0, 0.3)
    assert some == await outcomes(0, 0.3)
    assert some != await outcomes(1, 0.3)
    assert 5 < some.count("") < 39
    assert set(some) == {"", "REFUSED", "Broken"}
    assert some[::2] != [some[0]] * 20  # one that is made again may succeed
    assert set(await outcomes(0, 0)) == {""}
    assert "" not in await outcomes(0, 1)
    async with desk(errors=1) as client:
        with pytest.raises(Overloaded, match="--errors"):
            await client.ping()  # the schema has no error for it
        await client.log("a")
        with pytest.raises(made.Refused):
            await client.sum("a", [1])
    counts: set[int] = set()
    for seed in range(6):
        async with desk(errors=1, seed=seed) as client:
            items, error = await until_it_fails(client.list())
            assert isinstance(error, made.Refused)
            counts.add(len(items))
    assert len(counts) > 1  # at once, or behind some items


async def test_no_secret_of_an_error_is_told() -> None:
    heard = Heard()
    async with desk(heard=heard, errors=1) as client:
        for number in range(12):
            with pytest.raises(made.Refused):
                await client.sum(str(number), [])
    told: list[Any] = [one["error"] for one in heard.what() if "error" in one]
    fields = [one["fields"] for one in told]
    assert {one["why"] for one in fields if "why" in one} == {"[hidden]"}
    keys = [one["key"]["secret"] for one in fields if "key" in one]
    assert set(keys) == {"[hidden]"}


async def test_examples_come_before_what_is_made_up() -> None:
    desk_service = services()["Desk"]
    commands = {one.name: one for one in desk_service.commands}
    refused = Raised("REFUSED", "not that", 0, {"limit": 3})
    flour: Json = {"name": "f", "level": "low", "price": "1", "token": "t"}
    found: dict[int, list[Example]] = {
        id(commands["Find"]): [
            Example({"name": "flour"}, result=flour),
            Example({"limit": 1}, error=refused),
            Example({"limit": 2}, error=Raised("OVERLOADED", "too much")),
        ],
        id(commands["List"]): [
            Example({"level": None}, items=({"level": "low", "number": 1},)),
            Example({}, items=({"level": "low", "number": 2},), error=refused),
        ],
        id(commands["Translate"]): [Example({}, items=({"word": "a", "n": 1},))],
        id(commands["Sum"]): [Example({}, result=5)],
    }
    async with desk(examples=Examples(found)) as client:
        answer = await client.find("flour", limit=1)
        assert (answer.name, answer.token, answer.note) == ("f", "t", None)
        with pytest.raises(made.Refused, match="not that") as raised:
            await client.find("salt", limit=1)
        assert raised.value.limit == 3
        with pytest.raises(Overloaded, match="too much"):
            await client.find("salt", limit=2)
        assert (await client.find("salt")).name == "salt"
        assert [item.number async for item in client.list()] == [1]
        items, error = await until_it_fails(client.list(made.Level.LOW))
        assert [item.number for item in items] == [2]
        assert isinstance(error, made.Refused)
        assert [one.word async for one in client.translate(["x", "y"])] == ["a"]
        assert await client.sum("a", [1]) == 5


class Events(made.EventsServer):  # type: ignore[misc]
    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def confirm(self, question: str, pin: str) -> Any:
        self.heard.append(("confirm", question, pin))
        if len(self.heard) > 4:
            raise made.Refused("no", why="a secret")
        return True

    def progress(self, done: int) -> None:
        self.heard.append(("progress", done))

    async def follow(self, levels: Any) -> AsyncIterator[Any]:
        self.heard.append(("follow", [level async for level in levels]))
        yield made.FollowItem(line="x")

    def take(self, file: int) -> int:
        raise AssertionError("no descriptor can be made up")


async def test_a_service_that_is_called_back_is() -> None:
    heard, events = Heard(), Events()
    async with (
        mocked(heard=heard, calls_back=True) as address,
        made.DeskClient.connect(address, events=events) as client,
    ):
        for _ in range(6):
            await client.ping()
        await heard.wait(12)
    assert [one[0] for one in events.heard] == 2 * ["confirm", "progress", "follow"]
    back = [told for told in heard.told if told.command != "Basic.Ping"]
    assert [one.command for one in back] == 2 * [
        "Events.Confirm",
        "Events.Progress",
        "Events.Follow",
    ]
    question, pin = events.heard[0][1:]
    assert pin
    shown: Json = {"question": question, "pin": "[hidden]"}
    assert back[0].what == {"called_back": shown, "answer": True}
    assert back[1].what == {"called_back": {"done": events.heard[1][1]}}
    assert len(events.heard[2][1]) == 3
    assert back[2].what == {"called_back": {}, "answer": [{"line": "x"}]}
    async with desk(heard=heard, calls_back=True) as client:  # answers nothing
        heard.told.clear()
        await client.ping()
        error: Any = heard.told[0].what["error"]
        assert error["code"] == "UNHANDLED"


class Hanging(Events):
    async def confirm(self, question: str, pin: str) -> bool:
        self.heard.append((question, pin))
        await asyncio.Event().wait()
        return True


async def test_a_caller_that_gives_up_while_it_is_called_back() -> None:
    heard, events = Heard(), Hanging()
    async with (
        mocked(heard=heard, calls_back=True) as address,
        made.DeskClient.connect(address, events=events) as client,
    ):
        with pytest.raises(TimeoutError):
            await client.ping(timeout=0.1)
        assert len(events.heard) == 1
        [told] = await heard.wait(1)
        assert told == {"arguments": {}, "ended": "the caller waits no longer"}
        assert await client.find("a")  # the next one is called back, and answered
        assert [one.command for one in heard.told[1:]] == [
            "Events.Progress",
            "Desk.Find",
        ]


async def test_an_error_of_the_one_that_is_called_back() -> None:
    heard, events = Heard(), Events()
    events.heard += [()] * 4
    async with (
        mocked(heard=heard, calls_back=True) as address,
        made.DeskClient.connect(address, events=events) as client,
    ):
        await client.ping()
    assert heard.told[0].what["error"] == {
        "code": "REFUSED",
        "description": "no",
        "fields": {"why": "[hidden]"},
    }


async def test_descriptors_are_closed_and_those_that_go_are_empty(
    tmp_path: Path,
) -> None:
    heard = Heard()
    address = f"unix:{tmp_path / 's'}"
    async with desk(address=address, heard=heard) as client:
        reader, writer = os.pipe()
        try:
            answer = await client.open(Path("/a"), writer)
        finally:
            os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            assert pipe.read() == b""  # the mock's end of it is closed, too
        one = await client.open_one(Path("/a"))
        for fd in (answer.file, answer.spare, one):
            with os.fdopen(fd, "rb") as file:
                assert file.read() == b""
        assert answer.size > 0
    assert heard.told[0].what == {
        "arguments": {"path": "/a", "log": "[descriptor]"},
        "answer": {
            "file": "[descriptor]",
            "size": answer.size,
            "spare": "[descriptor]",
        },
    }


async def test_large_values_come_in_pieces() -> None:
    async with desk() as client:
        sizes = [len(await client.render("x" * 70_000 * n)) for n in range(1, 9)]
    assert min(sizes) < 65_535 < max(sizes)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of old commands
@pytest.mark.parametrize("name", ["everything", "archive", "chat", "repeat", "health"])
async def test_every_command_of_a_schema_is_served(name: str) -> None:
    loaded = load_schemas([ROOT / "schemas" / f"{name}.amp"])
    known = services(loaded)
    names = [one for one in known if one not in ("Files", "Watcher", "Root")]
    known = {one: known[one] for one in names}
    both = clash(known.values())
    assert both is None
    async with mocked(*names, loaded=loaded) as address, connect(address) as peer:
        for service in known.values():
            calling = CallingBack(loaded, [], Samples("calls"))
            for command in service.all_commands():
                for number in range(3):
                    told = await calling.call(peer, number, service, command)
                    assert "error" not in told
                    assert "ended" not in told
                    assert ("answer" in told) != command.oneway
        schemas = await peer.schemas()
        assert {one for one, _path in schemas.services} >= {
            one for one in names if known[one].commands
        }


def test_two_commands_of_one_name_on_the_wire_are_found() -> None:
    loaded = load_schemas([ROOT / "tests" / "cli" / "desk.amp"])
    known = services(loaded)
    both = clash(known.values())
    assert both is not None
    assert [one.service.name for one in both] == ["Desk", "Other"]
    assert clash([known["Desk"], known["Basic"]]) is None
