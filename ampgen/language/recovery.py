"""After a mistake: report it once, and go on where the next statement begins.

The parser stops at a token that it cannot use. Small slips with one sure mending (a missing
`;` or `{`, a misspelt keyword) are mended in the parser's stack, so that nothing is lost.
Else the symbols of the statement are taken from the stack, down to a state in which the
grammar lets a BROKEN piece stand; BROKEN is fed in their place, and the text is skipped to
the `;` or `}` that ends the statement.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lark import Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from ampgen.diagnostics import Diagnostic, Label, Rule
from ampgen.diagnostics.suggest import did_you_mean
from ampgen.language import expectation, rules
from ampgen.language.automaton import BROKEN, END, Automaton
from ampgen.language.skip import (
    BLOCK,
    MAP,
    block_or_end,
    end_of_statement,
    next_declaration,
    opens_block,
)
from ampgen.source import Source, Span

if TYPE_CHECKING:
    from lark.exceptions import UnexpectedInput

    from ampgen.language.trivia import Trivia

_SPACE = " \t\r\n\f\ufeff"
_WORD = re.compile(r"[^\W\d]\w*")
_NAME_OR_STRING = re.compile(r"\s*[\w\"]")
_OPENING = re.compile(r"\s*\(")
_COLON = re.compile(r"\s*:")
_STRAY = "stray character"  # in the place of a terminal


@dataclass(frozen=True, slots=True)
class Found:
    """What stands where the parser stopped; ``previous_end`` is the last token's end."""

    terminal: str
    text: str
    start: int
    end: int
    previous_end: int

    @property
    def is_word(self) -> bool:
        return bool(_WORD.fullmatch(self.text))


class Recovery:
    """What went wrong in one file, and how reading went on."""

    def __init__(self, source: Source, trivia: Trivia) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._source = source
        self._text = source.text
        self._trivia = trivia
        self._skipped: list[tuple[int, int]] = []
        self._closed_early = 0  # blocks, whose own `}` may still come

    def skipped(self, offset: int) -> bool:
        """Whether the text at an offset was left out of the tree."""
        index = bisect_right(self._skipped, (offset, len(self._text) + 1))
        return index > 0 and offset < self._skipped[index - 1][1]

    def resume(self, error: UnexpectedInput) -> bool:
        """Lark's ``on_error``: mend the stopped parser, and say that it may go on."""
        parser = Automaton(error.interactive_parser)
        parser.settle()
        found = self._found(error)
        expected = parser.expected()
        if found.terminal == END:
            self._finish(parser, found, expected)
        elif not self._mend(parser, found, expected):
            self._give_up_statement(parser, found, expected)
        return True

    def _found(self, error: UnexpectedInput) -> Found:
        if isinstance(error, UnexpectedCharacters):
            start: int = error.pos_in_stream or 0
            text = self._text[start]
            return Found(_STRAY, text, start, start + 1, self._end_before(start))
        assert isinstance(error, UnexpectedToken)
        token = error.token
        if token.type == END:
            end = self._end_before(len(self._text))
            return Found(END, "", end, end, end)
        start = token.start_pos or 0
        end = start + len(token)
        return Found(token.type, str(token), start, end, self._end_before(start))

    def _end_before(self, offset: int) -> int:
        """Where the token before an offset ends: space and comments lie between."""
        text, comments = self._text, self._trivia.comment_starts
        while True:
            while offset and text[offset - 1] in _SPACE:
                offset -= 1
            if offset not in comments:
                return offset
            offset = comments[offset]

    # --- slips with one sure mending -----------------------------------------------------

    def _mend(self, parser: Automaton, found: Found, expected: frozenset[str]) -> bool:
        return (
            found.terminal != _STRAY
            and not self._is_follow_up(self._token_start(found.previous_end), found.end)
            and (
                self._drop_stray(parser, found, expected)
                or self._replace_word(parser, found, expected)
                or self._insert_command(parser, found, expected)
                or self._close_block(parser, found)
                or self._insert_semicolon(parser, found, expected)
                or self._open_block(parser, found, expected)
            )
        )

    def _drop_stray(
        self, parser: Automaton, found: Found, expected: frozenset[str]
    ) -> bool:
        """A `;` or a closing bracket where a statement may begin."""
        if not (parser.can_break and "AT" in expected):
            return False
        if found.terminal == "SEMICOLON":
            after_block = self._text[found.previous_end - 1 : found.previous_end] == "}"
            label = "a declaration with a block ends in its `}`" if after_block else ""
            self._report(rules.STRAY_SEMICOLON, "this `;` ends nothing", found, label)
        elif found.terminal == "RBRACE" and self._closed_early:
            self._closed_early -= 1
        elif found.terminal in {"RBRACE", "RPAR", "RSQB"}:
            message = f"this `{found.text}` closes nothing"
            self._report(rules.UNMATCHED_BRACKET, message, found)
        else:
            return False
        parser.read_from(found.end)
        return True

    def _replace_word(
        self, parser: Automaton, found: Found, expected: frozenset[str]
    ) -> bool:
        """A word where only keywords may stand, and one of them was clearly meant."""
        if not found.is_word or expected & {"NAME", "EQUAL"}:
            return False
        known = sorted(
            word for word in expectation.KEYWORDS if word.upper() in expected
        )
        meant = did_you_mean(found.text, known)
        if meant is None:
            foreign = expectation.foreign_keyword(found.text)
            meant = foreign if foreign in known else None
        if meant is None or not _NAME_OR_STRING.match(self._text, found.end):
            return False
        self._report(
            rules.UNKNOWN_KEYWORD,
            self._sentence(parser, found, expected),
            found,
            help_text=f"did you mean `{meant}`?",
        )
        parser.feed(meant.upper(), meant, found.start)
        parser.read_from(found.end)
        return True

    def _insert_command(
        self, parser: Automaton, found: Found, expected: frozenset[str]
    ) -> bool:
        """`Repeat(…)` in a service, without the word `command`."""
        if not ("COMMAND" in expected and found.is_word):
            return False
        if not _OPENING.match(self._text, found.end):
            return False
        self._report(
            rules.UNKNOWN_KEYWORD,
            self._sentence(parser, found, expected),
            found,
            help_text=f"a command begins with its keyword: `command {found.text}(…)`",
        )
        parser.feed("COMMAND", "", found.start)
        parser.read_from(found.start)
        return True

    def _close_block(self, parser: Automaton, found: Found) -> bool:
        """A declaration begins inside the block of another, and not further in."""
        keyword = self._keyword_before(parser, found)
        if keyword is None:
            return False
        opening = expectation.enclosing(parser.values)
        if opening is None or opening.type == "LPAR":
            return False
        source = self._source
        opening_column = source.position(self._statement_start(opening))[1]
        if source.position(keyword)[1] > opening_column or not self._leads_line(
            keyword
        ):
            return False
        if parser.values and _start_of(parser.values[-1]) == keyword:
            parser.pop()
        parser.settle()
        if not parser.accepts("RBRACE"):
            return False
        word = _WORD.match(self._text, keyword)
        text = word[0] if word else ""
        brace = self._open_brace(parser)
        self.diagnostics.append(
            Diagnostic(
                rules.UNCLOSED_BRACKET,
                f"expected `}}` before this `{text}`",
                Label(Span(source, keyword, keyword + len(text))),
                () if brace is None else (Label(brace, "this block is still open"),),
                "one declaration does not stand inside another",
            )
        )
        parser.feed("RBRACE", "", self._end_before(keyword))
        self._closed_early += 1
        parser.read_from(keyword)
        return True

    def _keyword_before(self, parser: Automaton, found: Found) -> int | None:
        """Where a declaration's keyword begins: here, or a word taken for a name."""
        last = parser.values[-1] if parser.values else None
        if (
            isinstance(last, Token)
            and last in expectation.DECLARATION_KEYWORDS
            and (found.is_word or found.terminal == "STRING")
        ):
            return last.start_pos
        if found.text in expectation.DECLARATION_KEYWORDS and parser.can_break:
            return found.start
        return None

    def _insert_semicolon(
        self, parser: Automaton, found: Found, expected: frozenset[str]
    ) -> bool:
        if "SEMICOLON" not in expected:
            return False
        between = self._text[found.previous_end : found.start]
        new_line = "\n" in between and (found.is_word or found.text == "@")
        if not (new_line or found.terminal in {"RBRACE", "COMMA"}):
            return False
        if new_line and self._advice(parser, found, expected):
            return False
        place = Span(self._source, found.previous_end, found.previous_end)
        message = "expected `;`"
        if found.terminal == "COMMA":
            place = Span(self._source, found.start, found.end)
            message = "expected `;`, found `,`"
        self.diagnostics.append(
            Diagnostic(rules.MISSING_SEMICOLON, message, Label(place))
        )
        parser.feed("SEMICOLON", "", found.previous_end)
        parser.read_from(found.end if found.terminal == "COMMA" else found.start)
        return True

    def _open_block(
        self, parser: Automaton, found: Found, expected: frozenset[str]
    ) -> bool:
        """`struct Point x: int; }`."""
        if not (parser.can_break and "LBRACE" in expected):
            return False
        line_end = self._text.find("\n", found.start)
        has_brace = self._text.find("{", found.start, line_end) >= 0
        if has_brace or not (found.is_word or found.text == "@"):
            return False
        if "SEMICOLON" in expected and not _COLON.match(self._text, found.end):
            return False  # `error Lost quickly;` has no block
        self._report(rules.SYNTAX, self._sentence(parser, found, expected), found)
        parser.feed("LBRACE", "", found.previous_end)
        parser.read_from(found.start)
        return True

    # --- the rest ------------------------------------------------------------------------

    def _give_up_statement(
        self, parser: Automaton, found: Found, expected: frozenset[str]
    ) -> None:
        diagnostic = self._unexpected(parser, found, expected)
        start, opened = self._unwind(parser, found.start)
        parser.feed(BROKEN, "", found.previous_end)
        parser.settle()
        after = parser.expected()
        if "LBRACE" in after:
            end = block_or_end(self._text, found.start, opened)
            if not self._text.startswith("{", end):
                parser.reduce_before(END)
        elif "IMPORT" in after and start == found.start:
            end = next_declaration(self._text, start)
        else:
            kind = _statement_kind(after)
            end = end_of_statement(
                self._text, found.start, opened, kind, may_stay=start < found.start
            )
        parser.read_from(end)
        self._skipped.append((start, end))
        previous = self._token_start(found.previous_end)
        if not self._is_follow_up(previous, end):
            self.diagnostics.append(diagnostic)

    def _finish(
        self, parser: Automaton, found: Found, expected: frozenset[str]
    ) -> None:
        """The file ends too early: report one thing, and close whatever is open."""
        brace = self._open_brace(parser)
        if "SEMICOLON" in expected and brace is None:
            place = Label(Span(self._source, found.start, found.end))
            message = "expected `;`, found the end of the file"
            diagnostic = Diagnostic(rules.MISSING_SEMICOLON, message, place)
            parser.feed("SEMICOLON", "", found.start)
        elif brace is not None:
            if "SEMICOLON" in expected:
                parser.feed("SEMICOLON", "", found.start)
                parser.settle()
            diagnostic = Diagnostic(
                rules.UNCLOSED_BRACKET,
                "expected `}`, found the end of the file",
                Label(Span(self._source, found.start, found.end)),
                (Label(brace, "this block is still open"),),
            )
        else:
            diagnostic = self._unexpected(parser, found, expected)
        start = found.start
        while not parser.accepts(END):
            if parser.accepts("RBRACE"):
                parser.feed("RBRACE", "", found.start)
            else:
                start = min(start, self._unwind(parser, found.start)[0])
                parser.feed(BROKEN, "", found.start)
            parser.settle()
        size = len(self._text)
        self._skipped.append((start, size + 1))
        explained = self._trivia.endless_comment or self._is_follow_up(
            self._token_start(found.previous_end), size
        )
        if not explained:
            self.diagnostics.append(diagnostic)

    def _unwind(self, parser: Automaton, stop: int) -> tuple[int, list[str]]:
        """Take the statement's symbols from the stack; its start and open brackets."""
        start = stop
        tokens: list[Token] = []
        while not parser.can_break:
            value = parser.pop()
            begins = _start_of(value)
            start = start if begins is None else begins
            if isinstance(value, Token):
                tokens.append(value)
        opened: list[str] = []
        for token in reversed(tokens):
            if token in {"(", "["}:
                opened.append(str(token))
            elif token == "{":
                is_block = opens_block(self._text, token.start_pos or 0)
                opened.append(BLOCK if is_block else MAP)
            elif token in {")", "]", "}"} and opened:
                opened.pop()
        return start, opened

    def _unexpected(
        self, parser: Automaton, found: Found, expected: frozenset[str]
    ) -> Diagnostic:
        help_text = self._advice(parser, found, expected)
        label = Label(Span(self._source, found.start, found.end))
        if found.terminal == _STRAY:
            message = f"the character {_shown(found.text)} has no meaning here"
            return Diagnostic(rules.STRAY_CHARACTER, message, label, help=help_text)
        related: tuple[Label, ...] = ()
        opening = expectation.enclosing(parser.values)
        if (
            opening is not None
            and opening.type in {"LPAR", "LSQB"}
            and found.terminal in {"SEMICOLON", "RBRACE", "LBRACE", END}
        ):
            at = opening.start_pos or 0
            related = (Label(Span(self._source, at, at + 1), "opened here"),)
        message = self._sentence(parser, found, expected)
        return Diagnostic(rules.SYNTAX, message, label, related, help_text)

    def _advice(
        self, parser: Automaton, found: Found, expected: frozenset[str]
    ) -> str | None:
        return expectation.advice(self._text, found.start, expected, parser.values)

    def _sentence(
        self, parser: Automaton, found: Found, expected: frozenset[str]
    ) -> str:
        wanted = expectation.describe(expected, parser.values)
        if found.terminal == END:
            return f"expected {wanted}, found the end of the file"
        text = found.text if len(found.text) <= 40 else found.text[:39] + "…"
        return f"expected {wanted}, found `{text}`"

    def _report(
        self,
        rule: Rule,
        message: str,
        found: Found,
        label: str = "",
        help_text: str | None = None,
    ) -> None:
        span = Span(self._source, found.start, found.end)
        self.diagnostics.append(
            Diagnostic(rule, message, Label(span, label), help=help_text)
        )

    def _is_follow_up(self, start: int, end: int) -> bool:
        """Whether a string without an end explains what is wrong with this text."""
        strings = self._trivia.broken_strings
        index = bisect_left(strings, start)
        return index < len(strings) and strings[index] < end

    def _token_start(self, end: int) -> int:
        """Where the token that ends at ``end`` begins, if it is a broken string."""
        line = self._text.rfind("\n", 0, end) + 1
        strings = self._trivia.broken_strings
        index = bisect_left(strings, line)
        return strings[index] if index < len(strings) and strings[index] < end else end

    def _open_brace(self, parser: Automaton) -> Span | None:
        for value in reversed(parser.values):
            if isinstance(value, Token) and value == "{":
                at = value.start_pos or 0
                if opens_block(self._text, at):
                    return Span(self._source, at, at + 1)
        return None

    def _leads_line(self, offset: int) -> bool:
        line = self._text.rfind("\n", 0, offset) + 1
        return not self._text[line:offset].strip()

    def _statement_start(self, keyword: Token) -> int:
        at = keyword.start_pos or 0
        line = self._text.rfind("\n", 0, at) + 1
        return at if self._text[line:at].strip() not in {"open", "fatal"} else line


def _statement_kind(expected: frozenset[str]) -> str:
    if "IMPORT" in expected:
        return "declaration"
    if "COMMAND" in expected:
        return "command"
    return "field" if "RESERVED" in expected else "member"


def _shown(character: str) -> str:
    code = f"U+{ord(character):04X}"
    if character.isprintable() and not character.isspace():
        return f"`{character}`" if character.isascii() else f"`{character}` ({code})"
    return code


def _start_of(value: Any) -> int | None:
    """Where the text of a value on the parser's stack begins."""
    if isinstance(value, Token):
        return value.start_pos
    span = getattr(value, "span", None)
    if isinstance(span, Span):
        return span.start
    children = getattr(value, "children", value)
    if isinstance(children, (list, tuple)):
        starts = [_start_of(child) for child in children]
        return next((start for start in starts if start is not None), None)
    return None
