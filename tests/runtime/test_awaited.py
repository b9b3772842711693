"""A call that a task waits for."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import gc
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime.awaited import AwaitedCall
from tests.runtime.made.text import Item, RepeatResult, TextClient, TooLong
from tests.runtime.services import COMMANDS, Text

if TYPE_CHECKING:
    from ampgen.runtime.calls import Call

STOP = COMMANDS[b"Stop"]

where: ContextVar[str] = ContextVar("where", default="nowhere")


class Shell:
    """Whose calls they are, as far as these know it."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.given_up: list[Call] = []

    def give_up_call(self, call: Call) -> None:
        self.given_up.append(call)


def made(shell: Shell | None = None) -> AwaitedCall[Any]:
    return AwaitedCall(shell or Shell(), STOP, None, None, None)


async def wait_for(call: AwaitedCall[Any]) -> Any:
    where.set("in the task")
    result = await call
    return result, where.get()


async def waiting(call: AwaitedCall[Any]) -> asyncio.Task[Any]:
    task = asyncio.create_task(wait_for(call))
    await asyncio.sleep(0)
    return task


def soon(action: Any, *args: Any) -> None:
    """As what a socket brings: outside of any task."""
    asyncio.get_running_loop().call_soon(action, *args)


async def test_who_waits_goes_on_at_once_and_in_its_own_context() -> None:
    call = made()
    task = await waiting(call)
    done: list[bool] = []

    def answer() -> None:
        call.answered("yes")
        done.append(task.done())

    soon(answer)
    assert await task == ("yes", "in the task")
    assert done == [True]
    assert where.get() == "nowhere"


async def test_an_error_is_thrown_where_it_is_awaited() -> None:
    call = made()
    task = await waiting(call)
    call.failed(LookupError("no"))  # from within another task
    with pytest.raises(LookupError, match="no"):
        await task


async def test_an_error_that_was_caught_is_not_left_to_the_collector() -> None:
    errors: list[weakref.ref[TooLong]] = []
    async with TextClient.local(Text()) as text:
        gc.disable()
        try:
            await text.repeat("x" * 101)
        except TooLong as error:
            errors.append(weakref.ref(error))
        finally:
            gc.enable()
        assert [error() for error in errors] == [None]


async def test_what_has_ended_is_not_waited_for() -> None:
    answered, failed = made(), made()
    answered.answered(1)
    failed.failed(LookupError())
    assert await answered == 1
    with pytest.raises(LookupError):
        await failed


async def test_it_ends_once() -> None:
    call = made()
    call.answered(1)
    call.answered(2)
    call.failed(LookupError())
    assert not call.cancel()
    assert await call == 1


@pytest.mark.parametrize("words", [(), ("enough",)])
async def test_cancelling_the_task_cancels_it(words: tuple[str, ...]) -> None:
    shell = Shell()
    call = made(shell)
    task = await waiting(call)
    task.cancel(*words)
    assert call.done
    call.answered("too late")
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.args == words
    assert shell.given_up == [call]


async def test_a_task_that_is_cancelled_before_it_waits_gives_the_call_up() -> None:
    shell = Shell()
    call = made(shell)

    async def cancelled_before() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await call

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(cancelled_before())
    assert shell.given_up


async def test_a_cancel_in_the_same_round_as_the_answer_wins_as_with_any_future() -> (
    None
):
    """The task ends before the cancel comes, where it has nothing more to wait for."""
    call = made()
    task = await waiting(call)
    soon(call.answered, "yes")
    soon(task.cancel)
    assert await task == ("yes", "in the task")


async def test_a_timeout_around_a_call_is_a_timeout() -> None:
    async with TextClient.local(Text()) as text:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await text.stop(timeout=None)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(text.stop(timeout=None), 0.01)


async def test_who_goes_on_may_call_again_while_the_rest_is_read() -> None:
    async def again(text: TextClient, number: int) -> list[str]:
        return [(await text.repeat(f"{number}.{n}")).text for n in range(20)]

    async with TextClient.local(Text()) as text:
        numbers = range(50)
        answers = await asyncio.gather(*(again(text, number) for number in numbers))
    assert answers == [[f"{number}.{n}" for n in range(20)] for number in numbers]


async def test_who_goes_on_may_close_the_connection() -> None:
    async with TextClient.local(Text()) as text:

        async def closing() -> RepeatResult:
            answer = await text.repeat("a")
            text.connection.close()
            return answer

        calls = [text.items([Item(id=1, name="x")]), closing(), text.repeat("b")]
        results = await asyncio.gather(*calls, return_exceptions=True)
        await text.connection.wait_closed()
    assert results[1] == RepeatResult(text="a", length=1)


async def test_bytes_that_come_within_a_task_are_looked_at_outside_of_it() -> None:
    async with TextClient.local(Text()) as text:
        call = asyncio.create_task(text.repeat("a"))
        await asyncio.sleep(0)
        shell = text.connection._shell
        answer = b"\0\7_answer\0\0011\0\6length\0\0011\0\4text\0\1a\0\0"
        shell.data_received(answer)  # the real one comes as a violation, then
        assert not call.done()
        assert (await call).text == "a"
