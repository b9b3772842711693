"""The stages, on one screen: load, resolve, check, plan and lay out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ampgen import analysis
from ampgen.language import rules as language_rules
from ampgen.targets import python

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ampgen.analysis import StandardInput
    from ampgen.diagnostics import Diagnostic, Rule

RULES: tuple[Rule, ...] = (*language_rules.RULES, *analysis.RULES, *python.RULES)


@dataclass(frozen=True, slots=True)
class Compiled:
    """``files``: path in the output folder -> text; ``None`` where there are errors."""

    files: dict[str, str] | None
    diagnostics: tuple[Diagnostic, ...]


def compile_schemas(
    schemas: Sequence[Path | StandardInput], include: Sequence[Path] = ()
) -> Compiled:
    """Nothing is written: :mod:`ampgen.output` does that."""
    schema, diagnostics = analysis.analyse(schemas, include)
    if schema is None:
        return Compiled(None, diagnostics)
    diagnostics = (*diagnostics, *python.check(schema))
    if any(diagnostic.is_error for diagnostic in diagnostics):
        return Compiled(None, diagnostics)
    return Compiled(python.render(schema), diagnostics)
