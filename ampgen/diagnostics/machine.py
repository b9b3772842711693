"""For programs: lines (``short``, ``json``, ``github``), or one SARIF document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote

from ampgen.diagnostics import Severity
from ampgen.diagnostics.snippet import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.diagnostics import Diagnostic, Label, Rule
    from ampgen.diagnostics.fixes import Fix
    from ampgen.source import Span

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def short(diagnostics: Sequence[Diagnostic]) -> str:
    """``file:line:column: error[CODE]: message``, as compilers print it."""
    lines: list[str] = []
    for diagnostic in diagnostics:
        place = f"{diagnostic.primary.span.place}: " if diagnostic.primary else ""
        rule = diagnostic.rule
        kind = f"{rule.severity.value}[{rule.code}]"
        lines.append(f"{visible(place)}{kind}: {visible(diagnostic.message)}\n")
    return "".join(lines)


def json_lines(diagnostics: Sequence[Diagnostic]) -> str:
    """One object a line; what a finding without a place lacks is ``null``."""
    return "".join(json.dumps(_json(diagnostic)) + "\n" for diagnostic in diagnostics)


def _json(diagnostic: Diagnostic) -> Json:
    primary = diagnostic.primary
    place: dict[str, Json] = dict.fromkeys(
        ("file", "line", "column", "end_line", "end_column")
    )
    return {
        "code": diagnostic.rule.code,
        "severity": diagnostic.rule.severity.value,
        "message": diagnostic.message,
        **(place if primary is None else _json_place(primary.span)),
        "label": primary.text if primary else "",
        "related": [
            {**_json_place(label.span), "label": label.text}
            for label in diagnostic.related
        ],
        "notes": [*diagnostic.notes],
        "help": diagnostic.help,
        "fix": None if diagnostic.fix is None else _json_fix(diagnostic.fix),
    }


def _json_fix(fix: Fix) -> Json:
    return {
        "title": fix.title,
        "safe": fix.safe,
        "edits": [{**_json_place(edit.span), "text": edit.text} for edit in fix.edits],
    }


def _json_place(span: Span) -> dict[str, Json]:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "file": span.source.path,
        "line": line,
        "column": column,
        "end_line": end_line,
        "end_column": end_column,
    }


def github(diagnostics: Sequence[Diagnostic]) -> str:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    return "".join(_github(diagnostic) + "\n" for diagnostic in diagnostics)


def _github(diagnostic: Diagnostic) -> str:
    rule = diagnostic.rule
    properties: list[str] = []
    if diagnostic.primary is not None:
        span = diagnostic.primary.span
        line, column = span.source.position(span.start)
        properties.append(f"file={_github_property(span.source.path)}")
        properties.append(f"line={line},col={column}")
    properties.append(f"title={_github_property(rule.code)}")
    message = _whole_message(diagnostic)
    for label in diagnostic.related:
        message += f"\n{label.span.place}: {label.text}"
    command = f"::{_GITHUB_COMMANDS[rule.severity]} {','.join(properties)}"
    return f"{command}::{_github_data(message)}"


_GITHUB_COMMANDS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",
}


def _github_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")


def sarif(diagnostics: Sequence[Diagnostic]) -> str:
    """A SARIF 2.1.0 log with one run."""
    rules: dict[str, Rule] = {}
    for diagnostic in diagnostics:
        rules.setdefault(diagnostic.rule.code, diagnostic.rule)
    codes = list(rules)
    driver: Json = {
        "name": "ampgen",
        "rules": [_sarif_rule(rule) for rule in rules.values()],
    }
    run: Json = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [
            _sarif_result(diagnostic, codes.index(diagnostic.rule.code))
            for diagnostic in diagnostics
        ],
    }
    log: Json = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2) + "\n"


def _sarif_rule(rule: Rule) -> Json:
    return {
        "id": rule.code,
        "shortDescription": {"text": rule.title},
        "help": {"text": rule.explanation},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _sarif_result(diagnostic: Diagnostic, rule_index: int) -> Json:
    primary, fix = diagnostic.primary, diagnostic.fix
    return {
        "ruleId": diagnostic.rule.code,
        "ruleIndex": rule_index,
        "level": diagnostic.rule.severity.value,
        "message": {"text": _whole_message(diagnostic)},
        "locations": [] if primary is None else [{**_sarif_place(primary)}],
        "relatedLocations": [
            {"id": number, "message": {"text": label.text}, **_sarif_place(label)}
            for number, label in enumerate(diagnostic.related)
        ],
        **({} if fix is None else {"fixes": [_sarif_fix(fix)]}),
    }


def _sarif_fix(fix: Fix) -> Json:
    files = {edit.span.source: _sarif_file(edit.span) for edit in fix.edits}
    return {
        "description": {"text": fix.title},
        "artifactChanges": [
            {
                "artifactLocation": file,
                "replacements": [
                    {
                        "deletedRegion": _sarif_region(edit.span),
                        "insertedContent": {"text": edit.text},
                    }
                    for edit in fix.edits
                    if edit.span.source is source
                ],
            }
            for source, file in files.items()
        ],
    }


def _sarif_place(label: Label) -> dict[str, Json]:
    return {
        "physicalLocation": {
            "artifactLocation": _sarif_file(label.span),
            "region": _sarif_region(label.span),
        }
    }


def _sarif_file(span: Span) -> Json:
    path = span.source.path.replace("\\", "/")
    return {"uri": quote(path, errors="surrogateescape")}


def _sarif_region(span: Span) -> Json:
    line, column = span.source.position(span.start)
    end_line, end_column = span.source.position(span.end)
    return {
        "startLine": line,
        "startColumn": column,
        "endLine": end_line,
        "endColumn": end_column,
    }


def _whole_message(diagnostic: Diagnostic) -> str:
    lines = [diagnostic.message, *(f"note: {note}" for note in diagnostic.notes)]
    if diagnostic.help is not None:
        lines.append(f"help: {diagnostic.help}")
    return "\n".join(lines)
