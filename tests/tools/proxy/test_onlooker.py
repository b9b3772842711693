"""What a relay tells is shown, recorded and counted."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

from ampgen.tools.proxy.onlooker import Onlooker
from ampgen.tools.recordings.events import Closed, Dropped, Ended, Failed, Opened
from ampgen.tools.recordings.reader import Recording
from ampgen.tools.recordings.recorder import Recorder
from ampgen.tools.seeing.seen import Break, Kind, SeenBox, SeenBytes, Side
from tests.raw import box

if TYPE_CHECKING:
    from pathlib import Path

    from ampgen.tools.recordings.events import Event
    from ampgen.tools.seeing.seen import Seen

CLIENT, SERVER = Side.CLIENT, Side.SERVER
ASK = box({b"_ask": b"1", b"_command": b"Do"})
ANSWER = box({b"_answer": b"1"})


class Display:
    def __init__(self) -> None:
        self.boxes: list[SeenBox] = []
        self.bytes: list[SeenBytes] = []
        self.events: list[type[Event]] = []

    def see(self, number: int, seen: Seen) -> None:
        if isinstance(seen, SeenBox):
            self.boxes.append(seen)
        else:
            self.bytes.append(seen)

    def tell(self, event: Event) -> None:
        self.events.append(type(event))


def watching(
    recorder: Recorder | None = None,
) -> tuple[Onlooker, Display, list[OSError]]:
    display = Display()
    failed: list[OSError] = []
    return Onlooker(None, display, recorder, failed.append), display, failed


def test_each_connection_is_a_conversation_of_its_own() -> None:
    onlooker, display, _ = watching()
    for number in (1, 2):
        onlooker.opened(number, "")
        onlooker.passed(number, CLIENT, ASK)
    for number in (2, 1):
        onlooker.passed(number, SERVER, ANSWER[:5])
        onlooker.passed(number, SERVER, ANSWER[5:])
        onlooker.closed(number)
    assert [(one.kind, one.command) for one in display.boxes] == [
        (Kind.ASK, "Do"),
        (Kind.ASK, "Do"),
        (Kind.ANSWER, "Do"),
        (Kind.ANSWER, "Do"),
    ]
    counts = onlooker.counts
    assert (counts.connections, counts.faults, counts.failures) == (2, 0, 0)
    assert counts.kinds == {Kind.ASK: 2, Kind.ANSWER: 2}
    assert counts.sent == {CLIENT: 2 * len(ASK), SERVER: 2 * len(ANSWER)}
    assert all((one.elapsed or 0) > 0 for one in display.boxes[2:])


def test_half_a_box_is_the_fault_of_who_ends_and_not_of_who_is_cut_off() -> None:
    for ends, faults in ((True, 1), (False, 0)):
        onlooker, display, _ = watching()
        onlooker.opened(1, "")
        onlooker.passed(1, CLIENT, ASK[:5])
        if ends:
            onlooker.ended(1, CLIENT)
        onlooker.closed(1)
        [cut] = display.bytes
        assert (cut.why, cut.size) == (Break.CUT, 5)
        assert onlooker.counts.faults == faults


def test_what_happens_to_connections_is_told() -> None:
    onlooker, display, _ = watching()
    onlooker.failed(1, None, "no TLS")
    onlooker.opened(2, "127.0.0.1:5")
    onlooker.dropped(2, CLIENT, 1)
    onlooker.ended(2, CLIENT)
    onlooker.failed(2, SERVER, "reset")
    onlooker.closed(2)
    assert display.events == [Failed, Opened, Dropped, Ended, Failed, Closed]
    assert (onlooker.counts.connections, onlooker.counts.failures) == (1, 2)


def test_a_recording_that_fails_is_told_once_and_all_else_goes_on(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a"
    recorder: Any = Recorder(str(path), None, "", secrets=True)
    onlooker, display, failed = watching(recorder)
    onlooker.opened(1, "")
    onlooker.passed(1, CLIENT, ASK)
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, recorder._file)  # from now on a write fails
    os.close(writing)
    onlooker.passed(1, SERVER, ANSWER)
    onlooker.closed(1)
    assert [error.errno for error in failed] == [errno.EPIPE]
    assert len(display.boxes) == 2
    recorder.close()
    recording = Recording(path.read_bytes().splitlines(keepends=True))
    assert len(list(recording.events())) == 2
