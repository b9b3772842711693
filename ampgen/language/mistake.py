"""Where the parser stopped, what it found there, and what can be said about it."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, cast

from lark import Token
from lark.exceptions import UnexpectedCharacters

from ampgen.diagnostics.fixes import Fix, writing
from ampgen.frozen import frozen
from ampgen.language import expectation
from ampgen.language.automaton import END, Automaton
from ampgen.language.skip import opens_block
from ampgen.language.slips import Advice, advice
from ampgen.source import Source, Span

if TYPE_CHECKING:
    from lark.exceptions import UnexpectedInput

    from ampgen.language.trivia import Trivia

STRAY = "stray character"  # in the place of a terminal

_SPACE = " \t\r\n\f\ufeff"
_WORD = re.compile(r"[^\W\d]\w*")
_MAX_SHOWN = 40  # characters of the text that was found


@frozen
class Found:
    """What stands where the parser stopped, and where the token before it ends."""

    terminal: str
    text: str
    start: int
    end: int
    previous_end: int

    @property
    def is_word(self) -> bool:
        return bool(_WORD.fullmatch(self.text))


class Mistake:
    """One stop of the parser.

    ``expected`` are the terminals that could have followed; ``at_statement`` tells that
    a new statement could.
    """

    def __init__(self, source: Source, trivia: Trivia, error: UnexpectedInput) -> None:
        self.source = source
        self.text = source.text
        self._trivia = trivia
        self.parser = Automaton(error.interactive_parser)
        self.parser.settle()
        self.found = self._find(error)
        self.expected = self.parser.expected()
        self.at_statement = self.parser.can_break and "AT" in self.expected

    def _find(self, error: UnexpectedInput) -> Found:
        stopped = cast("Any", error)  # lark gives its errors' attributes no types
        if isinstance(error, UnexpectedCharacters):
            start: int = stopped.pos_in_stream
            text = self.text[start]
            return Found(STRAY, text, start, start + 1, self.end_before(start))
        token: Token = stopped.token
        if token.type != END:
            start = offset_of(token)
            end = start + len(token)
            return Found(token.type, str(token), start, end, self.end_before(start))
        end = self.end_before(len(self.text))
        return Found(END, "", end, end, end)

    # --- the text around it -----------------------------------------------------------

    def end_before(self, offset: int) -> int:
        """Where the token before an offset ends: space and comments lie between."""
        text, comments = self.text, self._trivia.comment_starts
        while True:
            while offset and text[offset - 1] in _SPACE:
                offset -= 1
            if offset not in comments:
                return offset
            offset = comments[offset]

    def leads_line(self, offset: int) -> bool:
        line = self.text.rfind("\n", 0, offset) + 1
        return not self.text[line:offset].strip()

    @property
    def start_of_rest(self) -> int:
        """Where the text begins that may belong to the next statement.

        A word that begins a line may have been taken for a part of the broken
        statement: `struct` in the line behind `@deprecated(`.
        """
        start = end = self.found.previous_end
        while start and f"x{self.text[start - 1]}".isidentifier():
            start -= 1
        is_taken = not self.at_statement and start < end and self.leads_line(start)
        return start if is_taken else self.found.start

    def is_follow_up(self, end: int) -> bool:
        """Whether a string or comment without an end explains what is wrong here.

        It has been reported, and has swallowed the `;` or bracket that is missing now.
        ``end`` is where reading goes on.
        """
        if self.found.terminal == END and self._trivia.endless_comment:
            return True
        before = self.found.previous_end
        line = self.text.rfind("\n", 0, before) + 1
        strings = self._trivia.broken_strings
        index = bisect_left(strings, line)
        return index < len(strings) and strings[index] < max(end, before)

    # --- what can be said -------------------------------------------------------------

    @property
    def place(self) -> Span:
        return Span(self.source, self.found.start, self.found.end)

    @property
    def end_of_previous(self) -> Span:
        """The place of what is missing: right behind the last token, and empty."""
        return Span(self.source, self.found.previous_end, self.found.previous_end)

    @property
    def sentence(self) -> str:
        """``expected a type, found `;```."""
        wanted = expectation.describe(self.expected, self.parser.values)
        if self.found.terminal == END:
            return f"expected {wanted}, found the end of the file"
        text = self.found.text
        if len(text) > _MAX_SHOWN:
            text = text[: _MAX_SHOWN - 1] + "…"
        return f"expected {wanted}, found `{text}`"

    @property
    def advice(self) -> Advice | None:
        """What was probably meant."""
        found, values = self.found, self.parser.values
        return advice(self.text, found.start, found.previous_end, self.expected, values)

    def fix(self, advice: Advice | None) -> Fix | None:
        if advice is None or advice.edit is None:
            return None
        first, last, text = advice.edit
        at = self.found.start
        return writing(Span(self.source, at + first, at + last), text, safe=advice.safe)

    @property
    def open_brace(self) -> Span | None:
        """The brace of the innermost block that is still open."""
        for value in reversed(self.parser.values):
            if isinstance(value, Token) and str(value) == "{":
                at = offset_of(value)
                if opens_block(self.text, at):
                    return Span(self.source, at, at + 1)
        return None


def offset_of(token: Token) -> int:
    return token.start_pos or 0


def start_of_value(value: Any) -> int | None:
    """Where the text of a value on the parser's stack begins; ``None`` without text."""
    if isinstance(value, Token):
        return value.start_pos
    span = getattr(value, "span", value)
    if isinstance(span, Span):
        return span.start
    children = getattr(value, "children", value)
    if not isinstance(children, (list, tuple)):
        return None
    starts = (start_of_value(child) for child in cast("list[Any]", children))
    return next((start for start in starts if start is not None), None)
