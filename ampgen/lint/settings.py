"""The levels of the rules, as a project's pyproject.toml sets them.

    [tool.ampgen.lint]
    AMP0804 = "off"
    AMP0809 = "error"

`[tool.ampgen.breaking]` does the same for what `ampgen breaking` reports.

What counts for a schema is the nearest pyproject.toml, in its folder or above, that has
a table `[tool.ampgen]`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ampgen.analysis.files import shown_path
from ampgen.diagnostics import Diagnostic, Label, Rule, Severity
from ampgen.diagnostics.suggest import did_you_mean
from ampgen.source import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from ampgen.disk import Disk

    Levels: TypeAlias = Mapping[str, Severity | None]

BAD_SETTING = Rule(
    "AMP0814",
    "setting that cannot be understood",
    """\
pyproject.toml sets the level of a rule by its code. The levels are `off`, `note`,
`warning` and `error`; errors of the compiler are always errors.

    [tool.ampgen.lint]
    AMP0808 = "eror"
    naming = "off"

Mend the code or the level; `ampgen explain` lists the codes:

    [tool.ampgen.lint]
    AMP0808 = "error"
    AMP0801 = "off"
""",
)

LEVELS: Mapping[str, Severity | None] = MappingProxyType(
    {"off": None, **{severity.value: severity for severity in Severity}}
)

TABLES = ("lint", "breaking")

_LEVEL_NAMES = '"off", "note", "warning" or "error"'
_NO_LEVELS: Levels = MappingProxyType({})
_TOML_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


@dataclass(slots=True)
class Settings:
    """Asks ``disk`` once for each folder. ``diagnostics``: what is wrong with them.

    ``table``: which of :data:`TABLES` has them.
    """

    settable: Mapping[str, Rule]
    errors: Mapping[str, Rule]
    disk: Disk
    table: str = "lint"
    diagnostics: list[Diagnostic] = field(default_factory=list["Diagnostic"])
    _folders: dict[str, Levels] = field(default_factory=dict[str, "Levels"])

    def level(self, rule: Rule, source: Source) -> Severity | None:
        """The level of a rule in a schema; ``None``: off.

        Raises :class:`OSError` where a pyproject.toml cannot be read.
        """
        levels = self._of(os.path.dirname(os.path.abspath(source.path)))
        return levels.get(rule.code, rule.severity)

    def _of(self, folder: str) -> Levels:
        if folder not in self._folders:
            levels = self._in(folder)
            parent = os.path.dirname(folder)
            if levels is None:
                levels = _NO_LEVELS if parent == folder else self._of(parent)
            self._folders[folder] = levels
        return self._folders[folder]

    def _in(self, folder: str) -> Levels | None:
        """What this very folder sets; ``None``: it says nothing of ampgen."""
        path = Path(folder, "pyproject.toml")
        content = self.disk.read(path)
        if content is None:
            return None
        source = Source(shown_path(path), content.decode(errors="replace"))
        document = self._parsed(source, content)
        tool = document.get("tool", {})
        if not isinstance(tool, dict) or "ampgen" not in tool:
            return None
        reader = _Reader(source, self.settable, self.errors, self.table)
        levels = dict(reader.levels(tool["ampgen"]))  # pyright: ignore[reportUnknownArgumentType]
        self.diagnostics += reader.diagnostics
        return levels

    def _parsed(self, source: Source, content: bytes) -> dict[str, Any]:
        import tomllib

        try:
            return tomllib.loads(content.decode())
        except UnicodeDecodeError:
            problem, span = "not UTF-8", Span(source, 0, 0)
        except tomllib.TOMLDecodeError as error:
            problem, span = _placed(str(error), source)
        message = f"`{source.path}` cannot be read as TOML"
        label = Label(span, problem[0].lower() + problem[1:])
        self.diagnostics.append(Diagnostic(BAD_SETTING, message, label))
        return {}


def _quoted(name: str) -> str:
    return f"`{name}`"


def _placed(message: str, source: Source) -> tuple[str, Span]:
    """What `tomllib` says, and where: it tells that in words."""
    match = _TOML_PLACE.search(message)
    if match is None:
        end = len(source.text)
        return message, Span(source, end, end)
    line, column = int(match[1]), int(match[2])
    start = (
        sum(len(one) + 1 for one in source.text.split("\n")[: line - 1]) + column - 1
    )
    return message[: match.start()], Span(source, start, start + 1)


@dataclass(slots=True)
class _Reader:
    source: Source
    settable: Mapping[str, Rule]
    errors: Mapping[str, Rule]
    table: str
    diagnostics: list[Diagnostic] = field(default_factory=list["Diagnostic"])

    def levels(self, table: object) -> Iterator[tuple[str, Severity | None]]:
        if not isinstance(table, dict):
            self._refuse("ampgen", "`[tool.ampgen]` is not a table")
            return
        for key, value in table.items():  # pyright: ignore[reportUnknownVariableType]
            if key == self.table:
                yield from self._table(value)  # pyright: ignore[reportUnknownArgumentType]
            elif key not in TABLES:
                name = str(key)  # pyright: ignore[reportUnknownArgumentType]
                known = name in self.settable or name in self.errors
                self._refuse(
                    name,
                    f"unknown key `{name}` in [tool.ampgen]",
                    f"write it under [tool.ampgen.{self.table}]"
                    if known
                    else f"its tables are {' and '.join(map(_quoted, TABLES))}",
                )

    def _table(self, table: object) -> Iterator[tuple[str, Severity | None]]:
        name = f"[tool.ampgen.{self.table}]"
        if not isinstance(table, dict):
            self._refuse(self.table, f"`{name}` is not a table")
            return
        for key, level in table.items():  # pyright: ignore[reportUnknownVariableType]
            code = str(key)  # pyright: ignore[reportUnknownArgumentType]
            if code in self.errors:
                title = self.errors[code].title
                self._refuse(
                    code,
                    f"`{code}` in {name} is always an error: {title}",
                    "remove it",
                )
            elif code not in self.settable:
                near = did_you_mean(code, self.settable)
                self._refuse(
                    code,
                    f"there is no rule `{code}`, which {name} sets",
                    f"did you mean {near}?" if near else "`ampgen explain` lists them",
                )
            elif not isinstance(level, str) or level not in LEVELS:
                near = did_you_mean(str(level), LEVELS)  # pyright: ignore[reportUnknownArgumentType]
                self._refuse(
                    code,
                    f"`{level}` is no level for `{code}` in {name}",
                    f'did you mean "{near}"?' if near else f"it is {_LEVEL_NAMES}",
                )
            else:
                yield code, LEVELS[level]

    def _refuse(self, key: str, message: str, help_: str | None = None) -> None:
        """At the place of the key, which `tomllib` does not tell."""
        text = self.source.text
        start = max(text.find(key, max(text.find("ampgen"), 0)), 0)
        end = start + len(key) if text.startswith(key, start) else start
        self.diagnostics.append(
            Diagnostic(
                BAD_SETTING, message, Label(Span(self.source, start, end)), help=help_
            )
        )
