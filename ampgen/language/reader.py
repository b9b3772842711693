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

# How many symbols make up a rule, what makes one of them, and the rule's name.
_Reduction: TypeAlias = "tuple[int, Callable[[list[Any]], Any], str]"


class Reader:
    """For a grammar in which at most one terminal matches at any place, but for
    keywords: those are written ``/word\\b/``, and ``NAME`` matches them, too.
    """

    def __init__(self, lark: Lark) -> None:
        inner: Any = cast("Any", lark).parser.parser.parser
        table: Any = inner.parse_table
        [self._start] = table.start_states.values()
        [self._end] = table.end_states.values()
        self._states: dict[int, dict[str, tuple[object, Any]]] = table.states
        self._callbacks: dict[Any, Callable[[list[Any]], Any]] = inner.callbacks
        self._reductions: dict[int, _Reduction] = {}
        self._keywords: dict[str, str] = {}
        ignored: list[str] = []
        read: list[str] = []
        for terminal in BasicLexer(lark.lexer_conf).terminals:
            name, expression = terminal.name, terminal.pattern.to_regexp()
            if name in lark.lexer_conf.ignore:
                ignored.append(expression)
            elif expression == rf"{name.lower()}\b":
                self._keywords[name.lower()] = name
            else:
                read.append(f"(?P<{name}>{expression})")
        skipped = f"(?:{'|'.join(ignored)})*+"
        self._match = re.compile(rf"{skipped}(?:{'|'.join(read)}|\Z)").match

    def read(self, text: str) -> Any:
        """What the grammar's first rule becomes; ``None`` if there is a mistake."""
        match, keywords, states = self._match, self._keywords, self._states
        new, reductions, shift = str.__new__, self._reductions, Shift
        state, end = self._start, 0
        stack: list[int] = [state]
        values: list[Any] = []
        while found := match(text, end):
            kind = found.lastgroup or _END
            end = found.end()
            actions = states[state]
            word = ""
            if kind is not _END:
                word = found[kind]
                keyword = keywords.get(word, kind)
                if keyword in actions:
                    kind = keyword
            while kind in actions:
                action, target = actions[kind]
                if action is shift:
                    break
                size, callback, rule = reductions.get(id(target)) or self._learn(target)
                symbols = values[len(values) - size :]
                if size:
                    del values[-size:], stack[-size:]
                values.append(callback(symbols))
                state = states[stack[-1]][rule][1]
                stack.append(state)
                if state == self._end and kind is _END:
                    return values[0]
                actions = states[state]
            else:
                return None
            token = new(Token, word)  # in a fourth of the time that lark takes for it
            token.type = kind
            token.start_pos = end - len(word)
            token.end_pos = end
            values.append(token)
            state = target
            stack.append(state)
        return None

    def _learn(self, rule: Any) -> _Reduction:
        """``rule`` is one of the table's, and stays there with its ``id``."""
        known = len(rule.expansion), self._callbacks[rule], rule.origin.name
        self._reductions[id(rule)] = known
        return known
