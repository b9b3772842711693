"""After a mistake: report it once, and go on where the next statement begins.

The parser stops at a token that it cannot use. A small slip is mended (mending.py).
Else the symbols of the statement are taken from the parser's stack, down to a state in
which the grammar lets a BROKEN piece stand; BROKEN is fed in their place, and the text
is skipped to the `;` or `}` that ends the statement.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from lark import Token

from ampgen.diagnostics import Diagnostic, Label
from ampgen.diagnostics.fixes import inserting
from ampgen.language import expectation, rules, skip
from ampgen.language.automaton import BROKEN, END, Automaton
from ampgen.language.mending import mend
from ampgen.language.mistake import STRAY, Mistake, offset_of, start_of_value
from ampgen.source import Source, Span

if TYPE_CHECKING:
    from lark.exceptions import UnexpectedInput

    from ampgen.language.trivia import Trivia

_MATES = {"LPAR": "RPAR", "LSQB": "RSQB"}
_CLOSERS = {"SEMICOLON", "LBRACE", "RBRACE", "RPAR", "RSQB", END}


class Recovery:
    """What went wrong in one file, and how reading went on."""

    def __init__(self, source: Source, trivia: Trivia) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._source = source
        self._trivia = trivia
        self._skipped: list[tuple[int, int]] = []
        self._unclosed = (
            0  # blocks closed for the user, whose `}` may stand further down
        )

    def skipped(self, offset: int) -> bool:
        """Whether the text at an offset was left out of the tree."""
        index = bisect_right(self._skipped, (offset, len(self._source.text) + 1))
        return index > 0 and offset < self._skipped[index - 1][1]

    def resume(self, error: UnexpectedInput) -> bool:
        """Lark's ``on_error``: mend the stopped parser, and say that it may go on."""
        mistake = Mistake(self._source, self._trivia, error)
        if mistake.found.terminal == END:
            self._close_file(mistake)
            return True
        diagnostic = mend(mistake)
        if diagnostic is None:
            self._give_up_statement(mistake)
        elif diagnostic.rule is rules.UNMATCHED_BRACKET and self._unclosed:
            self._unclosed -= 1
        else:
            self._unclosed += diagnostic.rule is rules.UNCLOSED_BRACKET
            self.diagnostics.append(diagnostic)
        return True

    def _give_up_statement(self, mistake: Mistake) -> None:
        parser, found, text = mistake.parser, mistake.found, mistake.text
        diagnostic = _unexpected(mistake)
        rest = mistake.start_of_rest
        start, opened = _unwind(parser, found.start, text)
        parser.feed(BROKEN, "", found.previous_end)
        parser.settle()
        after = parser.expected()
        if "LBRACE" in after:
            end = skip.block_or_end(text, found.start, opened)
            if not text.startswith("{", end):
                parser.reduce_before(END)  # the declaration has no block
        elif "IMPORT" in after and mistake.at_statement:
            end = skip.next_declaration(text, start)
        else:
            kind = _kind_of_statements(after)
            may_stay = not mistake.at_statement and (
                start < rest or rest == found.start
            )
            end = skip.end_of_statement(text, rest, opened, kind, may_stay=may_stay)
        parser.read_from(end)
        self._skipped.append((start, end))
        if not mistake.is_follow_up(end):
            self.diagnostics.append(diagnostic)

    def _close_file(self, mistake: Mistake) -> None:
        """The file ends too early: report one thing, and close whatever is open."""
        parser, end = mistake.parser, mistake.found.start
        brace = mistake.open_brace
        if brace is not None:
            diagnostic = Diagnostic(
                rules.UNCLOSED_BRACKET,
                "expected `}`, found the end of the file",
                Label(mistake.place),
                (Label(brace, "this block is still open"),),
            )
        elif "SEMICOLON" in mistake.expected:
            message = "expected `;`, found the end of the file"
            diagnostic = Diagnostic(
                rules.MISSING_SEMICOLON,
                message,
                Label(mistake.place),
                fix=inserting(mistake.place, ";", safe=True),
            )
        else:
            diagnostic = _unexpected(mistake)
        start = end
        while not parser.accepts(END):
            mark = next((m for m in ("SEMICOLON", "RBRACE") if parser.accepts(m)), None)
            if mark is not None:
                parser.feed(mark, "", end)
            else:
                start = min(start, _unwind(parser, end, mistake.text)[0])
                parser.feed(BROKEN, "", end)
            parser.settle()
        size = len(mistake.text)
        self._skipped.append((start, size + 1))
        if not mistake.is_follow_up(size):
            self.diagnostics.append(diagnostic)


def _unwind(parser: Automaton, stop: int, text: str) -> tuple[int, list[str]]:
    """Take a statement's symbols from the stack: its start, and what it has opened."""
    start = stop
    tokens: list[Token] = []
    while not parser.can_break:
        value = parser.pop()
        begins = start_of_value(value)
        start = start if begins is None else begins
        if isinstance(value, Token):
            tokens.append(value)
    opened: list[str] = []
    for token in reversed(tokens):
        mark = str(token)
        if mark in {"(", "["}:
            opened.append(mark)
        elif mark == "{":
            is_block = skip.opens_block(text, offset_of(token))
            opened.append(skip.BLOCK if is_block else skip.MAP)
        elif mark in {")", "]", "}"} and opened:
            opened.pop()
    return start, opened


def _unexpected(mistake: Mistake) -> Diagnostic:
    found = mistake.found
    label = Label(mistake.place)
    advice = mistake.advice
    help_, fix = advice.help if advice else None, mistake.fix(advice)
    if found.terminal == STRAY:
        message = f"the character {_shown(found.text)} has no meaning here"
        return Diagnostic(rules.STRAY_CHARACTER, message, label, (), help_, fix)
    related: tuple[Label, ...] = ()
    opening = expectation.enclosing(mistake.parser.values)
    if (
        opening is not None
        and opening.type in {"LPAR", "LSQB"}
        and found.terminal in _CLOSERS - {_MATES[opening.type]}
    ):
        at = offset_of(opening)
        related = (Label(Span(mistake.source, at, at + 1), "opened here"),)
    return Diagnostic(rules.SYNTAX, mistake.sentence, label, related, help_, fix)


def _kind_of_statements(expected: frozenset[str]) -> str:
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
