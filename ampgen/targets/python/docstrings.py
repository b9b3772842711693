"""Doc comments as Python docstrings: any text, escaped, and as ``ruff format`` leaves
it.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from ampgen.frozen import frozen
from ampgen.targets.python.layout import INDENT

if TYPE_CHECKING:
    from collections.abc import Sequence


@frozen
class Section:
    """``Arguments:`` and the like. Each entry is a name and its doc, which may be
    empty.
    """

    title: str
    entries: tuple[tuple[str, str], ...]


def deprecation(reason: str) -> str:
    return f"Deprecated: {reason}" if reason else "Deprecated."


def prose(doc: str | None, deprecated: str | None) -> str:
    """The doc, and why not to use it, where that is no decorator's to say."""
    if deprecated is None:
        return doc or ""
    reason = deprecation(deprecated)
    return f"{doc}\n\n{reason}" if doc else reason


def docstring(
    doc: str,
    sections: Sequence[Section] = (),
    *,
    indent: int,
    title: str = "",
    always: bool = True,
) -> str | None:
    """The docstring, indented, or ``None`` where there is nothing to say.

    ``title`` stands for a missing doc: always, or only where sections follow, which
    cannot stand alone.
    """
    told = [section for section in sections if section.entries]
    text = _clean(doc) or (_clean(title) if told or always else "")
    blocks = [text, *(_section(section) for section in told)]
    body = "\n\n".join(block for block in blocks if block)
    if not body:
        return None
    return _quote(body, INDENT * indent)


def _section(section: Section) -> str:
    lines = [f"{section.title}:"]
    for name, doc in section.entries:
        first, *rest = _clean(doc).split("\n")
        lines.append(f"{INDENT}{name}: {first}" if first else f"{INDENT}{name}")
        lines.extend(f"{INDENT * 2}{line}" if line else "" for line in rest)
    return "\n".join(lines)


def _clean(doc: str) -> str:
    """Escaped; indented as Python's own tools would show it; no blank line at either
    end.
    """
    lines = [escape(line.expandtabs(4)).rstrip(" ") for line in doc.split("\n")]
    if len(lines) == 1:
        return lines[0].lstrip(" ")
    return inspect.cleandoc("\n".join(lines)).strip("\n")


def escape(line: str) -> str:
    """A line of text as it stands inside of three double quotes."""
    line = line.replace("\\", "\\\\").replace('"""', '""\\"')
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)


def _quote(body: str, margin: str) -> str:
    if body.startswith('"'):
        body = "\\" + body  # four quotes in a row would end the docstring early
    if "\n" not in body:
        if body.endswith('"') and not _is_escaped_last(body):
            body = body[:-1] + '\\"'
        if not body.endswith("\\"):
            return f'{margin}"""{body}"""'
    lines = body.split("\n")
    rest = [margin + line if line else "" for line in lines[1:]]
    return "\n".join([f'{margin}"""{lines[0]}', *rest, f'{margin}"""'])


def _is_escaped_last(body: str) -> bool:
    """Is the last character escaped, by an odd number of backslashes?"""
    before = body[:-1]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
