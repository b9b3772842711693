"""Bytes that were written down or captured, to what is seen in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.tools.recordings.events import is_recording
from ampgen.tools.seeing.capture import (
    CaptureError,
    Closed,
    Link,
    Missing,
    Opened,
    Streams,
    is_capture,
    read_packets,
)
from ampgen.tools.seeing.conversation import Conversation
from ampgen.tools.seeing.hexdump import is_hex, read_hex, text_of
from ampgen.tools.seeing.interleave import interleave
from ampgen.tools.seeing.seen import Side

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

    from ampgen.tools.memory import Loaded
    from ampgen.tools.seeing.capture import Sent
    from ampgen.tools.seeing.seen import Seen


def form_of(start: bytes) -> str:
    """``pcap``, ``recording``, ``hex`` or ``raw``, by the first bytes.

    The first byte of a box is 0: no text has one, and no capture begins with it.
    """
    if is_capture(start):
        return "pcap"
    if is_recording(start):
        return "recording"
    return "hex" if is_hex(start) else "raw"


def decode_raw(sent: Mapping[Side, bytes], loaded: Loaded | None) -> Iterator[Seen]:
    """What one side has sent, or both."""
    conversation = Conversation(loaded, whole=len(sent) == len(Side))
    yield from interleave(conversation, sent)


def decode_hex(data: bytes, sender: Side, loaded: Loaded | None) -> Iterator[Seen]:
    """In the order in which it is written. ``sender``: where nothing says who it is.

    Raises ``hexdump.HexError``, at once.
    """
    written = read_hex(text_of(data))

    def seen() -> Iterator[Seen]:
        conversation = Conversation(loaded, whole=False)
        for one in written:
            yield from conversation.feed(one.sender or sender, one.data)
        for side in Side:
            yield from conversation.end(side)

    return seen()


class CaptureDecoding:
    """All connections of a capture, or those to one port.

    Once it is exhausted, ``failure`` tells why the file could not be read to its end,
    and ``skipped`` how many packets of which kind nobody understood.
    """

    def __init__(self, file: BinaryIO, port: int | None, loaded: Loaded | None) -> None:
        self._file = file
        self._loaded = loaded
        self._streams = Streams(port)
        self.failure: str | None = None
        self.skipped = self._streams.skipped

    def seen(self) -> Iterator[Link | tuple[Link, Seen]]:
        """Each connection when it is first seen, and then what is seen of it."""
        conversations: dict[int, Conversation] = {}
        ended: set[int] = set()  # by one side
        for event in self._events():
            link = event.link
            if isinstance(event, Opened):
                conversations[link.number] = Conversation(
                    self._loaded, midway=link.midway
                )
                yield link
                continue
            conversation = conversations[link.number]
            if isinstance(event, Missing):
                found = conversation.gap(event.sender, event.size, event.at)
            elif isinstance(event, Closed):
                finished = event.finished
                found = conversation.end(event.sender, event.at, finished=finished)
                if link.number in ended:  # nothing more is told of it
                    del conversations[link.number]
                ended.add(link.number)
            else:
                found = conversation.feed(event.sender, event.data, event.at)
            for one in found:
                yield link, one

    def _events(self) -> Iterator[Opened | Closed | Missing | Sent]:
        try:
            yield from self._streams.read(read_packets(self._file))
        except CaptureError as error:
            self.failure = str(error)
        except OSError as error:
            self.failure = error.strerror
        yield from self._streams.end()
