"""Small slips with one sure mending: the parser goes on as if they had not been made.

Each mending looks at a mistake and leaves it alone (``None``), or mends the parser and
returns what is to be reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from lark import Token

from ampgen.diagnostics import Diagnostic, Label
from ampgen.diagnostics.fixes import inserting, removing, writing
from ampgen.diagnostics.suggest import did_you_mean
from ampgen.language import expectation, rules
from ampgen.language.mistake import STRAY, Mistake, offset_of, start_of_value
from ampgen.language.slips import foreign_keyword
from ampgen.source import Span

Mending: TypeAlias = Callable[[Mistake], Diagnostic | None]

_NAME_OR_STRING = re.compile(r"\s*[\w\"]")
_OPENING = re.compile(r"\s*\(")
_COLON = re.compile(r"\s*:")
_MEMBER_STARTS = {"@", "command", "oneway"}
_WORD = re.compile(r"\w*")


def mend(mistake: Mistake) -> Diagnostic | None:
    """Try the mendings in turn; ``None`` if the mistake is none of these slips."""
    found = mistake.found
    if found.terminal == STRAY or mistake.is_follow_up(found.end):
        return None
    for mending in MENDINGS:
        diagnostic = mending(mistake)
        if diagnostic is not None:
            return diagnostic
    return None


def drop_stray_mark(mistake: Mistake) -> Diagnostic | None:
    """A `;` or a closing bracket where a statement may begin."""
    found = mistake.found
    if not mistake.at_statement:
        return None
    if found.terminal == "SEMICOLON":
        behind_block = mistake.text.endswith("}", 0, found.previous_end)
        label = "a declaration with a block ends in its `}`" if behind_block else ""
        rule, message = rules.STRAY_SEMICOLON, "this `;` ends nothing"
        fix = removing(mistake.place, safe=True)
    elif found.terminal in {"RBRACE", "RPAR", "RSQB"}:
        rule, message = rules.UNMATCHED_BRACKET, f"this `{found.text}` closes nothing"
        label, fix = "", None
    else:
        return None
    mistake.parser.read_from(found.end)
    return Diagnostic(rule, message, Label(mistake.place, label), fix=fix)


def replace_keyword(mistake: Mistake) -> Diagnostic | None:
    """A word where only keywords may stand, and one of them was clearly meant."""
    found, expected = mistake.found, mistake.expected
    if not found.is_word or expected & {"NAME", "EQUAL"}:
        return None
    known = [word for word in sorted(expectation.KEYWORDS) if word.upper() in expected]
    meant = did_you_mean(found.text, known)
    if meant is None:
        meant = foreign_keyword(found.text)
    if meant not in known or not _NAME_OR_STRING.match(mistake.text, found.end):
        return None
    diagnostic = Diagnostic(
        rules.UNKNOWN_KEYWORD,
        mistake.sentence,
        Label(mistake.place),
        help=f"did you mean `{meant}`?",
        fix=writing(mistake.place, meant),
    )
    mistake.parser.feed(meant.upper(), meant, found.start)
    mistake.parser.read_from(found.end)
    return diagnostic


def insert_command(mistake: Mistake) -> Diagnostic | None:
    """`Repeat(…)` in a service, without the word `command`."""
    found = mistake.found
    if not ("COMMAND" in mistake.expected and found.is_word):
        return None
    if not _OPENING.match(mistake.text, found.end):
        return None
    diagnostic = Diagnostic(
        rules.UNKNOWN_KEYWORD,
        mistake.sentence,
        Label(mistake.place),
        help=f"a command begins with its keyword: `command {found.text}(…)`",
        fix=inserting(mistake.place, "command ", safe=True),
    )
    mistake.parser.feed("COMMAND", "", found.start)
    mistake.parser.read_from(found.start)
    return diagnostic


def close_block(mistake: Mistake) -> Diagnostic | None:
    """A declaration begins inside the block of another, and not further in."""
    parser, source = mistake.parser, mistake.source
    keyword = _keyword_of_declaration(mistake)
    opening = expectation.enclosing(parser.values)
    if keyword is None or opening is None or opening.type == "LPAR":
        return None
    column = source.position(keyword)[1]
    if column > _column_of_declaration(mistake, opening):
        return None
    if not mistake.leads_line(keyword):
        return None
    if parser.values and start_of_value(parser.values[-1]) == keyword:
        parser.pop()  # it was taken for the name of a field
    parser.settle()
    if not parser.accepts("RBRACE"):
        return None
    word = _WORD.match(mistake.text, keyword)
    text = word[0] if word else ""
    brace = mistake.open_brace
    parser.feed("RBRACE", "", mistake.end_before(keyword))
    parser.read_from(keyword)
    return Diagnostic(
        rules.UNCLOSED_BRACKET,
        f"expected `}}` before this `{text}`",
        Label(Span(source, keyword, keyword + len(text))),
        () if brace is None else (Label(brace, "this block is still open"),),
        "one declaration does not stand inside another",
    )


def _keyword_of_declaration(mistake: Mistake) -> int | None:
    """Where a declaration's keyword begins: the token found, or the one before it."""
    found, values = mistake.found, mistake.parser.values
    last = values[-1] if values else None
    if (
        isinstance(last, Token)
        and str(last) in expectation.DECLARATION_KEYWORDS
        and (found.is_word or found.terminal == "STRING")
    ):
        return offset_of(last)
    if found.text in expectation.DECLARATION_KEYWORDS and mistake.parser.can_break:
        return found.start
    return None


def _column_of_declaration(mistake: Mistake, keyword: Token) -> int:
    at = offset_of(keyword)
    line = mistake.text.rfind("\n", 0, at) + 1
    if mistake.text[line:at].strip() in {"open", "fatal"}:
        at = line
    return mistake.source.position(at)[1]


def insert_semicolon(mistake: Mistake) -> Diagnostic | None:
    """A statement without its `;` at the end of a line or block, or with `,` for it."""
    found, parser = mistake.found, mistake.parser
    if "SEMICOLON" not in mistake.expected:
        return None
    if found.terminal == "COMMA":
        message, place, read_from = "expected `;`, found `,`", mistake.place, found.end
        fix = writing(place, ";", safe=True)
    elif found.terminal == "RBRACE" or _begins_line(mistake):
        message, place = "expected `;`", mistake.end_of_previous
        read_from = found.start
        fix = inserting(place, ";", safe=True)
    else:
        return None
    parser.feed("SEMICOLON", "", found.previous_end)
    parser.read_from(read_from)
    return Diagnostic(rules.MISSING_SEMICOLON, message, Label(place), fix=fix)


def _begins_line(mistake: Mistake) -> bool:
    found = mistake.found
    new_line = "\n" in mistake.text[found.previous_end : found.start]
    return new_line and _begins_statement(mistake) and mistake.advice is None


def _begins_statement(mistake: Mistake) -> bool:
    return mistake.found.is_word or mistake.found.text == "@"


def open_block(mistake: Mistake) -> Diagnostic | None:
    """`struct Point x: int; }`, without the brace."""
    found, text = mistake.found, mistake.text
    if not (mistake.parser.can_break and "LBRACE" in mistake.expected):
        return None
    line_end = text.find("\n", found.start)
    has_brace = text.find("{", found.start, line_end) >= 0
    if has_brace or not _begins_statement(mistake):
        return None
    is_member = _COLON.match(text, found.end) or found.text in _MEMBER_STARTS
    if not (is_member or mistake.leads_line(found.start)):
        return None  # `error Lost quickly;` has no block
    diagnostic = Diagnostic(rules.SYNTAX, mistake.sentence, Label(mistake.place))
    mistake.parser.feed("LBRACE", "", found.previous_end)
    mistake.parser.read_from(found.start)
    return diagnostic


MENDINGS: tuple[Mending, ...] = (
    drop_stray_mark,
    replace_keyword,
    insert_command,
    close_block,
    insert_semicolon,
    open_block,
)
