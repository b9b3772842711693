"""What a file holds besides its tokens: doc comments, and comments or strings gone
wrong.

The grammar skips comments. This pass, over the whole text and before parsing, finds the
doc comments and the token that each stands before; and it reports the mistakes inside
strings and comments, whatever the parser makes of the text around them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ampgen.diagnostics import Diagnostic, Label
from ampgen.language.literals import decode_string
from ampgen.language.rules import UNTERMINATED_COMMENT, UNTERMINATED_STRING
from ampgen.language.tree import Doc
from ampgen.source import Source, Span

# The same strings and comments that grammar.lark has as tokens.
_PIECE = re.compile(
    r'"(?:\\[^\r\n]|[^"\\\r\n])*(?P<quote>"?)'
    r"|(?P<line>//[^\r\n]*)"
    r"|/\*(?s:.)*?(?P<star>\*/|\Z)"
)
_SPACE = re.compile(r"[ \t\r\n\f]*")


@dataclass(slots=True)
class Trivia:
    """``docs`` maps the offset of a token to the ``///`` comment before it.

    ``comment_starts`` maps where a comment ends to where it begins; ``broken_strings``
    are the offsets at which strings without an end begin; ``endless_comment`` tells
    that the last comment runs to the end of the file.
    """

    file_doc: Doc | None = None
    docs: dict[int, Doc] = field(default_factory=dict[int, Doc])
    comment_starts: dict[int, int] = field(default_factory=dict[int, int])
    endless_comment: bool = False
    broken_strings: list[int] = field(default_factory=list[int])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])


def scan(source: Source) -> Trivia:
    text = source.text
    trivia = Trivia()
    file_lines: list[Span] = []
    doc_lines: list[Span] = []  # of the doc comment that is being collected
    next_token = -1  # where the token behind it begins, unless a further comment does
    for match in _PIECE.finditer(text):
        start, end = match.span()
        if doc_lines and start != next_token:
            trivia.docs[next_token] = _doc(doc_lines)
            doc_lines = []
        if match["quote"] is not None:
            _check_string(source, match, trivia)
            continue
        trivia.comment_starts[end] = start
        if match["star"] == "":
            trivia.endless_comment = True
            trivia.diagnostics.append(_endless_comment(source, start))
        if text.startswith("//!", start):
            file_lines.append(Span(source, start, end))
        elif text.startswith("///", start) and not text.startswith("////", start):
            doc_lines.append(Span(source, start, end))
        if doc_lines:
            space = _SPACE.match(text, end)
            next_token = space.end() if space else end
    if doc_lines:
        trivia.docs[next_token] = _doc(doc_lines)
    trivia.file_doc = _doc(file_lines) if file_lines else None
    return trivia


def _doc(lines: list[Span]) -> Doc:
    text = "\n".join(line.text[3:].removeprefix(" ").rstrip() for line in lines)
    return Doc(text, Span(lines[0].source, lines[0].start, lines[-1].end))


def _check_string(source: Source, match: re.Match[str], trivia: Trivia) -> None:
    start, end = match.span()
    if not match["quote"]:
        trivia.broken_strings.append(start)
        trivia.diagnostics.append(
            Diagnostic(
                UNTERMINATED_STRING,
                "string without an end",
                Label(Span(source, start, end), 'no `"` before the end of the line'),
            )
        )
    if "\\" in match[0]:
        _, faults = decode_string(match[0])
        trivia.diagnostics.extend(fault.at(source, start) for fault in faults)


def _endless_comment(source: Source, start: int) -> Diagnostic:
    return Diagnostic(
        UNTERMINATED_COMMENT,
        "comment without an end",
        Label(Span(source, start, start + 2), "no `*/` behind this"),
    )
