"""What is legal in a schema, and may still be regretted; one table, and its levels.

A rule of a lint, how it is explained and how it is found stand in one place. Its level
is the project's to choose (:mod:`ampgen.lint.settings`), and a comment in the schema
silences it where what it finds is meant (:mod:`ampgen.lint.allow`). Both hold for the
compiler's own warnings as well, and for no error.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ampgen.diagnostics import Severity
from ampgen.disk import DISK, Disk
from ampgen.lint.allow import IDLE_COMMENT, Allowances
from ampgen.lint.connections import FATAL, SAME_COMMAND
from ampgen.lint.docs import UNDOCUMENTED
from ampgen.lint.growth import BARE_RESULT, CLOSED_ENUM, ONEWAY
from ampgen.lint.naming import CAP_WORDS, SNAKE_CASE, UPPER_CASE
from ampgen.lint.settings import BAD_SETTING, Settings
from ampgen.lint.size import LONG_LIST
from ampgen.lint.twisted import ARGUMENT_F
from ampgen.lint.unused import UNUSED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ampgen.diagnostics import Diagnostic, Rule
    from ampgen.lint.finding import Finding, Lint
    from ampgen.model import Schema
    from ampgen.source import Source

__all__ = ["LINTS", "RULES", "lint"]

LINTS: tuple[Lint, ...] = (
    CAP_WORDS,
    SNAKE_CASE,
    UPPER_CASE,
    UNDOCUMENTED,
    UNUSED,
    BARE_RESULT,
    ONEWAY,
    CLOSED_ENUM,
    LONG_LIST,
    FATAL,
    SAME_COMMAND,
    ARGUMENT_F,
)

RULES: tuple[Rule, ...] = (*(one.rule for one in LINTS), IDLE_COMMENT, BAD_SETTING)


def lint(
    schema: Schema | None,
    known: Sequence[Diagnostic],
    rules: Sequence[Rule],
    disk: Disk = DISK,
) -> tuple[Diagnostic, ...]:
    """What is to be said of a schema: what is known, and what the lints find.

    ``known`` are the compiler's diagnostics, of the ``rules``, ours among them. Where
    it has refused something ``schema`` is ``None``: no lint can judge what is left.
    Only files named are searched, those that they import are not. What a comment or a
    level silences is left out.

    Raises :class:`OSError` where a pyproject.toml cannot be read.
    """
    settable = {rule.code: rule for rule in rules if not _is_fixed(rule)}
    fixed = {rule.code: rule for rule in rules if _is_fixed(rule)}
    settings = Settings(settable, fixed, disk)
    allowed = Allowances(settable, fixed)
    told = [one for one in known if one.is_error or not allowed.silence(one, None)]
    roots = () if schema is None else schema.roots
    sources = dict.fromkeys(module.source for module in roots)
    if schema is not None:
        places = {span for one in known for span in one.spans if one.is_error}
        for rule, finding in _findings(schema, sources):
            found = finding.told_by(rule)
            if finding.at not in places and not allowed.silence(found, finding.inside):
                told.append(found)
    told += [idle for source in sources for idle in allowed.idle(source)]
    levelled = [*_levelled(told, settings)]
    return (*levelled, *settings.diagnostics)


def _is_fixed(rule: Rule) -> bool:
    """Is it an error whatever the project says? By default no lint is one."""
    return rule.severity is Severity.ERROR


def _findings(
    schema: Schema, sources: Collection[Source]
) -> Iterator[tuple[Rule, Finding]]:
    for one in LINTS:
        for finding in one.search(schema):
            if finding.at.source in sources:
                yield one.rule, finding


def _levelled(found: Sequence[Diagnostic], settings: Settings) -> Iterator[Diagnostic]:
    for one in found:
        if _is_fixed(one.rule) or one.primary is None:
            yield one
            continue
        level = settings.level(one.rule, one.primary.span.source)
        if level is not None:
            yield replace(one, rule=replace(one.rule, severity=level))
