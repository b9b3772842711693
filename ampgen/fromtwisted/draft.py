"""The schema that is being made, as data and as text; the printer lays it out."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field

from ampgen.language.printer.tokens import quoted


@dataclass(frozen=True, slots=True)
class Field:
    """``type`` has its modifiers, and ``?``; ``comment``: why it is not as it was."""

    name: str
    key: str
    type: str
    default: str | None = None
    comment: str | None = None

    def text(self) -> str:
        wire = f"@wire({quoted(self.key)}) " if self.key != self.name else ""
        default = f" = {self.default}" if self.default is not None else ""
        return f"{comments(self.comment)}{wire}{self.name}: {self.type}{default}"


@dataclass(frozen=True, slots=True)
class Enum:
    name: str
    members: tuple[tuple[str, str], ...]
    open: bool
    doc: str | None

    def text(self) -> str:
        members = "".join(
            f"{name};\n" if name == value else f"{name} = {quoted(value)};\n"
            for name, value in self.members
        )
        kind = "open enum" if self.open else "enum"
        return f"{docs(self.doc)}{kind} {self.name} {{\n{members}}}\n"


@dataclass(slots=True)
class Record:
    """A struct or a union."""

    kind: str
    name: str
    doc: str | None = None
    fields: tuple[Field, ...] = ()

    def text(self) -> str:
        fields = "".join(f"{one.text()};\n" for one in self.fields)
        return f"{docs(self.doc)}{self.kind} {self.name} {{\n{fields}}}\n"


@dataclass(frozen=True, slots=True)
class Error:
    name: str
    code: str
    fatal: bool
    doc: str | None

    def text(self) -> str:
        kind = "fatal error" if self.fatal else "error"
        code = f" {quoted(self.code)}" if self.code != self.name else ""
        return f"{docs(self.doc)}{kind} {self.name}{code};\n"


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    wire: str
    arguments: tuple[Field, ...]
    result: tuple[Field, ...]
    errors: tuple[str, ...]
    oneway: bool
    doc: str | None
    comments: tuple[str, ...]
    stream: bool = False

    def text(self) -> str:
        wire = f"@wire({quoted(self.wire)})\n" if self.wire != self.name else ""
        kind = "oneway command" if self.oneway else "command"
        arrow = "-> stream" if self.stream else "->"
        result = f" {arrow} ({_listed(self.result)})" if self.result else ""
        raises = f" raises {', '.join(self.errors)}" if self.errors else ""
        told = "".join(map(comments, self.comments))
        return (
            f"{told}{docs(self.doc)}{wire}{kind} {self.name}"
            f"({_listed(self.arguments)}){result}{raises};\n"
        )


@dataclass(slots=True)
class Service:
    name: str
    doc: str | None
    extends: tuple[str, ...]
    calls: list[str] = field(default_factory=list[str])
    parts: list[Command | str] = field(default_factory=list["Command | str"])

    def text(self) -> str:
        extends = f" extends {', '.join(self.extends)}" if self.extends else ""
        calls = f" calls {', '.join(self.calls)}" if self.calls else ""
        parts = "\n".join(
            comments(part) if isinstance(part, str) else part.text()
            for part in self.parts
        )
        head = f"service {self.name}{extends}{calls}"
        return f"{docs(self.doc)}{head} {{\n{parts}}}\n"


@dataclass(slots=True)
class Draft:
    doc: str | None = None
    enums: list[Enum] = field(default_factory=list[Enum])
    records: list[Record] = field(default_factory=list[Record])
    errors: list[Error] = field(default_factory=list[Error])
    services: list[Service] = field(default_factory=list[Service])

    def text(self) -> str:
        parts = [docs(self.doc, "//!")]
        parts += [enum.text() for enum in self.enums]
        parts += [record.text() for record in self.records]
        parts += [error.text() for error in self.errors]
        parts += [service.text() for service in self.services]
        return "\n".join(parts)


def docs(text: str | None, mark: str = "///") -> str:
    """A docstring as doc comments: nothing, if there is nothing in it."""
    lines = inspect.cleandoc(text or "").split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    return "".join(f"{mark} {_printable(line)}".rstrip() + "\n" for line in lines)


def comments(text: str | None) -> str:
    return "" if text is None else f"// {_printable(text)}\n"


def _listed(fields: tuple[Field, ...]) -> str:
    # A comment stands on a line of its own: else it belongs to what is before it.
    return ", ".join(f"\n{one.text()}" if one.comment else one.text() for one in fields)


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line.expandtabs(4))
