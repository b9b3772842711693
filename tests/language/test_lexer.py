"""The quick lexer and lark's own: the same tokens, and the same mistakes."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from lark import Lark, Token
from lark.exceptions import UnexpectedInput

import ampgen.language
from ampgen.language.expectation import KEYWORDS
from ampgen.language.lexer import QuickLexer

ROOT = Path(__file__).parents[2]
GRAMMAR = Path(ampgen.language.__path__[0]) / "grammar.lark"


def lark(lexer: Any) -> Any:
    text = GRAMMAR.read_text("utf-8")
    return Lark(text, parser="lalr", lexer=lexer, keep_all_tokens=True)


QUICK = lark(QuickLexer)
OWN = lark("contextual")


def is_token(symbol: object) -> bool:
    return isinstance(symbol, Token)


def read(parser: Any, text: str) -> list[tuple[Any, ...]]:
    """The tokens; else what could not be read, and what might have stood there."""
    try:
        parsed = parser.parse(text)
    except UnexpectedInput as error:
        known: dict[str, Any] = vars(error)
        expected = known.get("expected"), known.get("allowed")
        return [(type(error), error.pos_in_stream, known.get("token"), expected)]
    tokens: list[Token] = [*parsed.scan_values(is_token)]
    return [
        (token.type, str(token), token.start_pos, token.end_pos) for token in tokens
    ]


FOLDERS = [ROOT / name for name in ("schemas", "tests", "docs")]
FOUND = chain.from_iterable(folder.rglob("*.amp") for folder in FOLDERS)
FILES = sorted(path for path in FOUND if path.is_file())


def test_they_read_every_schema_of_this_project_alike() -> None:
    assert len(FILES) > 100
    readings = 0
    for path in FILES:
        text = path.read_bytes().decode("utf-8", "replace")
        tokens = read(QUICK, text)
        assert tokens == read(OWN, text), path
        readings += len(tokens) > 1
    assert readings > 100  # most have no mistake


@pytest.mark.parametrize("word", sorted(KEYWORDS | {"stream", "inf", "structure"}))
@pytest.mark.parametrize(
    "text",
    [
        "{};",
        "struct {} {{}}",
        "struct S {{ {}: {}; }}",
        "enum E {{ {}; }}",
        "error E {} {{}}",
        "@x.{}({}, -{}) {}",
        "service S {{ {} C({}: {} = {}) -> {}: {}; }}",
    ],
)
def test_a_word_is_a_keyword_in_the_same_places(text: str, word: str) -> None:
    text = text.replace("{}", word).replace("{{", "{").replace("}}", "}")
    assert read(QUICK, text) == read(OWN, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \t\r\n\f// nothing",
        "\ufeffstruct S{}",
        "struct S{}\ufeff",
        "/* never\n ends",
        "/**/struct/*/ / */S//\n{}",
        "struct S { a: int = -1e+5.x_; b: float = -inf; c: float = -info; }",
        'import "\\"" as a;import "no end',
        "struct S { a: int; } $",
        f"struct S {{{' ' * 100_000}$",  # no number of ways to skip what is ignored
    ],
)
def test_what_stands_around_tokens_is_skipped_alike(text: str) -> None:
    assert read(QUICK, text) == read(OWN, text)
