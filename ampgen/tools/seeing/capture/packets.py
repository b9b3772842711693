"""The TCP segment in a packet, through what it is wrapped in."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

# https://www.tcpdump.org/linktypes.html: how many bytes come before the packet of IP
_NULL, _ETHERNET, _LOOP, _SLL, _SLL2 = 0, 1, 108, 113, 276
_RAW = frozenset((12, 14, 101, 228, 229))
_VLAN = frozenset((0x8100, 0x88A8, 0x9100))
_IP = frozenset((0x0800, 0x86DD))
_TCP = 6
_EXTENSIONS = frozenset((0, 43, 60, 135))  # of IPv6, that tell their length alike
_FRAGMENT, _AUTHENTICATION = 44, 51

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10


class NotUnderstoodError(Exception):
    """Nobody can tell what is in this packet; the text says why."""


@dataclass(frozen=True, slots=True)
class Segment:
    """``cut``: bytes behind ``data`` that were sent, and are not in the capture."""

    source: str
    target: str
    number: int
    acknowledged: int
    flags: int
    data: bytes
    cut: int


def read_segment(link: int, packet: bytes) -> Segment | None:
    """``None`` for what is no TCP. :class:`NotUnderstoodError`"""
    try:
        inner = _unwrap(link, packet)
        return None if inner is None else _read_ip(inner)
    except (struct.error, IndexError, AddressValueError):
        return None  # too short to be one


def _unwrap(link: int, packet: bytes) -> bytes | None:
    if link in _RAW:
        return packet
    if link in (_NULL, _LOOP):
        return packet[4:]  # the family: the packet itself tells which IP it is
    if link == _ETHERNET:
        at = 12
    elif link == _SLL:
        at = 14
    elif link == _SLL2:
        return packet[20:] if _number(packet, 0) in _IP else None
    else:
        raise NotUnderstoodError(f"packets of link type {link}")
    while _number(packet, at) in _VLAN:
        at += 4
    return packet[at + 2 :] if _number(packet, at) in _IP else None


def _number(packet: bytes, at: int) -> int:
    return packet[at] << 8 | packet[at + 1]


def _read_ip(packet: bytes) -> Segment | None:
    version = packet[0] >> 4
    if version == 4:
        return _read_ipv4(packet)
    if version == 6:
        return _read_ipv6(packet)
    return None


def _read_ipv4(packet: bytes) -> Segment | None:
    if packet[9] != _TCP:
        return None
    if _number(packet, 6) & 0x3FFF:
        raise NotUnderstoodError("fragments of IP")
    start = (packet[0] & 0x0F) * 4
    end = _number(packet, 2) or len(packet)  # 0: the network card was to fill it in
    source, target = IPv4Address(packet[12:16]), IPv4Address(packet[16:20])
    return _read_tcp(str(source), str(target), packet[start:end], end - start)


def _read_ipv6(packet: bytes) -> Segment | None:
    size = _number(packet, 4)
    end = 40 + size if size else len(packet)
    source, target = IPv6Address(packet[8:24]), IPv6Address(packet[24:40])
    kind, at = packet[6], 40
    while kind in _EXTENSIONS or kind in (_FRAGMENT, _AUTHENTICATION):
        length = 8
        if kind == _FRAGMENT:
            if _number(packet, at + 2) & 0xFFF9:
                raise NotUnderstoodError("fragments of IP")
        elif kind == _AUTHENTICATION:
            length = (packet[at + 1] + 2) * 4
        else:
            length = (packet[at + 1] + 1) * 8
        kind = packet[at]
        at += length
    if kind != _TCP:
        return None
    return _read_tcp(f"[{source}]", f"[{target}]", packet[at:end], end - at)


def _read_tcp(source: str, target: str, packet: bytes, size: int) -> Segment | None:
    """``size``: how long it was when it was sent."""
    from_port, to_port, number, acknowledged = struct.unpack_from(">HHII", packet)
    start = (packet[12] >> 4) * 4
    if start < 20 or size < start:
        return None
    data = packet[start:]
    return Segment(
        f"{source}:{from_port}",
        f"{target}:{to_port}",
        number,
        acknowledged,
        packet[13],
        data,
        size - start - len(data),
    )
