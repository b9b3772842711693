"""What the building of every node shares: spans, names, doc comments, blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Never, TypeAlias, TypeVar

from lark import Token

from ampgen.diagnostics import Diagnostic, Label
from ampgen.frozen import frozen
from ampgen.language import tree
from ampgen.language.rules import NAME_NOT_ASCII
from ampgen.source import Source, Span

if TYPE_CHECKING:
    from ampgen.language.trivia import Trivia

Annotations: TypeAlias = tuple[tree.Annotation, ...]
Member = TypeVar("Member")
Member_co = TypeVar("Member_co", covariant=True)


@frozen
class Block(Generic[Member_co]):
    """``{ … }``; ``incomplete`` if a member could not be read."""

    members: tuple[Member_co, ...]
    incomplete: bool
    span: Span


class NodeBuilder:
    """The file that is being read, and what is shared."""

    def begin(self, source: Source, trivia: Trivia) -> None:
        """Start on a file. Doc comments leave ``trivia.docs`` for their nodes."""
        self.source = source
        self.trivia = trivia
        self.diagnostics: list[Diagnostic] = []
        self._not_ascii: dict[str, Span] = {}

    def _report_names(self) -> None:
        """Report each name that is not ASCII once, where it stands first."""
        help_text = "names consist of `A`-`Z`, `a`-`z`, digits and `_`"
        for text, span in self._not_ascii.items():
            message = f"the name `{text}` is not ASCII"
            self.diagnostics.append(
                Diagnostic(NAME_NOT_ASCII, message, Label(span), help=help_text)
            )

    def _opening(
        self, annotations: Annotations | None, *tokens: Token | None
    ) -> tuple[int, tree.Doc | None]:
        """Where a node begins, and its doc comment, which may follow annotations."""
        first = next(token for token in tokens if token is not None)
        start = behind = start_of(first)
        if annotations:
            start = annotations[0].span.start
        docs = self.trivia.docs
        doc = docs.pop(start, None)
        if doc is None and start != behind:
            doc = docs.pop(behind, None)
        return start, doc

    def _block(self, items: tuple[Member | Token, ...]) -> Block[Member]:
        inner = items[1:-1]
        open_, close = (
            item for item in (items[0], items[-1]) if isinstance(item, Token)
        )
        members = tuple(item for item in inner if not isinstance(item, Token))
        incomplete = len(members) < len(inner)
        return Block(members, incomplete, self._span(open_, close))

    def _no_block(self, last: Token) -> Block[Never]:
        return Block((), True, self._span(last, last))

    def _name(self, token: Token) -> tree.Name:
        span = self._span(token, token)
        text = str(token)
        if not text.isascii():
            first = self._not_ascii.setdefault(text, span)
            if span.start < first.start:  # inner names are built before outer ones
                self._not_ascii[text] = span
        return tree.Name(text, span)

    def _span(self, first: Token, last: Token) -> Span:
        return Span(self.source, first.start_pos or 0, last.end_pos or 0)

    def _run(self, first: Token, end: int) -> Span:
        return Span(self.source, start_of(first), end)


def start_of(token: Token) -> int:
    return token.start_pos or 0  # lark has it optional, and always sets it


def end_of(token: Token) -> int:
    return token.end_pos or 0
