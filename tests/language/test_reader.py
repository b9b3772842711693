"""The reader and lark: the same of what has no mistake, and nothing of what has one."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any, cast

import pytest
from lark import Lark, Token
from lark.exceptions import UnexpectedInput

import ampgen.language
from ampgen.language.expectation import KEYWORDS
from ampgen.language.reader import Reader

ROOT = Path(__file__).parents[2]
GRAMMAR = Path(ampgen.language.__path__[0]) / "grammar.lark"

LARK = Lark(
    GRAMMAR.read_text("utf-8"),
    parser="lalr",
    lexer="contextual",
    keep_all_tokens=True,
    maybe_placeholders=True,
)
READER = Reader(LARK)


def are_alike(text: str) -> bool:
    """Is there no mistake? Whether there is one or not, both have to say the same."""
    parse: Any = cast("Any", LARK).parse
    read = READER.read(text)
    try:
        parsed = parse(text)
    except UnexpectedInput:
        assert read is None
        return False
    assert read == parsed
    assert places(read) == places(parsed)
    return True


def is_token(symbol: object) -> bool:
    return isinstance(symbol, Token)


def places(tree: Any) -> list[tuple[str, int | None, int | None]]:
    tokens: list[Token] = [*tree.scan_values(is_token)]
    return [(token.type, token.start_pos, token.end_pos) for token in tokens]


FOLDERS = [ROOT / name for name in ("schemas", "tests", "docs")]
FOUND = chain.from_iterable(folder.rglob("*.amp") for folder in FOLDERS)
FILES = sorted(path for path in FOUND if path.is_file())


def test_they_read_every_schema_of_this_project_alike() -> None:
    texts = [path.read_bytes().decode("utf-8", "replace") for path in FILES]
    without = sum(map(are_alike, texts))
    assert without > 300
    assert len(texts) - without > 20


# Where a word stands for `%`; and whether it may be any name there.
PLACES = {
    "%;": False,
    'import "a" as %;': True,
    'struct % { %: %; reserved "a"; }': True,
    "@x.%(%, -%) %": False,
    '@x.%(%) enum % { %; @% % = "a"; }': True,
    "error E % {}": False,
    "service S extends % calls % {}": True,
    "service S { command C(%: % = %, @x %: [%]) -> %: {%: %?} raises %; }": True,
    "service S { % C(a: % b: %) -> % (%: %); }": False,
}


@pytest.mark.parametrize(("text", "may_be_a_name"), PLACES.items())
def test_a_word_is_a_keyword_in_the_same_places(text: str, may_be_a_name: bool) -> None:
    assert are_alike(text.replace("%", "nothing")) == may_be_a_name
    for word in sorted(KEYWORDS | {"stream", "large", "inf", "true"}):
        are_alike(text.replace("%", word))
        are_alike(text.replace("%", f"{word}_"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \t\r\n\f// nothing",
        "\ufeffstruct S{}",
        "/* never\n ends",
        "struct S{}/**//*/ */// {",
        "struct S { a: int = -1e+5; b: float = -inf; c: float = inf; d: float = nan; }",
        'import "\\"" as a;import "" ;',
        "struct S{a:{str:[geo.P?]}?;}",
    ],
)
def test_what_has_no_mistake_is_read(text: str) -> None:
    assert are_alike(text)


@pytest.mark.parametrize(
    "text",
    [
        "struct S{}\ufeff",
        "struct S",
        "structS{}",
        "struct S { a: int } $",
        "struct S { b: float = -info; }",
        'import "no end',
        "service S { command C() - > int; }",
        f"struct S {{{' ' * 100_000}$",  # there is but one way to skip what is ignored
    ],
)
def test_of_what_has_a_mistake_nothing_is_read(text: str) -> None:
    assert not are_alike(text)
