"""A schema file as analysis holds it: its tree, its imports, what it may have lost."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ampgen.frozen import frozen
from ampgen.source import shown_path

if TYPE_CHECKING:
    from pathlib import Path

    from ampgen.language import tree
    from ampgen.source import Span

__all__ = ["NAME", "Loaded", "LoadedFile", "LoadedImport", "shown_path"]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")

# What stands at the start of a statement behind one or two words, misspelt or not.
_DECLARED = re.compile(
    r"(?:^|[;{}])\s*(?:\w+\s+){1,2}?(\w+)(?=\s*[{=;\"]|\s*$)", re.MULTILINE
)


@frozen
class LoadedImport:
    """``name`` is what the file calls it, ``None`` where its stem is none.

    ``file`` is ``None`` where it could not be read (reported already).
    """

    node: tree.Import
    name: tree.Name | None
    file: LoadedFile | None


@dataclass(eq=False, slots=True)
class LoadedFile:
    """One parsed file. ``path`` is absolute, as it was reached; links are not resolved.

    ``reached_at`` is the import that reached it first, ``None`` for the command line.
    ``damage`` are the places of its syntax errors: what stood there is not in the tree.
    """

    path: Path
    tree: tree.File
    reached_at: Span | None
    damage: tuple[Span, ...]
    imports: list[LoadedImport] = field(default_factory=list[LoadedImport])
    _declared: frozenset[str] = field(init=False, repr=False)
    _mentioned: dict[str, set[int]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        source = self.tree.source
        numbers = sorted({source.position(hurt.start)[0] for hurt in self.damage})
        lines = [source.line(number) for number in numbers]
        self._declared = frozenset(_DECLARED.findall("\n".join(lines)))
        self._mentioned = {}
        for number, line in zip(numbers, lines, strict=True):
            for word in re.findall(r"\w+", line):
                self._mentioned.setdefault(word, set()).add(number)

    def is_damaged(self, span: Span) -> bool:
        """Is there a syntax error inside ``span``, so that some of it is missing?"""
        return any(span.start <= hurt.start <= span.end for hurt in self.damage)

    def may_declare(self, name: str) -> bool:
        """Could a syntax error have hidden the declaration of ``name``?"""
        return name in self._declared

    def may_mention(self, name: str, used_at: Span) -> bool:
        """Could a syntax error have hidden this member of an enum, or import?

        A broken line on which it is merely used, at ``used_at``, hides neither.
        """
        lines = self._mentioned.get(name, set())
        if used_at.source is self.tree.source:
            lines = lines - {used_at.source.position(used_at.start)[0]}
        return bool(lines)


@frozen
class Loaded:
    """``files``: imported ones before those that import them; ``roots`` as named.

    ``folders``: of all that was named, whether it could be read or not.
    """

    files: tuple[LoadedFile, ...]
    roots: tuple[LoadedFile, ...]
    folders: tuple[Path, ...]
