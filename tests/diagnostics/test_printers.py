"""Every format, from the same diagnostics."""

from __future__ import annotations

import io
import json
import re
from textwrap import dedent

import pytest

from ampgen.diagnostics import Diagnostic, Label, Rule, Severity
from ampgen.diagnostics.printers import PRINTERS, in_order, print_diagnostics
from ampgen.source import Source, Span

UNKNOWN = Rule("AMP0204", "unknown type", "Why.")
UNUSED = Rule("AMP0299", "unused import", "Why.", Severity.WARNING)

MAIN = Source("schemas/text.amp", "struct A {\n    at: Piont;\n}\n\nstruct A { }\n")
OTHER = Source("geo.amp", "struct Point { }\n")


def span(source: Source, text: str, nth: int = 0) -> Span:
    start = -1
    for _ in range(nth + 1):
        start = source.text.index(text, start + 1)
    return Span(source, start, start + len(text))


UNKNOWN_TYPE = Diagnostic(
    UNKNOWN,
    "unknown type `Piont`",
    Label(span(MAIN, "Piont"), "not declared here or in an import"),
    help="did you mean `Point`?",
)
DUPLICATE = Diagnostic(
    UNKNOWN,
    "`A` is declared twice",
    Label(span(MAIN, "A", 1), "declared again"),
    (Label(span(MAIN, "A"), "first declared here"),),
)
IN_TWO_FILES = Diagnostic(
    UNUSED, "twice", Label(span(MAIN, "at")), (Label(span(OTHER, "Point"), "there"),)
)
NOWHERE = Diagnostic(UNKNOWN, "cannot read `x`", None, help="does it exist?")


def printed(*diagnostics: Diagnostic, format: str = "text") -> str:  # noqa: A002
    stream = io.StringIO()
    print_diagnostics(diagnostics, stream, format)
    return stream.getvalue()


def test_text_shows_the_line_the_carets_and_the_help() -> None:
    assert printed(UNKNOWN_TYPE) == dedent("""\
        error[AMP0204]: unknown type `Piont`
         --> schemas/text.amp:2:9
          |
        2 |     at: Piont;
          |         ^^^^^ not declared here or in an import
          |
          = help: did you mean `Point`?

        1 error
        """)


def test_the_gutter_is_as_wide_as_the_largest_line_number() -> None:
    source = Source("a.amp", "\n" * 11 + "    at: Piont;\n")
    diagnostic = Diagnostic(UNKNOWN, "unknown", Label(span(source, "Piont")))
    assert printed(diagnostic) == dedent("""\
        error[AMP0204]: unknown
          --> a.amp:12:9
           |
        12 |     at: Piont;
           |         ^^^^^

        1 error
        """)


def test_second_places_of_one_file_stand_in_one_snippet() -> None:
    assert printed(DUPLICATE) == dedent("""\
        error[AMP0204]: `A` is declared twice
         --> schemas/text.amp:5:8
          |
        1 | struct A {
          |        - first declared here
        ...
        5 | struct A { }
          |        ^ declared again

        1 error
        """)


def test_second_places_of_another_file_have_their_own_heading() -> None:
    assert printed(IN_TWO_FILES) == dedent("""\
        warning[AMP0299]: twice
         --> schemas/text.amp:2:5
          |
        2 |     at: Piont;
          |     ^^
         ::: geo.amp:1:8
          |
        1 | struct Point { }
          |        ----- there

        1 warning
        """)


def test_two_places_of_one_line_share_it() -> None:
    diagnostic = Diagnostic(
        UNKNOWN,
        "unclosed",
        Label(span(MAIN, ";"), "here"),
        (Label(span(MAIN, "at"), "opened here"),),
    )
    assert printed(diagnostic).splitlines()[3:6] == [
        "2 |     at: Piont;",
        "  |     --       ^ here",
        "  |     opened here",
    ]


def test_overlapping_places_are_shown_one_after_the_other() -> None:
    diagnostic = Diagnostic(
        UNKNOWN,
        "overlap",
        Label(span(MAIN, "at: Piont"), "all"),
        (Label(span(MAIN, "Piont"), "part"),),
    )
    assert printed(diagnostic).splitlines()[3:7] == [
        "2 |     at: Piont;",
        "  |     ^^^^^^^^^ all",
        "2 |     at: Piont;",
        "  |         ----- part",
    ]


def test_a_finding_without_a_place_is_a_line_and_its_help() -> None:
    assert printed(NOWHERE) == (
        "error[AMP0204]: cannot read `x`\n  = help: does it exist?\n\n1 error\n"
    )


@pytest.mark.parametrize(
    ("diagnostics", "summary"),
    [
        ([UNKNOWN_TYPE], "1 error"),
        ([IN_TWO_FILES], "1 warning"),
        ([UNKNOWN_TYPE, DUPLICATE, NOWHERE, IN_TWO_FILES], "3 errors, 1 warning"),
        ([UNKNOWN_TYPE, IN_TWO_FILES, IN_TWO_FILES], "1 error, 2 warnings"),
    ],
)
def test_text_ends_in_a_count(diagnostics: list[Diagnostic], summary: str) -> None:
    assert printed(*diagnostics).splitlines()[-1] == summary


def test_findings_are_in_the_order_of_files_and_places() -> None:
    elsewhere = Diagnostic(UNKNOWN, "x", Label(span(OTHER, "Point")))
    shuffled = [DUPLICATE, UNKNOWN_TYPE, elsewhere, NOWHERE]
    assert in_order(shuffled) == [NOWHERE, elsewhere, UNKNOWN_TYPE, DUPLICATE]


def test_a_note_has_a_colour_and_a_count_of_its_own() -> None:
    note = Rule("AMP0298", "to know", "Why.", Severity.NOTE)
    found = [Diagnostic(rule, "x", None) for rule in (note, UNKNOWN, note, UNUSED)]
    stream = io.StringIO()
    print_diagnostics(found, stream, colour=True)
    kinds = re.findall(r"\x1b\[([0-9;]+)m(\w+)\[AMP", stream.getvalue())
    assert len(dict(kinds)) == 3
    assert [kind for _, kind in kinds] == ["note", "error", "note", "warning"]
    assert stream.getvalue().endswith("\n\n1 error, 1 warning, 2 notes\n")
    assert printed(found[0], format="github").startswith("::notice ")


def test_without_colour_there_is_no_escape_and_with_it_only_colour_differs() -> None:
    plain, coloured = io.StringIO(), io.StringIO()
    found = [UNKNOWN_TYPE, DUPLICATE, IN_TWO_FILES, NOWHERE]
    print_diagnostics(found, plain)
    print_diagnostics(found, coloured, colour=True)
    assert "\x1b" not in plain.getvalue()
    text = coloured.getvalue()
    for code in ("\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"):
        assert code in text
        text = text.replace(code, "")
    assert text == plain.getvalue()


def test_a_stream_that_lacks_a_character_gets_an_escape() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    print_diagnostics([Diagnostic(UNKNOWN, "unknown `ä`", None)], stream)
    stream.flush()
    assert raw.getvalue() == b"error[AMP0204]: unknown `\\xe4`\n\n1 error\n"


def test_nothing_found_is_nothing_printed_but_for_sarif() -> None:
    silent = {name for name in PRINTERS if printed(format=name) == ""}
    assert silent == {"text", "short", "json", "github"}
    assert json.loads(printed(format="sarif"))["runs"][0]["results"] == []


def test_short_is_one_line_each() -> None:
    assert printed(DUPLICATE, NOWHERE, IN_TWO_FILES, format="short").splitlines() == [
        "error[AMP0204]: cannot read `x`",
        "schemas/text.amp:2:5: warning[AMP0299]: twice",
        "schemas/text.amp:5:8: error[AMP0204]: `A` is declared twice",
    ]


def test_json_is_one_object_a_line_with_every_field() -> None:
    lines = printed(NOWHERE, DUPLICATE, format="json").splitlines()
    assert [json.loads(line) for line in lines] == [
        {
            "code": "AMP0204",
            "severity": "error",
            "message": "cannot read `x`",
            "file": None,
            "line": None,
            "column": None,
            "end_line": None,
            "end_column": None,
            "label": "",
            "related": [],
            "notes": [],
            "help": "does it exist?",
            "fix": None,
        },
        {
            "code": "AMP0204",
            "severity": "error",
            "message": "`A` is declared twice",
            "file": "schemas/text.amp",
            "line": 5,
            "column": 8,
            "end_line": 5,
            "end_column": 9,
            "label": "declared again",
            "related": [
                {
                    "file": "schemas/text.amp",
                    "line": 1,
                    "column": 8,
                    "end_line": 1,
                    "end_column": 9,
                    "label": "first declared here",
                }
            ],
            "notes": [],
            "help": None,
            "fix": None,
        },
    ]


def test_notes_stand_before_the_help_in_every_format_but_the_shortest() -> None:
    told = Diagnostic(
        UNKNOWN,
        "unknown",
        Label(span(MAIN, "Piont")),
        help="mend it",
        notes=("one thing follows", "and another\non two lines"),
    )
    assert printed(told).endswith(
        dedent("""\
              |
              = note: one thing follows
              = note: and another
                      on two lines
              = help: mend it

            1 error
            """)
    )
    line = json.loads(printed(told, format="json"))
    assert line["notes"] == ["one thing follows", "and another\non two lines"]
    whole = "unknown\nnote: one thing follows\nnote: and another\non two lines\nhelp: "
    (result,) = json.loads(printed(told, format="sarif"))["runs"][0]["results"]
    assert result["message"]["text"] == f"{whole}mend it"
    assert "note: one thing follows%0A" in printed(told, format="github")
    assert printed(told, format="short").count("\n") == 1


def test_github_commands_are_escaped() -> None:
    source = Source("a,b:c%.amp", "x")
    diagnostic = Diagnostic(
        UNUSED, "100% of\nit", Label(Span(source, 0, 1)), help="mend it"
    )
    assert printed(diagnostic, format="github") == (
        "::warning file=a%2Cb%3Ac%25.amp,line=1,col=1,title=AMP0299"
        "::100%25 of%0Ait%0Ahelp: mend it\n"
    )
    assert printed(NOWHERE, format="github") == (
        "::error title=AMP0204::cannot read `x`%0Ahelp: does it exist?\n"
    )


def test_sarif_names_rules_places_and_second_places() -> None:
    log = json.loads(printed(UNKNOWN_TYPE, IN_TWO_FILES, NOWHERE, format="sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == ["AMP0204", "AMP0299"]
    nowhere, two_files, unknown = run["results"]
    assert nowhere["locations"] == []
    assert nowhere["message"]["text"] == "cannot read `x`\nhelp: does it exist?"
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert unknown["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "schemas/text.amp"},
                "region": {
                    "startLine": 2,
                    "startColumn": 9,
                    "endLine": 2,
                    "endColumn": 14,
                },
            }
        }
    ]
    (related,) = two_files["relatedLocations"]
    assert related["message"] == {"text": "there"}
    uri = related["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "geo.amp"


def test_the_mark_at_the_beginning_of_a_file_is_in_no_column() -> None:
    source = Source("a.amp", "\ufeffstruct P {}\nx")
    assert source.line(1) == "struct P {}"
    assert [source.position(at) for at in (0, 1, 2, 13)] == [
        *((1, 1), (1, 1), (1, 2), (2, 1))
    ]
    told = Diagnostic(Rule("AMP0999", "odd", ""), "odd", Label(Span(source, 8, 9)))
    assert printed(told).splitlines()[1:5] == [
        " --> a.amp:1:8",
        "  |",
        "1 | struct P {}",
        "  |        ^",
    ]
