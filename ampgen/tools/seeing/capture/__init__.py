"""Captures of packets (pcap, pcapng), down to what each end of a connection has sent.

`files` reads packets out of a file, `packets` finds the TCP segment in one, `streams`
puts the segments of each connection in order. Nothing but the standard library: the
formats are short, and the packages for them come with licences or with years of silence
that a tool for trouble should not depend on.
"""

from ampgen.tools.seeing.capture.files import CaptureError, is_capture, read_packets
from ampgen.tools.seeing.capture.streams import (
    Closed,
    Link,
    Missing,
    Opened,
    Sent,
    Streams,
)

__all__ = [
    "CaptureError",
    "Closed",
    "Link",
    "Missing",
    "Opened",
    "Sent",
    "Streams",
    "is_capture",
    "read_packets",
]
