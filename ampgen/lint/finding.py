"""What a lint is, and what it finds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from ampgen.diagnostics import Diagnostic, Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ampgen.diagnostics import Rule
    from ampgen.diagnostics.fixes import Fix
    from ampgen.model import Schema
    from ampgen.source import Span


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a schema is legal, and may still be regretted.

    ``inside`` is a further place whose comment silences it, too: the name of the
    command that ``at`` is a part of. ``None`` where ``at`` itself is the name.
    """

    message: str
    at: Span
    label: str = ""
    related: tuple[Label, ...] = ()
    help: str | None = None
    inside: Span | None = None
    fix: Fix | None = None

    def told_by(self, rule: Rule) -> Diagnostic:
        primary = Label(self.at, self.label)
        return Diagnostic(
            rule, self.message, primary, self.related, self.help, self.fix
        )


Search: TypeAlias = "Callable[[Schema], Iterator[Finding]]"


@dataclass(frozen=True, slots=True)
class Lint:
    """A rule, and how what breaks it is found.

    The rule's severity is its default level. A search may yield what lies in files
    that were not named: that is left out.
    """

    rule: Rule
    search: Search
