"""What passes on connections, printed: for `proxy`, `replay`, and recordings."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ampgen.cli.streams import lacks_characters, output_colour
from ampgen.tools.jsonvalues import dumps
from ampgen.tools.proxy.unhurried import UnhurriedOutput
from ampgen.tools.recordings.events import (
    Closed,
    Dropped,
    Ended,
    Failed,
    Opened,
    event_to_json,
)
from ampgen.tools.seeing.asjson import seen_to_json
from ampgen.tools.seeing.astext import TextPrinter, escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.recordings.events import Event
    from ampgen.tools.seeing.seen import Seen

_LAST_LINES = 2.0  # seconds for the output to take what is left in the end


def display(format_: str, *, schema: bool, raw: bool, full: bool) -> Text | Lines:
    """``schema``: there is one. ``raw`` and ``full``: as the printers have it."""
    if format_ == "json":
        return Lines(raw)
    colour = output_colour()
    return Text(
        TextPrinter(timed=True, schema=schema, raw=raw, full=full, colour=colour)
    )


class _Printed:
    def __init__(self) -> None:
        self._put: Callable[[str], object] = partial(click.echo, nl=False, color=True)

    @contextmanager
    def unhurried(self, broken: Callable[[OSError], object]) -> Generator[None]:
        """Meanwhile nobody who puts something waits until it is printed.

        ``broken``: it cannot be, and why; this is called in another thread.
        """
        output = UnhurriedOutput(_write, self.left_out, broken)
        self._put = output.put
        try:
            yield
        finally:
            output.close(_LAST_LINES)

    def put(self, text: str) -> None:
        self._put(f"{text}\n")

    def left_out(self, count: int) -> str:
        raise NotImplementedError


class Text(_Printed):
    """A line for each box, and for what happens to a connection."""

    def __init__(self, printer: TextPrinter) -> None:
        super().__init__()
        self._printer = printer
        self._ended: set[int] = set()  # connections of which one end sends no more

    def left_out(self, count: int) -> str:
        return f"… {many(count, 'line')} left out: the output is too slow\n"

    def see(self, number: int, seen: Seen) -> None:
        for one in self._printer.lines(seen, connection=number):
            self.put(one)

    def tell(self, event: Event) -> None:
        """Something that happened to a connection."""
        if isinstance(event, Ended):
            if event.number in self._ended:  # that it is closed is told in a moment
                return
            self._ended.add(event.number)
        elif isinstance(event, Closed):
            self._ended.discard(event.number)
        self.put(self._printer.told(event.at, _words(event), connection=event.number))

    def say(self, number: int, what: str, text: str) -> None:
        """Something that is to be known of a connection."""
        self.put(f"#{number:<3} {what}: {escaped(text)}")


class Lines(_Printed):
    """JSON, an object a line; what is no box is as in a recording."""

    def __init__(self, raw: bool) -> None:
        super().__init__()
        self._raw = raw

    def left_out(self, count: int) -> str:
        return f'{{"left_out":{count}}}\n'

    def see(self, number: int, seen: Seen) -> None:
        self.put_json(seen_to_json(seen, connection=number, raw=self._raw))

    def tell(self, event: Event) -> None:
        self.put_json(event_to_json(event))

    def say(self, number: int, what: str, text: str) -> None:
        self.put_json({"connection": number, what: text})

    def put_json(self, data: Json) -> None:
        self.put(dumps(data, ascii_=lacks_characters()))


def _words(event: Event) -> str:
    match event:
        case Opened(peer=peer):
            return f"opened by {peer}" if peer else "opened"
        case Ended(sender=sender):
            return f"the {sender.value} sends no more"
        case Failed(side=side, reason=reason):
            return reason if side is None else f"the {side.value} broke off: {reason}"
        case Dropped(descriptors=count):
            what = "a descriptor" if count == 1 else f"{count} descriptors"
            return f"{what} dropped: they pass between Unix sockets alone, without TLS"
        case _:
            return "closed"


def many(count: int, one: str, several: str = "") -> str:
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def _write(text: str) -> None:
    """Not by ``sys.stdout``: who waits for it in a thread would hold its lock, and the
    interpreter could not end.
    """
    out: Any = sys.stdout
    if out is None:  # it was closed before we started
        return
    left = text.encode(out.encoding, "backslashreplace")
    while left:
        left = left[os.write(out.fileno(), left) :]
