"""Names of the language, made of those that Twisted programs have."""

from __future__ import annotations

import keyword
import re
from typing import TYPE_CHECKING

from ampgen.targets.python import names as python_names

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_OTHER = re.compile(r"[^A-Za-z0-9]+")

# What no type may be called: words of the language, and its own types.
_WORDS = frozenset(
    """
    stream large raises true false bool int float str bytes decimal datetime date
    duration uuid json path fd
    """.split()  # noqa: SIM905
)


def is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text))


def cap_words(text: str) -> str:
    """A type's, a command's or a service's name: ``add-one`` is ``AddOne``."""
    words = [word for word in _OTHER.split(text) if word]
    name = "".join(word[:1].upper() + word[1:] for word in words)
    return name if name[:1].isalpha() else f"N{name}"


def snake_case(text: str) -> str:
    """A field's name: ``testCase`` is ``test_case``."""
    name = python_names.snake_case(_OTHER.sub("_", text).strip("_"))
    return name if name[:1].isalpha() else f"n{name}"


def type_name(text: str, *, keep: bool) -> str:
    """A type's name. ``class_`` is one that Python would not have as it is."""
    if keyword.iskeyword(text.removesuffix("_")):
        text = text.removesuffix("_")
    return text if keep and is_name(text) and text not in _WORDS else cap_words(text)


def command_name(text: str, *, keep: bool) -> str:
    """Unlike a type, a command may have any name."""
    return text if keep and is_name(text) else type_name(text, keep=False)


def field_name(text: str, *, keep: bool) -> str:
    return text if keep and is_name(text) else snake_case(text)


class Taken:
    """Names that stand side by side: each is given once.

    Names that differ in a last ``_`` alone count as one: in Python they may become so.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def is_free(self, *names: str) -> bool:
        return self._taken.isdisjoint(name.rstrip("_") for name in names)

    def take(self, *names: str) -> None:
        self._taken.update(name.rstrip("_") for name in names)

    def claim(self, wanted: Iterable[str], *suffixes: str) -> str:
        """The first that is free, or the last with a number; ``suffixes``: what it is
        free with, if it is to be more than one name.
        """
        name = ""
        for name in wanted:
            if self._all_free(name, suffixes):
                break
        else:
            base, number = name, 1
            while not self._all_free(name, suffixes):
                number += 1
                name = f"{base}{number}"
        self.take(*(f"{name}{suffix}" for suffix in suffixes or ("",)))
        return name

    def _all_free(self, name: str, suffixes: tuple[str, ...]) -> bool:
        return self.is_free(*(f"{name}{suffix}" for suffix in suffixes or ("",)))
