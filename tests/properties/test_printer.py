"""The canonical form: whatever is written where, the file says the same, its comments
stand where they stood, and printing it again changes nothing.
"""

# ruff: noqa: E501

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from ampgen.language.parser import parse
from ampgen.language.printer import canonical, canonical_docs
from ampgen.language.printer.tokens import Kind, tokenise
from ampgen.source import Source
from tests.language.bare import bare
from tests.properties.schemas import schemas

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parents[2]

# Everything that the language has, some of it twice as close together as it should be.
WHOLE = """
import "a.amp"; import "b/c.amp" as d;
@x.y("a\\u{e9}b", 1.50, [1, [inf, -inf]], {}, 2s) @deprecated("why") type T = {str: [d.U?]};
open enum E { @deprecated("b") A = "a"; B; reserved; }
union U { a: T; @x.z b: [str]; reserved "c", "d"; }
fatal error F; error G "G" {} error H "H" { a: int?; }
service V {} service calls {}
@x.s service S extends V, d.W calls V { reserved "x"; command stream(); }
service R extends S, calls calls, S, {
    command Z(a: int,) raises F,;
    @wire("a b") @timeout(500ms) oneway command A(@wire("k") a: int = -1, reserved "r", "s", b: large str?);
    command B(a: stream bytes, reserved "r",) -> stream (a: {int: str}, @sensitive b: [E] = [A, B]) raises F, d.G;
    command C() -> stream: stream [int]; command D() -> stream int; command Quite(so: str, many: [str], argu: str) -> (int: int);
    command command(command: int) -> (reserved: int, reserved "a") raises H;
}
"""
TEXTS = [
    WHOLE,
    *(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/language/*.amp")),
]

spaces = st.sampled_from(["", " ", "\n", "\n\n", "\n\n\n", "\t", "\r\n", "    "])
words = st.text('abc *\t"\\\N{EURO SIGN}', max_size=6).map(
    lambda text: text.strip("/*")
)
comments = st.one_of(
    words.map(lambda text: f"//-{text}\n"),
    words.map(lambda text: f"///{text}\n"),
    words.map(lambda text: f"//!{text}\n"),
    words.map(lambda text: f"/*-{text}*/"),
    st.lists(words, max_size=3).map(lambda lines: "/*-" + "\n  ".join(lines) + "*/"),
    st.lists(words, max_size=3).map(lambda lines: "/*-" + "\n  *".join(lines) + "*/"),
)
gaps = st.lists(st.one_of(spaces, spaces, comments), max_size=4).map("".join)


@st.composite
def written(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> str:
    """A text with other things between its tokens, at a few places or at all."""
    tokens = [token.text for token in tokenise(draw(texts))]
    places = draw(st.sets(st.integers(0, len(tokens) - 1), max_size=30))
    plain = draw(st.sampled_from([" ", "\n", "\n\n"]))
    pieces: list[str] = []
    for at, token in enumerate(tokens):
        pieces.append(draw(gaps) if at in places else plain)
        if pieces[-1] == "":
            pieces[-1] = " "
        pieces.append(token)
    return "".join(pieces)


def said(text: str) -> Any:
    file, found = parse(Source("a.amp", text))
    assert not [one.message for one in found if one.is_error]
    return bare(file), [one.message for one in found]


def in_order(text: str) -> Sequence[str]:
    """The tokens and comments, without those that comments may change places with."""
    order: list[str] = []
    for token in tokenise(text):
        order += (
            " ".join(comment.text.split())
            for comment in token.before
            if comment.kind in (Kind.LINE, Kind.BLOCK)
        )
        if token.text not in {",", ";", "{"}:
            order.append(token.text)
    return order


def check(text: str) -> None:
    printed = canonical(text)
    assert said(printed) == said(text)
    assert in_order(printed) == in_order(text)
    assert canonical(printed) == printed
    assert not any(line != line.rstrip() for line in printed.split("\n"))
    docs = canonical_docs(text)
    tree, dangling = said(docs)
    assert tree == said(text)[0]
    assert not dangling
    assert canonical(docs) == docs == canonical_docs(docs) == canonical_docs(printed)


@given(written(st.sampled_from(TEXTS)))
def test_a_file_keeps_its_meaning_and_its_comments(text: str) -> None:
    check(text)


@given(written(schemas().map(lambda schema: schema.text())))
def test_so_does_any_schema(text: str) -> None:
    check(text)
