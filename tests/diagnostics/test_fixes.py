"""Edits, and what is said of them."""

from __future__ import annotations

import json

import pytest

from ampgen.diagnostics import Diagnostic, Label, Rule
from ampgen.diagnostics.fixes import (
    Edit,
    Fix,
    applied,
    inserting,
    removal,
    removing,
    writing,
)
from ampgen.source import Source, Span
from tests.diagnostics.test_printers import printed

RULE = Rule("AMP0999", "a rule", "Why.")


def between(text: str) -> tuple[str, Span]:
    """A text without the bars around a piece of it, and that piece."""
    before, piece, after = text.split("|")
    plain = before + piece + after
    return plain, Span(Source("a.amp", plain), len(before), len(before) + len(piece))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a;\n  |b;|  \nc;\n", "a;\nc;\n"),  # a line of its own
        ("a;\r\n  |b;|\r\nc;\r\n", "a;\r\nc;\r\n"),
        ("a;\n|b;|", "a;\n"),
        ("|b;|", ""),
        ("|b\nb|\nc;\n", "c;\n"),  # two of them
        ("a;\n\n|b;|\n\nc;\n", "a;\n\nc;\n"),  # blank lines do not add up
        ("a;\r\n\r\n|b;|\r\n\r\nc;\r\n", "a;\r\n\r\nc;\r\n"),
        ("|b;|\n\nc;\n", "c;\n"),
        ("a;\n|b;|\n\nc;\n", "a;\n\nc;\n"),
        ("  |@b| c;\n", "  c;\n"),  # at the beginning of a line
        ("a; |b;|  \nc;\n", "a;\nc;\n"),  # at its end
        ("a |b| c;\n", "a c;\n"),  # inside it
        ("a: int|?| raises", "a: int raises"),
        ("a();|;| }", "a(); }"),
        ("a() |-> ()|;", "a();"),
        ("[|large| str]", "[str]"),
        ("(|@b| c)", "(c)"),
        ("a, |b|)", "a,)"),
        ("int|?|, b", "int, b"),
    ],
)
def test_with_a_piece_goes_the_space_that_only_it_needs(text: str, left: str) -> None:
    plain, span = between(text)
    assert applied(plain, [removal(span)]) == left


def test_edits_are_made_from_the_first_to_the_last() -> None:
    source = Source("a.amp", "abcdef")
    edits = [
        Edit(Span(source, 4, 5), ""),
        Edit(Span(source, 1, 1), "1"),
        Edit(Span(source, 1, 2), "2"),
        Edit(Span(source, 6, 6), "3"),
    ]
    assert applied(source.text, edits) == "a12cdf3"


def test_a_title_says_what_is_done() -> None:
    _, span = between("a |b| c")
    assert writing(span, " c").title == "write `c`"
    assert inserting(span, "c ").title == "insert `c`"
    assert inserting(span, "c ").edits[0].span.end == span.start
    assert removing(span).title == "remove `b`"
    assert removing(span, "the import").title == "remove the import"
    assert not removing(span).safe
    assert removing(span, safe=True).safe


MAIN = Source("a b.amp", "x: Piont;\ny: Piont;\n")
OTHER = Source("b.amp", "Piont\n")
FIX = Fix(
    "write `Point`",
    (
        Edit(Span(MAIN, 3, 8), "Point"),
        Edit(Span(OTHER, 0, 5), "Point"),
        Edit(Span(MAIN, 18, 18), "s"),
    ),
)
FOUND = Diagnostic(RULE, "unknown", Label(Span(MAIN, 3, 8)), fix=FIX)


def test_json_has_the_edits_of_a_fix() -> None:
    fix = json.loads(printed(FOUND, format="json"))["fix"]
    assert (fix["title"], fix["safe"]) == ("write `Point`", False)
    assert fix["edits"][1:] == [
        {
            "file": "b.amp",
            "line": 1,
            "column": 1,
            "end_line": 1,
            "end_column": 6,
            "text": "Point",
        },
        {
            "file": "a b.amp",
            "line": 2,
            "column": 9,
            "end_line": 2,
            "end_column": 9,
            "text": "s",
        },
    ]


def test_sarif_has_the_changes_of_each_file() -> None:
    [result] = json.loads(printed(FOUND, format="sarif"))["runs"][0]["results"]
    [fix] = result["fixes"]
    assert fix["description"] == {"text": "write `Point`"}
    main, other = fix["artifactChanges"]
    assert main["artifactLocation"] == {"uri": "a%20b.amp"}
    assert other["artifactLocation"] == {"uri": "b.amp"}
    assert main["replacements"] == [
        {
            "deletedRegion": {
                "startLine": 1,
                "startColumn": 4,
                "endLine": 1,
                "endColumn": 9,
            },
            "insertedContent": {"text": "Point"},
        },
        {
            "deletedRegion": {
                "startLine": 2,
                "startColumn": 9,
                "endLine": 2,
                "endColumn": 9,
            },
            "insertedContent": {"text": "s"},
        },
    ]


def test_sarif_has_no_fixes_where_there_is_none() -> None:
    found = Diagnostic(RULE, "unknown", Label(Span(MAIN, 3, 8)))
    [result] = json.loads(printed(found, format="sarif"))["runs"][0]["results"]
    assert "fixes" not in result
