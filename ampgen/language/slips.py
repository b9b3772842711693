"""What was probably meant: usual slips, and habits from other schema languages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from lark import Token

from ampgen.diagnostics.suggest import did_you_mean
from ampgen.frozen import frozen
from ampgen.language.expectation import DECLARATION_KEYWORDS, enclosing, noun
from ampgen.language.tree import Annotation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_FOREIGN_KEYWORDS = {
    "alias": "type",
    "class": "struct",
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
_LIST_WORDS = {"array", "list", "repeated", "seq", "sequence", "set", "vec", "vector"}
_MAP_WORDS = {"dict", "hashmap", "map", "mapping", "object"}
_BUILT_IN = {
    *("bool", "int", "float", "str", "bytes", "decimal", "datetime", "date"),
    *("duration", "uuid", "json", "path", "fd"),
}
_FOREIGN_TYPES = {
    *("boolean", "double", "float32", "float64", "integer", "string"),
    *(f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64)),
}
_ARROWS = ("\N{EN DASH}", "\N{EM DASH}", "\N{RIGHTWARDS ARROW}")
_RESULT_WORDS = {"return", "returns", "retruns", "retuns", "result", "results"}


def foreign_keyword(word: str) -> str | None:
    """Our keyword for one of another schema language."""
    return _FOREIGN_KEYWORDS.get(word)


@frozen
class Advice:
    """What was probably meant. ``edit`` writes it: from, to, and the text in between.

    Both count from the mistake. ``safe`` as in :class:`~ampgen.diagnostics.fixes.Fix`.
    """

    help: str
    edit: tuple[int, int, str] | None = None
    safe: bool = False


@frozen
class Place:
    """A mistake as the slips look at it.

    ``rest`` is the text from the mistake on, ``word`` the word with which it begins,
    and ``last_word`` the word right before it, ``last_start`` where that begins,
    counted from the mistake; a word may be empty. ``begins_line``: what is wrong may be
    the line before it, which lacks its `;`.
    """

    rest: str
    word: str
    last_word: str
    last_start: int
    begins_line: bool
    expected: frozenset[str]
    values: Sequence[Any]

    @property
    def last_end(self) -> int:
        return self.last_start + len(self.last_word)


def advice(
    text: str,
    start: int,
    previous_end: int,
    expected: frozenset[str],
    values: Sequence[Any],
) -> Advice | None:
    """What was probably meant by the text at ``start``, or ``None``.

    ``previous_end`` is where the token before it ends: comments may lie between.
    """
    rest = text[start : start + 40]
    word = re.match(r"\w+", rest)
    begin = max(0, start - 80)
    last_word = re.search(r"\w+$", text[begin:previous_end])
    place = Place(
        rest,
        word[0] if word else "",
        last_word[0] if last_word else "",
        begin + last_word.start() - start if last_word else 0,
        not text[text.rfind("\n", 0, start) + 1 : start].strip(),
        expected,
        values,
    )
    said = next((said for slip in SLIPS if (said := slip(place)) is not None), None)
    return Advice(said) if isinstance(said, str) else said


def _result(place: Place) -> str | Advice | None:
    if place.rest.startswith("->") and "SEMICOLON" in place.expected:
        return "there is one result, and it stands before `raises`"
    if "ARROW" not in place.expected:
        return _result_key(place)
    if place.rest.startswith(("=>", "-", *_ARROWS)):
        length = 2 if place.rest.startswith("=>") else 1
        return Advice("did you mean `->`?", (0, length, "->"))
    if place.word == "oneway":
        return "`oneway` stands before `command`"
    if place.rest.startswith(":") or place.word.lower() in _RESULT_WORDS:
        return Advice(
            "a result stands behind `->`: `command Name() -> str;`",
            (0, len(place.word), "->") if place.word else (0, 1, " ->"),
        )
    return None


def _result_key(place: Place) -> str | None:
    if place.rest.startswith(":") and "RAISES" in place.expected:
        return f"the key stands right behind the arrow: `-> {place.last_word}: …`"
    if place.rest.startswith("(") and place.last_word == "stream":
        return "items in parentheses have keys of their own: `-> stream (…)`"
    return None


def _type(place: Place) -> str | Advice | None:
    last = place.last_word.lower()
    is_whole = not place.rest.startswith(".", len(place.word))
    if place.rest.startswith(("<", "[")):
        if last in _LIST_WORDS:
            return "a list is written `[T]`"
        if last in _MAP_WORDS:
            return "a map is written `{K: V}`"
        if last == "optional":
            return "an optional type is written `T?`"
        if place.rest.startswith("[]"):
            return _list(place)
    if place.rest.startswith("|"):
        return "`T?` may be absent; for one of several types declare a `union`"
    if place.rest.startswith("?") and "STREAM" in place.expected:
        return "the `?` stands behind the type: `T?`"
    if place.word and "EQUAL" in place.expected and not place.begins_line:
        if last == "optional":
            optional = f"{place.word}?"
            return Advice(
                f"an optional type is written `{optional}`",
                (place.last_start, len(place.word), optional) if is_whole else None,
            )
        meant = did_you_mean(last, ("stream", "large"))
        if meant is not None:
            edit = place.last_start, place.last_end, meant
            return Advice(f"did you mean `{meant} {place.word}`?", edit)
    return None


def _list(place: Place) -> Advice:
    """`T[]`"""
    item = place.last_word
    if not item:
        return Advice("a list is written `[T]`")
    edit = place.last_start, 2, f"[{item}]"
    return Advice(f"a list is written `[{item}]`", edit, safe=item in _BUILT_IN)


def _mark(place: Place) -> str | Advice | None:
    expected = place.expected
    if place.rest.startswith(_QUOTES):
        quoted = _QUOTED.match(place.rest)
        return Advice(
            'strings stand in double quotes: `"…"`',
            (0, quoted.end(), f'"{quoted[1]}"') if quoted else None,
            safe=True,
        )
    if place.rest.startswith("#"):
        return Advice("a comment begins with `//`", (0, 1, "//"))
    if re.match(r"-\w", place.rest) and place.last_word and expected & _BEHIND_NAMES:
        end = re.match(r"(?:-\w+)+", place.rest)
        meant = place.last_word + (end[0].replace("-", "_") if end else "")
        return Advice(
            f"names consist of letters, digits and `_`: `{meant}`",
            (place.last_start, end.end(), meant) if end else None,
        )
    if place.rest.startswith("?") and "COLON" in expected:
        return f"the `?` stands behind the type: `{place.last_word}: str?`"
    if place.rest.startswith('"') and expected == frozenset({"RBRACE"}):
        return "the only map that can be a default is `{}`"
    return None


def _value(place: Place) -> str | Advice | None:
    if "NUMBER" in place.expected:
        number = re.match(r"([-+]?)(\.?)([0-9][0-9.]*)", place.rest)
        if number is None:
            return None
        sign, point, digits = number.groups()
        shown = f"{sign.strip('+')}{'0.' if point else ''}{digits}"
        return Advice(
            f"a number begins with a digit, or with `-` and a digit: `{shown}`",
            (0, number.end(), shown),
            safe=True,
        )
    if place.begins_line or place.expected != frozenset({"STRING"}):
        return None
    opening = enclosing(place.values)
    if opening is not None and opening.type == "ENUM":
        word = re.match(r"-?[\w.]+", place.rest)
        if word:
            text = f'"{word[0]}"'
            return Advice(f"values are strings: `{text}`", (0, word.end(), text))
    return None


def _types(values: Sequence[Any]) -> set[str]:
    return {value.type for value in values if isinstance(value, Token)}


def _annotated(place: Place) -> str | None:
    if place.rest.startswith("@") and not place.begins_line:
        if "STREAM" in place.expected and "ARROW" in _types(place.values[-1:]):
            return "a bare result has no annotations: its key stands before a colon"
        return "an annotation stands before all that it belongs to"
    last = place.values[-1] if place.values else None
    is_annotated = isinstance(last, tuple) and any(
        isinstance(item, Annotation) for item in cast("tuple[object, ...]", last)
    )
    if is_annotated and place.word in {"import", "reserved"}:
        return f"`{place.word}` takes no annotations"
    if place.last_word == "reserved" and place.rest.startswith('"'):
        return "`reserved` takes no annotations"  # so it was taken for a field's name
    return None


_BEHIND_NAMES = frozenset({"COLON", "LBRACE"})
_QUOTES = (
    "'",
    "`",
    "\N{LEFT SINGLE QUOTATION MARK}",
    "\N{LEFT DOUBLE QUOTATION MARK}",
    "\N{RIGHT SINGLE QUOTATION MARK}",
    "\N{RIGHT DOUBLE QUOTATION MARK}",
)
_QUOTED = re.compile('[{0}]([^{0}"\\\\\r\n]*)[{0}]'.format("".join(_QUOTES)))


def _field(place: Place) -> str | Advice | None:
    word, last, expected = place.word, place.last_word, place.expected
    if place.rest.startswith(";") and "COLON" in expected and last != "reserved":
        return f"its type is missing: `{last}: str`"
    if last == "reserved" and "STRING" in expected:
        return Advice(
            f'reserved keys are strings: `reserved "{word or "key"}"`',
            _in_quotes(place.rest),
            safe=True,
        )
    if place.rest.startswith((")", ",")) and "COLON" in expected:
        return _nameless(place)
    if word and "COLON" in expected and not expected & {"RBRACE", "SEMICOLON"}:
        if last in {"stream", "large"}:
            return f"`{last}` stands before the type: `{word}: {last} T`"
        if last in DECLARATION_KEYWORDS:
            return "one declaration does not stand inside another"
        if last in _BUILT_IN or last in _FOREIGN_TYPES:
            return Advice(
                f"the name comes first: `{word}: {last}`",
                (place.last_start, len(word), f"{word}: {last}"),
            )
        return Advice(
            f"name and type are separated by `:`: `{last}: {word}`",
            (place.last_end, place.last_end, ":"),
            safe=word in _BUILT_IN,
        )
    if word[:1].isdigit() and not word.isdigit() and "NAME" in expected:
        return "a name begins with a letter"
    if word.isdigit() and {"NAME", "AT"} <= expected:
        return "fields and members are told apart by name: they have no numbers"
    return None


def _in_quotes(rest: str) -> tuple[int, int, str] | None:
    """`nick, age` as strings, if it is all there."""
    words = re.match(r"[a-zA-Z]\w*(?:\s*,\s*[a-zA-Z]\w*)*(?=\s*[;)])", rest)
    return (0, words.end(), re.sub(r"\w+", r'"\g<0>"', words[0])) if words else None


def _nameless(place: Place) -> str | None:
    """`-> (int)`, or `command Name(int)`."""
    last = place.last_word
    if last not in _BUILT_IN | _FOREIGN_TYPES:
        return None
    if noun(place.values) == "an argument":
        return f"an argument has a name: `name: {last}`"
    alone = f"; or `-> {last}`" if place.rest.startswith(")") else ""
    return f"a result in parentheses has a name: `(name: {last})`{alone}"


def _head(place: Place) -> str | Advice | None:
    word, expected = place.word, place.expected
    code = re.match(r'(?:[=:]|(\())\s*("[^"]*")(?(1)\s*\)?)', place.rest)
    if code and {"STRING", "LBRACE", "SEMICOLON"} <= expected:
        return Advice(
            f"the code stands behind the name: `error {place.last_word} {code[2]}`",
            (place.last_end, code.end(), f" {code[2]}"),
            safe=True,
        )
    if place.rest.startswith("(") and place.last_word == "raises":
        errors = re.match(r"\(([\w\s,.]*\w)\s*\)", place.rest)
        return Advice(
            "the errors stand without parentheses: `raises A, B`",
            (0, errors.end(), errors[1]) if errors else None,
            safe=True,
        )
    if word == "extends" and "LBRACE" in expected:
        tokens = (value for value in place.values if isinstance(value, Token))
        if any(token.type == "SERVICE" for token in tokens):
            return "`extends` stands once, and before `calls`"
        return "only a service can extend others"
    if word == "calls" and "LBRACE" in expected:
        return "`calls` stands once, with a list of services: `calls A, B`"
    if word in {"command", "oneway"} and "STRUCT" in expected:
        return "a command stands inside a service: `service Name { … }`"
    return None


SLIPS: tuple[Callable[[Place], str | Advice | None], ...] = (
    _result,
    _type,
    _mark,
    _value,
    _annotated,
    _field,
    _head,
)
