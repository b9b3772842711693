"""The stages, on one screen: load, resolve, check, plan and lay out."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from ampgen import analysis
from ampgen.disk import DISK, Disk
from ampgen.language import rules as language_rules
from ampgen.targets import TargetError, owntemplates, python, twisted
from ampgen.targets.templates import ours

__all__ = ["RULES", "Compiled", "TargetError", "compile_schemas", "further"]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ampgen.diagnostics import Diagnostic, Rule
    from ampgen.model import Schema
    from ampgen.source import StandardInput
    from ampgen.targets.templates import Templates

RULES: tuple[Rule, ...] = (
    *language_rules.RULES,
    *analysis.RULES,
    *python.RULES,
    *twisted.RULES,
    *owntemplates.RULES,
)

_Check: TypeAlias = "Callable[[Schema], tuple[Diagnostic, ...]]"
_Render: TypeAlias = "Callable[[Schema, Templates], dict[str, str]]"

# Of each: what is wrong with a schema for it, and the files that it makes.
_TARGETS: Mapping[str, tuple[_Check, _Render]] = MappingProxyType(
    {
        "python": (python.check, python.render),
        "twisted": (twisted.check, twisted.render),
    }
)


@dataclass(frozen=True, slots=True)
class Compiled:
    """``files``: path in the output folder -> text; ``None`` where there are errors.

    ``schema`` is what they were made of.
    """

    files: dict[str, str] | None
    diagnostics: tuple[Diagnostic, ...]
    schema: Schema | None = None


def compile_schemas(
    schemas: Sequence[Path | StandardInput],
    include: Sequence[Path] = (),
    disk: Disk = DISK,
    target: str = "python",
    templates: Path | None = None,
) -> Compiled:
    """Nothing is written: :mod:`ampgen.output` does that.

    ``target`` is one of :data:`ampgen.targets.TARGETS`, or what another package offers
    (:class:`TargetError` where that cannot be used).
    ``templates`` is a folder of templates that go before ours; other packages' targets
    have none.
    """
    check, render = _TARGETS.get(target) or _installed(target)
    schema, diagnostics = analysis.analyse(schemas, include, disk)
    if schema is not None:
        try:
            found = check(schema)
        except TargetError:
            if not any(diagnostic.is_error for diagnostic in diagnostics):
                raise
            found = ()  # what is wrong with the schema may be why
        diagnostics = (*diagnostics, *further(found, diagnostics))
    if schema is None or any(diagnostic.is_error for diagnostic in diagnostics):
        return Compiled(None, diagnostics)
    if templates is None:
        return Compiled(render(schema, ours()), diagnostics, schema)
    files, faults = owntemplates.render(schema, render, templates, disk)
    return Compiled(files, (*diagnostics, *faults), schema)


def _installed(target: str) -> tuple[_Check, _Render]:
    from ampgen.targets.installed import find  # it looks through what is installed

    loaded = find(target).load()
    return loaded.check, lambda schema, _templates: loaded.render(schema)


def further(
    found: Sequence[Diagnostic], known: Sequence[Diagnostic]
) -> Iterator[Diagnostic]:
    """Those found at places of which nothing is said yet: one mistake, one report."""
    places = {span for diagnostic in known for span in diagnostic.spans}
    return (one for one in found if places.isdisjoint(one.spans))
