"""``ampgen explain``: what an error code means, and how to mend it."""

from __future__ import annotations

from itertools import chain

import click

from ampgen.cli.completion import codes

EPILOG = """\
Example:

\b
    ampgen explain AMP0204
"""


@click.command("explain", epilog=EPILOG)
@click.argument("code", required=False, shell_complete=codes)
def COMMAND(code: str | None) -> int:  # noqa: N802 - what the table of verbs looks for
    """Tell more about an error code; without one, list them all."""
    from ampgen import check, compat
    from ampgen.cli.rules import RULES
    from ampgen.diagnostics.suggest import did_you_mean

    tables = (check.RULES, compat.RULES, RULES)
    every = sorted(chain.from_iterable(tables), key=lambda rule: rule.code)
    rules = {rule.code: rule for rule in every}
    if code is None:
        for known in rules.values():
            click.echo(f"{known.code}  {known.title}")
        return 0
    rule = rules.get(code.upper())
    if rule is None:
        near = did_you_mean(code.upper(), rules)
        hint = f"did you mean {near}?" if near else "`ampgen explain` lists them all"
        raise click.UsageError(f"there is no error code {code}; {hint}")
    click.echo(f"{rule.code}: {rule.title} ({rule.severity.value})\n")
    click.echo(rule.explanation.rstrip())
    return 0
