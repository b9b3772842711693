"""The Twisted target: a schema as classes for ``twisted.protocols.amp``.

What is made needs Twisted alone. It has the names, and the order, of the Python target
wherever both have a thing; what that refuses for its names is refused here as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.targets.python.collisions import collisions
from ampgen.targets.templates import ours
from ampgen.targets.twisted.checks import own_checks
from ampgen.targets.twisted.rules import RULES

if TYPE_CHECKING:
    from ampgen.diagnostics import Diagnostic
    from ampgen.model import Schema
    from ampgen.source import Span
    from ampgen.targets.templates import Templates

__all__ = ["RULES", "check", "render"]


def check(schema: Schema) -> tuple[Diagnostic, ...]:
    """Why there are no such classes; :func:`render` takes only a schema without."""
    found: dict[frozenset[Span], Diagnostic] = {}
    for diagnostic in (*collisions(schema), *own_checks(schema)):
        # Two things that would share a name may well share several: told once.
        found.setdefault(frozenset(diagnostic.spans), diagnostic)
    return tuple(found.values())


def render(schema: Schema, templates: Templates | None = None) -> dict[str, str]:
    """Path inside the output folder -> text. A pure function of the schema.

    Of the templates as well, where they are not ours.
    """
    from ampgen.targets.twisted import package  # not for whoever makes Python

    return package.render(schema, templates or ours())
