"""Errors on the wire: which exception travels under which code, and what comes back.

Declared errors first, in the order of ``raises``, then the codes of the runtime. What
the schema does not declare becomes ``UNKNOWN``, and its details stay in this end's log.
"""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import logging
from asyncio import CancelledError
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from ampgen.runtime.errors import (
    FAULTS,
    RUNTIME_ERRORS,
    Fault,
    InvalidArgument,
    Overloaded,
    RemoteError,
    Unauthenticated,
    Unavailable,
    as_fault,
)
from ampgen.runtime.wire import box_size, write_box

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ampgen.runtime.command import AnyCommand
    from ampgen.runtime.wire import Limits

logger = logging.getLogger("ampgen")

MAX_DESCRIPTION = 1024  # characters; a description is for people

_NO_EXTRAS: Mapping[bytes, bytes] = MappingProxyType({})
_RAISED_BY_HANDLERS = (InvalidArgument, Overloaded, Unavailable, Unauthenticated)


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as it goes out. ``fields`` are in no repr: they may be secret."""

    code: bytes
    description: str = field(repr=False)
    fields: Mapping[bytes, bytes] = field(
        default_factory=dict[bytes, bytes], repr=False
    )
    fatal: bool = False


CLOSING = "the server is closing"  # and will end the connection, when all is served
UNKNOWN = Failure(b"UNKNOWN", "Unknown Error")  # Twisted's words
CANCELLED = Failure(b"CANCELLED", "the handler was cancelled")
GIVEN_UP = Failure(b"CANCELLED", "the caller has given up")


def failure(command: AnyCommand, error: BaseException, limits: Limits) -> Failure:
    """What the peer hears of an exception of a handler; logs what it must not hear."""
    try:
        failure = _told(command, error, limits)
    except Exception as reason:  # `str(error)` may do anything
        logger.error(
            "%s: %s cannot be sent: %s",
            command.name,
            type(error).__name__,
            as_fault(reason),
            exc_info=error,
        )
        return UNKNOWN
    if failure is None:
        logger.error("%s: the handler failed", command.name, exc_info=error)
        return UNKNOWN
    return failure


def _told(command: AnyCommand, error: BaseException, limits: Limits) -> Failure | None:
    """The same; ``None`` for what is nobody else's business."""
    for declared in command.errors:
        if isinstance(error, declared.error):
            fields = declared.encode(error, limits.depth)
            write_box(fields)  # or a fault that names the field
            if box_size(fields) > limits.box - 8 * MAX_DESCRIPTION:
                raise Fault(f"its fields are over {limits.box:,} bytes")
            return Failure(declared.code, str(error), fields, declared.fatal)
    if isinstance(error, CancelledError):
        return CANCELLED
    for kind in _RAISED_BY_HANDLERS:
        if isinstance(error, kind) and not error._received:
            return Failure(kind.code.encode(), str(error))
    return None


def code_of(command: AnyCommand, error: BaseException) -> str:
    """The code of what ``failure`` makes of an error that is no cancellation."""
    for declared in command.errors:
        if isinstance(error, declared.error):
            return declared.code.decode()
    if isinstance(error, _RAISED_BY_HANDLERS) and not error._received:
        return error.code
    return UNKNOWN.code.decode()


def write_error(
    tag: bytes, failure: Failure, extras: Mapping[bytes, bytes] = _NO_EXTRAS
) -> bytes:
    """The error box. ``tag`` comes with its length in front."""
    pairs = error_pairs(failure)
    return write_box({**failure.fields, **extras, **pairs, b"_error": tag[2:]})


def error_pairs(failure: Failure) -> dict[bytes, bytes]:
    """Code and description."""
    description = failure.description[:MAX_DESCRIPTION]
    return {
        b"_error_code": failure.code,
        b"_error_description": description.encode("utf-8", "backslashreplace"),
    }


def read_error(
    command: AnyCommand, box: Mapping[bytes, bytes], depth: int
) -> RemoteError:
    """The exception for an error box; a ``Fault`` if it is not a good one."""
    for key in (b"_error_code", b"_error_description"):
        if key not in box:
            raise Fault("required, and missing", key.decode())
    code = box[b"_error_code"]
    description = box[b"_error_description"].decode("utf-8", "replace")
    error: RemoteError
    for declared in command.errors:
        if declared.code == code:
            try:
                error = declared.decode(description, box, depth)
            except FAULTS as fault:
                raise as_fault(fault) from None
            break
    else:
        known = RUNTIME_ERRORS.get(code)
        if known is None:
            error = RemoteError(
                description, code=code.decode("utf-8", "backslashreplace")
            )
        else:
            error = known(description)
    error._received = True
    return error


# --- the end of a stream argument -----------------------------------------------------


def producer_failure(command: AnyCommand, error: BaseException) -> Failure:
    """What the peer hears where the items of a call of ours fail: no details.

    An error that the command declares travels by its code and text.
    """
    if isinstance(error, CancelledError):
        return GIVEN_UP
    for declared in command.errors:
        if isinstance(error, declared.error):
            return Failure(declared.code, str(error))
    return UNKNOWN


def read_failure(command: AnyCommand, box: dict[bytes, bytes]) -> RemoteError | None:
    """Why the items of a call of the peer's ended before their time, if they did."""
    code = box.get(b"_error_code")
    if code is None:
        return None
    description = box.get(b"_error_description", b"")
    told = {b"_error_code": code, b"_error_description": description}
    return read_error(command, told, 1)
