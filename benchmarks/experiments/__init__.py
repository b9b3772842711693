"""What is measured: one module each, in the order of the report.

``measure`` gives what JSON can hold; ``tables`` shows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.experiments import codec, compiling, growth, idle, latency, throughput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from benchmarks.plan import Plan
    from benchmarks.tables import Table


class Experiment(Protocol):
    @staticmethod
    def measure(plan: Plan) -> dict[str, Any]: ...
    @staticmethod
    def tables(found: dict[str, Any]) -> Iterable[Table]: ...


EXPERIMENTS: Mapping[str, Experiment] = {
    "throughput": throughput,
    "codec": codec,
    "latency": latency,
    "idle": idle,
    "growth": growth,
    "compile": compiling,
}
