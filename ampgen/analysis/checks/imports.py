"""An import that nothing uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.analysis.rules import names as rule
from ampgen.diagnostics.fixes import removing

if TYPE_CHECKING:
    from ampgen.analysis.draft import Draft
    from ampgen.analysis.findings import Findings


def check_unused_imports(draft: Draft, findings: Findings) -> None:
    for scope in draft.scopes:
        if scope.file.damage:
            continue  # the use may stand in what could not be parsed
        for prefix, imported in scope.imports.items():
            if imported.used or imported.scope is None or imported.scope is scope:
                continue
            findings.add(
                rule.UNUSED_IMPORT,
                f"unused import `{prefix}`",
                imported.imported.node.span,
                f"nothing here uses a name of `{prefix}`",
                help="remove it",
                fix=removing(imported.imported.node.span, "the import", safe=True),
            )
