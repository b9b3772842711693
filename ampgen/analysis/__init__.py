"""From schema files to one checked schema: load, declare, resolve, check.

Every stage goes on after a mistake, so that one run reports all that are independent.
What is refused is left out of what later stages see: nothing is reported that only
follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen import model
from ampgen.analysis.checks import CHECKS
from ampgen.analysis.declare import declare
from ampgen.analysis.findings import Findings
from ampgen.analysis.load import load
from ampgen.analysis.modules import module_paths
from ampgen.analysis.resolve import resolve
from ampgen.analysis.rules import RULES, UNSOUND
from ampgen.disk import DISK, Disk
from ampgen.source import StandardInput

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ampgen.diagnostics import Diagnostic
    from ampgen.source import Source

__all__ = ["RULES", "StandardInput", "analyse"]


def analyse(
    files: Sequence[Path | StandardInput],
    include: Sequence[Path] = (),
    disk: Disk = DISK,
) -> tuple[model.Schema | None, tuple[Diagnostic, ...]]:
    """The schema of ``files`` and all that they import, and what is wrong with it.

    ``include`` are the ``-I`` folders. Where there are errors the schema is only fit to
    be checked further; it is ``None`` where it would not even be that (``UNSOUND``).
    Diagnostics, the parser's among them, come file by file, imported files first, each
    from top to bottom; those without a place come before all others.
    """
    findings = Findings()
    loaded = load(files, include, disk, findings)
    paths = module_paths(loaded, include, disk, findings)
    scopes = declare(loaded.files, paths, findings)
    draft = resolve(scopes, findings)
    for check in CHECKS:
        check(draft, findings)
    sources = [file.tree.source for file in loaded.files]
    diagnostics = _sorted(findings.diagnostics, sources)
    if any(diagnostic.rule in UNSOUND for diagnostic in diagnostics):
        return None, diagnostics
    modules = {scope.file: scope.module for scope in scopes}
    schema = model.Schema(
        modules=tuple(modules.values()),
        roots=tuple(modules[file] for file in loaded.roots),
    )
    return schema, diagnostics


def _sorted(
    diagnostics: Sequence[Diagnostic], sources: Sequence[Source]
) -> tuple[Diagnostic, ...]:
    """By file and place; what is wrong with one place stays in the order found."""
    order = {source: number for number, source in enumerate(sources)}

    def place(diagnostic: Diagnostic) -> tuple[int, int]:
        if diagnostic.primary is None:
            return -1, 0
        span = diagnostic.primary.span
        return order[span.source], span.start

    return tuple(sorted(diagnostics, key=place))
