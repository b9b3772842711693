"""A peer's server and client: two processes, each on a core of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from benchmarks.workloads import Workload


FIRST = "AMPGEN_BENCH_FIRST"
"""The environment variable that has what comes first on a child's path."""


class Failed(Exception):
    """A peer cannot be measured: what it said last."""


def cores() -> tuple[int, int] | None:
    """One for servers, one for clients; ``None`` where processes are not pinned."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else None


def pin(process: subprocess.Popen[str], core: int | None) -> None:
    if core is not None and sys.platform != "win32" and sys.platform != "darwin":
        os.sched_setaffinity(process.pid, {core})


@dataclass(frozen=True, slots=True)
class Pace:
    """Calls per second (``None``: it failed), and the processor time that a call takes
    of each end (µs; ``None`` where the system does not tell).

    The time tells more than the pace where other programs want the processor too.
    """

    calls: float | None
    server: float | None
    client: float | None


@dataclass
class Pair:
    """The two processes of one peer; both start when it is entered.

    ``first``: what comes first on their path.
    """

    peer: str
    logs: Path
    first: str | None = None
    _running: list[subprocess.Popen[str]] = field(
        default_factory=list[subprocess.Popen[str]]
    )

    def __enter__(self) -> Self:
        server_core, client_core = cores() or (None, None)
        self.logs.mkdir(parents=True, exist_ok=True)
        try:
            self._server = self._start("serve", self.peer)
            pin(self._server, server_core)
            self.port = int(self._line(self._server, "server"))
            self._client = self._start("call", self.peer, str(self.port))
            pin(self._client, client_core)
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._kill()

    @property
    def server_memory(self) -> int:
        """Resident bytes of the server (Linux)."""
        with open(f"/proc/{self._server.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def closed_loop(self, workload: Workload, seconds: float) -> Pace:
        found = self._order(
            call=workload.call,
            in_flight=workload.in_flight,
            connections=workload.connections,
            seconds=seconds,
            server=self._server.pid,
        )
        return Pace(found["pace"], *found["cpu"])

    def open_loop(self, rate: float, seconds: float) -> dict[str, float]:
        """Percentiles of the latency, in seconds."""
        latencies: dict[str, float] = self._order(rate=rate, seconds=seconds)
        return latencies

    def _order(self, **order: Any) -> Any:
        if self._client.stdin is None or self._client.poll() is not None:
            raise Failed(f"the client of {self.peer} has ended: see {self.logs}")
        self._client.stdin.write(json.dumps(order) + "\n")
        self._client.stdin.flush()
        answer: dict[str, Any] = json.loads(self._line(self._client, "client"))
        if "error" in answer:
            raise Failed(answer["error"])
        return answer["value"]

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        log = self.logs / f"{self.peer} {arguments[0]}.log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.child", *arguments],
                env={**os.environ, FIRST: self.first or ""},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self._running.append(process)
        return process

    def _line(self, process: subprocess.Popen[str], role: str) -> str:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            verb = "serve" if role == "server" else "call"
            said = (self.logs / f"{self.peer} {verb}.log").read_text().splitlines()
            raise Failed(f"its {role} ended: {said[-1] if said else 'without a word'}")
        return line

    def _kill(self) -> None:
        for process in reversed(self._running):
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        self._running.clear()
