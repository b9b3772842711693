"""The Python target: a schema as a package of one module for each of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.targets.python.collisions import collisions
from ampgen.targets.python.package import render
from ampgen.targets.python.rules import RULES

if TYPE_CHECKING:
    from ampgen.diagnostics import Diagnostic
    from ampgen.model import Schema

__all__ = ["RULES", "check", "render"]


def check(schema: Schema) -> tuple[Diagnostic, ...]:
    """Why there is no Python for the schema; :func:`render` takes only one without."""
    return tuple(collisions(schema))
