"""What the runtime knows of a command: its names, its codecs, its errors."""

# pyright: reportUnnecessaryIsInstance=false
# What programs pass is checked at run time too: not all of them are typed.

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar

from ampgen.runtime.errors import Beside, CommandError, Fault, fault_at
from ampgen.runtime.values import encode_bytes
from ampgen.runtime.wire import MAX_KEY, SIZE, read_rest, write_box

A = TypeVar("A")
R = TypeVar("R")
T = TypeVar("T")
E = TypeVar("E", bound=CommandError)


class Default(Enum):
    """The type of ``DEFAULT``."""

    DEFAULT = "default"

    def __repr__(self) -> str:
        return "DEFAULT"


DEFAULT: Final = Default.DEFAULT
"""As ``timeout=``: the client's, else the schema's ``@timeout``, else none."""

Timeout: TypeAlias = float | Literal[Default.DEFAULT] | None


# No slots: on 3.11 a generic, frozen, slotted dataclass fails at `Command[A, R](…)`.


@dataclass(frozen=True)
class DeclaredError(Generic[E]):
    """An error that a command may raise. The codecs are about its fields alone."""

    error: type[E]
    code: bytes
    fatal: bool
    encode: Callable[[E, int], Mapping[bytes, bytes]]
    decode: Callable[[str, Mapping[bytes, bytes], int], E]


@dataclass(frozen=True)
class Items(Generic[T]):
    """The items of a stream: whole boxes, written and read as those of an answer.

    ``at``: the place of a stream argument among the arguments of its command.
    ``large``: the keys of values that may come in pieces.
    """

    write: Callable[[bytes, T, int], bytes]
    read: Callable[[bytes, int, int], tuple[T, int]]
    at: int = 0
    large: tuple[bytes, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Command(Generic[A, R]):
    """One command. ``A``: the tuple of its arguments, as declared; ``R``: its result.

    ``write_request(head, arguments, depth)`` and ``write_answer(head, result, depth)``
    make whole boxes, of the keys that start with ``_`` and come ready as ``head``, and
    of the values. ``read_arguments(data, at, depth)`` and ``read_answer`` read from
    behind such keys: both say where the box ends. ``required``: for each argument, must
    a handler take it? ``idempotent``: may a call be made again that has perhaps been
    served? ``timeout`` is in seconds. ``arguments``: their names, as a handler's
    parameters are called; ``sensitive``: of those, the ones whose values are in no log.
    ``large_arguments`` and ``large_results``: the keys of values that may come in
    pieces. ``head``: the pair ``_command``.

    ``argument_fds``, ``result_fds``: the keys of descriptors, each with the place of
    its argument, or the field of its result (empty for a bare one). Such a command goes
    a way of its own: its codecs raise ``Beside``, those of ``inner`` know the ordinals.

    ``items``: those of a stream of results, of which the answer is the end. ``sends``:
    those of a stream argument, which is not among the arguments of the request.
    ``streams``: there is one of them.
    """

    service: str
    name: str
    wire: bytes
    write_request: Callable[[bytes, A, int], bytes]
    read_arguments: Callable[[bytes, int, int], tuple[A, int]]
    write_answer: Callable[[bytes, R, int], bytes]
    read_answer: Callable[[bytes, int, int], tuple[R, int]]
    errors: tuple[DeclaredError[Any], ...] = ()
    oneway: bool = False
    idempotent: bool = False
    timeout: float | None = None
    arguments: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    required: tuple[bool, ...] = ()
    large_arguments: tuple[bytes, ...] = ()
    large_results: tuple[bytes, ...] = ()
    argument_fds: tuple[tuple[bytes, int], ...] = ()
    result_fds: tuple[tuple[bytes, str], ...] = ()
    items: Items[Any] | None = None
    sends: Items[Any] | None = None
    head: bytes = field(init=False, repr=False)
    streams: bool = field(init=False, repr=False)
    inner: Command[A, R] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        head = b"".join((b"\x00\x08_command", SIZE[len(self.wire)], self.wire))
        object.__setattr__(self, "head", head)
        streams = self.items is not None or self.sends is not None
        object.__setattr__(self, "streams", streams)
        inner = self
        if self.argument_fds or self.result_fds:
            inner = copy(self)
            object.__setattr__(inner, "inner", inner)
        if self.argument_fds:
            object.__setattr__(self, "write_request", _write_beside)
            object.__setattr__(self, "read_arguments", _read_beside)
        if self.result_fds:
            object.__setattr__(self, "write_answer", _write_beside)
            object.__setattr__(self, "read_answer", _read_beside)
        object.__setattr__(self, "inner", inner)


def _write_beside(_head: bytes, _value: Any, _depth: int) -> bytes:
    raise Beside


def _read_beside(_data: bytes, _at: int, _depth: int) -> tuple[Any, int]:
    raise Beside


AnyCommand: TypeAlias = Command[Any, Any]


@dataclass(frozen=True, slots=True)
class Handler:
    """A command and what answers it. ``count``: how many arguments ``method`` takes."""

    command: AnyCommand
    method: Callable[..., Any]
    count: int


def no_results_written(head: bytes, _result: None, _depth: int) -> bytes:
    """The answer of a command without results."""
    return head + b"\x00\x00"


def no_results_read(data: bytes, at: int, _depth: int) -> tuple[None, int]:
    if data.startswith(b"\x00\x00", at):
        return None, at + 2
    _box, end = read_rest(data, at)
    return None, end


# --- boxes without a schema -----------------------------------------------------------

Box: TypeAlias = dict[bytes, bytes]


def raw_command(wire: bytes) -> Command[tuple[Mapping[bytes, bytes]], Box]:
    """A command whose arguments and results are whatever is in the box."""
    if not isinstance(wire, bytes):
        raise TypeError(f"a command is named by bytes, not by a {type(wire).__name__}")

    def write(head: bytes, box: Mapping[bytes, bytes]) -> bytes:
        _check_box(box)
        first = {k: v for k, v in box.items() if k < b"_"}
        rest = {k: v for k, v in box.items() if k > b"_"}
        return write_box(first)[:-2] + head + write_box(rest)

    def write_request(
        head: bytes, arguments: tuple[Mapping[bytes, bytes]], _depth: int
    ) -> bytes:
        (box,) = arguments
        return write(head, box)

    def read_arguments(data: bytes, at: int, _depth: int) -> tuple[tuple[Box], int]:
        box, end = read_rest(data, at)
        return (box,), end

    def write_answer(head: bytes, result: Box, _depth: int) -> bytes:
        return write(head, result)

    def read_answer(data: bytes, at: int, _depth: int) -> tuple[Box, int]:
        return read_rest(data, at)

    name = wire.decode("utf-8", "backslashreplace")
    return Command(
        service="",
        name=name,
        wire=wire,
        write_request=write_request,
        read_arguments=read_arguments,
        write_answer=write_answer,
        read_answer=read_answer,
        arguments=("box",),
        sensitive=("box",),  # nobody says what is in it
        required=(True,),
    )


def _check_box(box: Mapping[bytes, bytes]) -> None:
    if not isinstance(box, Mapping):
        raise Fault("a box is a mapping of bytes to bytes")
    for key, value in box.items():
        if not 1 <= len(encode_bytes(key)) <= MAX_KEY or key.startswith(b"_"):
            raise Fault(f"a key has 1 to {MAX_KEY} bytes, and does not start with `_`")
        try:
            encode_bytes(value)
        except Fault as fault:
            raise fault_at(key.decode("utf-8", "backslashreplace"), fault) from None
