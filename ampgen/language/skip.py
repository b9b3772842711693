"""Where a statement that cannot be read ends.

It ends at the `;` or `}` of its own depth, before the `}` of the block it stands in, or
where a line plainly begins the next statement.
"""

from __future__ import annotations

import re

BLOCK = "{"
MAP = "map"  # the brace of `{K: V}`

_PIECE = re.compile(
    r'"(?:\\[^\r\n]|[^"\\\r\n])*"?'
    r"|//[^\n]*"
    r"|/\*(?s:.)*?(?:\*/|\Z)"
    r"|(?P<mark>[;{}()\[\]])"
    r"|(?P<line>\n\s*)"
)
_BEFORE_MAP = re.compile(r"(?:[:,\[({=>]|\b(?:stream|large))\s*\Z")
_MAP_AFTER_ALL = re.compile(r"\s*[=;?,:)\]]")
_SPACE = re.compile(r"\s*")
_MARKS = re.compile(r"(?:[^\w\s;{}\"/]\s*)+")
_WORD = re.compile(r"@?\w")
_MATES = {")": "(", "]": "["}

# What a line begins with if it plainly begins a statement of that kind.
_BEGINS = {
    "declaration": re.compile(
        r"import\s+[\"\w]|(?:(?:open\s+)?enum|(?:fatal\s+)?error|struct|union|service|type)"
        r"\s+\w|\w+[ \t]+\w+[^\n;{}:()]*\{"
    ),
    "command": re.compile(r"(?:oneway\s+)?command\s+\w|reserved\s+\""),
    "field": re.compile(r"\w+\s*:|reserved\s+\""),
    "member": re.compile(r"\w+\s*[=;]"),
}


def opens_block(text: str, brace: int) -> bool:
    """Whether the `{` at an offset opens a block, not a map."""
    return not _BEFORE_MAP.search(text, max(0, brace - 80), brace)


def end_of_statement(
    text: str, start: int, opened: list[str], kind: str, *, may_stay: bool
) -> int:
    """Where to read on behind a broken statement whose rest begins at ``start``.

    ``opened`` are the brackets that it has opened so far: ``(``, ``[``, :data:`BLOCK`
    or :data:`MAP`. ``kind`` tells what the statements around it are. Unless
    ``may_stay``, at least one character is skipped, so that reading always makes
    progress.
    """
    opened = list(opened)
    if may_stay and _leads_line(text, start) and _begins(text, start, opened, kind):
        return start
    for match in _PIECE.finditer(text, start):
        if match["line"]:
            if _begins(text, match.end(), opened, kind):
                return match.end()
            continue
        mark = match["mark"]
        if mark in {"(", "["}:
            opened.append(mark)
        elif mark == "{":
            opened.append(BLOCK if opens_block(text, match.start()) else MAP)
        elif mark in _MATES:
            while _MATES[mark] in opened and opened.pop() != _MATES[mark]:
                pass
        elif mark == ";":
            if _goes_on(text, match.end(), opened, kind):
                continue
            while opened and opened[-1] != BLOCK:
                opened.pop()
            if not opened:
                return match.end()
        elif mark == "}":
            while opened and opened[-1] not in {BLOCK, MAP}:
                opened.pop()
            if not opened:
                if kind == "declaration":
                    return match.end()
                return max(match.start(), start + (not may_stay))
            was_block = opened.pop() == BLOCK
            if was_block and not opened and not _MAP_AFTER_ALL.match(text, match.end()):
                return match.end()
    return len(text)


def block_or_end(text: str, start: int, opened: list[str]) -> int:
    """Where the block of a declaration opens whose head is broken at ``start``.

    Without a block before the declaration ends, where it ends.
    """
    for match in _PIECE.finditer(text, start):
        mark = match["mark"]
        if mark == "{":  # a head holds no map
            return match.start()
        begins = match["line"] and _begins(text, match.end(), [], "declaration")
        if begins or mark in {"}", ";"}:
            break
    return end_of_statement(text, start, opened, "declaration", may_stay=True)


def next_declaration(text: str, start: int) -> int:
    """Where a declaration plainly begins, behind something at ``start`` that is none.

    What was meant as the body of a lost declaration is skipped as a whole, with its
    closing brace: it is one mistake. A statement that ends in `;`, followed by a line
    that is indented no further, had no body.
    """
    marks = _MARKS.match(text, start)
    if marks and _begins(text, marks.end(), [], "declaration"):
        return marks.end()
    column = _column(text, start)
    depth = 0
    for match in _PIECE.finditer(text, start):
        mark = match["mark"]
        depth = max(0, depth + (mark == "{") - (mark == "}"))
        if match["line"] or mark in {";", "}"}:
            space = _SPACE.match(text, match.end())
            offset = space.end() if space else match.end()
            if _begins(text, offset, [], "declaration"):
                return offset
            if (
                not match["line"]
                and not depth
                and "\n" in text[match.end() : offset]
                and _column(text, offset) <= column
                and _WORD.match(text, offset)
            ):
                return offset
    return len(text)


def _column(text: str, offset: int) -> int:
    return offset - text.rfind("\n", 0, offset)


def _goes_on(text: str, offset: int, opened: list[str], kind: str) -> bool:
    """Whether a `;` stands inside a list that is closed later: `(a: int; b: int)`."""
    if "(" not in opened:
        return False
    depth = 0
    for match in _PIECE.finditer(text, offset):
        mark = match["mark"]
        if match["line"]:
            if _begins(text, match.end(), opened, kind):
                return False
        elif mark == "(":
            depth += 1
        elif mark == ")":
            if not depth:
                return True
            depth -= 1
        elif mark == "}" or (mark == "{" and opens_block(text, match.start())):
            return False
    return False


def _begins(text: str, offset: int, opened: list[str], kind: str) -> bool:
    if BLOCK in opened or (opened and kind in {"field", "member"}):
        return False
    return bool(_BEGINS[kind].match(text, offset))


def _leads_line(text: str, offset: int) -> bool:
    line = text.rfind("\n", 0, offset) + 1
    return not text[line:offset].strip()
