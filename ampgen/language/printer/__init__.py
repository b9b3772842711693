"""The one canonical form of a schema file.

What is printed depends on the tokens and comments alone, but for three things that are
taken from the author: one blank line in the place of any number inside a block, whether
a comment stands on a line of its own, and how a number is written. Printing the result
again changes nothing.

Statements and members stand one a line, four spaces in. A command whose line would be
too long has its arguments, its results or both one a line, with a comma behind the
last; so has one with a comment between them. Annotations stand on the line above a
declaration or a command, and before the name of all else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.language.printer.items import keep_docs_alone, read_items
from ampgen.language.printer.layout import print_file
from ampgen.language.printer.tokens import Kind, Token, quoted, tokenise

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["canonical", "canonical_docs"]


def canonical(text: str) -> str:
    """The file in its canonical form; ``text`` has been parsed without an error."""
    return print_file(read_items(tokenise(text)))


def canonical_docs(text: str, imports: Sequence[str] = ()) -> str:
    """The same, without comments other than docs.

    ``imports``: the paths that its import statements shall name, in their order.
    """
    tokens = tokenise(text)
    docs = tuple(c for t in tokens for c in t.before if c.kind is Kind.FILE_DOC)
    file = read_items(tokens)
    keep_docs_alone(file)
    statements = (item for item in file.items if item.keyword == "import")
    for statement, path in zip(statements, imports, strict=False):
        statement.parts[1] = Token(quoted(path))
    if file.items:
        file.items[0].leading = docs + file.items[0].leading
    else:
        file.closing = docs
    return print_file(file)
