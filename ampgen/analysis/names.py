"""The names that are declared side by side: each once, none with a leading ``_``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.analysis.rules import names as rule
from ampgen.diagnostics.fixes import writing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ampgen.analysis.findings import Findings
    from ampgen.language import tree


def check_names(
    names: Iterable[tree.Name], kind: str, findings: Findings
) -> frozenset[int]:
    """Refuse what is declared twice or starts with ``_``.

    Returns the ids of the names that repeat an earlier one.
    """
    first: dict[str, tree.Name] = {}
    duplicates: set[int] = set()
    for name in names:
        earlier = first.setdefault(name.text, name)
        if earlier is not name:
            duplicates.add(id(name))
            findings.add(
                rule.DUPLICATE_NAME,
                f"{kind} `{name.text}` is declared twice",
                name.span,
                "declared again here",
                related=[(earlier.span, "first declared here")],
                help="rename one of them",
            )
        elif name.text.startswith("_"):
            refuse_underscore(name, findings)
    return frozenset(duplicates)


def refuse_underscore(name: tree.Name, findings: Findings) -> None:
    bare = name.text.lstrip("_")
    findings.add(
        rule.LEADING_UNDERSCORE,
        f"`{name.text}` starts with `_`",
        name.span,
        "such names are AMP's own",
        help=f"write `{bare}`" if bare[:1].isalpha() else "start it with a letter",
        fix=writing(name.span, bare) if bare[:1].isalpha() else None,
    )
