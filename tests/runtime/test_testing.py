"""What the tests of programs are given."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from ampgen.runtime import (
    ConnectionLost,
    DeadlineExceeded,
    InternalError,
    intercepted,
)
from ampgen.runtime.testing import Faults, RecordedCall, Recorder, each, fake, faulty
from tests.runtime.made.text import (
    Item,
    RepeatResult,
    TextClient,
    TextServer,
    TooLong,
)
from tests.runtime.services import Events, Text

ABC = RepeatResult(text="abc", length=3)


async def calls(text: TextClient) -> None:
    answers = await asyncio.gather(*(text.repeat(f"{n}", 2) for n in range(50)))
    assert [answer.text for answer in answers] == [f"{n}" * 2 for n in range(50)]
    items = [Item(id=n, name="x" * 100) for n in range(50)]
    assert await text.items(items) == items
    with pytest.raises(TooLong):
        await text.repeat("abc", 40)


# --- faults ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "faults",
    [
        Faults(),
        Faults(split=1),
        Faults(split=7, delay=0.001),
        Faults(delay=0.01),
        Faults(reorder=True),
        Faults(reorder=True, split=3),
        Faults(drop_after=1 << 30),
    ],
)
async def test_what_only_comes_differently_is_the_same(faults: Faults) -> None:
    async with faulty(TextClient, Text(), to_server=faults, to_client=faults) as text:
        await calls(text)


async def test_both_ends_may_call() -> None:
    class Asking(Text):
        async def stop(self) -> None:
            assert await self.events.confirm("?") == "?: yes"

    slow = Faults(split=1)
    async with faulty(
        TextClient, Asking(), serve=[Events()], to_server=slow, to_client=slow
    ) as text:
        await text.stop(timeout=5)


async def test_a_delay_is_as_long_as_it_says() -> None:
    async with faulty(TextClient, Text(), to_server=Faults(delay=0.05)) as text:
        start = time.monotonic()
        await text.repeat("a")
        assert time.monotonic() - start > 0.045


async def test_what_never_answers_has_heard_all_the_same() -> None:
    service = Text()
    async with faulty(TextClient, service, to_client=Faults(silent=True)) as text:
        await text.log("x")
        with pytest.raises(DeadlineExceeded):
            await text.repeat("a", timeout=0.05)
        with pytest.raises(DeadlineExceeded):
            await text.repeat("a" * 200, timeout=0.05)
    assert service.lines == ["x from Log"]


async def test_answers_that_leave_together_come_in_another_order() -> None:
    order: dict[int, list[int]] = {}
    for seed in (1, 1, 2):
        came: list[int] = []

        async def one(text: TextClient, number: int, came: list[int] = came) -> None:
            await text.items([Item(id=number, name="")])
            came.append(number)

        async with faulty(
            TextClient, Text(), to_client=Faults(reorder=True), seed=seed
        ) as text:
            await asyncio.gather(*(one(text, number) for number in range(20)))
        assert sorted(came) == list(range(20))
        assert came != sorted(came)
        assert order.setdefault(seed, came) == came  # the same seed, the same order
    assert order[1] != order[2]


@pytest.mark.parametrize("left", [0, 1, 10, 30])
async def test_the_connection_is_lost_after_so_many_bytes(left: int) -> None:
    faults = Faults(drop_after=left)
    async with faulty(TextClient, Text(), to_client=faults) as text:
        with pytest.raises(ConnectionLost):
            await text.repeat("a", 90)
        await text.connection.wait_closed()


async def test_a_handler_that_still_runs_is_cancelled_in_the_end() -> None:
    service = Text()
    async with faulty(TextClient, service) as text:
        call = asyncio.create_task(text.stop(timeout=None))
        await service.waiting.acquire()
    with pytest.raises(ConnectionLost):
        await call


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        ({"split": 0}, "split has to be at least 1"),
        ({"delay": -1}, "delay cannot be negative"),
        ({"drop_after": -1}, "drop_after cannot be negative"),
    ],
)
def test_faults_that_make_no_sense_are_refused(bad: Any, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        Faults(**bad)


# --- fakes ----------------------------------------------------------------------------


def one_argument(text: str) -> RepeatResult:
    return ABC


def abc(text: str, times: int) -> RepeatResult:
    return ABC


async def test_a_fake_answers_what_it_is_told() -> None:
    async def items(items: list[Item]) -> list[Item]:
        return items[:1]

    with fake(
        TextServer,
        repeat=each(ABC, TooLong("too long", limit=7), abc),
        items=items,
        stop=None,
        log=None,
    ) as service:
        async with TextClient.local(service) as text:
            assert await text.repeat("a") == ABC
            with pytest.raises(TooLong) as caught:
                await text.repeat("a")
            assert caught.value.limit == 7
            assert await text.repeat("a") == ABC
            one, two = Item(id=1, name="a"), Item(id=2, name="b")
            assert await text.items([one, two]) == [one]
            await text.stop()
            await text.log("x")


async def test_an_unexpected_call_fails_the_test() -> None:
    pretending = fake(TextServer, repeat=each(ABC))
    service = pretending.__enter__()
    async with TextClient.local(service) as text:
        await text.repeat("a")
        with pytest.raises(InternalError):
            await text.repeat("b", 2)
        with pytest.raises(InternalError):
            await text.stop()
    with pytest.raises(AssertionError) as failed:
        pretending.__exit__(None, None, None)
    assert str(failed.value) == (
        "unexpected call of TextServer: repeat('b', 2)\n"
        "unexpected call of TextServer: stop()"
    )


def test_a_call_that_did_not_come_fails_the_test() -> None:
    missed = pytest.raises(AssertionError, match="repeat was to be called 2 times more")
    with missed, fake(TextServer, repeat=each(ABC, ABC)):
        pass
    # what has failed already is told instead
    with pytest.raises(LookupError), fake(TextServer, repeat=each(ABC)):
        raise LookupError


@pytest.mark.parametrize(
    ("answers", "rule"),
    [
        ({"repaet": ABC}, r"no method 'repaet' \(items, .*\); did you mean 'repeat'"),
        ({"zzz": ABC}, r"no method 'zzz' \([^)]*\)$"),
        ({"repeat": one_argument}, "TextServer.repeat does not take its 2"),
        ({"repeat": each(ABC, one_argument)}, "TextServer.repeat does not take its 2"),
    ],
)
def test_a_fake_that_does_not_fit_is_refused_at_once(answers: Any, rule: str) -> None:
    with pytest.raises(TypeError, match=rule), fake(TextServer, **answers):
        pass


def test_what_python_cannot_look_into_is_believed() -> None:
    with fake(TextServer, items=min, repeat=RepeatResult) as service:
        assert isinstance(service, TextServer)


# --- records --------------------------------------------------------------------------


async def test_a_recorder_keeps_what_was_called_and_what_came() -> None:
    recorder, there = Recorder(), Recorder()
    service = intercepted(Text(), [there])
    async with TextClient.local(service, interceptors=[recorder]) as text:
        await text.repeat("abc", metadata={"user": "me"})
        with pytest.raises(TooLong) as caught:
            await text.repeat("abc", 40)
        await text.log("x")
        call = asyncio.create_task(text.stop())
        await asyncio.sleep(0)
        assert recorder.calls[-1].pending
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    first, second, *others = recorder.calls
    assert first == RecordedCall(
        "Text.Repeat", {"text": "abc", "times": 1}, False, {"user": "me"}, ABC
    )
    assert second.error is caught.value
    assert [c.name for c in others] == ["Text.Log", "Text.Stop"]
    assert [c.oneway for c in others] == [True, False]
    assert isinstance(others[1].error, asyncio.CancelledError)
    assert not others[1].pending
    assert recorder.named("Repeat") == recorder.named("Text.Repeat") == [first, second]
    assert there.named("Repeat")[0] == first
    assert there.named("Nope") == []


# --- pytest ---------------------------------------------------------------------------

PROGRAM = """
import asyncio
from ampgen.runtime import InternalError
from tests.runtime.made.text import TextClient, TextServer
import pytest

@pytest.mark.parametrize("expected", [True, False])
async def test_fakes(amp_fake, expected):
    service = amp_fake(TextServer, **({"stop": None} if expected else {}))
    async with TextClient.local(service) as text:
        try:
            await text.stop()
        except InternalError:
            pass

async def test_tidy(amp_fake, amp_leaks):
    async with TextClient.local(amp_fake(TextServer, stop=None)) as text:
        await text.stop()

async def test_untidy(amp_fake, amp_leaks):
    await TextClient.local(amp_fake(TextServer, stop=None))
"""


def test_the_fixtures_fail_the_tests_that_deserve_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PROGRAM)
    result = pytester.runpytest_subprocess(
        "-q", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "-rfE"
    )
    result.assert_outcomes(passed=4, errors=2)
    result.stdout.fnmatch_lines_random(
        [
            "*unexpected call of TextServer: stop()",
            "*left behind: an open connection (unix:local); an open connection*",
        ]
    )
