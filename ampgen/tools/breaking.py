"""What `ampgen breaking` reports: of all changes those that somebody has to know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ampgen.compat import RULES, compare
from ampgen.compat.verdicts import Peers, Rollout, Source, Wire
from ampgen.diagnostics import Diagnostic, Severity
from ampgen.disk import DISK, Disk
from ampgen.lint.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.compat.changes import Change
    from ampgen.model import Schema

_OF_WIRE = {
    Wire.SAFE: None,
    Wire.IGNORED: Severity.WARNING,
    Wire.FAILS: Severity.ERROR,
    Wire.DROPS: Severity.ERROR,
    Wire.WRONG: Severity.ERROR,
}
_OF_SOURCE = {
    Source.SAFE: None,
    Source.WARNS: Severity.NOTE,
    Source.TYPES: Severity.WARNING,
    Source.BREAKS: Severity.ERROR,
}
_ORDER = list(Severity)  # the worst first

_CODE = {
    Source.WARNS: "gets a deprecation warning",
    Source.TYPES: "no longer passes a type checker, and runs",
    Source.BREAKS: "has to be changed",
}


@dataclass(frozen=True, slots=True)
class Told:
    """``changes`` are those that are told, in this order; what else is told comes
    behind them.
    """

    diagnostics: tuple[Diagnostic, ...]
    changes: tuple[Change, ...]


def breaking(
    old: Schema,
    new: Schema,
    *,
    rollout: Rollout = Rollout.ANY,
    source: bool = False,
    peers: Peers = Peers.TWISTED,
    disk: Disk = DISK,
) -> tuple[Diagnostic, ...]:
    """Changes as diagnostics, in the new version's places: see :func:`tell`."""
    found = tell(old, new, rollout=rollout, source=source, peers=peers, disk=disk)
    return found.diagnostics


def tell(
    old: Schema,
    new: Schema,
    *,
    rollout: Rollout = Rollout.ANY,
    source: bool = False,
    peers: Peers = Peers.TWISTED,
    disk: Disk = DISK,
) -> Told:
    """What is told, and the changes that it is told of.

    ``rollout``: the order that counts. ``source``: what it means to code counts, too.
    The levels of the rules are the project's, as `[tool.ampgen.breaking]` sets them
    beside the schemas of the new version.

    Raises :class:`OSError` where a pyproject.toml cannot be read.
    """
    settings = Settings({rule.code: rule for rule in RULES}, {}, disk, "breaking")
    told: list[Diagnostic] = []
    changes: list[Change] = []
    for change in compare(old, new, peers):
        severity = _severity(change, rollout, source=source)
        if severity is None:
            continue
        rule = replace(change.rule, severity=severity)
        level = settings.level(rule, change.at.span.source)
        if level is not None:
            changes.append(change)
            told.append(
                Diagnostic(
                    replace(rule, severity=level),
                    change.message,
                    change.at,
                    () if change.was is None else (change.was,),
                    change.help,
                    notes=tuple(_notes(change, rollout, source=source)),
                )
            )
    return Told((*told, *settings.diagnostics), tuple(changes))


def _severity(change: Change, rollout: Rollout, *, source: bool) -> Severity | None:
    found = [
        _OF_WIRE[change.verdict.wire(rollout)],
        _OF_SOURCE[change.verdict.source] if source else None,
    ]
    counted = [one for one in found if one is not None]
    return min(counted, key=_ORDER.index, default=None)


def _notes(change: Change, rollout: Rollout, *, source: bool) -> Iterator[str]:
    """A sentence for each order that counts, and for each kind of code."""
    if change.verdict.wire(rollout) is not Wire.SAFE:
        if rollout is not Rollout.CLIENT_FIRST:
            effect = change.server_first
            yield f"server first: {'safe' if effect is None else effect.words}"
        if rollout is not Rollout.SERVER_FIRST:
            effect = change.client_first
            yield f"client first: {'safe' if effect is None else effect.words}"
    if source:
        verdict = change.verdict
        both = {
            "code that calls": verdict.caller,
            "code that answers": verdict.implementer,
        }
        for code, what in both.items():
            if what is not Source.SAFE:
                yield f"{code} {_CODE[what]}"
