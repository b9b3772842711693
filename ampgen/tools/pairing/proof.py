"""Breaks, shown: for each the call that fails, its bytes, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ampgen.compat.changes import Part
from ampgen.compat.verdicts import Peers, Rollout, Wire
from ampgen.tools.jsonvalues import JsonValues, dumps
from ampgen.tools.pairing import observe
from ampgen.tools.pairing.places import Nearness, nearness, paths_of
from ampgen.tools.pairing.trials import Raises, Yields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ampgen.compat.changes import Change, Effect, Use
    from ampgen.model import Command
    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.memory import Loaded
    from ampgen.tools.pairing import Observation
    from ampgen.tools.pairing.judging import Finding
    from ampgen.tools.pairing.places import Paths
    from ampgen.tools.pairing.running import Written

_WIDTH = 16  # bytes in a line
_LINES = 16  # of one box
_BOXES = 4  # of one end
_LENGTH = 300  # characters of a value in JSON


@dataclass(frozen=True, slots=True)
class Proof:
    """What a change does in one order of rolling out, seen.

    ``observation`` is ``None`` where no call that was tried shows it. ``findings`` are
    those of the observation that the change is about: our own ends', then Twisted's.
    """

    change: Change
    order: Rollout
    observation: Observation | None
    findings: tuple[Finding, ...] = ()


def prove(
    old: Loaded,
    new: Loaded,
    changes: Iterable[Change],
    rollout: Rollout = Rollout.ANY,
    peers: Peers = Peers.TWISTED,
) -> Iterator[Proof]:
    """For each change that is not safe, in the orders that count, the plainest call.

    ``changes`` are those between ``old.schema`` and ``new.schema``. Both versions are
    run; there must be no event loop in this thread.
    """
    seen = _Seen(old, new)
    for change in changes:
        effects = (
            (Rollout.SERVER_FIRST, change.server_first),
            (Rollout.CLIENT_FIRST, change.client_first),
        )
        for order, effect in effects:
            if effect is None or effect.wire is Wire.SAFE:
                continue
            if rollout in (order, Rollout.ANY):
                yield _proof(change, order, effect, seen, peers)


class _Seen:
    """What was observed of each command: one that nobody looks at is not run."""

    def __init__(self, old: Loaded, new: Loaded) -> None:
        self._versions = old, new
        self._of: dict[tuple[Command | None, Command | None], list[Observation]] = {}

    def of(self, use: Use) -> list[Observation]:
        key = use.old, use.new
        if key not in self._of:
            self._of[key] = observe(*self._versions, {*key} - {None})
        return self._of[key]


def _proof(
    change: Change, order: Rollout, effect: Effect, seen: _Seen, peers: Peers
) -> Proof:
    best = Proof(change, order, None)
    best_rank: tuple[int, ...] = ()
    for use in change.uses:
        paths = paths_of(change, use)
        for number, one in enumerate(seen.of(use)):
            if one.setting.order is not order:
                continue
            about = _about(use, paths, one, peers)
            if not about:
                continue
            wires = [finding.wire for finding in about]
            exact = any(
                nearness(finding.path, paths) is Nearness.SAME
                for finding in about
                if finding.wire is effect.wire
            )
            worst = list(Wire).index(max(wires))
            is_all = len(about) == len(one.among(peers))  # nothing else is wrong there
            is_told = effect.wire in wires
            # the plainest come first
            rank = (int(exact), int(is_told), int(is_all), worst, -number)
            if rank > best_rank:
                best, best_rank = Proof(change, order, one, about), rank
        if best_rank > (1,):
            break  # what is told is seen: no other command shows more
    return best


def _about(
    use: Use, paths: Paths, observation: Observation, peers: Peers
) -> tuple[Finding, ...]:
    # of a command with another name on the wire, each end knows its own alone
    if observation.old not in (use.old, None):
        return ()
    if observation.new not in (use.new, None):
        return ()
    return tuple(
        finding
        for finding in observation.among(peers)
        if use.part is Part.COMMAND
        or (
            use.part is finding.part
            and nearness(finding.path, paths) is not Nearness.OTHER
        )
    )


# --- in words -------------------------------------------------------------------------


def lines(proof: Proof) -> Iterator[str]:
    """For a terminal: what is called, what is on the wire, and what comes of it."""
    one = proof.observation
    caller, implementer = "client", "server"
    if one is not None and one.setting.is_called_back:
        caller, implementer = implementer, caller
    ages = ("a new", "an old")
    if one is not None and not one.setting.is_new_caller:
        ages = ("an old", "a new")
    if one is None:
        yield f"{_order(proof.order)}: not shown, by none of the calls that were tried"
        return
    yield f"{_order(proof.order)}: {ages[0]} {caller} calls {ages[1]} {implementer}"
    yield f"  {one.setting.calls.name}.{one.trial.caller.name} {_call(one)}"
    yield from _shown("request", one.sent)
    if _is_reached(one):
        yield f"  the {implementer} {_outcome(one)}"
    yield from _shown("answer", one.came)
    for words in dict.fromkeys(finding.told for finding in proof.findings):
        yield f"  {words}"


def _order(order: Rollout) -> str:
    return "server first" if order is Rollout.SERVER_FIRST else "client first"


def _is_reached(one: Observation) -> bool:
    return one.course.arguments is not None


def _call(one: Observation) -> str:
    """The arguments, those that are given, by their names."""
    values = JsonValues(one.setting.caller)
    given: dict[str, Json] = {}
    for field in one.trial.caller.arguments:
        if field.stream:
            given[field.name] = [
                values.to_json(field.type, item) for item in one.trial.asked.items
            ]
        elif field.name in one.trial.asked.given:
            value = one.trial.asked.given[field.name]
            given[field.name] = values.to_json(field.type, value)
    return _cut(dumps(given))


def _outcome(one: Observation) -> str:
    values = JsonValues(one.setting.implementer)
    outcome = one.trial.outcome
    implementer = one.trial.implementer
    result = None if implementer is None else implementer.result
    if isinstance(outcome, Raises):
        fields = values.error_to_json(outcome.declared, outcome.error)
        return f"raises {outcome.declared.name} {_cut(dumps(fields))}"
    if isinstance(outcome, Yields):
        items = [values.result_to_json(result, item) for item in outcome.values]
        return f"yields {_cut(dumps(items))}"
    if result is None:
        return "returns nothing"
    return f"returns {_cut(dumps(values.result_to_json(result, outcome.value)))}"


def _cut(text: str) -> str:
    if len(text) <= _LENGTH:
        return text
    return f"{text[:_LENGTH]}… ({len(text):,} characters)"


def _shown(what: str, boxes: Sequence[Written]) -> Iterator[str]:
    for box in boxes[:_BOXES]:
        yield f"  {what}, {len(box.data):,} bytes:"
        yield from (f"    {line}" for line in _dumped(box.data))
    if len(boxes) > _BOXES:
        yield f"  … and {len(boxes) - _BOXES} boxes more"


def _dumped(data: bytes) -> Iterator[str]:
    for at in range(0, min(len(data), _WIDTH * _LINES), _WIDTH):
        part = data[at : at + _WIDTH]
        text = "".join(chr(one) if 32 <= one < 127 else "." for one in part)
        yield f"{part.hex(' '):<{_WIDTH * 3 - 1}}  {text}"
    if len(data) > _WIDTH * _LINES:
        yield "…"
