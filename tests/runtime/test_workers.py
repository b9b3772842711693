"""Several processes at one address: real ones, killed and replaced."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager, suppress
from multiprocessing import Pipe
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import ConnectionLost, run, serve
from ampgen.runtime import workers as module
from ampgen.runtime.listening import open_tcp, share_socket
from tests.raw import PATIENCE
from tests.runtime import program
from tests.runtime.made.text import TextClient
from tests.runtime.services import Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path


class Program:
    """`tests.runtime.program`, as somebody starts it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.addresses: list[str] = []

    async def line(self) -> str:
        assert self.process.stdout is not None
        line = await asyncio.wait_for(self.process.stdout.readline(), PATIENCE)
        if not line:
            pytest.fail(f"it has ended: {await self.ended()}")
        return line.decode().strip()

    async def until(self, what: str) -> str:
        """The next line that starts so."""
        while not (line := await self.line()).startswith(what):
            pass
        return line

    async def pid(self) -> int:
        """The process that answers a new connection."""
        async with TextClient.connect(self.addresses[0]) as text:
            return int((await text.repeat("pid")).text)

    async def pids(self, count: int, *without: int) -> set[int]:
        """Connect until so many workers have answered, none of them in ``without``."""
        found: set[int] = set()
        async with asyncio.timeout(PATIENCE * 2):
            while len(found) < count:
                with suppress(ConnectionError):
                    found |= {await self.pid()}.difference(without)
        return found

    async def dial_on(self) -> None:
        while True:
            await (await TextClient.connect(self.addresses[0])).aclose()

    async def ended(self) -> tuple[int, str]:
        """Its status, and what else it says."""
        out, error = await asyncio.wait_for(self.process.communicate(), PATIENCE * 2)
        assert self.process.returncode is not None
        return self.process.returncode, (out + error).decode()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)


@asynccontextmanager
async def started(
    *, serves: bool = True, environment: dict[str, str] | None = None, **given: Any
) -> AsyncGenerator[Program]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.runtime.program",
        json.dumps(given),
        env={**os.environ, "PYTHONASYNCIODEBUG": "", **(environment or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    one = Program(process)
    try:
        if serves:
            one.addresses = (await one.until("serving")).split()[1:]
        yield one
    finally:
        if process.returncode is None:
            process.kill()
        await one.ended()  # and its workers: they have its output


# --- programs -------------------------------------------------------------------------


async def test_calls_go_on_when_a_worker_is_killed() -> None:
    async with started(workers=2) as one:
        before = await one.pids(2)
        victim, survivor = before
        text = await TextClient.connect(one.addresses[0])
        while (await text.repeat("pid")).text != str(victim):
            await text.aclose()
            text = await TextClient.connect(one.addresses[0])
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(ConnectionLost):
            await text.stop()
        await text.aclose()
        assert await one.pids(1, *before)  # another one took its place
        assert survivor in await one.pids(2)
        one.signal(signal.SIGTERM)
        status, said = await one.ended()
    assert status == 0, said
    assert "worker 1 was killed by SIGKILL" in said or "worker 2 was" in said


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_signal_drains_every_worker(workers: int) -> None:
    async with started(workers=workers, make="telling") as one:
        text = await TextClient.connect(one.addresses[0])
        call = asyncio.create_task(text.stop(timeout=None))
        await one.until("stop: begins")
        one.signal(signal.SIGTERM)
        await call
        await text.aclose()
        status, said = await one.ended()
    assert status == 0, said
    assert "stop: ends\n" in said
    assert said.count("left\n") == workers
    assert said.endswith("done\n")


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_second_signal_ends_it_at_once(workers: int) -> None:
    async with started(workers=workers, environment={"STOP_TAKES": "600"}) as one:
        text = await TextClient.connect(one.addresses[0])
        call = asyncio.create_task(text.stop(timeout=None))
        await one.until("stop: begins")
        one.signal(signal.SIGTERM)
        with pytest.raises(OSError, match="Connect"):
            await one.dial_on()  # until it has heard of the first one
        one.signal(signal.SIGTERM)
        with pytest.raises(ConnectionLost):
            await call
        await text.aclose()
        status, said = await one.ended()
    assert status == 0, said
    assert said.split() == ["stop:", "cancelled", "done"]


async def test_a_hangup_replaces_the_workers_one_by_one(tmp_path: Path) -> None:
    environment = {"FAIL_IF": str(tmp_path / "broken")}
    make = "failing_now_and_then"
    async with started(workers=2, make=make, environment=environment) as one:
        before = await one.pids(2)
        async with TextClient.connect(one.addresses[0]) as text:
            one.signal(signal.SIGHUP)
            after = await one.pids(2, *before)
            await asyncio.wait_for(text.connection.wait_closed(), PATIENCE)
        (tmp_path / "broken").touch()
        one.signal(signal.SIGHUP)
        assert one.process.stderr is not None
        while b"the others stay" not in (line := await one.process.stderr.readline()):
            assert line
        assert await one.pids(2) == after
        one.signal(signal.SIGINT)
        status, said = await one.ended()
    assert status == 0, said


async def test_workers_that_keep_dying_end_the_program() -> None:
    async with started(serves=False, workers=2, make="failing") as one:
        status, said = await one.ended()
    assert status == 1
    assert "5 deaths in a row, each within 10 s of the start; giving up" in said
    assert "no database" in said


async def test_workers_do_not_outlive_who_started_them(tmp_path: Path) -> None:
    async with started(workers=2, address=f"unix:{tmp_path / 's'}") as one:
        text = await TextClient.connect(one.addresses[0])
        await text.repeat("a")
        one.signal(signal.SIGKILL)
        await asyncio.wait_for(text.connection.wait_closed(), PATIENCE)
        await text.aclose()


@pytest.mark.parametrize("kind", ["unix", "name"])
async def test_workers_share_a_socket_or_each_address_of_a_name(
    kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "socket"
    address = f"unix:{path}" if kind == "unix" else "localhost:0"
    async with started(workers=2, address=address) as one:
        assert len({address.rpartition(":")[2] for address in one.addresses}) == 1
        for address in one.addresses:
            async with TextClient.connect(address) as text:
                assert (await text.repeat("a")).text == "a"
        one.signal(signal.SIGTERM)
        status, said = await one.ended()
    assert status == 0, said
    assert not path.exists()


# --- in this process ------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_run_returns_after_the_draining(workers: int) -> None:
    ready: list[str] = []

    def end(addresses: list[str]) -> None:
        ready.extend(addresses)
        os.kill(os.getpid(), signal.SIGTERM)

    run(
        "127.0.0.1:0",
        program.Telling,
        workers=workers,
        options=program.options,
        on_ready=end,
    )
    [address] = ready
    assert address.startswith("127.0.0.1:")


@pytest.mark.parametrize("how", ["object", "coroutine", "manager"])
def test_services_are_given_or_made(
    how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FAIL_IF", str(tmp_path / "broken"))
    make: Any = {
        "object": program.Telling(),
        "coroutine": program.failing_now_and_then,
        "manager": program.telling,
    }[how]
    run("127.0.0.1:0", make, on_ready=lambda _: os.kill(os.getpid(), signal.SIGTERM))


def test_what_cannot_be_sent_to_a_worker_is_named() -> None:
    with pytest.raises(TypeError, match="services of their own"):
        run("127.0.0.1:0", Text(), workers=2)
    with pytest.raises(TypeError, match=r"make=.*cannot be sent to a worker"):
        run("127.0.0.1:0", lambda: Text(), workers=2)
    with pytest.raises(ValueError, match="workers=0"):
        run("127.0.0.1:0", Text, workers=0)


@pytest.mark.parametrize("workers", [1, 2])
def test_what_makes_no_sense_is_refused_before_a_worker_starts(workers: int) -> None:
    wrong: Any = str(workers)
    with pytest.raises(TypeError, match=f"workers='{workers}': how many"):
        run("127.0.0.1:0", Text, workers=wrong)
    with pytest.raises(TypeError, match=r"run\(\) got an unexpected.*'limit'"):
        run("127.0.0.1:0", Text, workers=workers, limit=None)
    with pytest.raises(TypeError, match="or is a service, but it is a list"):
        run("127.0.0.1:0", [Text], workers=workers)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("workers", [1, 2])
async def test_where_a_loop_runs_there_is_another_way(workers: int) -> None:
    with pytest.raises(RuntimeError, match=r"async with serve\(...\)"):
        run("127.0.0.1:0", Text, workers=workers)


def test_a_taken_port_is_an_error_however_many_workers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            OSError, match=rf"cannot listen on '127.0.0.1', port {port}"
        ):
            run(f"127.0.0.1:{port}", Text, workers=2)


async def test_without_ports_to_share_one_socket_is_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    [listening], ports = open_tcp("127.0.0.1", 0)
    assert not ports
    assert share_socket(listening) is listening
    async with (
        serve([listening], Text()) as server,
        TextClient.connect(server.addresses[0]) as text,
    ):
        assert (await text.repeat("a")).text == "a"


@asynccontextmanager
async def supervised(
    make: Any, *, drain_timeout: float = 5.0, address: Any = "127.0.0.1:0"
) -> AsyncGenerator[tuple[module._Supervisor, asyncio.Task[str | None], str]]:
    """The supervisor of two workers in this process, once they serve."""
    ready: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
    work = module._Work(make, {"drain_timeout": drain_timeout}, None, None)
    with module._Place(address) as place:
        one = module._Supervisor(work, place, 2, drain_timeout, ready.set_result)
        running = asyncio.create_task(one.run())
        try:
            [address] = await asyncio.wait_for(ready, 2 * PATIENCE)
            yield one, running, address
        finally:
            if not running.done():
                os.kill(os.getpid(), signal.SIGTERM)
            await running


async def test_a_supervisor_replaces_the_dead(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIVED", 0.0)  # none of them fails to start
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with supervised(program.Telling, address=listening) as (one, _, address):
            dead = one._present[1]
            dead.process.kill()
            await dead.ended.wait()
            dead.tell("end")  # it hears nothing
            async with asyncio.timeout(PATIENCE):
                while one._present[1] is dead:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            assert await one._present[1].ready
            async with TextClient.connect(address) as text:
                assert (await text.repeat("a")).text == "a"
    assert (
        "worker 1 was killed by SIGKILL: another one is started in 0 s" in caplog.text
    )


async def test_what_is_renewed_meanwhile_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with supervised(program.Telling) as (one, _, _address):
        monkeypatch.setattr(module, "_BACKOFF", 5.0)
        one._present[1].process.kill()
        async with asyncio.timeout(PATIENCE):
            while "started in 5 s" not in caplog.text:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        one._renew()
        assert one._renewal is not None
        await asyncio.wait_for(one._renewal, 2 * PATIENCE)
        new = one._present[1]
        await asyncio.sleep(5.0)  # when it would be replaced
        assert one._present[1] is new
        assert len(one._all) == 2


def test_it_is_given_up_in_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SystemExit, match=r"5 deaths in a row.*giving up"):
        run("127.0.0.1:0", program.failing, workers=2)
    assert "ended with status 1: another one is started in 0.1 s" in caplog.text


async def test_a_supervisor_renews(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    monkeypatch.setenv("FAIL_IF", str(broken))
    async with supervised(program.failing_now_and_then) as (one, _, _address):
        before = list(one._present.values())
        for _ in range(2):  # the second one while they are being renewed: once more
            os.kill(os.getpid(), signal.SIGHUP)
            await asyncio.sleep(0.01)
        assert one._renewal is not None
        await asyncio.wait_for(one._renewal, 4 * PATIENCE)
        after = list(one._present.values())
        assert all(worker.ended.is_set() for worker in before)
        assert not set(before) & set(after)
        broken.touch()
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.01)
        await asyncio.wait_for(one._renewal, PATIENCE)
        assert list(one._present.values()) == after
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.01)  # and it ends in the midst of that
    assert "the others stay" in caplog.text


async def client_of(address: str, worker: module._Worker) -> TextClient:
    """One that is connected to this worker."""
    async with asyncio.timeout(PATIENCE):
        while True:
            text = await TextClient.connect(address)
            if (await text.repeat("pid")).text == str(worker.process.pid):
                return text
            await text.aclose()


async def test_a_signal_to_all_processes_drains_every_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As a service manager sends it, unless it is told to leave the workers alone."""
    monkeypatch.setenv("STOP_TAKES", "1")
    async with supervised(program.Telling) as (one, running, address):
        worker = one._present[1]
        assert worker.process.pid is not None
        async with await client_of(address, worker) as text:
            call = asyncio.create_task(text.stop(timeout=None))
            await asyncio.sleep(0)  # asked before what follows
            await text.repeat("a")
            os.kill(worker.process.pid, signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(call, PATIENCE)
        await asyncio.wait_for(running, 2 * PATIENCE)


async def test_an_end_in_the_midst_of_a_renewal_drains(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STOP_TAKES", "1")
    async with supervised(program.Telling) as (one, running, address):
        old = one._present[1]
        async with await client_of(address, old) as text:
            call = asyncio.create_task(text.stop(timeout=None))
            os.kill(os.getpid(), signal.SIGHUP)
            async with asyncio.timeout(PATIENCE):
                while one._present[1] is old:  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            os.kill(os.getpid(), signal.SIGTERM)
            await call
        await asyncio.wait_for(running, 2 * PATIENCE)
        one._renew()  # too late
        assert one._renewal is not None
        await one._renewal
    assert not multiprocessing.active_children()


async def test_a_worker_is_missed_though_its_children_live(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_LIVED", 0.0)
    async with supervised(program.Telling) as (one, _, address):
        dead = one._present[1]
        async with await client_of(address, dead) as text:
            child = int((await text.repeat("start")).text)
            try:
                dead.process.kill()
                await asyncio.wait_for(dead.ended.wait(), PATIENCE)
            finally:
                os.kill(child, signal.SIGKILL)


async def test_a_signal_without_a_name_is_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIVED", 0.0)
    number = signal.SIGRTMIN + 3
    async with supervised(program.Telling) as (one, _, _address):
        dead = one._present[2]
        assert dead.process.pid is not None
        os.kill(dead.process.pid, number)
        await asyncio.wait_for(dead.ended.wait(), PATIENCE)
        assert str(dead) == f"worker 2 was killed by signal {number:d}"


@pytest.mark.parametrize("workers", [1, 2])
def test_who_fails_when_all_serve_ends_it_all(workers: int) -> None:
    def fail(_addresses: list[str]) -> None:
        raise LookupError("nobody to tell")

    with pytest.raises(LookupError, match="nobody to tell"):
        run("127.0.0.1:0", program.Telling, workers=workers, on_ready=fail)
    assert not multiprocessing.active_children()


async def test_a_worker_that_hangs_is_killed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GRACE", 0.1)
    monkeypatch.setattr(module, "LAST_WORDS", 0.1)
    async with (
        supervised(program.Hanging, drain_timeout=0.1) as (_, running, address),
        TextClient.connect(address) as text,
    ):
        call = asyncio.create_task(text.stop(timeout=None))
        await asyncio.sleep(0.1)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.01)
        await running
        with pytest.raises(ConnectionLost):
            await call
    monkeypatch.undo()
    async with (
        supervised(program.Hanging, drain_timeout=0.1) as (one, _, address),
        TextClient.connect(address) as text,
    ):
        call = asyncio.create_task(text.stop(timeout=None))
        await asyncio.sleep(0.1)
        one._ending.set()
        await asyncio.gather(*[worker.leave(0.3) for worker in one._present.values()])
        with pytest.raises(ConnectionLost):
            await call
    assert "does not end: killed" in caplog.text


@pytest.mark.parametrize("host", ["::1", "localhost"])
def test_every_address_of_a_name_has_one_port(host: str) -> None:
    sockets, ports = open_tcp(host, 0)
    assert len({port.name[1] for port in ports}) == 1
    for one in sockets:
        one.close()


def test_a_port_that_is_taken_at_one_address_is_left_at_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hosts = ("127.0.0.1", "127.0.0.2")
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, 0)) for host in hosts]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)  # pyright: ignore
    with socket.create_server((hosts[1], 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=r"cannot listen on '127.0.0.2'"):
            open_tcp("two", port)
    socket.create_server((hosts[0], port)).close()


def test_a_place_is_a_socket_file_too(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with module._Place(f"unix:{path}") as place:
        assert place.addresses == [f"unix:{path}"]
        assert path.exists()
    assert not path.exists()
    with pytest.raises(FileNotFoundError):
        module._Place(f"unix:{tmp_path / 'no' / 'folder'}")


async def test_of_several_sockets_one_is_no_use() -> None:
    good = socket.create_server(("127.0.0.1", 0))
    with socket.socket(type=socket.SOCK_DGRAM) as bad:
        with pytest.raises(ValueError, match="Stream Socket"):
            await serve([good, bad], Text()).__aenter__()
        assert good.fileno() == bad.fileno() == -1


@pytest.mark.parametrize("word", ["end", None])
def test_a_worker_serves_until_it_is_told_or_alone(word: str | None) -> None:
    ours, theirs = Pipe()
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGHUP)}
    work = module._Work(program.Telling, {}, None, None)
    held, ports = open_tcp("127.0.0.1", 0)
    if word is None:
        ours.close()
    else:
        ours.send(word)
        ours.send(word)
    try:
        if word is None:
            with pytest.raises(OSError, match="Broken pipe"):
                module._worker(work, [*ports], theirs)
        else:
            module._worker(work, [*ports], theirs)
            assert ours.recv() == "ready"
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        ours.close()
        theirs.close()
        for one in held:
            one.close()
