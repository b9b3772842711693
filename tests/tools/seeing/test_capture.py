"""Captures: packets written by another library, and by tcpdump."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
from __future__ import annotations

import io
import random
import socket
import struct
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dpkt  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampgen.tools.decoding import CaptureDecoding
from ampgen.tools.memory import load_schemas
from ampgen.tools.seeing.capture import (
    CaptureError,
    Closed,
    Link,
    Missing,
    Opened,
    Sent,
    Streams,
    read_packets,
)
from ampgen.tools.seeing.capture.files import Packet
from ampgen.tools.seeing.capture.packets import NotUnderstoodError, read_segment
from ampgen.tools.seeing.seen import Kind, SeenBox, SeenBytes, Side

if TYPE_CHECKING:
    from collections.abc import Iterable

CLIENT, SERVER = Side
SYN, ACK, FIN, RST = 0x02, 0x10, 0x01, 0x04
START = {CLIENT: 0xFFFFFFF0, SERVER: 1000}  # the client's numbers go round
PORTS = {CLIENT: 40000, SERVER: 8000}
EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "decode"
RAW, ETHERNET, NULL, SLL, SLL2 = 101, 1, 0, 113, 276


def tcp(
    side: Side,
    at: int = 0,
    data: bytes = b"",
    *,
    acknowledges: int | None = None,
    flags: int = 0,
    port: int = 40000,
) -> Any:
    """A segment; ``at`` counts bytes of the side, behind its SYN."""
    ports = {CLIENT: port, SERVER: PORTS[SERVER]}
    number = START[side] + (0 if flags & SYN else 1) + at
    acknowledged = 0
    if acknowledges is not None:
        flags |= ACK
        acknowledged = START[side.other] + 1 + acknowledges
    return dpkt.tcp.TCP(
        sport=ports[side],
        dport=ports[side.other],
        seq=number & 0xFFFFFFFF,
        ack=acknowledged & 0xFFFFFFFF,
        flags=flags,
        data=data,
    )


def ip(segment: Any) -> bytes:
    """From one host to the other, by who has the server's port."""
    hosts = ["10.0.0.1", "10.0.0.2"]
    if segment.sport == PORTS[SERVER]:
        hosts.reverse()
    source, target = (socket.inet_aton(host) for host in hosts)
    packet = dpkt.ip.IP(src=source, dst=target, p=6, data=segment)
    packet.len = len(packet)
    return bytes(packet)


def ip6(segment: Any, extension: bytes = b"") -> bytes:
    one, other = (socket.inet_pton(socket.AF_INET6, end) for end in ("::1", "fe80::2"))
    inner = extension + bytes(segment)
    packet = dpkt.ip6.IP6(
        src=one, dst=other, nxt=0 if extension else 6, plen=len(inner)
    )
    return bytes(packet)[:40] + inner


def streams(
    packets: Iterable[Any], port: int | None = None, *, link: int = RAW
) -> tuple[list[Any], Streams]:
    """The events of segments, or of packets as they are."""
    reader = Streams(port)
    made = [
        Packet(float(at), link, one if isinstance(one, bytes) else ip(one))
        for at, one in enumerate(packets)
    ]
    return [*reader.read(made), *reader.end()], reader


HELLO = (
    tcp(CLIENT, flags=SYN),
    tcp(SERVER, flags=SYN | ACK, acknowledges=0),
)


def sent(events: Iterable[Any]) -> dict[Side, bytes]:
    found = dict.fromkeys(Side, b"")
    for event in events:
        if isinstance(event, Sent):
            found[event.sender] += event.data
        elif isinstance(event, Missing):
            found[event.sender] += b"?" * event.size
    return found


# --- files ----------------------------------------------------------------------------


def written(packets: Iterable[tuple[float, bytes]], **options: Any) -> bytes:
    file = io.BytesIO()
    writer = dpkt.pcap.Writer(file, **options)
    for at, data in packets:
        writer.writepkt(data, at)
    return file.getvalue()


PACKETS = [(1.25, b"one"), (1_700_000_000.000001, b""), (1_700_000_000.5, b"three")]


@pytest.mark.parametrize("nano", [False, True])
def test_pcap(nano: bool) -> None:
    file = written(PACKETS, nano=nano, linktype=RAW)
    found = list(read_packets(io.BytesIO(file)))
    assert [one.data for one in found] == [data for _at, data in PACKETS]
    assert [one.at for one in found] == pytest.approx([at for at, _ in PACKETS])
    assert {one.link for one in found} == {RAW}


@pytest.mark.parametrize("parts", [10**6, 10**9])
def test_pcap_of_the_other_byte_order(parts: int) -> None:
    magic = 0xA1B2C3D4 if parts == 10**6 else 0xA1B23C4D
    file = struct.pack(">IHHiIII", magic, 2, 4, 0, 0, 65535, ETHERNET)
    file += struct.pack(">IIII", 7, parts // 2, 3, 99) + b"abc"
    assert list(read_packets(io.BytesIO(file))) == [Packet(7.5, ETHERNET, b"abc")]


def test_pcapng() -> None:
    file = io.BytesIO()
    writer = dpkt.pcapng.Writer(file, linktype=RAW)
    for at, data in PACKETS:
        writer.writepkt(data, at)
    found = list(read_packets(io.BytesIO(file.getvalue())))
    assert [one.data for one in found] == [data for _at, data in PACKETS]
    assert [one.at for one in found] == pytest.approx([at for at, _ in PACKETS])
    assert {one.link for one in found} == {RAW}


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    size = struct.pack(f"{order}I", len(body) + 12)
    return struct.pack(f"{order}I", kind) + size + body + size


def section(order: str) -> bytes:
    return block(order, 0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng_of_several_interfaces_and_sections(order: str) -> None:
    nano = struct.pack(f"{order}HHB3xHHqHH", 9, 1, 9, 14, 8, 100, 0, 0)
    binary = struct.pack(f"{order}HHB3x", 9, 1, 0x80 | 10)
    first = struct.pack(f"{order}HHI", ETHERNET, 0, 0)
    second = struct.pack(f"{order}HHI", RAW, 0, 2)
    file = b"".join(
        (
            section(order),
            block(order, 1, first + nano),
            block(order, 1, second + binary),
            block(order, 0xBAD, b"others may put here what they want"),
            block(
                order, 6, struct.pack(f"{order}IIIII", 0, 0, 5 * 10**8, 3, 3) + b"abc"
            ),
            block(order, 6, struct.pack(f"{order}IIIII", 1, 0, 512, 1, 9) + b"x"),
            block(order, 2, struct.pack(f"{order}HHIIII", 1, 0, 0, 1024, 1, 9) + b"y"),
            section(order),
            block(order, 1, second),
            block(order, 3, struct.pack(f"{order}I", 5) + b"cut"[:2]),
        )
    )
    assert list(read_packets(io.BytesIO(file))) == [
        Packet(100.5, ETHERNET, b"abc"),
        Packet(0.5, RAW, b"x"),
        Packet(1.0, RAW, b"y"),
        Packet(None, RAW, b"cu"),
    ]


@pytest.mark.parametrize(
    "option",
    [
        struct.pack("<HHq", 14, 8, 1 << 62),
        struct.pack("<HHq", 14, 8, -(1 << 62)),
        struct.pack("<HHB3x", 9, 1, 0),
    ],
    ids=["late", "early", "in whole seconds"],
)
def test_a_time_that_no_calendar_has_is_none(option: bytes) -> None:
    interface = struct.pack("<HHI", RAW, 0, 0) + option
    header = struct.pack("<IIIII", 0, 0xFFFFFFFF, 0, 1, 1)
    file = section("<") + block("<", 1, interface) + block("<", 6, header + b"x")
    assert list(read_packets(io.BytesIO(file))) == [Packet(None, RAW, b"x")]


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_a_file_that_is_cut_short_is_good_up_to_there(kind: str) -> None:
    file = io.BytesIO()
    writer = getattr(dpkt, kind).Writer(file)
    writer.writepkt(b"first", 1.0)
    whole = len(file.getvalue())
    writer.writepkt(b"second", 2.0)
    for size in range(whole + 1, len(file.getvalue())):
        packets = read_packets(io.BytesIO(file.getvalue()[:size]))
        assert next(packets).data == b"first"
        with pytest.raises(CaptureError, match="cut short"):
            next(packets)


@given(data=st.binary(max_size=200), start=st.sampled_from(("pcap", "pcapng", "")))
def test_a_damaged_file_is_refused_and_no_more(data: bytes, start: str) -> None:
    file = written([(1.0, b"x")]) if start == "pcap" else b""
    if start == "pcapng":
        file = section("<") + block("<", 1, struct.pack("<HHI", RAW, 0, 0))
    reader = Streams()
    try:
        for _event in reader.read(read_packets(io.BytesIO(file + data))):
            pass
    except CaptureError as error:
        assert str(error)  # noqa: PT017 (or nothing is wrong with it)


# --- packets --------------------------------------------------------------------------

SEGMENT = tcp(CLIENT, 3, b"data", acknowledges=7)


def ethernet(inner: bytes, kind: int = 0x0800, tags: bytes = b"") -> bytes:
    return bytes(12) + tags + struct.pack(">H", kind) + inner


@pytest.mark.parametrize(
    ("link", "packet"),
    [
        (RAW, ip(SEGMENT)),
        (228, ip(SEGMENT)),
        (NULL, b"\2\0\0\0" + ip(SEGMENT)),
        (108, b"\0\0\0\2" + ip(SEGMENT)),
        (ETHERNET, ethernet(ip(SEGMENT))),
        (ETHERNET, ethernet(ip(SEGMENT) + bytes(9))),  # filled up, for the cable
        (ETHERNET, ethernet(ip(SEGMENT), tags=b"\x81\0\0\5")),
        (ETHERNET, ethernet(ip(SEGMENT), tags=b"\x88\xa8\0\5\x81\0\0\6")),
        (SLL, bytes(14) + b"\x08\0" + ip(SEGMENT)),
        (SLL2, b"\x08\0" + bytes(18) + ip(SEGMENT)),
    ],
)
def test_a_segment_is_found_in_what_it_is_wrapped_in(link: int, packet: bytes) -> None:
    found = read_segment(link, packet)
    assert found is not None
    assert (found.source, found.target) == ("10.0.0.1:40000", "10.0.0.2:8000")
    assert (found.number, found.acknowledged) == (
        (START[CLIENT] + 4) & 0xFFFFFFFF,
        START[SERVER] + 8,
    )
    assert (found.data, found.cut, found.flags) == (b"data", 0, ACK)


@pytest.mark.parametrize(
    "extension", [b"", b"\x06\0" + bytes(6), b"\x06\1" + bytes(14)]
)
def test_ipv6(extension: bytes) -> None:
    for link, packet in (
        (RAW, ip6(SEGMENT, extension)),
        (ETHERNET, ethernet(ip6(SEGMENT, extension), 0x86DD)),
        (SLL2, b"\x86\xdd" + bytes(18) + ip6(SEGMENT, extension)),
    ):
        found = read_segment(link, packet)
        assert found is not None
        assert (found.source, found.target) == ("[::1]:40000", "[fe80::2]:8000")
        assert found.data == b"data"


def test_what_the_capture_has_cut_is_counted() -> None:
    found = read_segment(RAW, ip(SEGMENT)[:-3])
    assert found is not None
    assert (found.data, found.cut) == (b"d", 3)


def test_what_is_cut_off_ends_where_another_packet_goes_on() -> None:
    short = bytearray(ip(tcp(CLIENT, 2, b"cdefgh", acknowledges=0)))
    packets = (
        *HELLO,
        ip(tcp(CLIENT, 5, b"fg", acknowledges=0)),
        bytes(short[:-5]),
        ip(tcp(CLIENT, 0, b"ab", acknowledges=0)),
    )
    events, _reader = streams(packets)
    assert sent(events)[CLIENT] == b"abc??fg?"


def test_what_comes_early_is_not_waited_for_without_end() -> None:
    """Each piece takes memory beside its one byte."""
    reader = Streams()
    early = bytearray(ip(tcp(CLIENT, 0, b"x")))
    number = START[CLIENT] + 1
    packets = [Packet(None, RAW, ip(HELLO[0]))]
    for at in range(10, 70_000):
        struct.pack_into(">I", early, 24, (number + at) & 0xFFFFFFFF)
        packets.append(Packet(None, RAW, bytes(early)))
    events = list(reader.read(packets))
    gaps = [one.size for one in events if isinstance(one, Missing)]
    assert gaps == [10]
    assert len(events) == 2 + 70_000 - 10


def test_other_packets_are_left_alone() -> None:
    udp = dpkt.ip.IP(p=17, data=dpkt.udp.UDP(sport=1, dport=8000, data=b"x"))
    assert read_segment(RAW, bytes(udp)) is None
    assert read_segment(ETHERNET, ethernet(b"arp", 0x0806)) is None
    assert read_segment(RAW, b"") is None
    assert read_segment(RAW, ip(SEGMENT)[:30]) is None
    fragment = bytearray(ip(SEGMENT))
    fragment[6] = 0x20
    for link, packet in ((RAW, bytes(fragment)), (147, b"x")):
        with pytest.raises(NotUnderstoodError):
            read_segment(link, packet)
        _events, reader = streams([packet], link=link)
        assert sum(reader.skipped.values()) == 1


@given(link=st.sampled_from((*range(15), RAW, SLL, SLL2)), packet=st.binary())
def test_noise_is_no_segment(link: int, packet: bytes) -> None:
    for one in (packet, b"\x45" + packet, b"\x60" + packet):
        try:
            read_segment(link, one)
        except NotUnderstoodError:
            continue


# --- streams --------------------------------------------------------------------------


def test_a_connection_from_its_beginning_to_its_end() -> None:
    events, _ = streams(
        [
            *HELLO,
            tcp(CLIENT, 0, b"ask", acknowledges=0),
            tcp(SERVER, 0, b"answer", acknowledges=3),
            tcp(CLIENT, 3, flags=FIN, acknowledges=6),
            tcp(SERVER, 6, b"!", flags=FIN, acknowledges=4),
            tcp(CLIENT, 4, acknowledges=8),
        ]
    )
    link = events[0].link
    assert link == Link(1, "10.0.0.1:40000", "10.0.0.2:8000", midway=False, at=0.0)
    assert events == [
        Opened(link),
        Sent(link, CLIENT, b"ask", 2.0),
        Sent(link, SERVER, b"answer", 3.0),
        Closed(link, CLIENT, 4.0, True),
        Sent(link, SERVER, b"!", 5.0),
        Closed(link, SERVER, 5.0, True),
    ]


@given(
    data=st.binary(min_size=1, max_size=60),
    places=st.lists(st.integers(1, 59), max_size=8),
    again=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=4),
    seed=st.integers(),
)
def test_segments_in_any_order_and_more_than_once(
    data: bytes, places: list[int], again: list[tuple[int, int]], seed: int
) -> None:
    cuts = sorted({0, *(at for at in places if at < len(data)), len(data)})
    parts = [(start, data[start:stop]) for start, stop in pairwise(cuts)]
    parts += [(at, data[at : at + size]) for at, size in again if data[at:]]
    random.Random(seed).shuffle(parts)
    packets = [tcp(CLIENT, at, part, acknowledges=0) for at, part in parts]
    end = tcp(CLIENT, len(data), flags=FIN, acknowledges=0)
    events, _ = streams([*HELLO, *packets, end])
    assert not any(isinstance(event, Missing) for event in events)
    assert sent(events)[CLIENT] == data
    assert events[-2] == Closed(events[0].link, CLIENT, len(packets) + 2.0, True)


def test_what_was_received_and_not_captured_is_missing_at_once() -> None:
    events, _ = streams(
        [
            *HELLO,
            tcp(CLIENT, 0, b"abc", acknowledges=0),
            tcp(CLIENT, 8, b"ijk", acknowledges=0),
            tcp(SERVER, 0, b"!", acknowledges=11),
            tcp(CLIENT, 3, b"defgh", acknowledges=1),  # too late
        ]
    )
    link = events[0].link
    assert events[1:-2] == [
        Sent(link, CLIENT, b"abc", 2.0),
        Missing(link, CLIENT, 5, 4.0),
        Sent(link, CLIENT, b"ijk", 3.0),
        Sent(link, SERVER, b"!", 4.0),
    ]
    assert [event.finished for event in events[-2:]] == [False, False]


def test_what_nobody_acknowledged_is_missing_at_the_end() -> None:
    events, _ = streams([*HELLO, tcp(CLIENT, 2, b"cd", acknowledges=0)])
    assert sent(events)[CLIENT] == b"??cd"


def test_an_end_that_came_early_takes_a_place_of_its_own() -> None:
    events, _ = streams(
        [
            *HELLO,
            tcp(CLIENT, 5, flags=FIN, acknowledges=0),
            tcp(SERVER, 0, b"!", acknowledges=6),
        ]
    )
    assert sent(events)[CLIENT] == b"?????"
    assert [event.finished for event in events if isinstance(event, Closed)] == [
        *(True, False)
    ]


def test_of_what_came_early_the_longest_counts() -> None:
    early = [tcp(CLIENT, 5, part, acknowledges=0) for part in (b"f", b"fghij", b"fg")]
    events, _ = streams([*HELLO, *early, tcp(CLIENT, 0, b"abcde", acknowledges=0)])
    assert sent(events)[CLIENT] == b"abcdefghij"


def test_what_was_cut_is_missing() -> None:
    whole = ip(tcp(CLIENT, 0, b"abcdef", acknowledges=0))
    more = ip(tcp(CLIENT, 6, b"gh", acknowledges=0))
    events, _ = streams([*map(ip, HELLO), whole[:-4], more])
    assert sent(events)[CLIENT] == b"ab????gh"
    events, _ = streams([*map(ip, HELLO), whole[:-4], whole, more])
    assert sent(events)[CLIENT] == b"ab????gh"  # sent again, and told already


def test_a_reset_ends_both_ways() -> None:
    events, _ = streams([*HELLO, tcp(SERVER, flags=RST, acknowledges=0)])
    assert [type(event) for event in events] == [Opened, Closed, Closed]
    assert all(event.finished for event in events[1:])


def test_a_capture_that_begins_in_the_middle() -> None:
    events, _ = streams(
        [
            tcp(SERVER, 500, b"xyz", acknowledges=100),
            tcp(CLIENT, 100, b"abc", acknowledges=503),
        ]
    )
    link = events[0].link
    assert link.midway
    assert link.server == "10.0.0.2:8000"  # the lower port
    assert sent(events) == {CLIENT: b"abc", SERVER: b"xyz"}


def test_several_connections_and_a_port_that_is_used_again() -> None:
    both = [
        tcp(CLIENT, flags=SYN),
        tcp(CLIENT, flags=SYN, port=40001),
        tcp(CLIENT, 0, b"one", acknowledges=0),
        tcp(CLIENT, flags=SYN),  # sent again
        tcp(CLIENT, 0, b"two", acknowledges=0, port=40001),
        tcp(CLIENT, 3, b" more", flags=FIN, acknowledges=0),
    ]
    again = tcp(CLIENT, flags=SYN)
    again.seq = 77
    last = tcp(CLIENT, 0, b"again", acknowledges=0)
    last.seq = 78
    events, _ = streams([*both, again, last])
    opened = [event.link.number for event in events if isinstance(event, Opened)]
    assert opened == [1, 2, 3]
    data = [
        b"".join(e.data for e in events if isinstance(e, Sent) and e.link.number == n)
        for n in opened
    ]
    assert data == [b"one more", b"two", b"again"]


def test_one_port_alone() -> None:
    other = tcp(CLIENT, flags=SYN)
    other.dport = 22
    events, _ = streams([other, *HELLO, tcp(CLIENT, 0, b"x", acknowledges=0)], 8000)
    assert [event.link.server for event in events if isinstance(event, Opened)] == [
        "10.0.0.2:8000"
    ]
    assert sent(events)[CLIENT] == b"x"
    events, _ = streams([*HELLO], 9)
    assert events == []
    # a server whose port is the higher one, from the middle on
    events, _ = streams([tcp(SERVER, 0, b"x", acknowledges=0)], 40000)
    assert events[0].link.server == "10.0.0.1:40000"


def test_data_that_comes_early_without_end_is_let_go() -> None:
    packets = [tcp(CLIENT, 1 + 60_000 * at, bytes(60_000)) for at in range(300)]
    events, _ = streams([*HELLO, *packets])
    [missing] = [event for event in events if isinstance(event, Missing)]
    assert missing.size == 1
    assert missing.at is not None  # it was not at the end


# --- what tcpdump has written ---------------------------------------------------------


def test_a_capture_of_tcpdump_s_is_seen_as_it_was() -> None:
    loaded = load_schemas([EXAMPLE / "bank.amp"])
    with (EXAMPLE / "bank.pcap").open("rb") as file:
        decoding = CaptureDecoding(file, None, loaded)
        [_link, *pairs] = decoding.seen()
    assert decoding.failure is None
    found = [seen for _, seen in pairs if isinstance(seen, SeenBox)]  # type: ignore[misc]
    assert len(found) == len(pairs)
    assert [(str(one.sender), one.kind, one.command) for one in found] == [
        ("client", Kind.ASK, "Pay"),
        ("server", Kind.ASK, "Confirm"),
        ("client", Kind.ANSWER, "Confirm"),
        ("server", Kind.ANSWER, "Pay"),
        ("client", Kind.ASK, "Pay"),
        ("server", Kind.ERROR, "Pay"),
        ("client", Kind.ASK, "Bookings"),
        ("server", Kind.ITEM, "Bookings"),
        ("server", Kind.ITEM, "Bookings"),
        ("server", Kind.ANSWER, "Bookings"),
    ]
    assert found[1].fields == {"amount": "12.50", "code": "[hidden]"}
    assert not any(one.blames or one.notes or one.others for one in found)


def test_the_same_without_one_of_its_packets() -> None:
    """Whichever is lost: what is said of it is a gap, and the others are seen."""
    loaded = load_schemas([EXAMPLE / "bank.amp"])
    with (EXAMPLE / "bank.pcap").open("rb") as file:
        packets = list(read_packets(file))
    for number, packet in enumerate(packets):
        segment = read_segment(packet.link, packet.data)
        assert segment is not None
        if not segment.data:
            continue
        rest = [(one.at or 0.0, one.data) for one in packets if one is not packet]
        decoding = CaptureDecoding(io.BytesIO(written(rest)), 8000, loaded)
        seen = [one[1] for one in decoding.seen() if isinstance(one, tuple)]
        gaps = [one for one in seen if isinstance(one, SeenBytes)]
        assert [one.size for one in gaps] == [len(segment.data)], number
        assert not any(one.fault for one in seen)
