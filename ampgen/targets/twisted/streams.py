"""Streams as Twisted has them: oneway commands, beside the one that streams."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ampgen.model import Command, Field, ScalarType
from ampgen.runtime.values import Scalar
from ampgen.targets.python.commands import in_request, stream_argument
from ampgen.targets.twisted import names


@dataclass(frozen=True, slots=True)
class StreamBox:
    """``method`` answers it, where that is the handler's: ``None``, the caller's."""

    name: str
    wire: str
    fields: tuple[Field, ...]
    method: str | None


def request(command: Command) -> tuple[Field, ...]:
    """All that the request carries."""
    fields = in_request(command)
    if streams(command):
        fields = (*fields, _own(command, "_stream", Scalar.BYTES))
    if _result_streams(command):
        fields = (*fields, _own(command, "_credit", Scalar.INT))
    return fields


def answer(command: Command) -> tuple[Field, ...]:
    """All that the answer carries."""
    fields: tuple[Field, ...] = ()
    if command.result is not None and not command.result.stream:
        fields = command.result.fields
    if streams(command):
        fields = (*fields, _own(command, "_stream", Scalar.BYTES))
    return fields


def streams(command: Command) -> bool:
    return _result_streams(command) or stream_argument(command) is not None


def stream_boxes(command: Command) -> tuple[StreamBox, ...]:
    """The commands that its streams are made of."""
    method = names.responder(command)
    stream = _own(command, "_stream", Scalar.BYTES)
    credit = _own(command, "_credit", Scalar.INT)
    boxes: list[StreamBox] = []
    if command.result is not None and command.result.stream:
        items = (stream, *(replace(f, stream=False) for f in command.result.fields))
        boxes += (
            StreamBox("Item", "_item", items, None),
            StreamBox("Credit", "_credit", (stream, credit), f"{method}_credit"),
            StreamBox("Stop", "_stop", (stream,), f"{method}_stop"),
        )
    argument = stream_argument(command)
    if argument is not None:
        item = replace(argument, name="item", key="item", stream=False)
        failed = (
            _own(command, "_error_code", Scalar.BYTES, optional=True),
            _own(command, "_error_description", Scalar.STR, optional=True),
        )
        boxes += (
            StreamBox("Send", "_send", (stream, item), f"{method}_send"),
            StreamBox("SendEnd", "_send_end", (stream, *failed), f"{method}_send_end"),
            StreamBox("SendCredit", "_send_credit", (stream, credit), None),
            StreamBox("SendStop", "_send_stop", (stream,), None),
        )
    return tuple(boxes)


def _result_streams(command: Command) -> bool:
    return command.result is not None and command.result.stream


def _own(
    command: Command, key: str, scalar: Scalar, *, optional: bool = False
) -> Field:
    """A key of the protocol's own."""
    span = command.span
    return Field(key, key, ScalarType(scalar), span, span, optional=optional)
