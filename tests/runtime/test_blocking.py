"""Clients without an event loop."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import (
    ConnectionLost,
    DeadlineExceeded,
    Metadata,
    blocking,
    current_call,
    serve,
)
from tests.runtime.made.text import (
    Item,
    RepeatResult,
    TextBlockingClient,
    TextClient,
    TooLong,
)
from tests.runtime.services import Events, Text

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).parents[2]


@contextmanager
def served(service: Any) -> Generator[str]:
    """A server in a thread of its own."""
    address: Future[str] = Future()
    ended: Future[Any] = Future()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        ended.set_result(lambda: loop.call_soon_threadsafe(stop.set))
        async with serve("127.0.0.1:0", service, drain_timeout=0.1) as server:
            address.set_result(server.addresses[0])
            await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    try:
        yield address.result()
    finally:
        ended.result()()
        thread.join()


def test_the_methods_are_the_clients_and_wait() -> None:
    with served(Text()) as address:
        text = TextClient.connect_blocking(address)
        assert isinstance(text, TextBlockingClient)
        assert text.repeat("abc", times=3) == RepeatResult(text="abcabcabc", length=9)
        assert text.items([Item(id=1, name="x")]) == [Item(id=1, name="x")]
        text.log("line")
        with pytest.raises(TooLong, match="120 characters") as caught:
            text.repeat("abc", 40)
        assert caught.value.limit == 100
        with pytest.raises(DeadlineExceeded):
            text.stop(timeout=0.05)
        text.close()
        text.close()
        with pytest.raises(ConnectionLost):
            text.repeat("a")


def test_metadata_goes_both_ways() -> None:
    class Telling(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            call = current_call()
            call.answer_metadata["hello"] = call.metadata["user"]
            return RepeatResult(text=text, length=times)

    with served(Telling()) as address, TextClient.connect_blocking(address) as text:
        metadata = Metadata({"user": "me"})
        text.repeat("a", metadata=metadata)
        assert metadata.answer == {"hello": "me"}


def test_many_threads_may_call_at_once() -> None:
    with (
        served(Text()) as address,
        TextClient.connect_blocking(address) as text,
        ThreadPoolExecutor(16) as pool,
    ):
        calls = [pool.submit(text.repeat, f"{n}", n % 9) for n in range(300)]
        answers = [call.result() for call in calls]
    assert [a.text for a in answers] == [f"{n}" * (n % 9) for n in range(300)]


def test_what_it_answers_runs_elsewhere_and_cannot_call_through_it() -> None:
    class Asking(Text):
        async def stop(self) -> None:
            await self.events.progress(1)
            assert await self.events.confirm("?") == "?: no"

    class Answering(Events):
        async def confirm(self, question: str) -> str:
            with pytest.raises(RuntimeError, match="await the asyncio client"):
                text.repeat("a")
            return f"{question}: no"

    events = Answering()
    with (
        served(Asking()) as address,
        TextClient.connect_blocking(address, events=events) as text,
    ):
        text.stop(timeout=5)
    assert events.seen == [1]


def test_what_fails_to_connect_says_so() -> None:
    with served(Text()) as address:
        pass
    with pytest.raises(ConnectionRefusedError):
        TextClient.connect_blocking(address)


def test_a_call_ends_with_the_connection_and_with_a_close() -> None:
    service = Text()
    with served(service) as address, ThreadPoolExecutor(2) as pool:
        text = TextClient.connect_blocking(address, drain_timeout=0.1)
        calls = [pool.submit(text.stop, timeout=None) for _ in range(2)]
        while service.waiting._value < 2:
            time.sleep(0.001)
        text.close()
        for call in calls:
            with pytest.raises(ConnectionLost):
                call.result(5)


def test_interrupting_the_wait_cancels_the_call() -> None:
    cancelled = threading.Event()

    class Patient(Text):
        async def stop(self) -> None:
            self.waiting.release()
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

    service = Patient()
    with served(service) as address, TextClient.connect_blocking(address) as text:
        text.repeat("a")  # they know one another now

        thread = threading.Thread(target=interrupt_once_it_waits, args=(service,))
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            text.stop(timeout=None)
        thread.join()
        assert cancelled.wait(5)
        assert text.repeat("b").text == "b"


def interrupt_once_it_waits(service: Text) -> None:
    while not service.waiting._value:
        time.sleep(0.001)
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGINT)


def test_one_that_is_dropped_open_says_so_and_closes() -> None:
    with served(Text()) as address:
        text = TextClient.connect_blocking(address)
        connection = text._client.connection
        held = [text]
        del text
        with pytest.warns(ResourceWarning, match="unclosed"):
            held.clear()
        closed = asyncio.run_coroutine_threadsafe(
            connection.wait_closed(), blocking._loop_of_process().loop
        )
        closed.result(5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork_the_child_has_clients_of_its_own() -> None:
    with served(Text()) as address, TextClient.connect_blocking(address) as text:
        child = os.fork()
        if not child:
            status = 1
            try:
                with pytest.raises(ConnectionLost, match="another process") as lost:
                    text.repeat("a")
                assert not lost.value.sent
                with TextClient.connect_blocking(address) as own:
                    assert own.repeat("b").text == "b"
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(child, 0)[1] == 0
        assert text.repeat("c").text == "c"


def test_a_process_ends_though_its_client_is_open() -> None:
    program = (
        "import sys\n"
        "from ampgen.runtime import ConnectionLost\n"
        "from tests.runtime.made.text import TextClient\n"
        "text = TextClient.connect_blocking(sys.argv[1])\n"
        "print(text.repeat('a').text)\n"
    )
    with served(Text()) as address:
        ended = subprocess.run(
            [sys.executable, "-W", "error", "-X", "dev", "-c", program, address],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert (ended.stdout, ended.stderr, ended.returncode) == ("a\n", "", 0)


def test_when_the_process_goes_its_connections_do() -> None:
    lost = threading.Event()

    def service(connection: Any) -> Text:
        def closed(_connection: Any) -> None:
            lost.set()

        connection.add_close_callback(closed)
        return Text()

    with served(service) as address:
        text = TextClient.connect_blocking(address)
        blocking._stop()
        assert lost.wait(5)
        with pytest.raises(ConnectionLost, match="one that is ending"):
            text.repeat("a")
        with TextClient.connect_blocking(address) as another:
            assert another.repeat("a").text == "a"


def test_a_fork_forgets_the_thread_that_it_does_not_have() -> None:
    parents = blocking._loop_of_process()
    blocking._forget()
    assert not parents.runs
    assert blocking._loop_of_process() is not parents
    parents.stop()
