"""Packets out of a file: pcap in all its variants, and pcapng.

https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap-04.html and
https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

# The magic number as the file has it -> byte order, and parts of a second.
_PCAP = {
    b"\xa1\xb2\xc3\xd4": (">", 10**6),
    b"\xd4\xc3\xb2\xa1": ("<", 10**6),
    b"\xa1\xb2\x3c\x4d": (">", 10**9),
    b"\x4d\x3c\xb2\xa1": ("<", 10**9),
}
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_MAX_PACKET = 16 * 1024 * 1024
_MAX_TIME = 253_402_300_800  # the year 10,000: no calendar of Python's has it
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _PACKET = 0x0A0D0D0A, 1, 2, 3, 6
_RESOLUTION, _SHIFT = 9, 14  # options of an interface


class CaptureError(Exception):
    """The file is no capture, or not a whole one. What came before it is good."""


@dataclass(frozen=True, slots=True)
class Packet:
    """``at``: seconds since 1970, ``None`` if the file does not tell. ``link``: how it
    is framed, a number of https://www.tcpdump.org/linktypes.html.
    """

    at: float | None
    link: int
    data: bytes


def is_capture(start: bytes) -> bool:
    return start[:4] in _PCAP or start[:4] == _PCAPNG


def read_packets(file: BinaryIO) -> Iterator[Packet]:
    """All packets, in the order of the file. :class:`CaptureError`"""
    magic = file.read(4)
    if magic in _PCAP:
        yield from _read_pcap(file, *_PCAP[magic])
    elif magic == _PCAPNG:
        yield from _Pcapng(file).read()
    else:
        raise CaptureError("neither pcap nor pcapng")


def _take(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) < size:
        raise CaptureError("the file is cut short, in the middle of a packet")
    return data


def _read_pcap(file: BinaryIO, order: str, parts: int) -> Iterator[Packet]:
    header = struct.unpack(f"{order}HHiIII", _take(file, 20))
    link = header[5] & 0xFFFF  # what is above tells of checksums
    while start := file.read(16):
        if len(start) < 16:
            raise CaptureError("the file is cut short, in the middle of a packet")
        seconds, rest, size, _whole = struct.unpack(f"{order}IIII", start)
        if size > _MAX_PACKET:
            raise CaptureError(f"a packet of {size:,} bytes: the file is damaged")
        yield Packet(seconds + rest / parts, link, _take(file, size))


@dataclass(frozen=True, slots=True)
class _Interface:
    link: int
    snap: int  # packets are cut to this; 0 for no limit
    parts: int  # of a second, in times
    shift: int  # seconds


class _Pcapng:
    """Blocks, one after the other; those of packets name one of the interfaces."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._order = "<"
        self._interfaces: list[_Interface] = []

    def read(self) -> Iterator[Packet]:
        start = _PCAPNG
        while start:
            if len(start) < 4:
                raise CaptureError("the file is cut short, between two blocks")
            packet = self._block(start)
            if packet is not None:
                yield packet
            start = self._file.read(4)

    def _block(self, start: bytes) -> Packet | None:
        size = _take(self._file, 4)
        begin = b""
        if start == _PCAPNG:
            begin = _take(self._file, 4)
            if begin not in _ORDERS:
                raise CaptureError("a section of no byte order: the file is damaged")
            self._order = _ORDERS[begin]
            self._interfaces = []
        (kind,) = struct.unpack(f"{self._order}I", start)
        (length,) = struct.unpack(f"{self._order}I", size)
        if not 12 + len(begin) <= length <= _MAX_PACKET or length % 4:
            raise CaptureError(f"a block of {length:,} bytes: the file is damaged")
        body = _take(self._file, length - 8 - len(begin))[:-4]
        try:
            return self._content(kind, body)
        except struct.error:
            raise CaptureError("a block too short: the file is damaged") from None

    def _content(self, kind: int, body: bytes) -> Packet | None:
        order = self._order
        if kind == _INTERFACE:
            link, _, snap = struct.unpack_from(f"{order}HHI", body)
            self._interfaces.append(self._interface(link, snap, body[8:]))
        elif kind == _PACKET:
            number, high, low, size, _ = struct.unpack_from(f"{order}IIIII", body)
            return self._packet(number, high << 32 | low, body[20 : 20 + size])
        elif kind == _OLD_PACKET:
            number, _, high, low, size, _ = struct.unpack_from(f"{order}HHIIII", body)
            return self._packet(number, high << 32 | low, body[20 : 20 + size])
        elif kind == _SIMPLE:
            (size,) = struct.unpack_from(f"{order}I", body)
            return self._packet(0, None, body[4 : 4 + size])
        return None

    def _interface(self, link: int, snap: int, options: bytes) -> _Interface:
        parts, shift = 10**6, 0
        while len(options) >= 4:
            code, size = struct.unpack_from(f"{self._order}HH", options)
            value = options[4 : 4 + size]
            if code == _RESOLUTION and size == 1:
                base = 2 if value[0] & 0x80 else 10
                parts = base ** (value[0] & 0x7F)
            elif code == _SHIFT and size == 8:
                (shift,) = struct.unpack(f"{self._order}q", value)
            options = options[4 + size + -size % 4 :]
        return _Interface(link, snap, parts, shift)

    def _packet(self, number: int, time: int | None, data: bytes) -> Packet:
        if number >= len(self._interfaces):
            raise CaptureError("a packet of an interface that is not described")
        one = self._interfaces[number]
        at = None if time is None else one.shift + time / one.parts
        if at is not None and not 0 <= at < _MAX_TIME:
            at = None  # a damaged clock is no reason to show nothing
        if time is None and one.snap:
            data = data[: one.snap]
        return Packet(at, one.link, data)
