"""How the verbs that look at a conversation take a schema, and print what is seen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ampgen.cli.options import include_option
from ampgen.cli.streams import lacks_characters, output_colour

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ampgen.tools.memory import Loaded
    from ampgen.tools.seeing.seen import Seen

F = TypeVar("F", bound="Callable[..., Any]")

_OPTIONS = (
    click.option(
        "--raw", is_flag=True, help="Show the bytes of values that no schema knows."
    ),
    click.option("--full", is_flag=True, help="Show long values as a whole."),
    click.option(
        "--format",
        "format_",
        type=click.Choice(("text", "json")),
        default="text",
        show_default=True,
        help="Text, or an object of JSON for each box.",
    ),
)


def printing(verb: F) -> F:
    """Give a verb ``raw``, ``full`` and ``format_``."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb


def seeing(verb: F) -> F:
    """The same, and ``include``."""
    return include_option("imports of the schemas")(printing(verb))


def loaded(schemas: Sequence[str], include: Sequence[Path]) -> Loaded | None:
    """The schemas to go by, if there are any; diagnostics end the verb with 1."""
    if not schemas:
        if include:
            raise click.UsageError("-I is for the imports of a schema: name one")
        return None
    from ampgen.cli.contract import from_files
    from ampgen.cli.inputs import check_paths

    check_paths(schemas)
    if "-" in schemas:
        raise click.UsageError("a schema is a file here, and not standard input")
    return from_files(schemas, include).loaded


@dataclass(slots=True)
class SeenPrinter:
    """Prints, as it comes. ``faults``: how much of it was at fault.

    ``schema``: there is one to go by. ``timed``: there are times to show.
    """

    format_: str
    schema: bool
    timed: bool
    raw: bool = False
    full: bool = False
    faults: int = 0
    _text: Any = None

    def opened(
        self,
        connection: int,
        client: str,
        server: str,
        *,
        midway: bool = False,
        at: float | None = None,
    ) -> None:
        """A connection: what is seen of it comes with its number.

        ``midway``: it was there before. ``at``: seconds since 1970.
        """
        if self.format_ == "json":
            found: dict[str, Any] = {"connection": connection}
            if at is not None:
                found["time"] = at
            found |= {"kind": "connection", "client": client, "server": server}
            self._write_json(found | {"midway": midway})
            return
        text = f"#{connection:<3} {client} > {server}"
        if at is not None:
            self._printer().begin(at)
            moment = datetime.fromtimestamp(at, UTC)
            text += f", {moment:%Y-%m-%d %H:%M:%S.%f} UTC"
        if midway:
            text += ", in the middle of it"
        self._write(text)

    def seen(self, seen: Seen, connection: int | None = None) -> None:
        self.faults += seen.fault
        if self.format_ == "json":
            from ampgen.tools.seeing.asjson import seen_to_json

            self._write_json(seen_to_json(seen, connection=connection, raw=self.raw))
            return
        for line in self._printer().lines(seen, connection=connection):
            self._write(line)

    def _printer(self) -> Any:
        if self._text is None:
            from ampgen.tools.seeing.astext import TextPrinter

            self._text = TextPrinter(
                timed=self.timed,
                schema=self.schema,
                raw=self.raw,
                full=self.full,
                colour=output_colour(),
            )
        return self._text

    def _write_json(self, data: Any) -> None:
        from ampgen.tools.seeing.asjson import json_line

        self._write(json_line(data, ascii_=lacks_characters()))

    def _write(self, line: str) -> None:
        click.echo(line, color=True)
