"""Prometheus: how many calls, how long, how they ended, how many bytes.

Needs the extra ``prometheus``.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from ampgen.runtime.errors import RemoteError

try:
    from prometheus_client import REGISTRY, Counter, Gauge, Histogram
    from prometheus_client.core import CounterMetricFamily
    from prometheus_client.registry import Collector
except ImportError as error:
    raise ImportError(
        "metrics need prometheus-client: pip install 'ampgen-idl[prometheus]'",
        name=error.name,
    ) from error

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from prometheus_client import CollectorRegistry

    from ampgen.runtime.connection import Connection
    from ampgen.runtime.interceptedcall import InterceptedCall
    from ampgen.runtime.interception import Proceed

BUCKETS = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
)

_LABELS = ("side", "service", "command")


class Metrics:
    """Counts calls, on both ends, into a registry: make one for a process.

    ``amp_calls_started_total``, ``amp_calls_completed_total`` (with ``code``),
    ``amp_calls_in_flight`` and the histogram ``amp_call_duration_seconds``, by
    ``side`` (client, server), ``service`` and ``command``; ``amp_received_bytes_total``
    and ``amp_sent_bytes_total`` of all connections that have had a call.

    What a peer chooses makes no time series: a command without a schema is counted as
    ``*``, a code that no schema of this end knows as ``OTHER``.
    """

    def __init__(
        self,
        registry: CollectorRegistry = REGISTRY,
        *,
        prefix: str = "amp",
        buckets: Sequence[float] = BUCKETS,
    ) -> None:
        self._started = Counter(
            f"{prefix}_calls_started", "Calls begun.", _LABELS, registry=registry
        )
        self._completed = Counter(
            f"{prefix}_calls_completed",
            "Calls ended, by the code of their error.",
            (*_LABELS, "code"),
            registry=registry,
        )
        self._in_flight = Gauge(
            f"{prefix}_calls_in_flight",
            "Calls that have not ended yet.",
            _LABELS,
            registry=registry,
        )
        self._duration = Histogram(
            f"{prefix}_call_duration_seconds",
            "How long calls took.",
            _LABELS,
            registry=registry,
            buckets=buckets,
        )
        self._bytes = _Bytes(prefix)
        registry.register(self._bytes)

    async def __call__(self, call: InterceptedCall, proceed: Proceed) -> object:
        self._bytes.watch(call.connection)
        labels = (call.side, call.service, call.command if call.service else "*")
        in_flight = self._in_flight.labels(*labels)
        self._started.labels(*labels).inc()
        in_flight.inc()
        start = time.perf_counter()
        code = "OK"
        try:
            return await proceed(call)
        except BaseException as error:
            code = "OTHER" if type(error) is RemoteError else call.code(error)
            raise
        finally:
            self._duration.labels(*labels).observe(time.perf_counter() - start)
            self._completed.labels(*labels, code).inc()
            in_flight.dec()


class _Total(NamedTuple):
    received: int
    sent: int


class _Bytes(Collector):
    """Reads the counters of the connections that are open, when somebody asks.

    Asked from any thread, as a server of metrics has its own.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._lock = threading.Lock()
        self._open: set[Connection] = set()
        self._closed = _Total(0, 0)

    def watch(self, connection: Connection) -> None:
        if connection not in self._open:
            with self._lock:
                self._open.add(connection)
            connection.add_close_callback(self._forget)

    def _forget(self, connection: Connection) -> None:
        with self._lock:
            self._open.discard(connection)
            self._closed = _sum(self._closed, connection)

    def collect(self) -> Iterator[CounterMetricFamily]:
        with self._lock:
            total = self._closed
            for connection in self._open:
                total = _sum(total, connection)
        yield CounterMetricFamily(
            f"{self._prefix}_received_bytes", "Bytes that came.", value=total.received
        )
        yield CounterMetricFamily(
            f"{self._prefix}_sent_bytes",
            "Bytes handed to the system.",
            value=total.sent,
        )


def _sum(total: _Total, connection: Connection) -> _Total:
    return _Total(
        total.received + connection.bytes_received, total.sent + connection.bytes_sent
    )
