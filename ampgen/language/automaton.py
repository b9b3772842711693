"""Lark's LALR parser, stopped at a mistake: look at its stack, and change it.

All that the project knows of lark's inside is here, and in reader.py. A state of the
table maps terminals to a shift or a reduction, and rules to the state that follows
them; the two stacks hold the states and the values (tokens, and what the tree builder
made of complete rules), and the stack of states has one more, the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias, cast

from lark import Token
from lark.parsers.lalr_analysis import Shift

from ampgen.language.expectation import KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lark.parsers.lalr_interactive_parser import InteractiveParser

END = "$END"
BROKEN = "BROKEN"

# Where a name may stand, these may stand as one.
_MERELY_NAMES = {word.upper() for word in KEYWORDS - {"reserved"}}

_Actions: TypeAlias = dict[str, tuple[object, Any]]


class Automaton:
    def __init__(self, stopped: InteractiveParser) -> None:
        state: Any = cast("Any", stopped).parser_state
        self._lexer_state: Any = stopped.lexer_thread.state
        self._feed: Callable[[Token], Any] = state.feed_token
        self._states: dict[int, _Actions] = state.parse_conf.states
        self._callbacks: dict[Any, Any] = state.parse_conf.callbacks
        self._state_stack: list[int] = state.state_stack
        self.values: list[Any] = state.value_stack

    def settle(self) -> None:
        """Complete every rule that is complete whatever follows.

        Lark stops before such a reduction where the next token cannot follow, and what
        has been read without a mistake would be lost with the rest of the statement.
        """
        while True:
            actions = self._actions()
            kinds = {action[0] for action in actions.values()}
            rules = {action[1] for action in actions.values() if action[0] is not Shift}
            if Shift in kinds or len(rules) != 1:
                return
            self._reduce(rules.pop())

    def reduce_before(self, terminal: str) -> None:
        """Complete the rule that is complete if ``terminal`` follows."""
        action, rule = self._actions().get(terminal, (Shift, None))
        if action is not Shift:
            self._reduce(rule)

    def _reduce(self, rule: Any) -> None:
        size = len(rule.expansion)
        children = self.values[len(self.values) - size :]
        if size:
            del self.values[-size:], self._state_stack[-size:]
        value = self._callbacks[rule](children)
        _shift, state = self._states[self._state_stack[-1]][rule.origin.name]
        self.values.append(value)
        self._state_stack.append(state)

    def expected(self) -> frozenset[str]:
        """The terminals with which the text could go on here."""
        names = frozenset(name for name in self._actions() if self.accepts(name))
        return names - _MERELY_NAMES if "NAME" in names else names

    def accepts(self, terminal: str) -> bool:
        """Whether a terminal could stand here, after the reductions that it causes.

        The table alone does not tell: it promises some terminals (the lookaheads that
        LALR merges) which turn out to be wrong after the reduction.
        """
        if not terminal.isupper():
            return False  # the name of a rule
        stack = list(self._state_stack)
        while True:
            action, argument = self._states[stack[-1]].get(terminal, (None, None))
            if action is None:
                return False
            if action is Shift:
                return True
            size = len(argument.expansion)
            if size:
                del stack[-size:]
            goto = self._states[stack[-1]].get(argument.origin.name)
            if goto is None:
                return False
            stack.append(goto[1])
            if terminal == END and argument.origin.name == "start":
                return True

    @property
    def can_break(self) -> bool:
        """Whether a broken piece may stand here, without completing a rule first."""
        return self._actions().get(BROKEN, (None, None))[0] is Shift

    def pop(self) -> Any:
        """Forget the last symbol, and return its value."""
        self._state_stack.pop()
        return self.values.pop()

    def feed(self, terminal: str, text: str, offset: int) -> None:
        """Go on as if the token stood at ``offset``."""
        token = Token(terminal, text, offset, end_pos=offset + len(text))
        self._feed(token)

    def read_from(self, offset: int) -> None:
        """Let the next token be the one at ``offset``, or behind it."""
        self._lexer_state.line_ctr.char_pos = offset

    def _actions(self) -> _Actions:
        return self._states[self._state_stack[-1]]
