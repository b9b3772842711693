"""What is measured: one row each, in the order of the report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.experiments import codec, compiling, growth, idle, latency, throughput

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from benchmarks.plan import Plan
    from benchmarks.tables import Table


@dataclass(frozen=True, slots=True)
class Experiment:
    """``measure`` gives what JSON can hold; ``tables`` shows it."""

    measure: Callable[[Plan], dict[str, Any]]
    tables: Callable[[dict[str, Any]], Iterable[Table]]


EXPERIMENTS: Mapping[str, Experiment] = {
    "throughput": Experiment(throughput.measure, throughput.tables),
    "codec": Experiment(codec.measure, codec.tables),
    "latency": Experiment(latency.measure, latency.tables),
    "idle": Experiment(idle.measure, idle.tables),
    "growth": Experiment(growth.measure, growth.tables),
    "compile": Experiment(compiling.measure, compiling.tables),
}
