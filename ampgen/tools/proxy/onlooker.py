"""What a relay tells, turned into conversations: shown, recorded, counted."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from ampgen.tools.recordings.events import Closed, Dropped, Ended, Failed, Opened
from ampgen.tools.seeing.conversation import Conversation
from ampgen.tools.seeing.seen import Kind, SeenBox, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ampgen.tools.memory import Loaded
    from ampgen.tools.recordings.events import Event
    from ampgen.tools.recordings.recorder import Recorder
    from ampgen.tools.seeing.seen import Seen


class Display(Protocol):
    """Shows what an onlooker sees. It must not wait for anything."""

    def see(self, number: int, seen: Seen) -> None: ...
    def tell(self, event: Event) -> None: ...


@dataclass(slots=True)
class Counts:
    """``kinds``: boxes by what they are; ``sent``: bytes of each side."""

    connections: int = 0
    failures: int = 0
    faults: int = 0
    kinds: Counter[Kind] = field(default_factory=Counter[Kind])
    sent: Counter[Side] = field(default_factory=Counter[Side])


class Onlooker:
    """The watcher of a relay. Times are in seconds since it was made.

    ``recording_failed`` is called once if the recording cannot go on, with the reason;
    what passes then is still shown.
    """

    def __init__(
        self,
        loaded: Loaded | None,
        display: Display,
        recorder: Recorder | None,
        recording_failed: Callable[[OSError], object],
    ) -> None:
        self.counts = Counts()
        self._loaded = loaded
        self._display = display
        self._recorder = recorder
        self._recording_failed = recording_failed
        self._conversations: dict[int, Conversation] = {}
        self._began = time.monotonic()

    def opened(self, number: int, peer: str) -> None:
        self.counts.connections += 1
        self._conversations[number] = Conversation(self._loaded)
        self._tell(Opened(number, self._now(), peer))

    def passed(self, number: int, sender: Side, data: bytes) -> None:
        self.counts.sent[sender] += len(data)
        now = self._now()
        self._see(number, now, self._conversations[number].feed(sender, data, now))

    def dropped(self, number: int, sender: Side, descriptors: int) -> None:
        self._tell(Dropped(number, self._now(), sender, descriptors))

    def ended(self, number: int, sender: Side) -> None:
        now = self._now()
        self._see(number, now, self._conversations[number].end(sender, now))
        self._tell(Ended(number, now, sender))

    def failed(self, number: int, side: Side | None, reason: str) -> None:
        self.counts.failures += 1
        self._tell(Failed(number, self._now(), side, reason))

    def closed(self, number: int) -> None:
        now = self._now()
        conversation = self._conversations.pop(number)
        for side in Side:  # of one that has ended by itself, nothing is left to see
            self._see(number, now, conversation.end(side, now, finished=False))
        self._tell(Closed(number, now))

    # --- where it goes ----------------------------------------------------------------

    def _now(self) -> float:
        return time.monotonic() - self._began

    def _see(self, number: int, now: float, several: Iterable[Seen]) -> None:
        for seen in several:
            if isinstance(seen, SeenBox):
                self.counts.kinds[seen.kind] += 1
                self.counts.faults += bool(seen.blames)
            else:
                self.counts.faults += seen.fault
            self._display.see(number, seen)
            if self._recorder is not None:
                self._record(self._recorder.as_event(number, now, seen))

    def _tell(self, event: Event) -> None:
        self._display.tell(event)
        self._record(event)

    def _record(self, event: Event) -> None:
        if self._recorder is None:
            return
        try:
            self._recorder.write(event)
        except OSError as error:
            self._recorder.close()
            self._recorder = None
            self._recording_failed(error)
