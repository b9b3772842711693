"""The keys of a box that go beyond AMP: deadlines, metadata, what a peer understands.

They start with ``_``, and a peer that knows plain AMP ignores them. One that does not
read is ignored as well, never an error.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from ampgen.runtime.errors import Fault, Incomplete, Malformed
from ampgen.runtime.wire import write_box

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

UNDERSTOOD: Final = frozenset(("cancel", "stream"))
"""What this end understands beyond AMP, as it tells the other one."""

PEER = b"cancel stream"
NOBODY: Final[frozenset[str]] = frozenset()

MAX_METADATA = 8 * 1024  # bytes of names and values, in all
_MAX_PEER = 255
_MAX_STREAM = 255
_DAY = 86_400_000  # milliseconds

_NAME = re.compile(r"[a-z0-9.-]{1,64}", re.ASCII)
_NUMBER = re.compile(rb"[0-9]{1,18}")
_META = b"_meta."
_OWN = frozenset((b"_ask", b"_command", b"_answer", b"_error"))  # they make the kind

# With the metadata of the call that is being handled, these are sent along with the
# calls that its handler makes: https://www.w3.org/TR/trace-context/
TRACEPARENT = "traceparent"
TRACE_CONTEXT = (TRACEPARENT, "tracestate")


class Metadata(dict[str, str]):
    """Metadata to send with a call; ``answer`` is what came back with its answer.

    Names are ``[a-z0-9.-]{1,64}``, values are text, 8 KiB in all.
    """

    __slots__ = ("answer",)

    def __init__(self, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(metadata or {})
        self.answer: dict[str, str] = {}


class Extras:
    """What came with a request or an answer.

    ``timeout``: seconds the caller has left; ``peer``: what the other end understands;
    ``stream``: the id of the stream that the call is; ``credit``: how many items of it
    may come. All of them may be missing.
    """

    __slots__ = ("credit", "metadata", "peer", "stream", "timeout")

    def __init__(self) -> None:
        self.timeout: float | None = None
        self.metadata: dict[str, str] = {}
        self.peer: frozenset[str] | None = None
        self.stream: bytes | None = None
        self.credit: int | None = None


def read_extras(box: Mapping[bytes, bytes]) -> tuple[Extras, str | None]:
    """The extras among the keys of a box, and what is wrong with one of them."""
    extras = Extras()
    wrong: str | None = None
    for key, value in box.items():
        if not key.startswith(b"_"):
            continue
        try:
            _read(extras, key, value)
        except (Fault, ValueError) as fault:
            name = key.decode("ascii", "backslashreplace")
            wrong = f"`{name}`: {fault}"
    if sum(map(_cost, extras.metadata.items())) > MAX_METADATA:
        extras.metadata = {}
        wrong = f"metadata over {MAX_METADATA:,} bytes"
    return extras, wrong


def read_pairs(data: bytes, at: int) -> tuple[dict[bytes, bytes], int]:
    """The pairs of a request that stand between ``_command`` and the arguments, where
    they lie; and where they end.

    ``Incomplete``, or ``IndexError``, where they are not all there; a ``Fault`` for the
    keys of the protocol itself, which stand before.
    """
    box: dict[bytes, bytes] = {}
    end = at
    while data.startswith(b"_", end + 2):
        start = end + 2
        end = start + data[start - 1]
        key = data[start:end]
        start = end + 2
        end = start + (data[start - 2] << 8 | data[start - 1])
        box[key] = data[start:end]
    if end > len(data):
        raise Incomplete
    if not box.keys().isdisjoint(_OWN):
        raise Malformed("a key of the protocol out of its place")
    return box, end


def _read(extras: Extras, key: bytes, value: bytes) -> None:
    if key.startswith(_META):
        name = key.removeprefix(_META).decode("ascii")
        if not _NAME.fullmatch(name):
            raise Fault("no name for metadata")
        extras.metadata[name] = value.decode("utf-8")
    elif key == b"_timeout":
        extras.timeout = min(read_number(value), _DAY) / 1000
    elif key == b"_peer":
        if len(value) > _MAX_PEER:
            raise Fault(f"over {_MAX_PEER} bytes")
        # the same set for all peers that are like us
        extras.peer = (
            UNDERSTOOD if value == PEER else frozenset(value.decode("ascii").split(" "))
        )
    elif key == b"_stream":
        if len(value) > _MAX_STREAM:
            raise Fault(f"over {_MAX_STREAM} bytes")
        extras.stream = value
    elif key == b"_credit":
        extras.credit = read_number(value)


def read_number(value: bytes) -> int:
    """A count as extras have it; a ``Fault`` if it is none."""
    if not _NUMBER.fullmatch(value):
        raise Fault("not a number of at most 18 digits")
    return int(value)


def whole_milliseconds(seconds: float) -> float:
    """Rounded up, as the peer hears of a time; ``inf`` stays.

    A clock's floats may add a little to a whole number, which is none the less.
    """
    return math.ceil(seconds * 1000 - 0.001) if math.isfinite(seconds) else seconds


def timeout_pair(seconds: float) -> bytes:
    """``_timeout``: at most a day."""
    milliseconds = min(whole_milliseconds(seconds), _DAY)
    return write_pairs({b"_timeout": b"%d" % max(milliseconds, 0)})


def metadata_pairs(metadata: Mapping[str, str]) -> Iterator[tuple[bytes, bytes]]:
    """As keys and values, sorted; a ``Fault`` names what cannot be sent."""
    size = 0
    for name, value in sorted(metadata.items()):
        if not isinstance(name, str) or not _NAME.fullmatch(name):  # pyright: ignore[reportUnnecessaryIsInstance]  # not all programs are typed
            raise Fault("a name is 1 to 64 of a-z, 0-9, `.` and `-`", _path(name))
        if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise Fault(f"a value is text, not a {type(value).__name__}", _path(name))
        try:
            raw = value.encode()
        except UnicodeEncodeError:
            raise Fault("a lone surrogate cannot be sent", _path(name)) from None
        size += _cost((name, value))
        if size > MAX_METADATA:
            raise Fault(f"over {MAX_METADATA:,} bytes in all", "metadata")
        yield _META + name.encode(), raw


def _cost(item: tuple[str, str]) -> int:
    name, value = item
    return len(name) + len(value.encode())


def _path(name: object) -> str:
    return f"metadata {name!r:.80}"


def write_pairs(pairs: Mapping[bytes, bytes]) -> bytes:
    """Keys and values as they are in a box, sorted."""
    return write_box(pairs)[:-2]
