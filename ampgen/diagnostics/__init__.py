"""What the compiler has to say about a schema, as values.

A stage yields diagnostics; it neither prints nor raises them. A :class:`Rule` is one
thing that can be wrong: its code never changes its meaning and is never used again.
Each stage lists its rules in one table; :mod:`ampgen.diagnostics.printers` turns
diagnostics into text.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ampgen.diagnostics.fixes import Fix
    from ampgen.source import Span


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"  # nothing is wrong; there is something to know


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong with a schema.

    ``title`` is one line in the imperative mood of the message (``unknown type``);
    ``explanation`` is what ``ampgen explain CODE`` prints: why the rule is there, an
    example that breaks it, and how to mend it.
    """

    code: str
    title: str
    explanation: str
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Label:
    """A place and what is to be said about it, under its carets (may be empty)."""

    span: Span
    text: str = ""


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding: a rule that is broken at one place.

    ``related`` are further places that the reader needs ("first declared here").
    ``help`` is what to do about it, or ``None`` where nothing sure can be said; ``fix``
    is the same as edits, where it is clear to the letter. ``notes`` are what follows
    from it, a sentence each.
    ``primary`` is ``None`` only for a finding that has no place in a file.
    """

    rule: Rule
    message: str
    primary: Label | None
    related: tuple[Label, ...] = ()
    help: str | None = None
    fix: Fix | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_error(self) -> bool:
        return self.rule.severity is Severity.ERROR

    @property
    def spans(self) -> tuple[Span, ...]:
        """All the places that it speaks of."""
        labels = self.related if self.primary is None else (self.primary, *self.related)
        return tuple(label.span for label in labels)
