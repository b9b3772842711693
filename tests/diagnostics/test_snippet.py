"""Carets stand under what they mean, whatever is in the line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampgen.diagnostics.snippet import MAX_WIDTH, Snippet, snippet, visible, width
from ampgen.source import Source, Span


def snippet_of(text: str, start: int, end: int) -> Snippet:
    return snippet(Span(Source("a.amp", text), start, end))


@pytest.mark.parametrize(
    ("text", "start", "end", "shown"),
    [
        ("abc def\n", 4, 7, Snippet("abc def", 4, 3)),
        ("\tx", 1, 2, Snippet("    x", 4, 1)),
        ("x\ty", 1, 2, Snippet("x    y", 1, 4)),
        ("日本 x", 3, 4, Snippet("日本 x", 5, 1)),
        ("日本 x", 0, 2, Snippet("日本 x", 0, 4)),
        ("e\u0301 x", 3, 4, Snippet("e\u0301 x", 2, 1)),
        ("😀 x", 2, 3, Snippet("😀 x", 3, 1)),
        ("abc\r\ndef", 2, 3, Snippet("abc", 2, 1)),
        ("abc\r\ndef", 3, 3, Snippet("abc", 3, 1)),
        ("abc\n", 3, 3, Snippet("abc", 3, 1)),
        ("abc\n", 4, 4, Snippet("", 0, 1)),
        ("abc", 3, 3, Snippet("abc", 3, 1)),
        ("", 0, 0, Snippet("", 0, 1)),
        ("ab {\n  cd\n}", 3, 11, Snippet("ab {", 3, 1)),
        ("ab cd\nef", 1, 8, Snippet("ab cd", 1, 4)),
        ("\x1b[2Jx", 4, 5, Snippet("\N{SYMBOL FOR ESCAPE}[2Jx", 4, 1)),
        ("a\N{RIGHT-TO-LEFT OVERRIDE}b", 2, 3, Snippet("a\ufffdb", 2, 1)),
    ],
)
def test_carets_stand_under_the_span(
    text: str, start: int, end: int, shown: Snippet
) -> None:
    assert snippet_of(text, start, end) == shown


@pytest.mark.parametrize("before", [0, 10, 500])
@pytest.mark.parametrize("under", [0, 3, 500])
@pytest.mark.parametrize("after", [0, 10, 500])
@pytest.mark.parametrize("letter", ["x", "日"])
def test_a_long_line_is_cut_around_its_carets(
    before: int, under: int, after: int, letter: str
) -> None:
    text = letter * before + "!" * under + letter * after
    shown = snippet_of(text, before, before + under)
    assert width(shown.line) <= MAX_WIDTH
    assert shown.indent + shown.carets <= MAX_WIDTH + 1
    marked = shown.line[_index(shown.line, shown.indent) :][: shown.carets]
    assert marked.count("!") >= min(under, 1)
    assert set(marked) <= {"!", "…"} or under == 0


def _index(line: str, cells: int) -> int:
    return next(at for at in range(len(line) + 1) if width(line[:at]) == cells)


@given(st.text())
def test_what_is_shown_cannot_act_upon_a_terminal(text: str) -> None:
    shown = visible(text).replace("\u200d", "").replace("\u200c", "")
    categories = {unicodedata.category(character) for character in shown}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.text(), st.data())
def test_any_span_of_any_text_has_a_snippet(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    shown = snippet_of(text, start, end)
    assert "\n" not in shown.line
    assert shown.carets >= 1
    assert shown.indent <= width(shown.line)
