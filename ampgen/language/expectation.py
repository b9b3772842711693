"""What could have stood at a place, and what was probably meant, in the user's words."""

from __future__ import annotations

import re
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

_FOREIGN_KEYWORDS = {
    "alias": "type",
    "class": "struct",
    "const": None,
    "def": "command",
    "exception": "error",
    "fn": "command",
    "func": "command",
    "function": "command",
    "include": "import",
    "interface": "service",
    "message": "struct",
    "method": "command",
    "notification": "oneway",
    "oneof": "union",
    "procedure": "command",
    "protocol": "service",
    "record": "struct",
    "rpc": "command",
    "throws": "raises",
    "typedef": "type",
    "using": "import",
    "variant": "union",
}
_LIST_WORDS = {"list", "array", "sequence", "seq", "set", "vector", "vec", "repeated"}
_MAP_WORDS = {"dict", "map", "mapping", "hashmap", "object"}
_BUILT_IN = {"bool", "int", "float", "str", "bytes", "decimal", "datetime", "date"} | {
    "duration",
    "uuid",
    "json",
    "path",
    "fd",
}
_FOREIGN_TYPES = {"string", "boolean", "integer", "double", "float32", "float64"} | {
    f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64)
}
_RESULT_WORDS = {"return", "returns", "retruns", "retuns", "result", "results"}


def foreign_keyword(word: str) -> str | None:
    """Our keyword for one of another schema language."""
    return _FOREIGN_KEYWORDS.get(word)


def describe(expected: frozenset[str], values: Sequence[Any]) -> str:
    """``a type``; ``a field or `}```; ``\\`;\\`, or \\`=\\` and a default``."""
    left = set(expected) - {"BROKEN", "$END", "DOT"}
    words: list[str] = []
    if {"STRUCT", "SERVICE"} <= left:
        words.append("a declaration")
        left -= _DECLARATION
    elif "COMMAND" in left and left != {"COMMAND"}:
        words.append("a command")
        left -= _COMMAND
    elif "RESERVED" in left or {"NAME", "AT"} <= left:
        words.append(_noun(values))
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
    depth = 0
    block = False
    for value in reversed(values):
        if not isinstance(value, Token):
            continue
        if block:
            if value.lower() in DECLARATION_KEYWORDS:
                return value
        elif value.type in {"RPAR", "RSQB", "RBRACE"}:
            depth += 1
        elif value.type in {"LPAR", "LSQB", "LBRACE"}:
            if depth:
                depth -= 1
            elif value.type == "LBRACE":
                block = True
            else:
                return value
    return None


def _noun(values: Sequence[Any]) -> str:
    opening = enclosing(values)
    if opening is None:
        return "a name"
    if opening.type == "LPAR":
        before = [value for value in values[: list(values).index(opening)]]
        last = before[-1] if before else None
        if isinstance(last, Token) and last.type in {"ARROW", "STREAM"}:
            return "a result"
        return "an argument"
    return "a member" if opening.type in {"ENUM", "UNION"} else "a field"


def advice(
    text: str, start: int, expected: frozenset[str], values: Sequence[Any]
) -> str | None:
    """What was probably meant by the text at ``start``, or ``None``."""
    rest = text[start : start + 40]
    before = text[max(0, start - 80) : start].rstrip()
    last_word = re.search(r"\w+$", before)
    word = re.match(r"\w+", rest)
    for slip in (_result_slip, _type_slip, _mark_slip, _word_slip):
        help_text = slip(
            rest,
            word[0] if word else "",
            last_word[0] if last_word else "",
            expected,
            values,
        )
        if help_text is not None:
            return help_text
    return None


def _result_slip(
    rest: str,
    word: str,
    _last: str,
    expected: frozenset[str],
    _values: Sequence[Any],
) -> str | None:
    if "ARROW" not in expected:
        return None
    if rest.startswith("=>") or rest.startswith(("-", "—", "→")):
        return "did you mean `->`?"
    if rest.startswith(":") or word.lower() in _RESULT_WORDS:
        return "a result stands behind `->`: `command Name() -> str;`"
    return None


def _type_slip(
    rest: str, _word: str, last: str, _expected: frozenset[str], _values: Sequence[Any]
) -> str | None:
    if rest.startswith(("<", "[")):
        if last.lower() in _LIST_WORDS:
            return "a list is written `[T]`"
        if last.lower() in _MAP_WORDS:
            return "a map is written `{K: V}`"
        if last.lower() == "optional":
            return "an optional type is written `T?`"
        if rest.startswith("[]"):
            return f"a list is written `[{last or 'T'}]`"
    if rest.startswith("|"):
        return "`T?` may be absent; for one of several types declare a `union`"
    return None


def _mark_slip(
    rest: str, _word: str, last: str, expected: frozenset[str], _values: Sequence[Any]
) -> str | None:
    if rest.startswith(("'", "‘", "“", "”", "`")):
        return 'strings stand in double quotes: `"…"`'
    if rest.startswith("#"):
        return "a comment begins with `//`"
    if rest.startswith("?") and "COLON" in expected:
        return f"the `?` stands behind the type: `{last}: str?`"
    if rest.startswith('"') and "RBRACE" in expected and "SEMICOLON" not in expected:
        return "the only map that can be a default is `{}`"
    return None


def _word_slip(
    _rest: str, word: str, last: str, expected: frozenset[str], values: Sequence[Any]
) -> str | None:
    if not word:
        return None
    if "COLON" in expected and "RBRACE" not in expected:
        if last in DECLARATION_KEYWORDS:
            return "one declaration does not stand inside another"
        if last in _BUILT_IN or last in _FOREIGN_TYPES:
            return f"the name comes first: `{word}: {last}`"
        return f"name and type are separated by `:`: `{last}: {word}`"
    if word == "extends" and "LBRACE" in expected:
        if any(
            isinstance(value, Token) and value.type == "SERVICE" for value in values
        ):
            return "`extends` stands once, and before `calls`"
        return "only a service can extend others"
    if word == "calls" and "LBRACE" in expected:
        return "`calls` stands once, with a list of services: `calls A, B`"
    if word in {"command", "oneway"} and "STRUCT" in expected:
        return "a command stands inside a service: `service Name { … }`"
    if word[0].isdigit() and {"NAME", "AT"} <= expected:
        return "fields and members are told apart by name: they have no numbers"
    return None
