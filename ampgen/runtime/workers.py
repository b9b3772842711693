"""A server program: in this process, or in several that are kept alive.

The processes are started afresh (``spawn``), never forked: what runs in one is what
its modules say, whatever threads and sockets the first one has. They share the address.
On Linux and the BSDs each listens on a TCP socket of its own (``SO_REUSEPORT``), and
the system deals the connections out evenly; Unix sockets, those of systemd, and those
of other systems are one for all.

A worker and the process that started it speak by a pipe: ``ready`` one way, ``end`` the
other, once to drain and again to end at once. Its end says that the other one is dead.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import inspect
import logging
import multiprocessing
import pickle
import signal
import socket
import threading
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ampgen.runtime.addresses import (
    Systemd,
    Tcp,
    format_address,
    parse_listening,
)
from ampgen.runtime.connection import DRAIN_TIMEOUT
from ampgen.runtime.listening import (
    SharedPort,
    SocketFile,
    open_tcp,
    share_socket,
)
from ampgen.runtime.server import serve
from ampgen.runtime.services import Server
from ampgen.runtime.shell import LAST_WORDS
from ampgen.runtime.signals import ENDING, attended, on_signals
from ampgen.runtime.systemd import inherited_sockets

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from multiprocessing.connection import Connection as Pipe
    from multiprocessing.context import SpawnProcess

    from ampgen.runtime.addresses import Address
    from ampgen.runtime.server import Listener
    from ampgen.runtime.services import Service

logger = logging.getLogger("ampgen")

Make: TypeAlias = "Callable[[], Any]"
"""Makes what a process serves: a service, several, or an awaitable or an asynchronous
context manager of such."""

_LIVED = 10.0  # seconds after which a death is no failure to start
_DEATHS = 5  # in a row, each sooner than that, and it is no use
_BACKOFF = 0.1  # seconds before the first of them is made good; then twice as many
_READY = "ready"
_END = "end"
_GRACE = 2.0  # seconds beyond the drain time for a worker to end by itself
_HANGUP: list[signal.Signals] = [
    one
    for one in signal.Signals
    if one.name == "SIGHUP"  # Windows has none
]


def run(
    address: Address | socket.socket,
    make: Make | Service,
    *,
    workers: int = 1,
    drain_timeout: float = DRAIN_TIMEOUT,
    options: Callable[[], Mapping[str, Any]] | None = None,
    on_ready: Callable[[list[str]], object] | None = None,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    **serve_options: Any,
) -> None:
    """Serve until SIGTERM or SIGINT, in ``workers`` processes; then drain, and return.

    ``make`` is called in each process, and gives what it serves: a service (so its
    class will do), a list of services and factories, or a coroutine or an asynchronous
    context manager of such, which is left after the draining. ``serve_options`` are
    those of ``serve``; what does not pickle (a TLS context) is made in the process by
    ``options``. ``on_ready`` is called with the addresses, once, when all serve.

    With more than one worker, a worker that dies is replaced; SIGHUP replaces one after
    another by new ones. ``SystemExit`` with a message is raised where workers die again
    and again as soon as they are started. ``make``, ``options`` and ``loop_factory``
    have to be functions or classes of a module then, and the call of ``run`` stands
    below ``if __name__ == "__main__":``.
    """
    if isinstance(workers, bool) or not isinstance(workers, int):  # pyright: ignore[reportUnnecessaryIsInstance]  # not all programs are typed
        raise TypeError(f"workers={workers!r}: how many is a whole number")
    if workers < 1:
        raise ValueError(f"workers={workers}: at least 1 is needed")
    try:  # here, and not in each worker
        inspect.signature(serve).bind(address, **serve_options)
    except TypeError as error:
        raise TypeError(f"run() {error}") from None
    if not callable(make) and not isinstance(make, Server):  # pyright: ignore[reportUnnecessaryIsInstance]
        kind = type(make).__qualname__
        raise TypeError(
            f"make is called for what is served, or is a service, but it is a {kind}"
        )
    if _loop_runs():
        raise RuntimeError(
            "run() starts an event loop of its own: where one runs, `async with"
            " serve(...)` is what is wanted"
        )
    work = _Work(
        make, {**serve_options, "drain_timeout": drain_timeout}, options, loop_factory
    )
    tell = _nobody if on_ready is None else on_ready
    if workers == 1:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_serve_here(address, work, tell))
        return
    work.check()
    with _Place(address) as place:
        supervisor = _Supervisor(work, place, workers, drain_timeout, tell)
        failure = asyncio.run(supervisor.run())
    if failure is not None:
        raise SystemExit(failure)


def _loop_runs() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _nobody(_addresses: list[str]) -> None:
    """Wants to know that all serve."""


@dataclass(frozen=True)
class _Work:
    """What a process serves, and how."""

    make: Make | Service
    serve_options: Mapping[str, Any]
    options: Callable[[], Mapping[str, Any]] | None
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None

    def check(self) -> None:
        """Can it be sent to another process? Raises ``TypeError``."""
        if isinstance(self.make, Server):
            raise TypeError(
                f"several workers need services of their own: give {type(self.make)}"
                " itself, or a function that makes what a worker serves"
            )
        parts = {
            "make": self.make,
            "options": self.options,
            "loop_factory": self.loop_factory,
            **self.serve_options,
        }
        for name, part in parts.items():
            try:
                pickle.dumps(part)
            except Exception as error:
                raise TypeError(
                    f"{name}={part!r} cannot be sent to a worker ({error}): functions"
                    " have to stand in a module; what does not pickle is made in the"
                    " worker, by `make` or by `options`"
                ) from None

    async def listener(
        self,
        where: Address | socket.socket | list[socket.socket],
        stack: AsyncExitStack,
    ) -> Listener:
        """Serve it; what it was made with is left when the stack is."""
        if isinstance(self.make, Server):
            made: Any = self.make
        else:
            made = cast("Make", self.make)()
        if hasattr(made, "__aenter__"):
            made = await stack.enter_async_context(made)
        elif inspect.isawaitable(made):
            made = await made
        if isinstance(made, Server) or callable(made):
            made = [made]
        options = dict(self.serve_options)
        if self.options is not None:
            options |= self.options()
        return await stack.enter_async_context(serve(where, *made, **options))


async def _serve_here(
    address: Address | socket.socket,
    work: _Work,
    on_ready: Callable[[list[str]], object],
) -> None:
    async with AsyncExitStack() as stack:
        server = await work.listener(address, stack)
        with attended(server._end):
            on_ready(server.addresses)
            await server._until_closed()


# --- where they listen ----------------------------------------------------------------


class _Place:
    """The address that all share: its sockets, or what makes one for each."""

    def __init__(self, address: Address | socket.socket) -> None:
        self._file: SocketFile | None = None
        self._ports: list[SharedPort] = []
        self._sockets: list[socket.socket] = []
        if isinstance(address, socket.socket):
            self._sockets = [address]
            return
        where = parse_listening(address)
        if isinstance(where, Systemd):
            self._sockets = inherited_sockets(where.name)
        elif isinstance(where, Tcp):
            self._sockets, self._ports = open_tcp(where.host, where.port)
        else:
            self._file = SocketFile(where.path)
            self._sockets = [self._file.listen()]

    @property
    def addresses(self) -> list[str]:
        return [format_address(one.getsockname()) for one in self._sockets]

    @property
    def shares(self) -> list[socket.socket | SharedPort]:
        """What a worker is given."""
        return [*(self._ports or self._sockets)]

    def __enter__(self) -> _Place:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.remove()
        for one in self._sockets:
            one.close()


# --- a worker -------------------------------------------------------------------------


def _worker(work: _Work, shares: list[socket.socket | SharedPort], pipe: Pipe) -> None:
    """What runs in a process."""
    # those of a terminal go to all processes: the first one passes on what matters
    for number in (signal.SIGINT, *_HANGUP):
        signal.signal(number, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=work.loop_factory) as runner:
        runner.run(_serve_in_worker(work, shares, pipe))


async def _serve_in_worker(
    work: _Work, shares: list[socket.socket | SharedPort], pipe: Pipe
) -> None:
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        server = await work.listener([share_socket(share) for share in shares], stack)

        asked: set[object] = set()

        def end(by: object) -> None:
            """A service manager may tell all processes: that is one wish, not two."""
            # both ways are tested, in processes of their own
            if not asked or by in asked:  # pragma: no branch
                server._end()
            asked.add(by)

        def obey() -> None:
            """In a thread: not every loop can wait for a pipe."""
            with suppress(RuntimeError):  # served its time: the loop is closed
                with suppress(EOFError, OSError):
                    while pipe.recv() == _END:
                        loop.call_soon_threadsafe(end, _END)
                loop.call_soon_threadsafe(end, None)

        threading.Thread(target=obey, daemon=True).start()
        with on_signals([signal.SIGTERM], end):
            pipe.send(_READY)
            await server._until_closed()


# --- the process that keeps them alive ------------------------------------------------


class _Worker:
    """A process, as the first one sees it."""

    def __init__(self, number: int, process: SpawnProcess, pipe: Pipe) -> None:
        self.number = number
        self.process = process
        self._pipe = pipe
        self._loop = asyncio.get_running_loop()
        self.started = self._loop.time()
        self.ready = self._loop.create_future()  # or never will be
        self.ended = asyncio.Event()
        self._leaves = False
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with suppress(RuntimeError):  # the loop is closed
            with suppress(EOFError, OSError):
                self._pipe.recv()
                self._loop.call_soon_threadsafe(self._settle, True)
            # not the end of the pipe, nor the sentinel: what the worker has forked may
            # hold both, and outlive it
            self.process.join()
            self._loop.call_soon_threadsafe(self._end)

    def _settle(self, ready: bool) -> None:
        if not self.ready.done():
            self.ready.set_result(ready)

    def _end(self) -> None:
        self._pipe.close()
        self._settle(False)
        self.ended.set()

    def tell(self, word: str) -> None:
        with suppress(OSError):  # it is dead
            self._pipe.send(word)

    async def leave(self, seconds: float) -> None:
        """Let it drain; kill it where it does not end within some seconds.

        It is told once, however many want it to leave: twice would mean at once.
        """
        if not self._leaves:
            self._leaves = True
            self.tell(_END)
        try:
            async with asyncio.timeout(seconds):
                await self.ended.wait()
        except TimeoutError:
            logger.error("worker %s does not end: killed", self.number)
            self.process.kill()
            await self.ended.wait()

    def __str__(self) -> str:
        code = self.process.exitcode
        if code is not None and code < 0:
            name = f"signal {-code}"  # those of real time have no name
            with suppress(ValueError):
                name = signal.Signals(-code).name
            return f"worker {self.number} was killed by {name}"
        return f"worker {self.number} ended with status {code}"


class _Supervisor:
    """Keeps as many workers as there are to be, until a signal ends them all."""

    def __init__(
        self,
        work: _Work,
        place: _Place,
        count: int,
        drain_timeout: float,
        on_ready: Callable[[list[str]], object],
    ) -> None:
        self._work = work
        self._place = place
        self._count = count
        self._patience = drain_timeout + 2 * LAST_WORDS + _GRACE
        self._on_ready = on_ready
        self._context = multiprocessing.get_context("spawn")
        self._present: dict[int, _Worker] = {}  # that each number stands for
        self._all: set[_Worker] = set()  # beside them those that come or go
        self._deaths = 0  # in a row, each soon after the start
        self._failure: str | None = None
        self._error: Exception | None = None  # of `on_ready`
        self._serving: set[int] = set()  # numbers whose worker has been ready
        self._all_serve = asyncio.Event()
        self._ending = asyncio.Event()
        self._renewal: asyncio.Task[None] | None = None
        self._to_renew = False

    async def run(self) -> str | None:
        """Until a signal; or until it is no use, and why."""
        numbers = range(1, self._count + 1)
        with (
            on_signals(_HANGUP, lambda _number: self._renew()),
            on_signals(ENDING, lambda _number: self._end()),
        ):
            for number in numbers:
                self._present[number] = self._start(number)
            tasks = [asyncio.create_task(self._keep(number)) for number in numbers]
            tasks.append(asyncio.create_task(self._announce()))
            await self._ending.wait()
            leaving = [worker.leave(self._patience) for worker in self._all]
            await asyncio.gather(*leaving)
            if self._renewal is not None:
                tasks.append(self._renewal)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._error is not None:
            raise self._error
        return self._failure

    def _start(self, number: int) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_worker,
            args=(self._work, self._place.shares, theirs),
            name=f"worker {number}",
        )
        process.start()
        theirs.close()
        worker = _Worker(number, process, ours)
        self._all.add(worker)
        return worker

    async def _announce(self) -> None:
        """Say that all serve; the service manager is told from here, and no worker."""
        await self._all_serve.wait()
        logger.debug("%s workers serve %s", self._count, self._place.addresses)
        try:
            self._on_ready(self._place.addresses)
        except Exception as error:
            self._error = error
            self._end()
            return
        with attended(self._end):
            await asyncio.get_running_loop().create_future()  # until it is cancelled

    async def _keep(self, number: int) -> None:
        """Replace a worker that dies."""
        while True:
            worker = self._present[number]
            if await worker.ready:
                self._serving.add(number)
                if len(self._serving) == self._count:
                    self._all_serve.set()
            await worker.ended.wait()
            self._all.discard(worker)
            if self._ending.is_set():
                return
            if self._present[number] is not worker:  # it has been replaced
                continue
            delay = self._delay(worker)
            if self._ending.is_set():
                return
            logger.error("%s: another one is started in %g s", worker, delay)
            await asyncio.sleep(delay)
            if self._present[number] is worker and not self._ending.is_set():
                self._present[number] = self._start(number)

    def _delay(self, dead: _Worker) -> float:
        """How long to wait with another one; the end of all where it is no use."""
        if asyncio.get_running_loop().time() - dead.started >= _LIVED:
            self._deaths = 0
            return 0.0
        self._deaths += 1
        if self._deaths >= _DEATHS:
            deaths = f"{self._deaths} deaths in a row, each within {_LIVED:g} s"
            self._failure = f"{dead}: {deaths} of the start; giving up"
            logger.error("%s", self._failure)
            self._end()
        return float(_BACKOFF * 2 ** (self._deaths - 1))

    def _end(self) -> None:
        """Drain, or, the second time, end at once."""
        if self._ending.is_set():
            loop = asyncio.get_running_loop()
            for worker in self._all:
                worker.tell(_END)
                loop.call_later(_GRACE, worker.process.kill)
        self._ending.set()

    def _renew(self) -> None:
        """What comes while they are being replaced: once more, after that."""
        self._to_renew = True
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self._renew_all())

    async def _renew_all(self) -> None:
        """A new worker, and once it serves the old one ends; then the next."""
        while self._to_renew:
            self._to_renew = False
            for number in range(1, self._count + 1):
                if self._ending.is_set():  # one that is started now is told by nobody
                    return
                new = self._start(number)
                is_ready = await new.ready
                if self._ending.is_set():  # the new one has been told to leave, too
                    return
                if not is_ready:
                    self._all.discard(new)
                    logger.error("%s, which was to be a new one: the others stay", new)
                    break
                old = self._present[number]
                self._present[number] = new
                await old.leave(self._patience)
                self._all.discard(old)
