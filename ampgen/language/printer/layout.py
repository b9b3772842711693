"""Items as text: where lines end, and what stands between two tokens."""

from __future__ import annotations

from enum import Enum, auto
from itertools import product
from typing import TYPE_CHECKING

from ampgen.language.printer.items import Body
from ampgen.language.printer.tokens import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ampgen.language.printer.items import Item
    from ampgen.language.printer.tokens import Comment

WIDTH = 100
INDENT = "    "

_NO_SPACE_BEHIND = frozenset({"(", "[", "{", "@", "."})
_NO_SPACE_BEFORE = frozenset({")", "]", "}", ";", ",", ":", "?", ".", "("})
_DOCS = frozenset({Kind.DOC, Kind.FILE_DOC})
_IN_RUNS = frozenset({"import", "type", "error"})  # no blank line has to part these


class _Notes(Enum):
    """Where annotations stand."""

    BEFORE = auto()
    ABOVE = auto()
    ABOVE_EACH = auto()


def print_file(file: Body) -> str:
    text = _Text("")
    last: Item | None = None
    for item in file.items:
        is_run = (
            last is not None
            and item.keyword == last.keyword
            and item.keyword in _IN_RUNS
            and item.block is last.block is None
        )
        text.add(_item(item, "", ";"), blank=item.blank_before or not is_run)
        last = item
    _closing(text, file, "")
    lines = text.lines()
    return "\n".join((*lines, "")) if lines else ""


class _Text:
    """What has been written. Every line begins with ``margin``, but for one that goes
    on with a line that a comment has ended: that is one level further in.

    ``widest`` is the column up to which there is code; comments may go further.
    """

    def __init__(self, margin: str) -> None:
        self.widest = 0
        self._margin = margin
        self._lines: list[str] = []
        self._line = margin  # the last one
        self._last = "("  # the last token: before the first one there is no space
        self._ended = False  # by a comment: nothing else may stand on the line

    def lines(self) -> list[str]:
        return [*self._lines, self._line] if self._line.strip() else self._lines

    def line(self, *, blank: bool = False) -> None:
        """What comes next stands on a new line, behind a blank one if so said."""
        if self._line.strip():
            self._lines.append(self._line)
        if blank and self._lines:
            self._lines.append("")
        self._line = self._margin
        self._last = "("
        self._ended = False

    def token(self, token: str, *, space: bool | None = None) -> None:
        """``space``: before it; unless it is said, as between any two such tokens."""
        if space is None:
            space = token not in _NO_SPACE_BEFORE and self._last not in _NO_SPACE_BEHIND
        if self._ended:
            self._go_on()
        elif space:
            self._line += " "
        self._line += token
        self._last = token
        if len(self._line) > self.widest:
            self.widest = len(self._line)

    def comment(self, comment: Comment, *, space: bool = False) -> None:
        if self._ended:
            self._go_on()
        elif space or self._last not in _NO_SPACE_BEHIND:
            self._line += " "
        *lines, last = comment.lines(len(self._line))
        for line in lines:
            self._lines.append(self._line + line)
            self._line = ""
        self._line += last
        self._last = "*/"
        self._ended = comment.kind is not Kind.BLOCK

    def comments(self, comments: Iterable[Comment]) -> None:
        for comment in comments:
            self.comment(comment)

    def add(self, other: _Text, *, blank: bool = False) -> None:
        """What was written apart, on lines of its own."""
        self.line(blank=blank)
        self._lines += other._lines
        self._line = other._line
        self.widest = max(self.widest, other.widest)

    def _go_on(self) -> None:
        self.line()
        self._line += INDENT


# --- one item -------------------------------------------------------------------------


def _item(item: Item, margin: str, end: str) -> _Text:
    """The first layout that fits, else the narrowest."""
    layouts: list[_Text] = []
    for notes, broken in product(_places(item, margin), _choices(item)):
        text = _laid_out(item, margin, end, notes, broken)
        if text.widest <= WIDTH:
            return text
        layouts.append(text)
    return min(layouts, key=lambda text: text.widest)


def _places(item: Item, margin: str) -> Iterator[_Notes]:
    """Where the annotations of the item may stand, the best place first."""
    is_member = item.keyword in ("", "reserved")
    if is_member or not item.annotations:
        yield _Notes.BEFORE
    if item.annotations:
        alone = _Text(margin)
        _annotations(alone, item, _Notes.ABOVE)
        yield _Notes.ABOVE if alone.widest <= WIDTH else _Notes.ABOVE_EACH


def _choices(item: Item) -> list[tuple[bool, ...]]:
    """Which lists of the item are broken: as few as may be, the last one first."""
    may_be = [
        (True,) if _must_break(part) else (False, True) if part.items else (False,)
        for part in item.parts
        if isinstance(part, Body) and part.bracket == "("
    ]
    return sorted(product(*may_be), key=sum)


def _must_break(body: Body) -> bool:
    """Is there in a list what cannot stand on one line with the rest of it?"""
    comments = body.opening + body.closing
    if body.items and comments:
        return True
    for item in body.items:
        if item.trailing or any(comment.ends_line for comment in item.leading):
            return True
        comments += item.leading + item.tail
        for part in (*item.annotations, *item.parts):
            if part.before:
                comments += part.before
    return not all(comment.is_inline for comment in comments)


def _laid_out(
    item: Item, margin: str, end: str, notes: _Notes, broken: Sequence[bool]
) -> _Text:
    text = _Text(margin)
    _leading(text, item)
    _annotations(text, item, notes)
    _parts(text, item, margin, broken)
    text.comments(item.tail)
    if item.block is None:
        text.token(end)
    text.comments(item.trailing)
    return text


def _leading(text: _Text, item: Item) -> None:
    if not item.leading:
        return
    _comments(text, item.leading)
    last = item.leading[-1]
    if last.ends_line or last.kind is not Kind.BLOCK:
        text.line(blank=_parted(last, None, blank=item.gap))


def _annotations(text: _Text, item: Item, notes: _Notes) -> None:
    for at, token in enumerate(item.annotations):
        text.comments(token.before)
        if at and token.text == "@" and notes is _Notes.ABOVE_EACH:
            text.line()
        text.token(token.text)
    text.comments(item.parts[0].before)
    if notes is not _Notes.BEFORE:
        text.line()


def _parts(text: _Text, item: Item, margin: str, broken: Sequence[bool]) -> None:
    choices = iter(broken)
    answers = False
    for at, part in enumerate(item.parts):
        if at and part.before:
            text.comments(part.before)
        if not isinstance(part, Body):
            text.token(part.text)
            answers |= part.text == "->"
        elif part.bracket == "{":
            text.token("{")
            _broken(text, part, margin, ";", "}")
        else:
            text.token("(", space=answers)
            if next(choices):
                _broken(text, part, margin, ",", ")")
            else:
                _flat(text, part)


def _flat(text: _Text, body: Body) -> None:
    text.comments(body.opening)
    for at, item in enumerate(body.items):
        if at:
            text.token(",")
        text.comments(item.leading)
        _annotations(text, item, _Notes.BEFORE)
        _parts(text, item, "", ())
        text.comments(item.tail)
    text.comments(body.closing)
    text.token(")")


def _broken(text: _Text, body: Body, margin: str, end: str, bracket: str) -> None:
    """Its items, each on lines of its own, unless there is nothing at all in it."""
    for comment in body.opening:
        text.comment(comment, space=True)
    for at, item in enumerate(body.items):
        inner = _item(item, margin + INDENT, end)
        is_parted = at > 0 and item.blank_before and body.bracket == "{"
        text.add(inner, blank=is_parted)
    _closing(text, body, margin + INDENT)
    if body.items or body.opening or body.closing:
        text.line()
    text.token(bracket)


def _closing(text: _Text, body: Body, margin: str) -> None:
    if body.closing:
        inner = _Text(margin)
        _comments(inner, body.closing)
        text.add(inner, blank=bool(body.items) and body.closing[0].blank_before)


def _comments(text: _Text, comments: Sequence[Comment]) -> None:
    """Comments on lines of their own, but for those that had something behind them."""
    for at, comment in enumerate(comments):
        before = comments[at - 1] if at else None
        if before and (before.ends_line or comment.kind in _DOCS):
            text.line(blank=_parted(before, comment.kind, blank=comment.blank_before))
        text.comment(comment)


def _parted(comment: Comment, following: Kind | None, *, blank: bool) -> bool:
    """Does a blank line follow a comment? ``following``: the kind of the next one."""
    if comment.kind is Kind.FILE_DOC:
        return following is not Kind.FILE_DOC
    is_attached = comment.kind is Kind.DOC and following in (Kind.DOC, None)
    return blank and not is_attached
