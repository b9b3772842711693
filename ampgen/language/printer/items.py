"""What the tokens of a file make up, as far as their layout depends on it.

A file, a block in braces and a list in parentheses are a ``Body`` of items: statements,
members, arguments. A comment belongs to the item before which it stands, or behind
which it stands on the same line, or to the place between two tokens of an item.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ampgen.language.printer.tokens import Comment, Kind, Token

Part: TypeAlias = "Token | Body"

_DEEPER = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_MODIFIERS = frozenset({"open", "fatal"})


@dataclass(slots=True)
class Body:
    """``opening``: comments behind the bracket, on its line; ``closing``: those before
    the other bracket, each on a line of its own. ``before``: those before the bracket.
    """

    bracket: str
    before: list[Comment] = field(default_factory=list["Comment"])
    opening: list[Comment] = field(default_factory=list["Comment"])
    items: list[Item] = field(default_factory=list["Item"])
    closing: list[Comment] = field(default_factory=list["Comment"])


@dataclass(slots=True)
class Item:
    """One statement, member or argument, without what ends it.

    ``keyword`` says what kind of statement it is, and is empty for a field or argument.
    ``gap``: a blank line parts it from its ``leading`` comments. ``tail``: comments
    before the ``;`` or ``,``. ``trailing``: those behind it, on the same line.
    """

    leading: list[Comment]
    blank_before: bool
    gap: bool
    annotations: list[Token]
    keyword: str = ""
    parts: list[Part] = field(default_factory=list["Part"])
    tail: list[Comment] = field(default_factory=list["Comment"])
    trailing: list[Comment] = field(default_factory=list["Comment"])

    @property
    def block(self) -> Body | None:
        last = self.parts[-1]
        return last if isinstance(last, Body) and last.bracket == "{" else None


def read_items(tokens: list[Token]) -> Body:
    """The file. The comments of the tokens are handed on, not copied."""
    return _Reader(tokens).file()


def keep_docs_alone(body: Body) -> None:
    """Drop every comment but the docs of what has one."""
    for item in body.items:
        if item.keyword in ("import", "reserved"):
            item.leading = []
        item.leading = [one for one in item.leading if one.kind is Kind.DOC]
        item.tail = []
        item.trailing = []
        for part in (*item.annotations, *item.parts):
            part.before = []
            if isinstance(part, Body):
                keep_docs_alone(part)
    body.opening = []
    body.closing = []


class _Reader:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._next = tokens[0]

    def file(self) -> Body:
        file = Body("")
        while self._next.text:
            file.items.append(self._statement())
        file.closing = self._next.before
        return file

    # --- items ------------------------------------------------------------------------

    def _statement(self) -> Item:
        """A declaration or an import."""
        item = self._begin()
        first = self._next.text
        item.keyword = self._second.text if first in _MODIFIERS else first
        if item.keyword in ("import", "type"):
            item.parts += self._until(";")
        else:
            item.parts += self._header()
            if self._next.text == "{":
                item.parts.append(self._block(item.keyword))
                item.trailing = self._trailing()
                return _docs_first(item)
        return self._end(item)

    def _block(self, keyword: str) -> Body:
        body = self._open()
        _hoist(body.before, body.opening)
        while self._next.text != "}":
            item = self._begin()
            if self._second.text.startswith('"'):
                item.keyword = "reserved"
            elif keyword == "service":
                item.keyword = "command"
            item.parts += self._until(";", "(")
            while self._next.text == "(":
                item.parts.append(self._list())
                item.parts += self._until(";", "(")
            body.items.append(self._end(item))
        self._close(body)
        return body

    def _list(self) -> Body:
        """Arguments or results."""
        body = self._open()
        while self._next.text != ")":
            item = self._begin()
            if self._second.text.startswith('"'):
                item.keyword = "reserved"
            item.parts += self._until(",", ")")
            while self._next.text == "," and self._second.text.startswith('"'):
                item.parts.append(self._take())  # `reserved "a", "b"`
                item.parts += self._until(",", ")")
            last = self._next.text == ")"
            body.items.append(self._end_last(item) if last else self._end(item))
        self._close(body)
        return body

    def _begin(self) -> Item:
        first = self._next
        leading, first.before = first.before, []
        blank = leading[0].blank_before if leading else first.blank_before
        item = Item(leading, blank, first.blank_before, [])
        while self._stands("@"):
            item.annotations += (self._take(), self._take())
            while self._stands("."):
                item.annotations += (self._take(), self._take())
            if self._stands("("):
                item.annotations += (self._take(), *self._until(")"), self._take())
        return item

    # --- the ends of bodies and items -------------------------------------------------

    def _open(self) -> Body:
        token = self._next
        self._advance()
        return Body(token.text, token.before, self._trailing())

    def _close(self, body: Body) -> None:
        body.closing = self._next.before
        self._advance()

    def _end(self, item: Item) -> Item:
        """Take the ``;`` or ``,``, and the comments around it."""
        item.tail = self._next.before
        self._advance()
        item.trailing = self._trailing()
        _hoist(item.tail, item.trailing)
        return _docs_first(item)

    def _end_last(self, item: Item) -> Item:
        """The last of a list: what stands before the bracket on its line is its own."""
        before = self._next.before
        while before and not before[0].own_line and not _is_doc(before[0]):
            item.tail.append(before.pop(0))
        _hoist(item.tail, item.trailing)
        return _docs_first(item)

    def _trailing(self) -> list[Comment]:
        """The comments behind what was just taken, if nothing else is on that line."""
        before = self._next.before
        count = 0
        for comment in before:
            if comment.own_line or _is_doc(comment):
                break
            count += 1
        is_last = count == len(before) and self._next.text in ("", ")", "}")
        if not count or not (is_last or before[count - 1].ends_line):
            return []
        taken = before[:count]
        del before[:count]
        return taken

    # --- tokens -----------------------------------------------------------------------

    def _advance(self) -> None:
        self._at += 1
        self._next = self._tokens[self._at]

    def _stands(self, text: str) -> bool:
        return self._next.text == text

    @property
    def _second(self) -> Token:
        return self._tokens[self._at + 1]

    def _take(self) -> Token:
        """The next token; a comma behind the last of a list goes."""
        token = self._next
        self._advance()
        if self._next.text == "," and self._second.text in (")", "]", ";"):
            self._drop_comma()
        return token

    def _drop_comma(self) -> None:
        before = self._next.before
        self._advance()
        self._next.before[:0] = before

    def _until(self, *ends: str) -> list[Token]:
        """Take the tokens before one of these that is in no bracket."""
        taken: list[Token] = []
        depth = 0
        while depth or self._next.text not in ends:
            token = self._take()
            depth += _DEEPER.get(token.text, 0)
            taken.append(token)
        return taken

    def _header(self) -> list[Token]:
        """Take all of a declaration before its block or ``;``."""
        taken: list[Token] = []
        while not (self._stands("{") or self._stands(";")):
            taken.append(self._take())
            if self._stands(",") and self._ends_names(taken):
                self._drop_comma()
        return taken

    def _ends_names(self, taken: list[Token]) -> bool:
        """Does a comma end a list of services, as in ``extends A, calls B, {``?"""
        if self._second.text == "calls":  # a service may be called so
            return all(token.text != "calls" for token in taken[2:])
        return self._second.text == "{"


def _is_doc(comment: Comment) -> bool:
    return comment.kind in (Kind.DOC, Kind.FILE_DOC)


def _hoist(tail: list[Comment], trailing: list[Comment]) -> None:
    """``a: int // why`` and a ``;`` on the next line: it goes first."""
    if tail and not trailing and tail[-1].kind is Kind.LINE:
        trailing.append(tail.pop())


def _docs_first(item: Item) -> Item:
    """A doc comment may follow annotations: it goes before them."""
    first = item.parts[0]
    if first.before and not any(one.kind is Kind.DOC for one in item.leading):
        item.leading += (one for one in first.before if one.kind is Kind.DOC)
        first.before = [one for one in first.before if one.kind is not Kind.DOC]
    return item
