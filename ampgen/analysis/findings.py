"""Where analysis notes what is wrong: it goes on after each, and never raises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.diagnostics import Diagnostic, Label
from ampgen.diagnostics.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from ampgen.diagnostics import Rule
    from ampgen.source import Span


MAX_COMPARISONS = 20_000  # half a second; a thousand wrong names need no thousand hints


class Findings:
    """Diagnostics in the order found; :func:`ampgen.analysis.analyse` sorts them."""

    __slots__ = ("_comparisons", "diagnostics")

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._comparisons = 0

    def nearest(self, name: str, known: Collection[str]) -> str | None:
        """The known name that was most likely meant; ``None``, too, after very many."""
        if self._comparisons + len(known) > MAX_COMPARISONS:
            return None
        self._comparisons += len(known)
        return did_you_mean(name, known)

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
