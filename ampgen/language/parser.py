"""Text -> syntax tree and diagnostics."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from lark import Lark, Token, Transformer

from ampgen.cache import cache_folder
from ampgen.diagnostics import Diagnostic, Label
from ampgen.diagnostics.fixes import Edit, Fix
from ampgen.language.builder import TreeBuilder
from ampgen.language.reader import Reader
from ampgen.language.recovery import Recovery
from ampgen.language.rules import DANGLING_DOC
from ampgen.language.trivia import scan
from ampgen.source import Span

if TYPE_CHECKING:
    from collections.abc import Callable

    from ampgen.language.tree import File
    from ampgen.source import Source

_DOC_LINE = re.compile(r"^\s*(///)", re.MULTILINE)
_LOCK = Lock()  # the one parser holds the one builder, which holds the file being read


def parse(source: Source) -> tuple[File, tuple[Diagnostic, ...]]:
    """The tree of a file, and what is wrong with its text, in the order of the text.

    Never fails: what cannot be read is left out of the tree and reported, and a
    declaration whose name can be read stands in the tree with what else could be read.
    """
    with _LOCK:
        parser, reader, builder = _parser()
        trivia = scan(source)
        recovery = Recovery(source, trivia)
        builder.begin(source, trivia)
        file: File | None = reader.read(source.text)
        if file is None:  # from the start, and with docs that nothing has taken yet
            trivia = scan(source)
            recovery = Recovery(source, trivia)
            builder.begin(source, trivia)
            parsed = cast("Any", parser).parse(source.text, on_error=recovery.resume)
            file = cast("File", parsed)  # lark's own type for it is a Tree
        found = [*trivia.diagnostics, *builder.diagnostics, *recovery.diagnostics]
    for offset, doc in trivia.docs.items():
        if not recovery.skipped(offset):
            found.append(
                Diagnostic(
                    DANGLING_DOC,
                    "doc comment that documents nothing",
                    Label(doc.span, "nothing that can have a doc comment follows"),
                    help="an ordinary comment begins with `//`, the file's with `//!`",
                    fix=_ordinary(doc.span),
                )
            )
    found.sort(key=lambda diagnostic: _offset(diagnostic))
    return file, tuple(found)


def _ordinary(doc: Span) -> Fix:
    """Its lines as ordinary comments."""
    source, text = doc.source, doc.text
    starts = [doc.start + match.start(1) for match in _DOC_LINE.finditer(text)]
    edits = [Edit(Span(source, start, start + 3), "//") for start in starts]
    return Fix("write `//`", tuple(edits))


def _offset(diagnostic: Diagnostic) -> int:
    return diagnostic.primary.span.start if diagnostic.primary else 0


class _Symbols(Transformer[Token, "File"]):
    """Hands the symbols of a rule to the builder's method of its name, one by one.

    lark's ``v_args`` would do that, too, with four calls instead of one.
    """

    def __init__(self, builder: TreeBuilder) -> None:
        self._builder = builder

    def __getattr__(self, rule: str) -> Callable[[list[Any]], Any]:
        method = getattr(self._builder, rule)
        return lambda symbols: method(*symbols)


@cache
def _parser() -> tuple[Lark, Reader, TreeBuilder]:
    grammar = Path(__file__).with_name("grammar.lark")
    builder = TreeBuilder()
    parser = Lark(
        grammar.read_text(encoding="utf-8"),
        parser="lalr",
        lexer="contextual",
        transformer=_Symbols(builder),
        keep_all_tokens=True,
        maybe_placeholders=True,
        cache=_tables() or False,
    )
    return parser, Reader(parser), builder


def _tables() -> str | None:
    """The file in which lark keeps what it works out from the grammar: a pickle.

    That takes a sixth of the time of a small schema. lark makes it again where it was
    made of another grammar, by another version, or cannot be read.
    """
    folder = cache_folder()
    if folder is None:
        return None
    with suppress(OSError):  # lark does without it, too
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder / f"grammar-{sys.implementation.cache_tag}.tables")
