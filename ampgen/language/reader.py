"""Reads a text in which nothing is wrong, by the terminals and the table of lark.

It is lark's own way in one loop, in half of the time: a single expression skips what is
ignored and reads the token behind it, and the table tells whether a word is a keyword
there. It has nothing to say of a mistake: lark reads such a text again from the start.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from lark import Token
from lark.lexer import BasicLexer
from lark.parsers.lalr_analysis import Shift

if TYPE_CHECKING:
    from collections.abc import Callable

    from lark import Lark

_END = "$END"  # what lark calls the end of the text

# How many symbols a rule has, what makes one of them, and its name.
_Rule: TypeAlias = "tuple[int, Callable[[list[Any]], Any], str]"


class Reader:
    """For a grammar in which at most one terminal matches at any place, but for
    keywords: those are written ``/word\\b/``, and ``NAME`` matches them, too.
    """

    def __init__(self, lark: Lark) -> None:
        inner: Any = cast("Any", lark).parser.parser.parser
        table: Any = inner.parse_table
        [self._start] = table.start_states.values()
        [self._end] = table.end_states.values()
        # By state and symbol: the next state, or the rule that is complete before it.
        self._next: dict[int, dict[str, int]] = {}
        self._complete: dict[int, dict[str, _Rule]] = {}
        for state, actions in table.states.items():
            following: dict[str, int] = {}
            complete: dict[str, _Rule] = {}
            self._next[state], self._complete[state] = following, complete
            for symbol, (action, of) in actions.items():
                if action is Shift:
                    following[str(symbol)] = of
                else:
                    make = inner.callbacks[of]
                    name = str(of.origin.name)
                    complete[str(symbol)] = len(of.expansion), make, name
        self._keywords: dict[str, str] = {}
        ignored: list[str] = []
        read: list[str] = []
        for terminal in BasicLexer(lark.lexer_conf).terminals:
            kind, expression = terminal.name, terminal.pattern.to_regexp()
            if kind in lark.lexer_conf.ignore:
                ignored.append(expression)
            elif expression == rf"{kind.lower()}\b":
                self._keywords[kind.lower()] = kind
            else:
                read.append(f"(?P<{kind}>{expression})")
        skipped = f"(?:{'|'.join(ignored)})*+"
        self._match = re.compile(rf"{skipped}(?:{'|'.join(read)}|\Z)").match

    def read(self, text: str) -> Any:
        """What the grammar's first rule becomes; ``None`` if there is a mistake."""
        match, keywords, new = self._match, self._keywords, str.__new__
        following, complete = self._next, self._complete
        state, end = self._start, 0
        states = [state]
        values: list[Any] = []
        while found := match(text, end):
            kind = found.lastgroup or _END
            word = "" if kind is _END else found[kind]
            end = found.end()
            keyword = keywords.get(word)
            if keyword and (keyword in following[state] or keyword in complete[state]):
                kind = keyword
            while rule := complete[state].get(kind):
                size, make, name = rule
                symbols = values[len(values) - size :]
                if size:
                    del values[-size:], states[-size:]
                values.append(make(symbols))
                state = following[states[-1]][name]
                states.append(state)
            if kind is _END:
                return values[0] if state == self._end else None
            if kind not in following[state]:
                return None
            token = new(Token, word)  # in a fourth of the time that lark takes for it
            token.type = kind
            token.start_pos = end - len(word)
            token.end_pos = end
            values.append(token)
            state = following[state][kind]
            states.append(state)
        return None
