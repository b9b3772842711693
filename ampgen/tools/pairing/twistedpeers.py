"""What comes of a call that is known where one end, or both, is a Twisted program.

By Twisted's rules, from the bytes that our own ends have exchanged: an argument that is
missing or does not decode closes the connection, and so does a oneway command that
fails; a result that does not decode fails in the caller, the connection lives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.changes import Part
from ampgen.compat.verdicts import Wire
from ampgen.targets.python.commands import stream_argument
from ampgen.targets.twisted import streams
from ampgen.tools.pairing.asread import Unreadable, read_fields
from ampgen.tools.pairing.judging import (
    Finding,
    asked_findings,
    item_findings,
    result_findings,
)
from ampgen.tools.pairing.trials import Raises, Returns, Yields

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ampgen.model import Field
    from ampgen.tools.pairing.asread import Raw
    from ampgen.tools.pairing.meaning import Box
    from ampgen.tools.pairing.trials import Trial


def with_twisted(
    trial: Trial, sent: Sequence[Raw], came: Sequence[Raw]
) -> Iterator[Finding]:
    """``sent`` are the boxes of the caller, ``came`` those of the implementer."""
    yield from _implementer(trial, sent)
    yield from _caller(trial, came)


def _implementer(trial: Trial, sent: Sequence[Raw]) -> Iterator[Finding]:
    command = trial.implementer
    oneway = trial.caller.oneway
    if command is None:
        if oneway:
            told = "Twisted closes the connection at a oneway command it does not know"
            yield Finding(Part.COMMAND, Wire.DROPS, told)
        return
    request = next(box for box in sent if box.get(b"_command") == _wire(command.wire))
    try:
        got = read_fields(streams.request(command), request)
    except Unreadable as error:
        told = f"Twisted answers UNKNOWN, and closes the connection: {error}"
        yield Finding(Part.ARGUMENT, Wire.DROPS, told, error.key)
        return
    yield from asked_findings(trial, _declared(got, command.arguments))
    if oneway and isinstance(trial.outcome, Raises):
        told = "Twisted closes the connection after a oneway command that fails"
        yield Finding(Part.ERROR, Wire.DROPS, told)
    item = stream_argument(command)
    if item is not None:
        fields = [box for box in streams.stream_boxes(command) if box.name == "Send"]
        boxes = [
            box
            for box in sent
            if box.get(b"_command") == _wire(f"{command.wire}._send")
        ]
        yield from _items(
            Part.SENT_ITEM, fields[0].fields, boxes, trial.asked.items_meant
        )


def _caller(trial: Trial, came: Sequence[Raw]) -> Iterator[Finding]:
    command, outcome = trial.caller, trial.outcome
    if isinstance(outcome, Yields) and streams.streams(command):
        fields = [box for box in streams.stream_boxes(command) if box.name == "Item"]
        boxes = [
            box
            for box in came
            if box.get(b"_command") == _wire(f"{command.wire}._item")
        ]
        for one in fields:
            yield from _items(Part.ITEM, one.fields, boxes, outcome.meant)
    names = (box.wire for box in streams.stream_boxes(command))
    known = {_wire(f"{command.wire}.{name}") for name in names}
    for box in came:
        if b"_command" in box and box[b"_command"] not in known:
            name = box[b"_command"].decode()
            told = f"Twisted does not know `{name}`, and closes the connection"
            yield Finding(Part.SENT_ITEM, Wire.DROPS, told)
    answer = next((box for box in came if b"_answer" in box), None)
    if answer is None:
        return  # an error is one to Twisted as to us
    try:
        got = read_fields(streams.answer(command), answer)
    except Unreadable as error:
        yield Finding(Part.RESULT, Wire.FAILS, f"Twisted raises: {error}", error.key)
        return
    result = command.result
    if isinstance(outcome, Returns):
        fields_ = () if result is None or result.stream else result.fields
        yield from result_findings(outcome.meant, _declared(got, fields_))


def _items(
    part: Part, fields: Sequence[Field], boxes: Sequence[Raw], meant: Sequence[Box]
) -> Iterator[Finding]:
    """Each is a oneway command: one that does not decode ends the connection."""
    own = [field for field in fields if not field.key.startswith("_")]
    for box, said in zip(boxes, meant, strict=False):
        try:
            got = read_fields(own, box)
        except Unreadable as error:
            told = f"Twisted closes the connection: {error}"
            yield Finding(part, Wire.DROPS, told, error.key)
            return
        yield from item_findings(part, said, got)


def _declared(got: Box, fields: Sequence[Field]) -> Box:
    """Without the keys of the protocol's own."""
    known = {field.key: field for field in fields if not field.stream}
    pairs = {key: value for key, value in got.pairs.items() if key in known}
    return type(got)(pairs, known)


def _wire(name: str) -> bytes:
    return name.encode()
