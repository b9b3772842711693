"""What a call came to: how bad that is, and for what part of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ampgen.compat.changes import Part
from ampgen.compat.verdicts import Wire
from ampgen.runtime.errors import (
    CommandError,
    DecodeError,
    InvalidArgument,
    RemoteError,
)
from ampgen.targets.python.commands import stream_argument
from ampgen.tools.pairing.meaning import Box, Kind, box_differences
from ampgen.tools.pairing.trials import Raises, Yields

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ampgen.tools.pairing.meaning import Difference
    from ampgen.tools.pairing.trials import Trial


@dataclass(frozen=True, slots=True)
class Finding:
    """``path``: the key at fault, empty where the call as a whole is."""

    part: Part
    wire: Wire
    told: str
    path: str = ""


@dataclass(slots=True)
class Course:
    """What both ends have seen of one call.

    ``arguments`` and ``items``: as the handler understood them, ``None`` as long as it
    has not been called. ``result``: as the caller did; of a stream, its items.
    ``refused``: why the peer dropped a request that wants no answer, as its log has it.
    ``closed``: the connection has ended.
    """

    arguments: Box | None = None
    items: list[Box] = field(default_factory=list[Box])
    items_error: Exception | None = None
    result: list[Box] = field(default_factory=list[Box])
    error: Exception | None = None
    error_meant: Box | None = None
    refused: str = ""
    closed: bool = False


def judge(trial: Trial, course: Course) -> Iterator[Finding]:
    """Nothing, where both ends understand the same."""
    caller, implementer, outcome = trial.caller, trial.implementer, trial.outcome
    if course.closed and not _is_to_close(trial, course):
        part = Part.ERROR if isinstance(outcome, Raises) else Part.COMMAND
        if course.arguments is None:
            part = Part.COMMAND if implementer is None else Part.ARGUMENT
        yield Finding(part, Wire.DROPS, _closed(course))
    elif course.arguments is None:
        yield _refused(trial, course)
    if course.arguments is None:
        return
    yield from asked_findings(trial, course.arguments)
    items = trial.asked.items_meant
    if _is_stream_ignored(trial):
        told = "the stream was sent, and nobody reads it"
        yield Finding(Part.SENT_ITEM, Wire.IGNORED, told)
        items = ()
    if course.error is not None or course.closed:  # which may have ended them
        items = items[: len(course.items)]
    yield from _item_findings(Part.SENT_ITEM, items, course.items, course.items_error)
    if course.closed and not _is_to_close(trial, course):
        if isinstance(outcome, Yields):  # as far as they came
            for meant, got in zip(outcome.meant, course.result, strict=False):
                yield from item_findings(Part.ITEM, meant, got)
        return
    if caller.oneway:
        if isinstance(outcome, Raises):
            told = f"{outcome.declared.name} goes to the log of the implementer alone"
            yield Finding(Part.ERROR, Wire.IGNORED, told)
    elif isinstance(outcome, Raises):
        yield from _raised(trial, outcome, course)
    elif course.error is not None:
        part = Part.ITEM if isinstance(outcome, Yields) else Part.RESULT
        if course.items_error is None:
            yield _failed(part, course.error)
    elif caller.result is not None and caller.result.stream:
        # of one result there is nothing in a stream; it should have failed
        items = outcome.meant if isinstance(outcome, Yields) else (outcome.meant,)
        yield from _item_findings(Part.ITEM, items, course.result, None)
    elif isinstance(outcome, Yields):
        told = "a stream was sent, and one result was read"
        yield Finding(Part.RESULT, Wire.WRONG, told)
    else:
        yield from result_findings(outcome.meant, course.result[0])


def _is_stream_ignored(trial: Trial) -> bool:
    is_known = trial.implementer is not None and stream_argument(trial.implementer)
    return stream_argument(trial.caller) is not None and not is_known


def _is_to_close(trial: Trial, course: Course) -> bool:
    """Does the caller know that this error is the last thing it hears?"""
    told = course.error
    return isinstance(told, RemoteError) and any(
        error.fatal and error.code == told.code for error in trial.caller.errors
    )


def _closed(course: Course) -> str:
    why = f"after {course.error}" if course.error else course.refused
    return f"the connection ends, with all calls on it{': ' if why else ''}{why}"


def _refused(trial: Trial, course: Course) -> Finding:
    part = Part.COMMAND if trial.implementer is None else Part.ARGUMENT
    if trial.caller.oneway:
        told = course.refused or "nothing happens"
        words = f"dropped, and nobody hears of it: {told}"
        return Finding(part, Wire.IGNORED, words, _told_path(course.refused))
    error = course.error or RuntimeError("no answer")
    return _failed(part, error)


def _failed(part: Part, error: Exception) -> Finding:
    return Finding(part, Wire.FAILS, error_text(error), _path(error))


def _path(error: Exception) -> str:
    """Which key is at fault, where the error tells of one; a peer's does in words."""
    if isinstance(error, DecodeError):
        return error.key
    if isinstance(error, InvalidArgument):
        return _told_path(error.description)
    return ""


def _told_path(words: str) -> str:
    """`limit` in `Find: limit: an int is written …`; the protocol's own are quoted."""
    parts = words.split(": ", 2)
    return parts[1] if len(parts) > 2 and not parts[1].startswith("`") else ""


def error_text(error: Exception) -> str:
    """As a program sees it: the class, what the peer said, and the code of that."""
    name = type(error).__name__
    if isinstance(error, RemoteError) and type(error) is not RemoteError:
        return f"{name} ({error.code}): {error.description}"
    return f"{name}: {error}"


def asked_findings(trial: Trial, got: Box) -> Iterator[Finding]:
    for one in box_differences(trial.asked.meant, got):
        # said in order to be done, and not done
        ignored = Wire.IGNORED if one.path in trial.asked.meant.pairs else Wire.SAFE
        yield from _finding(Part.ARGUMENT, one, ignored)


def result_findings(meant: Box, got: Box) -> Iterator[Finding]:
    for one in box_differences(meant, got):
        yield from _finding(Part.RESULT, one, Wire.SAFE)


def item_findings(part: Part, meant: Box, got: Box) -> Iterator[Finding]:
    for one in box_differences(meant, got):
        yield from _finding(part, one, Wire.SAFE)


def _finding(part: Part, one: Difference, ignored: Wire) -> Iterator[Finding]:
    wires = {Kind.IGNORED: ignored, Kind.OTHER: Wire.WRONG}
    wire = wires.get(one.kind, Wire.IGNORED)
    if wire is not Wire.SAFE:
        yield Finding(part, wire, f"{one.path}: {one.told}", one.path)


def _item_findings(
    part: Part, meant: Sequence[Box], got: Sequence[Box], error: Exception | None
) -> Iterator[Finding]:
    for one, other in zip(meant, got, strict=False):
        yield from item_findings(part, one, other)
    if error is not None:
        yield _failed(part, error)
    elif len(got) != len(meant):
        told = f"{len(meant)} items were sent, and {len(got)} were read"
        yield Finding(part, Wire.WRONG, told)


def _raised(trial: Trial, outcome: Raises, course: Course) -> Iterator[Finding]:
    error, name = course.error, outcome.declared.name
    if isinstance(error, CommandError) and error.code == outcome.declared.code:
        taken_for = [one.name for one in trial.caller.errors if one.code == error.code]
        known = {one.name for one in trial.caller.errors}
        if name in known and name not in taken_for:
            told = f"{name} was raised, and is caught as {taken_for[0]}"
            yield Finding(Part.ERROR, Wire.WRONG, told)
            return
        if course.error_meant is not None:
            for one in box_differences(outcome.meant, course.error_meant):
                yield from _finding(Part.ERROR, one, Wire.SAFE)
    elif isinstance(error, RemoteError) and error.code == outcome.declared.code:
        told = f"the caller does not know the code: {error_text(error)}"
        yield Finding(Part.ERROR, Wire.IGNORED, told)
    elif error is None:
        yield Finding(Part.ERROR, Wire.WRONG, "an error was raised, and none came")
    else:
        yield _failed(Part.ERROR, error)
