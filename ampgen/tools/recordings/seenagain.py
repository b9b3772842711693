"""A recording, looked at once more: the boxes in it, as they were seen."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ampgen.runtime.wire import write_box
from ampgen.tools.recordings.events import Boxed, Broken, Closed
from ampgen.tools.recordings.withholding import Length, as_bytes
from ampgen.tools.seeing.conversation import Conversation
from ampgen.tools.seeing.seen import SeenBox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.tools.memory import Loaded
    from ampgen.tools.recordings.events import Event
    from ampgen.tools.recordings.reader import Recording
    from ampgen.tools.seeing.seen import Seen


def decode_recording(
    recording: Recording, loaded: Loaded | None
) -> Iterator[Event | tuple[int, Seen]]:
    """What was seen, with the number of its connection, and what else happened.

    Raises ``RecordingError``, at whatever line.
    """
    conversations: dict[int, Conversation] = {}
    for event in recording.events():
        if isinstance(event, Boxed):
            talk = conversations.get(event.number)
            if talk is None:
                talk = conversations[event.number] = Conversation(loaded)
            yield event.number, see_again(talk, event)
        elif isinstance(event, Broken):
            yield event.number, event.seen
        else:
            if isinstance(event, Closed):
                conversations.pop(event.number, None)
            yield event


def see_again(conversation: Conversation, event: Boxed) -> SeenBox:
    """The box as it was, or as much as the recording has of it."""
    box = {key: as_bytes(value) for key, value in event.box.items()}
    (seen,) = conversation.feed(event.sender, write_box(box), event.at)
    if not isinstance(seen, SeenBox):
        raise AssertionError("what write_box has made is a box")
    if isinstance(event.box.get(b"_error_description"), Length):
        return replace(seen, description=None)
    return seen
