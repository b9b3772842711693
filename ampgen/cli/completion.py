"""What a shell offers behind a verb: schemas, folders, codes, what a schema declares.

Click asks for it where the environment says so; nothing here may fail or print.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Iterable

    import click

    from ampgen.diagnostics import Rule

_PLAIN = re.compile(r"[\w./+@%-]*")  # what no shell has to quote


def schemas(
    _context: click.Context | None, _parameter: click.Parameter | None, begun: str
) -> list[CompletionItem]:
    """Schema files, and folders on the way to some."""
    parent, slash, name = begun.rpartition("/")
    found = _found(f"{parent}{slash}", name)
    while len(found) == 1 and found[0].endswith("/"):
        # Shells put a space behind the only word, and here it is not the last.
        inside = _found(found[0], "")
        if not inside:
            break
        found = inside
    if not all(map(_PLAIN.fullmatch, found)):
        return [CompletionItem(begun, type="file")]
    return [CompletionItem(one) for one in found]


def _found(folder: str, begun: str) -> list[str]:
    try:
        entries = list(os.scandir(folder or "."))
    except OSError:
        return []
    found: list[str] = []
    for entry in entries:
        hidden = entry.name.startswith(".") and not begun.startswith(".")
        if hidden or not entry.name.startswith(begun):
            continue
        if entry.is_dir():
            found.append(f"{folder}{entry.name}/")
        elif entry.name.endswith(".amp"):
            found.append(f"{folder}{entry.name}")
    return sorted(found)


def folders(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    return [CompletionItem(begun, type="dir")]


def files(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    return [CompletionItem(begun, type="file")]


def codes(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Codes of rules, with their titles where the shell shows those."""
    from ampgen import check, compat
    from ampgen.cli.rules import RULES

    return _codes((*check.RULES, *compat.RULES, *RULES), begun)


def codes_in_schemas(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Those alone of what `ampgen check` may report."""
    from ampgen import check

    return _codes(check.RULES, begun)


def _codes(rules: Iterable[Rule], begun: str) -> list[CompletionItem]:
    return [
        CompletionItem(rule.code, help=rule.title)
        for rule in sorted(rules, key=lambda rule: rule.code)
        if rule.code.startswith(begun.upper())
    ]


def declared(
    context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Services and commands of the schema that is named before."""
    from ampgen.cli.contract import completions, is_schema

    place: str = context.params.get("place") or ""
    if not is_schema(place):
        return []
    commands = completions([place], context.params.get("include") or ())
    services = dict.fromkeys(one.partition(".")[0] for one in commands)
    return [
        CompletionItem(one) for one in (*services, *commands) if one.startswith(begun)
    ]


def services(
    context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Those of the schema that is named before."""
    from ampgen.cli.contract import completions, is_schema

    # behind an option that still lacks its value click takes no word for an argument
    words: list[str] = [context.params.get("schema") or "", *context.args]
    schema = next(filter(is_schema, words), None)
    if schema is None:
        return []
    commands = completions([schema], context.params.get("include") or ())
    names = dict.fromkeys(one.partition(".")[0] for one in commands)
    return [CompletionItem(one) for one in names if one.startswith(begun)]


def called(
    context: click.Context, parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """What `call` goes on with: a schema, then its commands, then their arguments."""
    from ampgen.cli.contract import completions, is_schema

    words: tuple[str, ...] = context.params.get("words") or ()
    # bash takes an address for several words: it parts them at colons
    at = next((at for at, word in enumerate(words) if is_schema(word)), None)
    if at is None:
        return schemas(context, parameter, begun)
    found = completions(words[at:], context.params.get("include") or ())
    return [CompletionItem(one) for one in found if one.startswith(begun)]
