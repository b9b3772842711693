"""How a run is done: what the command line decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """``seconds``: for each figure. ``scratch``: a folder that is ours.

    ``before``: what comes first on the path of the peer ``BEFORE``.
    """

    rounds: int
    seconds: float
    peers: tuple[str, ...]
    workloads: tuple[str, ...]
    quick: bool
    scratch: Path
    before: str | None = None

    @property
    def logs(self) -> Path:
        return self.scratch / "logs"

    def rotated(self, names: tuple[str, ...], turn: int) -> tuple[str, ...]:
        """Who comes first changes with the round: no place is always the warm one."""
        first = turn % len(names) if names else 0
        return names[first:] + names[:first]
