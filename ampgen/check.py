"""All that can be said of schemas: what compiling would report, and what lints find.

It stands apart from the pipeline so that compiling does not wait for it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ampgen import analysis, lint, pipeline
from ampgen.analysis.files import shown_path
from ampgen.disk import DISK, Disk
from ampgen.source import StandardInput
from ampgen.targets import python

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.diagnostics import Diagnostic, Rule

RULES: tuple[Rule, ...] = (*pipeline.RULES, *lint.RULES)


def check_schemas(
    schemas: Sequence[Path | StandardInput],
    found: Sequence[Path] = (),
    include: Sequence[Path] = (),
    disk: Disk = DISK,
) -> tuple[Diagnostic, ...]:
    """Schemas that are named, and those ``found`` in folders that are.

    Whether one package could offer the names of all that is found does not matter:
    nobody has said that it should. Lints are silent where analysis finds errors.

    Raises :class:`OSError` where a pyproject.toml cannot be read.
    """
    schema, diagnostics = analysis.analyse((*schemas, *found), include, disk)
    is_sound = not any(diagnostic.is_error for diagnostic in diagnostics)
    if schema is not None:
        named = {_shown(one) for one in schemas}
        offered = [root for root in schema.roots if root.source.path in named]
        further = python.check(replace(schema, roots=tuple(offered)))
        diagnostics = (*diagnostics, *pipeline.further(further, diagnostics))
    return lint.lint(schema if is_sound else None, diagnostics, RULES, disk)


def _shown(schema: Path | StandardInput) -> str:
    return shown_path(
        Path(schema.name) if isinstance(schema, StandardInput) else schema
    )
