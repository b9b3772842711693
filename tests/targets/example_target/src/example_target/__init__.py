"""A target of ampgen: a page in Markdown for each schema.

`ampgen compile text.amp --target markdown -o pages` writes `pages/text.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.diagnostics import Diagnostic, Label, Rule, Severity
from ampgen.model import Service
from ampgen.targets.mark import generated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.model import Command, Field, Module, Schema

__all__ = ["check", "render"]

NO_DOC = Rule(
    "MD01",
    "command without a doc comment",
    "A page says what a command does.\n",
    Severity.WARNING,
)
TABLE = Rule("MD02", "doc comment that breaks a table", "Its first line has a `|`.\n")


def check(schema: Schema) -> Iterator[Diagnostic]:
    """What is wrong with a schema for its page."""
    for service in services(schema.modules):
        for command in service.commands:
            doc = command.notes.doc
            if doc is None:
                what = f"`{command.name}` will have an empty row"
                yield Diagnostic(NO_DOC, what, Label(command.span))
            elif "|" in doc.splitlines()[0]:
                what = f"the doc of `{command.name}` would break its row"
                help_ = "leave the `|` to the second line"
                yield Diagnostic(TABLE, what, Label(command.span), help=help_)


def render(schema: Schema) -> dict[str, str]:
    """Path in the output folder -> text."""
    return {f"{'/'.join(one.path)}.md": page(one) for one in schema.modules}


def page(module: Module) -> str:
    name = "/".join(module.path)
    lines = [f"<!-- {generated(f'{name}.amp')}. -->", "", f"# {name}", ""]
    if module.doc:
        lines += [module.doc, ""]
    for service in services([module]):
        lines += [f"## {service.name}", "", "| command | |", "| --- | --- |"]
        lines += map(row, service.all_commands())
        lines.append("")
    return "\n".join(lines)


def row(command: Command) -> str:
    arguments = ", ".join(map(argument, command.arguments))
    doc = (command.notes.doc or "").partition("\n")[0]
    return f"| `{command.name}({arguments})` | {doc} |"


def argument(field: Field) -> str:
    """As the schema has it: `type_span` is the place where its type is written."""
    return f"{field.name}: {field.type_span.text}"


def services(modules: tuple[Module, ...] | list[Module]) -> Iterator[Service]:
    for module in modules:
        for one in module.declarations:
            if isinstance(one, Service):
                yield one
