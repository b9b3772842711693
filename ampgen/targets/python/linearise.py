"""Python's order of base classes (C3), worked out before Python has to refuse it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ampgen.model import Service


def linearise(service: Service) -> list[Service] | None:
    """The service and all that it extends, each before what it extends and bases in
    their written order; ``None`` where there is no such order.
    """
    return _linearise(service, {})


def _linearise(
    service: Service, known: dict[Service, list[Service] | None]
) -> list[Service] | None:
    if service in known:
        return known[service]
    lines: list[list[Service]] = []
    for base in service.extends:
        line = _linearise(base, known)
        if line is None:
            known[service] = None
            return None
        lines.append(line)
    merged = _merge([*lines, list(service.extends)])
    known[service] = None if merged is None else [service, *merged]
    return known[service]


def _merge(lines: list[list[Service]]) -> list[Service] | None:
    merged: list[Service] = []
    rest = [list(line) for line in lines if line]
    while rest:
        waiting = {later for line in rest for later in line[1:]}
        following = next((line[0] for line in rest if line[0] not in waiting), None)
        if following is None:
            return None
        merged.append(following)
        rest = [line[line[0] is following :] for line in rest]
        rest = [line for line in rest if line]
    return merged
