"""What could have stood at a place, in the user's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lark import Token

if TYPE_CHECKING:
    from collections.abc import Sequence

DECLARATION_KEYWORDS = frozenset(
    {"import", "type", "open", "enum", "struct", "union", "fatal", "error", "service"}
)
KEYWORDS = DECLARATION_KEYWORDS | {
    "as",
    "calls",
    "command",
    "extends",
    "oneway",
    "raises",
    "reserved",
}

_DECLARATION = {word.upper() for word in DECLARATION_KEYWORDS} | {"AT"}
_COMMAND = {"COMMAND", "ONEWAY", "RESERVED", "AT"}
_MEMBER = {"NAME", "RESERVED", "AT", "STRING"}
_TYPE = {"NAME", "LSQB", "LBRACE", "STREAM", "LARGE"}
_VALUE = {"STRING", "NUMBER", "TRUE", "FALSE", "INF", "NAN", "NAME", "LSQB", "LBRACE"}

# In the order in which a message lists them.
_MARKS = {
    "SEMICOLON": "`;`",
    "COLON": "`:`",
    "LPAR": "`(`",
    "LBRACE": "`{`",
    "COMMA": "`,`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "ARROW": "`->`",
}


def describe(expected: frozenset[str], values: Sequence[Any]) -> str:
    """The terminals in words, as in "`;`, or `=` and a default".

    ``values`` is the parser's stack: it tells a field from an argument.
    """
    left = set(expected) - {"BROKEN", "$END", "DOT"}
    words: list[str] = []
    if {"STRUCT", "SERVICE"} <= left:
        words.append("a declaration")
        left -= _DECLARATION
    elif "COMMAND" in left and left != {"COMMAND"}:
        words.append("a command")
        left -= _COMMAND
    elif "RESERVED" in left or {"NAME", "AT"} <= left:
        words.append(noun(values))
        left -= _MEMBER
    if left >= _TYPE:
        words.append("a type")
        left -= _TYPE | {"COLON"}
    if {"STRING", "NUMBER"} <= left:
        words.append("a value")
        left -= _VALUE
    if "NAME" in left:
        words.append("a name")
    if "STRING" in left:
        words.append("a string")
    if "SEMICOLON" in left:
        left.discard("COLON")  # `-> key: type`, where `-> type;` is at its end
    if not left & {"RPAR", "RSQB"}:
        left.discard("COMMA")
    words += [mark for terminal, mark in _MARKS.items() if terminal in left]
    words += [f"`{word}`" for word in sorted(KEYWORDS) if word.upper() in left]
    if "AT" in left:
        words.append("an annotation")
    if "EQUAL" in left:
        words.append(_equal(values))
    return _join(words)


def _equal(values: Sequence[Any]) -> str:
    opening = enclosing(values)
    if opening is None:
        return "`=`"
    noun = "a value" if opening.type == "ENUM" else "a default"
    return f"`=` and {noun}"


def _join(words: list[str]) -> str:
    if len(words) < 2:
        return "".join(words) or "the end of the file"
    last = words[-1]
    comma = "," if last.startswith("`=` and") else ""
    return f"{', '.join(words[:-1])}{comma} or {last}"


def enclosing(values: Sequence[Any]) -> Token | None:
    """The keyword of the block, or the bracket of the list, that is open at the end."""
    index = _open_bracket(values)
    if index is None or values[index].type != "LBRACE":
        return None if index is None else values[index]
    for value in reversed(values[:index]):
        if isinstance(value, Token) and value.type.lower() in DECLARATION_KEYWORDS:
            return value
    return None


def _open_bracket(values: Sequence[Any]) -> int | None:
    depth = 0
    for index in range(len(values) - 1, -1, -1):
        kind = values[index].type if isinstance(values[index], Token) else ""
        if kind in {"RPAR", "RSQB", "RBRACE"}:
            depth += 1
        elif kind in {"LPAR", "LSQB", "LBRACE"}:
            if not depth:
                return index
            depth -= 1
    return None


def noun(values: Sequence[Any]) -> str:
    """What the open block or list holds: "a field", "an argument"."""
    opening = enclosing(values)
    if opening is None:
        return "a name"
    if opening.type == "LPAR":
        before = values[(_open_bracket(values) or 1) - 1]
        is_result = isinstance(before, Token) and before.type in {"ARROW", "STREAM"}
        return "a result" if is_result else "an argument"
    return "a member" if opening.type in {"ENUM", "UNION"} else "a field"
