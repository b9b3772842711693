"""Where analysis notes what is wrong: it goes on after each, and never raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.diagnostics import Diagnostic, Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ampgen.diagnostics import Rule
    from ampgen.source import Span


class Findings:
    """Diagnostics in the order found; :func:`ampgen.analysis.analyse` sorts them."""

    __slots__ = ("diagnostics",)

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []

    def add(
        self,
        rule: Rule,
        message: str,
        at: Span | None,
        label: str = "",
        *,
        related: Iterable[tuple[Span, str]] = (),
        help: str | None = None,  # noqa: A002 - the field of that name
    ) -> None:
        """Note one finding; ``label`` goes under the carets at ``at``."""
        self.diagnostics.append(
            Diagnostic(
                rule,
                message,
                None if at is None else Label(at, label),
                tuple(Label(span, text) for span, text in related),
                help,
            )
        )
