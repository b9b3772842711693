"""lark's contextual lexer again, quick where the text has no mistake.

lark's own has an expression for each set of terminals that the parser may go on with,
matches what is ignored like a token, and counts lines. Here one expression skips what
is ignored and reads whatever follows, and the parser's table tells whether a word is a
keyword there. Where the parser cannot go on, lark's lexer does, and says so its way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from lark import Token
from lark.lexer import BasicLexer, ContextualLexer, Lexer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from lark.common import LexerConf

_END = "end"  # no name of a terminal


class QuickLexer(Lexer):
    """For terminals of which at most one matches at any place, and keywords, which are
    written ``/word\\b/`` and match where another, ``NAME``, does, too.
    """

    __future_interface__ = 2  # lark is to tell ``lex`` where the parser is

    def __init__(self, conf: LexerConf) -> None:
        self._conf = conf
        self._lark: Any = None  # made where it is needed
        self._keywords: dict[str, str] = {}
        ignored: list[str] = []
        read: list[str] = []
        for terminal in BasicLexer(conf).terminals:
            name, expression = terminal.name, terminal.pattern.to_regexp()
            if name in conf.ignore:
                ignored.append(expression)
            elif expression == rf"{name.lower()}\b":
                self._keywords[name.lower()] = name
            else:
                read.append(f"(?P<{name}>{expression})")
        read.append(rf"(?P<{_END}>\Z)")
        self._match = re.compile(f"(?:{'|'.join(ignored)})*+(?:{'|'.join(read)})").match

    def lex(self, lexer_state: Any, parser_state: Any) -> Iterator[Token]:
        text: str = lexer_state.text.text
        counter = lexer_state.line_ctr
        stack: list[int] = parser_state.state_stack
        states: dict[int, Collection[str]] = parser_state.parse_conf.states
        match, keywords = self._match, self._keywords
        while found := match(text, counter.char_pos):
            kind = cast("str", found.lastgroup)
            if kind == _END:
                return
            word = found[kind]
            expected = states[stack[-1]]
            keyword = keywords.get(word, kind)
            if keyword in expected:
                kind = keyword
            elif kind not in expected:
                break
            end = found.end()
            counter.char_pos = end
            token = Token(kind, word, end - len(word), end_pos=end)
            lexer_state.last_token = token
            yield token
        if self._lark is None:
            self._lark = ContextualLexer(self._conf, states)
        yield from self._lark.lex(lexer_state, parser_state)
