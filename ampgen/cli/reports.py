"""What a verb has to say on standard error, in the format that was asked for."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from ampgen.cli.streams import colour

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ampgen.diagnostics import Diagnostic, Rule


class Report:
    """Plain lines, which come at once, and diagnostics, which :meth:`print` prints.

    In the formats for programs a line is a diagnostic like the others, and all come at
    the end: one document may have to hold them.
    """

    def __init__(self, format_: str) -> None:
        self._format = format_
        self._told: list[Diagnostic] = []
        self.has_errors = False

    @property
    def is_text(self) -> bool:
        return self._format == "text"

    def add(self, diagnostics: Iterable[Diagnostic]) -> None:
        for one in diagnostics:
            self._told.append(one)
            self.has_errors |= one.is_error

    def failed(self, reason: str) -> None:
        """Something could not be read or written."""
        from ampgen.cli.rules import NOT_DONE

        self.has_errors = True
        if self.is_text:
            click.echo(f"error: {reason}", err=True)
        else:
            self._tell(NOT_DONE, reason, None)

    def not_read(self, error: OSError, where: str) -> None:
        """``where``: what it was, if the error does not say."""
        parts = (os.fsdecode(error.filename or where), error.strerror)
        self.failed(": ".join(part for part in parts if part))

    def note(self, rule: Rule, text: str) -> None:
        if self.is_text:
            click.echo(f"note: {text}", err=True)
        else:
            self._tell(rule, text, None)

    def file(self, rule: Rule, what: str, path: Path | str) -> None:
        """A file that is not as it should be, in a word."""
        if self.is_text:
            click.echo(f"{what}: {path}", err=True)
        else:
            self._tell(rule, f"{what}: {path}", path)

    def print(self) -> None:
        from ampgen.diagnostics.printers import print_diagnostics

        print_diagnostics(self._told, sys.stderr, self._format, colour())

    def tell_fixes(self) -> None:
        """How much of it `ampgen fix` can mend; a program reads that in the fixes."""
        fixes = [one.fix for one in self._told if one.fix is not None]
        safe = sum(fix.safe for fix in fixes)
        unsafe = len(fixes) - safe
        if not self.is_text or not fixes:
            return
        if not safe:
            line = f"`ampgen fix --unsafe` can mend {unsafe}"
        else:
            more = f", and {unsafe} more with --unsafe" if unsafe else ""
            line = f"`ampgen fix` can mend {safe}{more}"
        click.echo(line, err=True)

    def _tell(self, rule: Rule, message: str, path: Path | str | None) -> None:
        from ampgen.diagnostics import Diagnostic, Label
        from ampgen.source import Source, Span

        label = None
        if path is not None:
            label = Label(Span(Source(str(path), ""), 0, 0))
        self._told.append(Diagnostic(rule, message, label))
