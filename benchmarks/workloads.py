"""What is asked of the peers: one row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Workload:
    """``in_flight`` calls at any time, spread over ``connections``. Of a stream, items
    are counted in the place of calls.
    """

    name: str
    call: Literal["repeat", "echo", "items"]
    in_flight: int
    connections: int = 1


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("seq", "repeat", 1),
        Workload("p16", "repeat", 16),
        Workload("p64", "repeat", 64),
        Workload("p256", "repeat", 256),
        Workload("l1", "echo", 1),
        Workload("l16", "echo", 16),
        Workload("c1000", "repeat", 1000, connections=1000),
        Workload("stream", "items", 1),
    )
}
