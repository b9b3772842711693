"""Live Twisted ``Command`` classes as a schema: ``ampgen import``.

:mod:`live` finds the classes, :mod:`arguments` and :mod:`commands` read them into a
:mod:`draft`, which is written as text. What the language cannot say is left out, or
said otherwise, and told: in a note to the user, and in a comment of the schema.

Nothing else here imports this package: it needs Twisted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.fromtwisted.commands import Reader
from ampgen.fromtwisted.live import Problem, find
from ampgen.language.printer import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Problem", "import_schema"]


def import_schema(
    named: Sequence[str],
    *,
    service: str | None = None,
    types: Mapping[str, str] | None = None,
    keep_names: bool = False,
) -> tuple[str, tuple[str, ...]]:
    """The schema of what is ``named`` (``MODULE`` or ``MODULE:NAME``), and the notes.

    ``service`` names that of the commands which no class answers, ``types`` has the
    type of each class of arguments that only the program knows, by its dotted name.
    Raises :class:`Problem`.
    """
    found = find(named, service)
    reader = Reader(types or {}, keep_names=keep_names)
    for one in found.services:
        reader.read(one)
    reader.draft.doc = found.doc
    return canonical(reader.draft.text()), tuple(reader.notes)
