"""Lists, maps, enums and lone boxes, made of encoders and decoders for what they hold.

``depth`` is how many levels of nesting are still allowed, this one included. A *deep*
item (a list, a map, a struct, a union, json) is told how many are left for it.
"""

# pyright: reportUnnecessaryIsInstance=false
# What programs pass is checked at run time too: not all of them are typed.

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import TypeAlias, TypeVar

from ampgen.runtime.errors import FAULTS, Fault, fault_at, too_deep, wrong_type
from ampgen.runtime.values import decode_str, encode_str
from ampgen.runtime.wire import SIZE, get_whole, read_box

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
E = TypeVar("E", bound=StrEnum)

Encode: TypeAlias = Callable[[T], bytes]
Decode: TypeAlias = Callable[[bytes], T]
EncodeDeep: TypeAlias = Callable[[T, int], bytes]
DecodeDeep: TypeAlias = Callable[[bytes, int], T]
ReadBox: TypeAlias = Callable[[bytes, int, int], tuple[T, int]]


def _check_list(values: Sequence[object], depth: int) -> None:
    if depth < 1:
        raise too_deep()
    if type(values) is list:  # asking the abstract class takes ten times as long
        return
    # a str is a sequence of str: never what was meant
    if not isinstance(values, Sequence) or isinstance(
        values, (str, bytes, bytearray, memoryview)
    ):
        raise wrong_type("a list", values)


# --- ListOf ---------------------------------------------------------------------------


def encode_list(values: Sequence[T], encode_item: Encode[T], depth: int) -> bytes:
    _check_list(values, depth)
    pieces: list[bytes] = []
    try:
        for value in values:
            raw = encode_item(value)
            pieces += (SIZE[len(raw)], raw)
    except FAULTS as fault:
        raise fault_at(f"[{len(pieces) // 2}]", fault) from None
    return b"".join(pieces)


def decode_list(raw: bytes, decode_item: Decode[T], depth: int) -> list[T]:
    if depth < 1:
        raise too_deep()
    values: list[T] = []
    at = 0
    end = len(raw)
    try:
        while at < end:
            start = at + 2
            at = start + (raw[at] << 8 | raw[at + 1])
            if at > end:
                break
            values.append(decode_item(raw[start:at]))
    except IndexError:
        at = -1  # half a length
    except FAULTS as fault:
        raise fault_at(f"[{len(values)}]", fault) from None
    if at != end:
        raise Fault("the list is cut short", f"[{len(values)}]")
    return values


def encode_strs(values: Sequence[str], depth: int) -> bytes:
    """``encode_list`` of strings, the most common of all; that says what is wrong."""
    if depth >= 1 and list is type(values):  # so turned, a checker keeps the items
        pieces: list[bytes] = []
        try:
            for value in values:
                raw = str.encode(value)
                pieces.append(SIZE[len(raw)])
                pieces.append(raw)
            return b"".join(pieces)
        except FAULTS:
            pass
    return encode_list(values, encode_str, depth)


def decode_strs(raw: bytes, depth: int) -> list[str]:
    """``decode_list`` of strings. Where all bytes are ASCII, the lengths too, a
    character's place is its byte's: one decoding serves all.
    """
    if depth >= 1 and raw.isascii():
        text = raw.decode()
        values: list[str] = []
        at = 0
        end = len(raw)
        try:
            while at < end:
                start = at + 2
                size = raw[at + 1]
                at = start + size if text[at] == "\0" else start + (raw[at] << 8 | size)
                values.append(text[start:at])
            if at == end:
                return values
        except IndexError:
            pass
    return decode_list(raw, decode_str, depth)


def encode_deep_list(
    values: Sequence[T], encode_item: EncodeDeep[T], depth: int
) -> bytes:
    return encode_list(values, lambda value: encode_item(value, depth - 1), depth)


def decode_deep_list(raw: bytes, decode_item: DecodeDeep[T], depth: int) -> list[T]:
    return decode_list(raw, lambda item: decode_item(item, depth - 1), depth)


# --- AmpList --------------------------------------------------------------------------


def encode_boxes(values: Sequence[T], encode_box: EncodeDeep[T], depth: int) -> bytes:
    _check_list(values, depth)
    boxes: list[bytes] = []
    try:
        for value in values:
            box = encode_box(value, depth - 1)
            boxes.append(box)
    except FAULTS as fault:
        raise fault_at(f"[{len(boxes)}]", fault) from None
    return b"".join(boxes)


def decode_boxes(raw: bytes, read: ReadBox[T], depth: int) -> list[T]:
    if depth < 1:
        raise too_deep()
    values: list[T] = []
    at = 0
    end = len(raw)
    try:
        while at < end:
            value, at = read(raw, at, depth - 1)
            values.append(value)
    except FAULTS as fault:
        raise fault_at(f"[{len(values)}]", fault) from None
    return values


def decode_one(raw: bytes, read: ReadBox[T], depth: int) -> T:
    """A struct or union alone: one box, nothing left over. ``read`` checks depth."""
    value, end = read(raw, 0, depth)
    if end != len(raw):
        raise Fault(f"{len(raw) - end:,} bytes left over after the box")
    return value


# --- maps -----------------------------------------------------------------------------


def encode_map(
    values: Mapping[K, V], encode_key: Encode[K], encode_value: Encode[V], depth: int
) -> bytes:
    """An AmpList of boxes ``key``, ``value``, in the mapping's order."""
    if depth < 1:
        raise too_deep()
    if not isinstance(values, Mapping):
        raise wrong_type("a dict", values)
    boxes: dict[bytes, bytes] = {}
    try:
        for key, value in values.items():
            raw_key = encode_key(key)
            raw = encode_value(value)
            if raw_key in boxes:  # an open enum's member and a str that says the same
                raise Fault("a key comes twice")
            boxes[raw_key] = b"".join(
                (
                    b"\x00\x03key",
                    SIZE[len(raw_key)],
                    raw_key,
                    b"\x00\x05value",
                    SIZE[len(raw)],
                    raw,
                    b"\x00\x00",
                )
            )
    except FAULTS as fault:
        raise fault_at(f"[{len(boxes)}]", fault) from None
    return b"".join(boxes.values())


def decode_map(
    raw: bytes, decode_key: Decode[K], decode_value: Decode[V], depth: int
) -> dict[K, V]:
    if depth < 1:
        raise too_deep()
    found: dict[K, V] = {}
    at = 0
    end = len(raw)
    try:
        while at < end:
            box, at = read_box(raw, at)
            raw_key = get_whole(box, b"key")
            raw_value = get_whole(box, b"value")
            if raw_key is None or raw_value is None:
                raise Fault("a pair of a map has a key and a value")
            key = decode_key(raw_key)
            if key in found:
                raise Fault("a key comes twice")
            found[key] = decode_value(raw_value)
    except FAULTS as fault:
        raise fault_at(f"[{len(found)}]", fault) from None
    return found


def encode_deep_map(
    values: Mapping[K, V],
    encode_key: Encode[K],
    encode_value: EncodeDeep[V],
    depth: int,
) -> bytes:
    return encode_map(
        values, encode_key, lambda value: encode_value(value, depth - 1), depth
    )


def decode_deep_map(
    raw: bytes, decode_key: Decode[K], decode_value: DecodeDeep[V], depth: int
) -> dict[K, V]:
    return decode_map(
        raw, decode_key, lambda value: decode_value(value, depth - 1), depth
    )


# --- enums ----------------------------------------------------------------------------


def closed_enum_encoder(enum: type[E]) -> Encode[E]:
    """Takes the members alone, not the strings that they are equal to."""
    raws = {member: member.value.encode() for member in enum}

    def encode(value: E) -> bytes:
        if isinstance(value, enum):
            return raws[value]
        raise wrong_type(f"a member of {enum.__name__}", value)

    return encode


def closed_enum_decoder(enum: type[E]) -> Decode[E]:
    members = {member.value.encode(): member for member in enum}
    rule = f"none of {enum.__name__}'s {', '.join(member.value for member in enum)}"

    def decode(raw: bytes) -> E:
        member = members.get(raw)
        if member is None:
            raise Fault(rule)
        return member

    return decode


def open_enum_encoder(_enum: type[E]) -> Encode[E | str]:
    return encode_str


def open_enum_decoder(enum: type[E]) -> Decode[E | str]:
    """A value that is not known stays the plain string that it is."""
    members = {member.value.encode(): member for member in enum}

    def decode(raw: bytes) -> E | str:
        member = members.get(raw)
        return decode_str(raw) if member is None else member

    return decode
