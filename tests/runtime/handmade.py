"""Text tools, as the compiler would write them; by hand, so that the runtime stands
alone.
"""

# pyright: reportPrivateUsage=false, reportUnnecessaryIsInstance=false
# pyright: reportIncompatibleMethodOverride=false

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, Unpack

from ampgen.runtime.stubs import (
    DEFAULT,
    FAULTS,
    SIZE,
    Address,
    Client,
    Command,
    CommandError,
    Connecting,
    ConnectOptions,
    DeclaredError,
    LocalOptions,
    Server,
    Timeout,
    current_call,
    decode_boxes,
    decode_int,
    decode_str,
    encode_boxes,
    encode_int,
    encode_str,
    fault_at,
    get_whole,
    missing,
    no_results_read,
    no_results_written,
    read_box,
    read_rest,
    require_runtime,
    too_deep,
    wrong_type,
)

require_runtime("0.1", __name__)


class TooLong(CommandError):
    code = "TOO_LONG"
    limit: int | None

    def __init__(self, description: str = "", *, limit: int | None = None) -> None:
        super().__init__(description)
        self.limit = limit


class Corrupt(CommandError):
    code = "CORRUPT"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatResult:
    text: str
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    id: int
    name: str


class EventsClient(Client):
    async def progress(self, done: int, *, timeout: Timeout = DEFAULT) -> None:
        await self._send(_PROGRESS, (done,), timeout)

    async def confirm(self, question: str, *, timeout: Timeout = DEFAULT) -> str:
        return await self._call(_CONFIRM, (question,), timeout)


class EventsServer(Server):
    __ampgen_commands__: ClassVar[tuple[tuple[Command[Any, Any], str], ...]]

    @abstractmethod
    def progress(self, done: int) -> Awaitable[None] | None: ...

    @abstractmethod
    def confirm(self, question: str) -> str | Awaitable[str]: ...


class TextClient(Client):
    async def repeat(
        self, text: str, times: int = 1, *, timeout: Timeout = DEFAULT
    ) -> RepeatResult:
        return await self._call(_REPEAT, (text, times), timeout)

    async def items(
        self, items: Sequence[Item], *, timeout: Timeout = DEFAULT
    ) -> list[Item]:
        return await self._call(_ITEMS, (items,), timeout)

    async def stop(self, *, timeout: Timeout = DEFAULT) -> None:
        await self._call(_STOP, (), timeout)

    async def log(self, line: str, *, timeout: Timeout = DEFAULT) -> None:
        await self._send(_LOG, (line,), timeout)

    @classmethod
    def connect(
        cls,
        address: Address,
        *,
        events: EventsServer | None = None,
        **options: Unpack[ConnectOptions],
    ) -> Connecting[Self]:
        return cls._connect(address, (events,), options)

    @classmethod
    def local(
        cls,
        service: Server,
        *,
        events: EventsServer | None = None,
        **options: Unpack[LocalOptions],
    ) -> Connecting[Self]:
        return cls._local(service, (events,), options)


class TextServer(Server):
    __ampgen_commands__: ClassVar[tuple[tuple[Command[Any, Any], str], ...]]

    @abstractmethod
    def repeat(
        self, text: str, times: int
    ) -> RepeatResult | Awaitable[RepeatResult]: ...

    @abstractmethod
    def items(
        self, items: list[Item]
    ) -> Sequence[Item] | Awaitable[Sequence[Item]]: ...

    @abstractmethod
    def stop(self) -> Awaitable[None] | None: ...

    @abstractmethod
    def log(self, line: str) -> Awaitable[None] | None: ...

    @property
    def events(self) -> EventsClient:
        return EventsClient(current_call().connection)


# How each command becomes bytes.


def _encode_Item(value: Item, depth: int) -> bytes:  # noqa: N802
    if depth < 1:
        raise too_deep()
    if not isinstance(value, Item):
        raise wrong_type("an Item", value)
    key = "id"
    try:
        v1 = encode_int(value.id)
        n1 = SIZE[len(v1)]
        key = "name"
        v2 = encode_str(value.name)
        n2 = SIZE[len(v2)]
    except FAULTS as fault:
        raise fault_at(key, fault) from None
    return b"".join((b"\x00\x02id", n1, v1, b"\x00\x04name", n2, v2, b"\x00\x00"))


def _read_Item(data: bytes, at: int, depth: int) -> tuple[Item, int]:  # noqa: N802
    if depth < 1:
        raise too_deep()
    r1 = r2 = None
    end = at
    try:
        if data.startswith(b"\x00\x02id", end):
            start = end + 6
            end = start + (data[start - 2] << 8 | data[start - 1])
            r1 = data[start:end]
        if data.startswith(b"\x00\x04name", end):
            start = end + 8
            end = start + (data[start - 2] << 8 | data[start - 1])
            r2 = data[start:end]
    except IndexError:
        end = len(data)
    if data.startswith(b"\x00\x00", end):
        end += 2
    else:
        box, end = read_box(data, at)
        r1, r2 = get_whole(box, b"id"), get_whole(box, b"name")
    key = "id"
    try:
        if r1 is None:
            raise missing()
        v1 = decode_int(r1)
        key = "name"
        if r2 is None:
            raise missing()
        v2 = decode_str(r2)
    except FAULTS as fault:
        raise fault_at(key, fault) from None
    return Item(id=v1, name=v2), end


def _one_text(
    data: bytes, at: int, header: bytes, key: str
) -> tuple[bytes | None, int]:
    """The lone value of a box: none of the commands below has more in common."""
    end = at
    raw = None
    try:
        if data.startswith(header, end):
            start = end + len(header) + 2
            end = start + (data[start - 2] << 8 | data[start - 1])
            raw = data[start:end]
    except IndexError:
        end = len(data)
    if data.startswith(b"\x00\x00", end):
        return raw, end + 2
    box, end = read_rest(data, at)
    return get_whole(box, key.encode()), end


def _write_Repeat(ask: bytes, arguments: tuple[str, int], depth: int) -> bytes:  # noqa: N802
    a1, a2 = arguments
    key = "text"
    try:
        v1 = encode_str(a1)
        n1 = SIZE[len(v1)]
        key = "times"
        v2 = encode_int(a2)
        n2 = SIZE[len(v2)]
    except FAULTS as fault:
        raise fault_at(key, fault) from None
    return b"".join(
        (
            ask,
            b"\x00\x08_command\x00\x06Repeat\x00\x04text",
            n1,
            v1,
            b"\x00\x05times",
            n2,
            v2,
            b"\x00\x00",
        )
    )


def _read_Repeat(data: bytes, at: int, depth: int) -> tuple[tuple[str, int], int]:  # noqa: N802
    r1 = r2 = None
    end = at
    try:
        if data.startswith(b"\x00\x04text", end):
            start = end + 8
            end = start + (data[start - 2] << 8 | data[start - 1])
            r1 = data[start:end]
        if data.startswith(b"\x00\x05times", end):
            start = end + 9
            end = start + (data[start - 2] << 8 | data[start - 1])
            r2 = data[start:end]
    except IndexError:
        end = len(data)
    if data.startswith(b"\x00\x00", end):
        end += 2
    else:
        box, end = read_rest(data, at)
        r1, r2 = get_whole(box, b"text"), get_whole(box, b"times")
    key = "text"
    try:
        if r1 is None:
            raise missing()
        v1 = decode_str(r1)
        key = "times"
        v2 = 1 if r2 is None else decode_int(r2)
    except FAULTS as fault:
        raise fault_at(key, fault) from None
    return (v1, v2), end


def _write_Repeat_answer(answer: bytes, result: RepeatResult, depth: int) -> bytes:  # noqa: N802
    if not isinstance(result, RepeatResult):
        raise wrong_type("a RepeatResult", result)
    key = "length"
    try:
        v1 = encode_int(result.length)
        n1 = SIZE[len(v1)]
        key = "text"
        v2 = encode_str(result.text)
        n2 = SIZE[len(v2)]
    except FAULTS as fault:
        raise fault_at(key, fault) from None
    return b"".join(
        (answer, b"\x00\x06length", n1, v1, b"\x00\x04text", n2, v2, b"\x00\x00")
    )


def _read_Repeat_answer(data: bytes, at: int, depth: int) -> tuple[RepeatResult, int]:  # noqa: N802
    r1 = r2 = None
    end = at
    try:
        if data.startswith(b"\x00\x06length", end):
            start = end + 10
            end = start + (data[start - 2] << 8 | data[start - 1])
            r1 = data[start:end]
        if data.startswith(b"\x00\x04text", end):
            start = end + 8
            end = start + (data[start - 2] << 8 | data[start - 1])
            r2 = data[start:end]
    except IndexError:
        end = len(data)
    if data.startswith(b"\x00\x00", end):
        end += 2
    else:
        box, end = read_rest(data, at)
        r1, r2 = get_whole(box, b"length"), get_whole(box, b"text")
    key = "length"
    try:
        if r1 is None:
            raise missing()
        v1 = decode_int(r1)
        key = "text"
        if r2 is None:
            raise missing()
        v2 = decode_str(r2)
    except FAULTS as fault:
        raise fault_at(key, fault) from None
    return RepeatResult(length=v1, text=v2), end


def _write_Items(ask: bytes, arguments: tuple[Sequence[Item]], depth: int) -> bytes:  # noqa: N802
    try:
        v1 = encode_boxes(arguments[0], _encode_Item, depth)
        n1 = SIZE[len(v1)]
    except FAULTS as fault:
        raise fault_at("items", fault) from None
    return b"".join(
        (ask, b"\x00\x08_command\x00\x05Items\x00\x05items", n1, v1, b"\x00\x00")
    )


def _read_Items(  # noqa: N802
    data: bytes, at: int, depth: int
) -> tuple[tuple[list[Item]], int]:
    r1, end = _one_text(data, at, b"\x00\x05items", "items")
    try:
        if r1 is None:
            raise missing()
        v1 = decode_boxes(r1, _read_Item, depth)
    except FAULTS as fault:
        raise fault_at("items", fault) from None
    return (v1,), end


def _write_Items_answer(answer: bytes, result: Sequence[Item], depth: int) -> bytes:  # noqa: N802
    try:
        v1 = encode_boxes(result, _encode_Item, depth)
        n1 = SIZE[len(v1)]
    except FAULTS as fault:
        raise fault_at("result", fault) from None
    return b"".join((answer, b"\x00\x06result", n1, v1, b"\x00\x00"))


def _read_Items_answer(data: bytes, at: int, depth: int) -> tuple[list[Item], int]:  # noqa: N802
    r1, end = _one_text(data, at, b"\x00\x06result", "result")
    try:
        if r1 is None:
            raise missing()
        v1 = decode_boxes(r1, _read_Item, depth)
    except FAULTS as fault:
        raise fault_at("result", fault) from None
    return v1, end


def _write_Stop(ask: bytes, _arguments: tuple[()], _depth: int) -> bytes:  # noqa: N802
    return ask + b"\x00\x08_command\x00\x04Stop\x00\x00"


def _read_Stop(data: bytes, at: int, _depth: int) -> tuple[tuple[()], int]:  # noqa: N802
    _none, end = no_results_read(data, at, _depth)
    return (), end


def _write_Log(ask: bytes, arguments: tuple[str], depth: int) -> bytes:  # noqa: N802
    try:
        v1 = encode_str(arguments[0])
        n1 = SIZE[len(v1)]
    except FAULTS as fault:
        raise fault_at("line", fault) from None
    return b"".join(
        (ask, b"\x00\x08_command\x00\x03Log\x00\x04line", n1, v1, b"\x00\x00")
    )


def _read_Log(data: bytes, at: int, depth: int) -> tuple[tuple[str], int]:  # noqa: N802
    r1, end = _one_text(data, at, b"\x00\x04line", "line")
    try:
        if r1 is None:
            raise missing()
        v1 = decode_str(r1)
    except FAULTS as fault:
        raise fault_at("line", fault) from None
    return (v1,), end


def _write_Progress(ask: bytes, arguments: tuple[int], depth: int) -> bytes:  # noqa: N802
    try:
        v1 = encode_int(arguments[0])
        n1 = SIZE[len(v1)]
    except FAULTS as fault:
        raise fault_at("done", fault) from None
    return b"".join(
        (ask, b"\x00\x08_command\x00\x08Progress\x00\x04done", n1, v1, b"\x00\x00")
    )


def _read_Progress(data: bytes, at: int, depth: int) -> tuple[tuple[int], int]:  # noqa: N802
    r1, end = _one_text(data, at, b"\x00\x04done", "done")
    try:
        if r1 is None:
            raise missing()
        v1 = decode_int(r1)
    except FAULTS as fault:
        raise fault_at("done", fault) from None
    return (v1,), end


def _write_Confirm(ask: bytes, arguments: tuple[str], depth: int) -> bytes:  # noqa: N802
    try:
        v1 = encode_str(arguments[0])
        n1 = SIZE[len(v1)]
    except FAULTS as fault:
        raise fault_at("question", fault) from None
    return b"".join(
        (ask, b"\x00\x08_command\x00\x07Confirm\x00\x08question", n1, v1, b"\x00\x00")
    )


def _read_Confirm(data: bytes, at: int, depth: int) -> tuple[tuple[str], int]:  # noqa: N802
    r1, end = _one_text(data, at, b"\x00\x08question", "question")
    try:
        if r1 is None:
            raise missing()
        v1 = decode_str(r1)
    except FAULTS as fault:
        raise fault_at("question", fault) from None
    return (v1,), end


def _write_Confirm_answer(answer: bytes, result: str, depth: int) -> bytes:  # noqa: N802
    try:
        v1 = encode_str(result)
        n1 = SIZE[len(v1)]
    except FAULTS as fault:
        raise fault_at("result", fault) from None
    return b"".join((answer, b"\x00\x06result", n1, v1, b"\x00\x00"))


def _read_Confirm_answer(data: bytes, at: int, depth: int) -> tuple[str, int]:  # noqa: N802
    r1, end = _one_text(data, at, b"\x00\x06result", "result")
    try:
        if r1 is None:
            raise missing()
        v1 = decode_str(r1)
    except FAULTS as fault:
        raise fault_at("result", fault) from None
    return v1, end


def _encode_TooLong(error: TooLong, depth: int) -> dict[bytes, bytes]:  # noqa: N802
    box: dict[bytes, bytes] = {}
    if error.limit is not None:
        try:
            box[b"limit"] = encode_int(error.limit)
        except FAULTS as fault:
            raise fault_at("limit", fault) from None
    return box


def _decode_TooLong(  # noqa: N802
    description: str, box: Mapping[bytes, bytes], depth: int
) -> TooLong:
    r1 = get_whole(box, b"limit")
    try:
        v1 = None if r1 is None else decode_int(r1)
    except FAULTS as fault:
        raise fault_at("limit", fault) from None
    return TooLong(description, limit=v1)


def _encode_Corrupt(_error: Corrupt, _depth: int) -> dict[bytes, bytes]:  # noqa: N802
    return {}


def _decode_Corrupt(  # noqa: N802
    description: str, _box: Mapping[bytes, bytes], _depth: int
) -> Corrupt:
    return Corrupt(description)


_TOO_LONG = DeclaredError(
    TooLong, b"TOO_LONG", fatal=False, encode=_encode_TooLong, decode=_decode_TooLong
)
_CORRUPT = DeclaredError(
    Corrupt, b"CORRUPT", fatal=True, encode=_encode_Corrupt, decode=_decode_Corrupt
)

_REPEAT = Command[tuple[str, int], RepeatResult](
    service="Text",
    name="Repeat",
    wire=b"Repeat",
    write_request=_write_Repeat,
    read_arguments=_read_Repeat,
    write_answer=_write_Repeat_answer,
    read_answer=_read_Repeat_answer,
    errors=(_TOO_LONG, _CORRUPT),
    required=(True, False),
)
_ITEMS = Command[tuple[Sequence[Item]], list[Item]](
    service="Text",
    name="Items",
    wire=b"Items",
    write_request=_write_Items,
    read_arguments=_read_Items,
    write_answer=_write_Items_answer,
    read_answer=_read_Items_answer,
    required=(True,),
)
_STOP = Command[tuple[()], None](
    service="Text",
    name="Stop",
    wire=b"Stop",
    write_request=_write_Stop,
    read_arguments=_read_Stop,
    write_answer=no_results_written,
    read_answer=no_results_read,
    timeout=0.25,
)
_LOG = Command[tuple[str], None](
    service="Text",
    name="Log",
    wire=b"Log",
    write_request=_write_Log,
    read_arguments=_read_Log,
    write_answer=no_results_written,
    read_answer=no_results_read,
    oneway=True,
    required=(True,),
)
_PROGRESS = Command[tuple[int], None](
    service="Events",
    name="Progress",
    wire=b"Progress",
    write_request=_write_Progress,
    read_arguments=_read_Progress,
    write_answer=no_results_written,
    read_answer=no_results_read,
    oneway=True,
    required=(True,),
)
_CONFIRM = Command[tuple[str], str](
    service="Events",
    name="Confirm",
    wire=b"Confirm",
    write_request=_write_Confirm,
    read_arguments=_read_Confirm,
    write_answer=_write_Confirm_answer,
    read_answer=_read_Confirm_answer,
    required=(True,),
)
TextServer.__ampgen_commands__ = (
    (_REPEAT, "repeat"),
    (_ITEMS, "items"),
    (_STOP, "stop"),
    (_LOG, "log"),
)
EventsServer.__ampgen_commands__ = ((_PROGRESS, "progress"), (_CONFIRM, "confirm"))
COMMANDS = {command.wire: command for command, _ in TextServer.__ampgen_commands__}
