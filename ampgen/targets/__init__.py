"""Targets: what a schema can be made into, each a folder here.

Other packages bring their own (:mod:`ampgen.targets.installed`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ampgen.diagnostics import Diagnostic
    from ampgen.model import Schema

__all__ = ["TARGETS", "Target", "TargetError"]

TARGETS = ("python", "twisted")


class Target(Protocol):
    """What a package offers in the group of entry points ``ampgen.targets``.

    It may be any object, a module for one, that has these two functions.
    """

    def check(self, schema: Schema) -> Iterable[Diagnostic]:
        """What is wrong with the schema for this target, and what is doubtful.

        It is asked, too, where the compiler has found errors of its own: the schema may
        then have duplicates, and be without what has been refused.
        """
        ...

    def render(self, schema: Schema) -> Mapping[str, str]:
        """The files: path in the output folder, with ``/``, to text.

        It is called for a schema without errors, and is a pure function of it. Each
        text begins with a mark (:mod:`ampgen.targets.mark`).
        """
        ...


class TargetError(Exception):
    """A target cannot be used; the text is for the user."""
