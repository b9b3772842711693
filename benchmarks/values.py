"""What is sent: the same values for every peer."""

from __future__ import annotations

from dataclasses import dataclass

TIMES = 2
TEXTS = tuple((f"text {n:04}", f"text {n:04}" * TIMES) for n in range(1024))
"""Arguments of the small call and its results: one call's answer is not another's."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A record, before a peer makes it one of its own types."""

    id: int
    name: str
    price: float
    tags: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "price": self.price,
            "tags": list(self.tags),
        }


def records(count: int) -> tuple[Plain, ...]:
    return tuple(
        Plain(n, f"record number {n}", n * 1.25 + 0.5, (f"tag{n}", "blue", "large"))
        for n in range(count)
    )


RECORDS = records(200)
