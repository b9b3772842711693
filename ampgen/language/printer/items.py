"""What the tokens of a file make up, as far as their layout depends on it.

A file, a block in braces and a list in parentheses are a ``Body`` of items: statements,
members, arguments. A comment belongs to the item before which it stands, or behind
which it stands on the same line, or to the place between two tokens of an item.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ampgen.language.printer.tokens import Comment, Kind, Token

Comments: TypeAlias = tuple[Comment, ...]
Part: TypeAlias = "Token | Body"

_DEEPER = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_MODIFIERS = frozenset({"open", "fatal"})


@dataclass(slots=True)
class Body:
    """``opening``: comments behind the bracket, on its line; ``closing``: those before
    the other bracket, each on a line of its own. ``before``: those before the bracket.
    """

    bracket: str
    before: Comments = ()
    opening: Comments = ()
    items: list[Item] = field(default_factory=list["Item"])
    closing: Comments = ()


@dataclass(slots=True)
class Item:
    """One statement, member or argument, without what ends it.

    ``keyword`` says what kind of statement it is, and is empty for a field or argument.
    ``gap``: a blank line parts it from its ``leading`` comments. ``tail``: comments
    before the ``;`` or ``,``. ``trailing``: those behind it, on the same line.
    """

    leading: Comments
    blank_before: bool
    gap: bool
    annotations: list[Token]
    keyword: str = ""
    parts: list[Part] = field(default_factory=list["Part"])
    tail: Comments = ()
    trailing: Comments = ()

    @property
    def block(self) -> Body | None:
        last = self.parts[-1]
        return last if isinstance(last, Body) and last.bracket == "{" else None


def read_items(tokens: list[Token]) -> Body:
    """The file. Comments go from the tokens to where they belong."""
    return _Reader(tokens).file()


def keep_docs_alone(body: Body) -> None:
    """Drop every comment but the docs of what has one."""
    for item in body.items:
        if item.keyword in ("import", "reserved"):
            item.leading = ()
        elif item.leading:
            item.leading = _docs(item.leading)
        item.tail = item.trailing = ()
        for token in item.annotations:
            token.before = ()
        for part in item.parts:
            part.before = ()
            if isinstance(part, Body):
                keep_docs_alone(part)
    body.opening = body.closing = ()


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
        body.before, body.opening = _hoisted(body.before, body.opening)
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
        leading, first.before = first.before, ()
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
        tail = self._next.before
        self._advance()
        item.tail, item.trailing = _hoisted(tail, self._trailing())
        return _docs_first(item)

    def _end_last(self, item: Item) -> Item:
        """The last of a list: what stands before the bracket on its line is its own."""
        before = self._next.before
        if before:
            count = _count_beside(before)
            self._next.before = before[count:]
            item.tail, item.trailing = _hoisted(before[:count], ())
        return _docs_first(item)

    def _trailing(self) -> Comments:
        """The comments behind what was just taken, if nothing else is on that line."""
        before = self._next.before
        if not before:
            return ()
        count = _count_beside(before)
        is_last = count == len(before) and self._next.text in ("", ")", "}")
        if not count or not (is_last or before[count - 1].ends_line):
            return ()
        self._next.before = before[count:]
        return before[:count]

    # --- tokens -----------------------------------------------------------------------

    def _go_to(self, at: int) -> None:
        self._at = at
        self._next = self._tokens[at]

    def _advance(self) -> None:
        self._go_to(self._at + 1)

    def _stands(self, text: str) -> bool:
        return self._next.text == text

    @property
    def _second(self) -> Token:
        return self._tokens[self._at + 1]

    def _take(self) -> Token:
        token = self._next
        self._advance()
        return token

    def _drop_comma(self, comma: int) -> None:
        before = self._tokens[comma].before
        if before:
            self._tokens[comma + 1].before = before + self._tokens[comma + 1].before

    def _until(self, *ends: str) -> list[Token]:
        """Take the tokens before one of these that is in no bracket; a comma behind the
        last of a list goes.
        """
        taken: list[Token] = []
        depth = 0
        tokens, at = self._tokens, self._at
        while True:
            text = tokens[at].text
            if text == "," and tokens[at + 1].text in (")", "]", ";"):
                self._drop_comma(at)
            elif not depth and text in ends:
                self._go_to(at)
                return taken
            else:
                depth += _DEEPER.get(text, 0)
                taken.append(tokens[at])
            at += 1

    def _header(self) -> list[Token]:
        """Take all of a declaration before its block or ``;``."""
        taken: list[Token] = []
        while not (self._stands("{") or self._stands(";")):
            taken.append(self._take())
            if self._stands(",") and self._ends_names(taken):
                self._drop_comma(self._at)
                self._advance()
        return taken

    def _ends_names(self, taken: list[Token]) -> bool:
        """Does a comma end a list of services, as in ``extends A, calls B, {``?"""
        if self._second.text == "calls":  # a service may be called so
            return all(token.text != "calls" for token in taken[2:])
        return self._second.text == "{"


def _is_doc(comment: Comment) -> bool:
    return comment.kind in (Kind.DOC, Kind.FILE_DOC)


def _count_beside(comments: Comments) -> int:
    """How many of them, from the first one on, stand on the line of what is before."""
    for count, comment in enumerate(comments):
        if comment.own_line or _is_doc(comment):
            return count
    return len(comments)


def _hoisted(tail: Comments, trailing: Comments) -> tuple[Comments, Comments]:
    """``a: int // why`` and a ``;`` on the next line: it goes first."""
    if tail and not trailing and tail[-1].kind is Kind.LINE:
        return tail[:-1], tail[-1:]
    return tail, trailing


def _docs(comments: Comments) -> Comments:
    return tuple(one for one in comments if one.kind is Kind.DOC)


def _docs_first(item: Item) -> Item:
    """A doc comment may follow annotations: it goes before them."""
    first = item.parts[0]
    if first.before and not _docs(item.leading):
        item.leading += _docs(first.before)
        first.before = tuple(one for one in first.before if one.kind is not Kind.DOC)
    return item
