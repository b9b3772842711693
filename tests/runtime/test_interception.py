"""Interceptors: around what, in which order, and what they may do."""

from __future__ import annotations

import asyncio
import logging
import math
import os
import socket
import typing
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from ampgen.runtime import (
    Cancelled,
    CommandError,
    Connection,
    ConnectionLost,
    DeadlineExceeded,
    DecodeError,
    EncodeError,
    InterceptedCall,
    InternalError,
    InvalidArgument,
    Limits,
    Metadata,
    Overloaded,
    Proceed,
    Reconnect,
    RemoteError,
    Retry,
    Unauthenticated,
    Unavailable,
    connect,
    current_call,
    intercepted,
    serve,
)
from ampgen.runtime.client import Client
from tests.fds import none_left
from tests.raw import PATIENCE
from tests.runtime.made.text import (
    EventsClient,
    RepeatResult,
    TextClient,
    TextServer,
    TooLong,
)
from tests.runtime.services import Events, Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from ampgen.runtime import CurrentCall, Interceptor

Box = dict[bytes, bytes]


class Around:
    """Writes down what it sees; ``name`` tells it from others."""

    def __init__(self, name: str = "", seen: list[str] | None = None) -> None:
        self.name = name
        self.seen: list[str] = [] if seen is None else seen
        self.calls: list[InterceptedCall] = []
        self.codes: list[str] = []
        self._ended = asyncio.Semaphore(0)

    async def ends(self, calls: int) -> None:
        """Until so many calls have ended."""
        for _ in range(calls):
            await asyncio.wait_for(self._ended.acquire(), PATIENCE)

    async def __call__(self, call: InterceptedCall, proceed: Proceed) -> object:
        self.calls.append(call)
        self.seen.append(f"{self.name}>{call.command}")
        try:
            result = await proceed(call)
        except BaseException as error:
            self.codes.append(call.code(error))
            raise
        finally:
            self.seen.append(f"{call.command}<{self.name}")
            self._ended.release()
        self.codes.append(call.code(None))
        return result


@asynccontextmanager
async def pair(
    service: Any = None,
    server: tuple[Interceptor, ...] = (),
    client: tuple[Interceptor, ...] = (),
    **options: Any,
) -> AsyncGenerator[TextClient]:
    async with (
        serve("127.0.0.1:0", service or Text(), interceptors=server) as listener,
        TextClient.connect(
            listener.addresses[0], interceptors=client, **options
        ) as text,
    ):
        yield text


# --- where they stand ---------------------------------------------------------------


async def test_the_first_one_is_outermost_on_both_ends() -> None:
    seen: list[str] = []
    around = {name: Around(name, seen) for name in "abcdefgh"}
    service = intercepted(
        intercepted(Text(), [around["h"]]), [around["f"], around["g"]]
    )
    async with pair(
        service, (around["d"], around["e"]), (around["a"], around["b"])
    ) as text:
        inner = intercepted(text, [around["c"]])
        await inner.repeat("a")
        assert [line[0] for line in seen[: len(seen) // 2]] == list("abcdefgh")
        assert [line[-1] for line in seen[len(seen) // 2 :]] == list("hgfedcba")
        seen.clear()
        await text.repeat("a")  # what is intercepted is another client
        assert [line[0] for line in seen[: len(seen) // 2]] == list("abdefgh")


async def test_a_client_stays_behind_those_of_its_connection() -> None:
    seen: list[str] = []
    names = ("connection", "new", "old")
    first, new, old = (Around(name, seen) for name in names)
    async with (
        serve("127.0.0.1:0", Text()) as server,
        connect(server.addresses[0], interceptors=[first]) as connection,
    ):
        text = intercepted(TextClient(connection, interceptors=[old]), [new])
        await text.repeat("a")
    assert seen[:3] == ["connection>Repeat", "new>Repeat", "old>Repeat"]


async def test_one_client_alone() -> None:
    around = Around()
    async with (
        serve("127.0.0.1:0", Text()) as server,
        connect(server.addresses[0]) as connection,
    ):
        await TextClient(connection).repeat("a")
        assert around.seen == []
        await TextClient(connection, interceptors=[around]).repeat("a")
        assert around.seen == [">Repeat", "Repeat<"]


async def test_one_service_alone() -> None:
    around, all_ = Around(), Around()
    events = Events()
    async with (
        serve(
            "127.0.0.1:0", intercepted(events, [around]), Text(), interceptors=[all_]
        ) as server,
        connect(server.addresses[0]) as connection,
    ):
        await TextClient(connection).repeat("a")
        assert await EventsClient(connection).confirm("sure") == "sure: yes"
        await EventsClient(connection).progress(1)
        await TextClient(connection).repeat("a")
    assert [call.command for call in around.calls] == ["Confirm", "Progress"]
    assert [call.command for call in all_.calls] == [
        *("Repeat", "Confirm", "Progress", "Repeat"),
    ]
    assert events.seen == [1]


async def test_an_intercepted_service_shows_what_the_service_has() -> None:
    service = Text()
    assert intercepted(service, []).lines is service.lines
    with pytest.raises(AttributeError, match="nothing"):
        _ = cast("Any", intercepted(service, [])).nothing


async def test_what_factories_make() -> None:
    around, inner = Around("a"), Around("b")
    made: list[Text] = []

    def factory(_connection: Connection) -> TextServer:
        made.append(Text())
        return intercepted(made[-1], [inner])

    async with pair(factory, (around,)) as text:
        await text.log("x")
        await text.repeat("a")
    assert made[0].lines == ["x from Log"]
    assert [len(around.calls), len(inner.calls)] == [2, 2]


async def test_in_one_process() -> None:
    ours, theirs = Around(), Around()
    async with TextClient.local(
        intercepted(Text(), [theirs]), interceptors=[ours]
    ) as text:
        assert (await text.repeat("ab", 2)).text == "abab"
    assert [ours.calls[0].side, theirs.calls[0].side] == ["client", "server"]
    assert theirs.calls[0].peer_address == "unix:local"


async def test_without_an_event_loop() -> None:
    around = Around()
    async with serve("127.0.0.1:0", Text()) as server:

        def call() -> str:
            with TextClient.connect_blocking(
                server.addresses[0], interceptors=[around]
            ) as text:
                text.log("x")
                return text.repeat("ab", 2).text

        assert await asyncio.to_thread(call) == "abab"
    assert [call.command for call in around.calls] == ["Log", "Repeat"]


async def test_what_a_client_answers_and_a_handler_calls() -> None:
    """They are about one direction: the other one has its own."""
    serving, calling, answering = Around(), Around(), Around()

    class Calling(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            await intercepted(self.events, [calling]).confirm(text)
            return await super().repeat(text, times)

    async with (
        serve("127.0.0.1:0", Calling(), interceptors=[serving]) as server,
        TextClient.connect(
            server.addresses[0], events=intercepted(Events(), [answering])
        ) as text,
    ):
        await text.repeat("a")
    assert [call.command for call in serving.calls] == ["Repeat"]
    assert [call.command for call in calling.calls] == ["Confirm"]
    assert [call.command for call in answering.calls] == ["Confirm"]
    assert [calling.calls[0].side, answering.calls[0].side] == ["client", "server"]


async def test_boxes_without_a_schema() -> None:
    theirs, ours = Around(), Around()

    async def fallback(command: bytes, box: Box, call: CurrentCall) -> Box:
        return {**box, b"command": command}

    async with (
        serve(
            "127.0.0.1:0", Text(), fallback=fallback, interceptors=[theirs]
        ) as server,
        connect(server.addresses[0], interceptors=[ours]) as connection,
    ):
        answer = await connection.call_box(b"Odd", {b"a": b"secret"})
        assert answer == {b"a": b"secret", b"command": b"Odd"}
        assert await connection.call_box(b"Odd", {b"a": b"b"}, oneway=True) == {}
        await connection.call_box(b"Odd", {})
    for call in (theirs.calls[0], ours.calls[0]):
        assert (call.service, call.command, call.name) == ("", "Odd", "Odd")
        assert call.arguments == {"box": {b"a": b"secret"}}
        assert call.redacted() == {"box": "[hidden]"}
    assert [call.oneway for call in theirs.calls] == [False, True, False]
    assert [call.oneway for call in ours.calls] == [False, True, False]


@pytest.mark.parametrize("make", ["serve", "connect", "client", "local", "intercepted"])
async def test_what_cannot_be_called_is_no_interceptor(make: str) -> None:
    wrong = cast("Any", [3])
    text = await TextClient.local(Text())
    makers: dict[str, Any] = {
        "serve": lambda: serve("127.0.0.1:0", Text(), interceptors=wrong),
        "connect": lambda: connect("127.0.0.1:1", interceptors=wrong),
        "local": lambda: TextClient.local(Text(), interceptors=wrong),
        "client": lambda: TextClient(text.connection, interceptors=wrong),
        "intercepted": lambda: intercepted(Text(), wrong),
    }
    with pytest.raises(TypeError, match=r"an interceptor is called with .* a int is"):
        makers[make]()
    await text.aclose()


async def test_what_is_neither_client_nor_service_is_not_intercepted() -> None:
    with pytest.raises(TypeError, match="not a ABCMeta; in a factory, intercept what"):
        intercepted(cast("Any", Text), [])


async def test_without_any_a_call_goes_as_ever() -> None:
    async with TextClient.local(Text()) as text:
        assert "_call" not in vars(text)
        assert vars(text)["_connection"] is text.connection
        assert "interceptors" not in vars(text.connection)


# --- what they see ------------------------------------------------------------------


async def test_what_a_call_tells_of_itself() -> None:
    theirs, ours = Around(), Around()
    async with pair(server=(theirs,), client=(ours,)) as text:
        await text.repeat("abc", times=3, timeout=5.0, metadata={"a": "b"})
        await text.log("line")
        connection = text.connection
        served, made = theirs.calls[0], ours.calls[0]
        now = asyncio.get_running_loop().time()
        for call in (served, made):
            assert (call.service, call.command, call.wire) == (
                *("Text", "Repeat", b"Repeat"),
            )
            assert call.name == "Text.Repeat"
            assert call.arguments == {"text": "abc", "times": 3}
            assert call.redacted() == {"text": "abc", "times": 3}
            assert call.metadata == {"a": "b"}
            assert TooLong in call.errors
            assert all(issubclass(error, CommandError) for error in call.errors)
            assert call.sensitive == frozenset()
            assert not call.oneway
            assert call.deadline is not None
            assert 0 < call.deadline - now <= 5.0
            assert call.timeout is not None
            assert 0 < call.timeout <= 5.0
            assert call.identity is None
        assert made.connection is connection
        assert made.peer_address == connection.peer_address
        assert served.peer_address == served.connection.peer_address
        assert repr(served) == "<server call of Text.Repeat>"
        assert repr(made) == "<client call of Text.Repeat>"
        assert ours.calls[1].oneway
        assert ours.calls[1].deadline is ours.calls[1].timeout is None


async def test_no_answer_is_wanted_where_the_caller_says_so() -> None:
    """``oneway`` is of the call, as it is on the wire, not of the declaration."""
    around = Around()
    async with (
        serve("127.0.0.1:0", Text(), interceptors=[around]) as server,
        connect(server.addresses[0]) as connection,
    ):
        await connection.call_box(b"Log", {b"line": b"x"})
        assert [call.oneway for call in around.calls] == [False]


async def test_sensitive_arguments_are_named(compile_schema: Any) -> None:
    made = compile_schema(
        """
        struct Login { name: str; @sensitive password: str; }
        service Door {
            command Open(
                @sensitive from: str, who: Login, @sensitive pin: int?
            ) -> Login;
        }
        """
    )
    around = Around()

    class Door(made.DoorServer):  # type: ignore[name-defined,misc]
        def open(self, from_: str, who: Any, pin: int | None) -> Any:
            return who

    login = made.Login(name="me", password="hush")
    async with made.DoorClient.local(intercepted(Door(), [around])) as door:
        assert await door.open("hush", login, 1234) == login
    (call,) = around.calls
    assert call.sensitive == {"from_", "pin"}
    assert call.arguments["from_"] == "hush"
    assert call.redacted() == {
        "from_": "[hidden]",
        "who": {"name": "me", "password": "[hidden]"},
        "pin": "[hidden]",
    }


async def test_metadata_of_answers() -> None:
    async def theirs(call: InterceptedCall, proceed: Proceed) -> object:
        call.answer_metadata["outer"] = "1"
        return await proceed(call)

    class Telling(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            current_call().answer_metadata["inner"] = "2"
            return await super().repeat(text, times)

    read: list[dict[str, str]] = []

    async def ours(call: InterceptedCall, proceed: Proceed) -> object:
        try:
            return await proceed(call.replace(metadata={"sent": "3"}))
        finally:
            read.append(dict(call.answer_metadata))
            call.answer_metadata["added"] = "4"

    metadata = Metadata()
    async with pair(Telling(), (theirs,), (ours,)) as text:
        await text.repeat("a", metadata=metadata)
        assert read == [{"outer": "1", "inner": "2"}]
        assert metadata.answer == {"outer": "1", "inner": "2", "added": "4"}
        with pytest.raises(TooLong):  # with an error, too
            await text.repeat("a", 101, metadata=metadata)
        assert read[1] == {"outer": "1", "inner": "2"}


async def test_codes_where_calls_are_answered(caplog: pytest.LogCaptureFixture) -> None:
    around = Around()
    errors: list[Any] = [
        TooLong("no"),
        InvalidArgument("no"),
        Overloaded("no"),
        Unavailable("no"),
        Unauthenticated("no"),
        LookupError("no"),
        RemoteError("no", code="OWN"),
        DeadlineExceeded("of something else"),
    ]

    class Failing(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            raise errors[times]

    heard: list[str] = []
    async with pair(Failing(), (around,)) as text:
        for at in range(len(errors)):
            with pytest.raises(RemoteError) as caught:
                await text.repeat("", at)
            heard.append(caught.value.code)
    assert heard == [
        *("TOO_LONG", "INVALID_ARGUMENT", "OVERLOADED", "UNAVAILABLE"),
        *("UNAUTHENTICATED", "UNKNOWN", "UNKNOWN", "UNKNOWN"),
    ]
    assert around.codes == heard


async def test_the_code_of_what_its_caller_gives_up() -> None:
    service, around = Text(), Around()
    async with pair(service, (around,)) as text:
        await text.repeat("a")  # what the peer understands is known from now on
        task = asyncio.ensure_future(text.stop(timeout=None))
        await asyncio.wait_for(service.waiting.acquire(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await around.ends(2)
    assert around.codes == ["OK", "CANCELLED"]


async def test_the_code_of_what_takes_too_long() -> None:
    service, around = Text(), Around()
    async with pair(service, (around,)) as text:
        protocol = text.connection._shell.protocol  # pyright: ignore[reportPrivateUsage]
        await text.repeat("a")
        protocol.understood = frozenset()  # no cancellation comes before
        with pytest.raises(DeadlineExceeded):
            await text.stop(timeout=0.05)
        await around.ends(2)
    assert around.codes == ["OK", "DEADLINE_EXCEEDED"]


@pytest.mark.parametrize("by", ["itself", "what it waits for"])
async def test_the_code_where_nobody_asked_for_the_end(by: str) -> None:
    around = Around()

    class Ending(Text):
        async def stop(self) -> None:
            task: Any = asyncio.current_task()
            if by != "itself":
                task = asyncio.ensure_future(asyncio.Event().wait())
            asyncio.get_running_loop().call_soon(task.cancel)
            await (task if by != "itself" else asyncio.Event().wait())

    async with pair(Ending(), (around,)) as text:
        with pytest.raises(RemoteError) as caught:
            await text.stop(timeout=PATIENCE)
    assert around.codes == [caught.value.code]
    assert caught.value.code == ("CANCELLED" if by == "itself" else "UNKNOWN")


async def test_the_code_where_a_call_of_the_handler_was_late() -> None:
    """It shares the handler's deadline, and may notice first: one code for both."""
    around = Around()

    class Calling(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            await asyncio.sleep(0)
            deadline = current_call().deadline
            assert deadline is not None
            loop = asyncio.get_running_loop()
            while loop.time() < deadline - 0.005:
                pass  # the loop has no chance to be first
            raise DeadlineExceeded("of a call of mine")

    async with pair(Calling(), (around,)) as text:
        with pytest.raises(DeadlineExceeded):
            await text.repeat("a", timeout=0.25)
    assert around.codes == ["DEADLINE_EXCEEDED"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, "OK"),
        (TooLong("no"), "TOO_LONG"),
        (RemoteError("no", code="STRANGE"), "STRANGE"),
        (DeadlineExceeded("no"), "DEADLINE_EXCEEDED"),
        (Cancelled("no"), "CANCELLED"),
        (asyncio.CancelledError(), "CANCELLED"),
        (ConnectionLost("no"), "CONNECTION_LOST"),
        (EncodeError("Repeat", "text", "no"), "ENCODE"),
        (DecodeError("Repeat", "text", "no"), "DECODE"),
        (LookupError("no"), "INTERNAL"),
    ],
)
async def test_codes_where_calls_are_made(
    error: BaseException | None, code: str
) -> None:
    around = Around()

    async def answer(call: InterceptedCall, proceed: Proceed) -> object:
        if error is not None:
            raise error
        return await proceed(call)

    async with pair(client=(around, answer)) as text:
        if error is None:
            await text.repeat("a")
        else:
            with pytest.raises(type(error)):
                await text.repeat("a")
    assert around.codes == [code]


# --- what they may do ---------------------------------------------------------------


async def test_an_answer_without_the_call() -> None:
    async def cached(call: InterceptedCall, proceed: Proceed) -> object:
        if call.command == "Repeat":
            return RepeatResult(text="cached", length=6)
        return await proceed(call)

    service = Text()
    async with pair(service, server=(cached,)) as text:
        assert (await text.repeat("secret")).text == "cached"
        assert await text.items([]) == []
    async with pair(service, client=(cached,)) as text:
        assert (await text.repeat("secret")).text == "cached"
        await text.log("through")
        assert await text.items([]) == []
    assert service.lines == ["through from Log"]


@pytest.mark.parametrize("side", ["server", "client"])
async def test_other_arguments_and_another_result(side: str) -> None:
    async def shout(call: InterceptedCall, proceed: Proceed) -> object:
        changed = call.replace(arguments={"text": call.arguments["text"].upper()})
        assert changed.arguments == {**call.arguments, "text": "ABC"}
        result = await proceed(changed)
        assert isinstance(result, RepeatResult)
        return RepeatResult(text=f"{result.text}!", length=result.length)

    async with pair(**{side: (shout,)}) as text:
        assert (await text.repeat("abc", 2)).text == "ABCABC!"


async def test_an_argument_that_is_none_is_refused() -> None:
    async def wrong(call: InterceptedCall, proceed: Proceed) -> object:
        return await proceed(call.replace(arguments={"txt": ""}))

    async with pair(client=(wrong,)) as text:
        with pytest.raises(
            TypeError, match=r"Text\.Repeat has no argument 'txt', but: text, times"
        ):
            await text.repeat("")
        with pytest.raises(
            TypeError, match=r"Text\.Stop has no argument 'txt', but: non"
        ):
            await text.stop()


async def test_a_handler_that_takes_fewer_arguments() -> None:
    class Old(Text):
        def repeat(self, text: str) -> RepeatResult:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            return RepeatResult(text=text, length=0)

    around = Around()
    async with pair(Old(), (around,)) as text:
        assert (await text.repeat("a", 3)).text == "a"
    assert around.calls[0].arguments == {"text": "a", "times": 3}


async def test_what_came_with_a_call_stays_as_it_came() -> None:
    refused: list[str] = []
    all_changes: list[Any] = [{"metadata": {}}, {"timeout": 1.0}, {"timeout": None}]

    async def change(call: InterceptedCall, proceed: Proceed) -> object:
        for changes in all_changes:
            with pytest.raises(ValueError, match="only arguments change here") as error:
                call.replace(**changes)
            refused.append(str(error.value))
        return await proceed(call.replace())

    async with pair(server=(change,)) as text:
        await text.repeat("a")
    assert len(refused) == 3


async def test_errors_of_interceptors_travel_as_those_of_handlers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    raised: list[BaseException] = [
        TooLong("mine", limit=3),
        Overloaded("mine"),
        Unauthenticated("mine"),
    ]

    async def refuse(call: InterceptedCall, proceed: Proceed) -> object:
        raise raised[0]

    async with pair(server=(refuse,)) as text:
        for _ in range(3):
            with pytest.raises(type(raised[0]), match="mine"):
                await text.repeat("a")
            raised.append(raised.pop(0))
        raised[:] = [LookupError("secret")]
        with pytest.raises(InternalError, match="Unknown Error"):
            await text.repeat("a")
    (record,) = (r for r in caplog.records if r.levelno >= logging.ERROR)
    assert "the handler failed" in record.getMessage()


async def test_an_error_of_a_peer_is_not_passed_on() -> None:
    """As in handlers: one that was received, and is not declared, is no answer."""

    async def ask_another(call: InterceptedCall, proceed: Proceed) -> object:
        raise received

    async def refuse(call: InterceptedCall, proceed: Proceed) -> object:
        raise Overloaded("the other one")

    async with pair(server=(refuse,)) as other:
        with pytest.raises(Overloaded) as caught:
            await other.repeat("a")
    received = caught.value
    around = Around()
    async with pair(server=(around, ask_another)) as text:
        with pytest.raises(InternalError):
            await text.repeat("a")
    assert around.codes == ["UNKNOWN"]


async def test_a_client_sees_errors_and_tries_again() -> None:
    failures = [Overloaded("later"), Overloaded("later")]

    async def busy(call: InterceptedCall, proceed: Proceed) -> object:
        if failures:
            raise failures.pop()
        return await proceed(call)

    tries: list[str] = []

    async def retry(call: InterceptedCall, proceed: Proceed) -> object:
        while True:
            try:
                return await proceed(call)
            except Overloaded as error:
                tries.append(error.code)

    async with pair(server=(busy,), client=(retry,)) as text:
        assert (await text.repeat("abc")).text == "abc"
    assert tries == ["OVERLOADED", "OVERLOADED"]


async def test_a_result_of_another_type_is_an_error_of_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def wrong(call: InterceptedCall, proceed: Proceed) -> object:
        return 3

    async with pair(server=(wrong,)) as text:
        with pytest.raises(InternalError):
            await text.repeat("a")
    assert "the answer cannot be sent: Repeat: expected a RepeatResult" in caplog.text


async def test_oneway_commands(caplog: pytest.LogCaptureFixture) -> None:
    service = Text()
    around = Around()

    async def only_good(call: InterceptedCall, proceed: Proceed) -> object:
        if call.arguments.get("line") == "bad":
            raise Overloaded("no")
        return await proceed(call)

    async with pair(service, (around, only_good), (Around(),)) as text:
        await text.log("bad")
        await text.log("good")
        await text.log("secret")
        await text.repeat("a")
    assert service.lines == ["good from Log"]
    assert around.codes == ["OVERLOADED", "OK", "UNKNOWN", "OK"]
    assert "OVERLOADED" in caplog.text


async def test_the_peer_hears_of_the_time_that_is_left() -> None:
    """A sooner deadline, or the one of the call; never one that is later."""
    around = Around()

    async def slow(call: InterceptedCall, proceed: Proceed) -> object:
        await asyncio.sleep(0.2)
        if call.arguments.get("times") == 2:
            call = call.replace(timeout=None)
        elif call.arguments.get("times") == 3:
            call = call.replace(timeout=600.0)
        elif call.arguments.get("times") == 4:
            call = call.replace(timeout=20.0)
        return await proceed(call)

    loop = asyncio.get_running_loop()
    async with pair(server=(around,), client=(slow,)) as text:
        for times in (1, 2, 3, 4):
            await text.repeat("a", times, timeout=100.0)
            given = around.calls[-1].deadline
            assert given is not None
            # nobody has more than the caller gave: less what has gone by, and no more
            assert 0 < given - loop.time() <= (20.0 if times == 4 else 99.85)
        for times, most in ((2, None), (4, 20.0)):
            await text.repeat("a", times, timeout=None)
            given = around.calls[-1].deadline
            assert (given is None) is (most is None)
            assert given is None or 0 < given - loop.time() <= 20.0


async def test_interceptors_have_no_more_time_than_the_call() -> None:
    async def hang(call: InterceptedCall, proceed: Proceed) -> object:
        return await asyncio.Event().wait()

    async with pair(client=(hang,)) as text:
        with pytest.raises(DeadlineExceeded, match=r"no answer within 0\.05 s"):
            await text.repeat("a", timeout=0.05)


async def test_a_timeout_of_the_interceptor_is_its_own() -> None:
    async def fail(call: InterceptedCall, proceed: Proceed) -> object:
        raise TimeoutError("mine")

    async with pair(client=(fail,)) as text:
        with pytest.raises(TimeoutError, match="mine"):
            await text.repeat("a", timeout=5.0)


@pytest.mark.parametrize("seconds", [0, -1.0])
async def test_a_call_whose_time_is_over_is_not_sent(seconds: float) -> None:
    theirs, ours = Around(), Around()
    async with pair(server=(theirs,), client=(ours,)) as text:
        with pytest.raises(DeadlineExceeded):
            await text.repeat("a", timeout=seconds)
    assert ours.codes == ["DEADLINE_EXCEEDED"]
    assert theirs.calls == []


async def test_a_handler_passes_its_time_and_its_trace_on() -> None:
    theirs, answering = Around(), Around()

    class Calling(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            await intercepted(self.events, [theirs]).confirm("?")
            return await super().repeat(text, times)

    async with (
        serve("127.0.0.1:0", Calling()) as server,
        TextClient.connect(
            server.addresses[0], events=intercepted(Events(), [answering])
        ) as text,
    ):
        parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        await text.repeat("a", timeout=5.0, metadata={"traceparent": parent})
    made, served = theirs.calls[0], answering.calls[0]
    assert made.timeout is not None
    assert served.deadline is not None
    assert made.deadline is not None
    assert served.metadata == {"traceparent": parent}


async def test_bad_metadata_of_an_interceptor_fails_the_call() -> None:
    async def wrong(call: InterceptedCall, proceed: Proceed) -> object:
        return await proceed(call.replace(metadata={"No Name": ""}))

    async with pair(client=(wrong,)) as text:
        with pytest.raises(EncodeError, match="metadata 'No Name'"):
            await text.repeat("a")


async def test_who_calls_is_found_out_where_the_call_is_answered() -> None:
    seen: list[object] = []

    class Seeing(Text):
        def log(self, line: str) -> None:
            seen.append(current_call().identity)

    async def identify(call: InterceptedCall, proceed: Proceed) -> object:
        if call.arguments["line"]:
            call.identify(call.arguments["line"])
        seen.append(call.identity)
        return await proceed(call)

    async def try_it(call: InterceptedCall, proceed: Proceed) -> object:
        assert call.identity is None
        with pytest.raises(ValueError, match="where the call is answered"):
            call.identify("me")
        return await proceed(call)

    async with pair(Seeing(), (identify,), (try_it,)) as text:
        await text.log("me")
        await text.log("")
        await text.connection.call_box(b"Log", {b"line": b"you"})
    assert seen == ["me", "me", None, None, "you", "you"]


async def test_a_server_sees_a_stream_as_one_call(compile_schema: Any) -> None:
    made = compile_schema(
        "service Numbers {"
        " command Count(to: int) -> stream int;"
        " command Sum(start: int, numbers: stream int) -> int; }"
    )
    around = Around()
    refusing = False

    class Numbers(made.NumbersServer):  # type: ignore[name-defined,misc]
        async def count(self, to: int) -> AsyncGenerator[int]:
            for number in range(to):
                assert around.codes == []  # it has not ended
                yield number

        async def sum(self, start: int, numbers: Any) -> int:
            return start + sum([int(number) async for number in numbers])

    async def change(call: InterceptedCall, proceed: Proceed) -> object:
        if refusing:
            raise Unauthenticated("no")
        ((name, value),) = call.arguments.items()
        return await proceed(call.replace(arguments={name: value + 1}))

    async with made.NumbersClient.local(
        intercepted(Numbers(), [around, change])
    ) as numbers:
        async with numbers.count(2) as counted:
            assert [number async for number in counted] == [0, 1, 2]
        await around.ends(1)
        assert await numbers.sum(10, [1, 2]) == 14
        refusing = True
        with pytest.raises(Unauthenticated):
            await numbers.sum(10, [1, 2])
        with pytest.raises(Unauthenticated):
            await anext(numbers.count(2))
    assert around.codes == ["OK", "OK", "UNAUTHENTICATED", "UNAUTHENTICATED"]


async def test_a_client_that_stays_up_tries_again_within_its_interceptors() -> None:
    """A call is one call to them, however often it is made."""
    around = Around()
    busy = [Overloaded("later"), Overloaded("later")]

    async def refuse(call: InterceptedCall, proceed: Proceed) -> object:
        if busy:
            raise busy.pop()
        return await proceed(call)

    fast = Reconnect(retry=Retry(first=0.001, most=0.01))
    async with pair(server=(refuse,), client=(around,), reconnect=fast) as text:
        assert (await text.repeat("a")).text == "a"
        await text.log("x")
        assert await text.connection.call_box(b"Items", {b"items": b""})
        assert around.calls[0].connection is text.connection
    assert around.codes == ["OK", "OK", "OK"]


@pytest.mark.skipif(not hasattr(socket, "SCM_RIGHTS"), reason="no descriptors there")
@pytest.mark.parametrize("how", ["reached", "refused", "older", "failed"])
async def test_descriptors_that_no_handler_hears_of_are_closed(
    compile_schema: Any, tmp_path: Path, how: str
) -> None:
    files = compile_schema(
        "service Files {"
        " command Adopt(file: fd, name: str, spare: fd?) -> (size: int); }"
    )

    class Files(files.FilesServer):  # type: ignore[name-defined,misc]
        def adopt(self, file: int, name: str, spare: int | None) -> Any:
            os.close(file)
            if spare is not None:
                os.close(spare)
            return files.AdoptResult(size=3)

    class Older(Files):
        def adopt(self, file: int, name: str) -> Any:  # type: ignore[override]
            os.close(file)
            return files.AdoptResult(size=3)

    async def around(call: InterceptedCall, proceed: Proceed) -> object:
        if how == "refused":
            raise Overloaded("no")
        result = await proceed(call)
        if how == "failed":
            raise Overloaded("too late: the handler has had them")
        return result

    served = intercepted(Older() if how == "older" else Files(), [around])
    address = f"unix:{tmp_path}/socket"
    with none_left():
        mine = os.open(os.devnull, os.O_RDONLY)
        async with serve(address, served), files.FilesClient.connect(address) as client:
            for spare in (None, mine):
                if how in ("refused", "failed"):
                    with pytest.raises(Overloaded):
                        await client.adopt(mine, "x", spare)
                else:
                    assert (await client.adopt(mine, "x", spare)).size == 3
        os.close(mine)


async def test_a_time_without_end_is_one_behind_interceptors_too() -> None:
    async def around(call: InterceptedCall, proceed: Proceed) -> object:
        return await proceed(call)

    async with TextClient.local(Text(), interceptors=[around]) as text:
        assert (await text.repeat("a", timeout=math.inf)).text == "a"


async def test_interceptors_are_no_part_of_the_limits() -> None:
    """What is in an interceptor is in flight."""
    entered = asyncio.Event()
    gate = asyncio.Event()

    async def hold(call: InterceptedCall, proceed: Proceed) -> object:
        entered.set()
        await gate.wait()
        return await proceed(call)

    async with (
        serve(
            "127.0.0.1:0", Text(), interceptors=[hold], limits=Limits(calls=1)
        ) as server,
        TextClient.connect(server.addresses[0]) as text,
    ):
        first = asyncio.ensure_future(text.repeat("a"))
        await asyncio.wait_for(entered.wait(), PATIENCE)
        second = asyncio.ensure_future(text.repeat("b"))
        gate.set()
        assert [(await call).text for call in (first, second)] == ["a", "b"]


async def test_a_client_of_no_schema_has_them_too() -> None:
    around = Around()
    async with TextClient.local(Text(), interceptors=[around]) as text:
        base = Client(text.connection)
        assert vars(base)["_interceptors"] == (around,)


def test_hints_of_an_interceptor_can_be_asked_for_at_run_time() -> None:
    hints = typing.get_type_hints(Around.__call__)
    assert hints["call"] is InterceptedCall
    assert hints["proceed"] == Proceed
