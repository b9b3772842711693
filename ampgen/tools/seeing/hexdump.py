"""Bytes that people have written down: as digits, as a dump, or as Python has them.

Each line stands for itself, so that they may be mixed: plain digits with whatever is
usual between them, the dumps of ``xxd``, ``hexdump -C``, ``od -t x1``, ``tcpdump -x``
and Wireshark, and ``b'…'``. A line that begins with ``>`` is of the client, one with
``<`` of the server, and so are those behind it; ``#`` begins a remark.
"""

from __future__ import annotations

import ast
import codecs
import re
import warnings
from dataclasses import dataclass

from ampgen.tools.seeing.seen import Side

_SIDES = {
    ">": Side.CLIENT,
    "<": Side.SERVER,
    "client:": Side.CLIENT,
    "server:": Side.SERVER,
}
_PREFIX = re.compile(r"\s*(>|<|client:|server:)\s*", re.IGNORECASE)
_OFFSET = re.compile(r"\s*(?:0x)?([0-9a-fA-F]{4,16})(?::[ \t]*|[ \t]{2,}|\s*$)")
_OD = re.compile(r"\s*([0-9a-fA-F]{6,7})(?= [0-9a-fA-F]{2}( |$))")
_GAP = re.compile(r"( {2,}|\t)")
_DIGITS = re.compile(r"[0-9a-fA-F]+")
_PLAIN = re.compile(r"(?P<between>[\s,:;]+|0[xX]|\\[xX])|(?P<digits>[0-9a-fA-F]+)")
_LITERAL = re.compile(r"""[bB](?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""")
_BETWEEN = re.compile(r"[ \t,+]*")
_MAX_REPEATED = 64 * 1024 * 1024  # bytes that each `*` of a text stands for, in all
_ROW = 16  # bytes in a line of a dump, unless somebody has asked for others
_BEGINS = re.compile(
    r"""(?:0x|\\x)?[0-9a-f][0-9a-f,:]*(?:\\x\S*)?(?:\s|$)|b['"]""", re.IGNORECASE
)


def text_of(data: bytes) -> str:
    """What is written in a file: PowerShell's are UTF-16, others begin with a mark."""
    utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if utf16 else "utf-8-sig", "replace")


def is_hex(start: bytes) -> bool:
    """Do the first bytes of a file look like what is read here?"""
    text = text_of(start)
    if not all(one.isprintable() or one in "\t\r\n\ufffd" for one in text):
        return False
    for line in text.splitlines():
        prefix = _PREFIX.match(line)
        rest = line[prefix.end() if prefix else 0 :].lstrip()
        if rest and not rest.startswith("#"):
            return _BEGINS.match(rest) is not None
    return bool(text)  # nothing but remarks, so far


class HexError(Exception):
    """What cannot be read. ``line`` and ``column`` count from 1."""

    def __init__(self, line: int, column: int, rule: str) -> None:
        super().__init__(line, column, rule)
        self.line = line
        self.column = column
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes of one side; ``None`` where nothing says whose they are."""

    sender: Side | None
    data: bytes


def read_hex(text: str) -> list[Written]:
    """All that is written, one side after the other, in order. :class:`HexError`"""
    return _Reader(text.splitlines()).read()


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._side: Side | None = None
        self._found: list[tuple[Side | None, bytearray]] = []
        self._at: dict[Side | None, int] = {}  # where the dump of each side goes on
        self._last = b""  # line of a dump
        self._repeat = False  # a `*` stands for more of the last one
        self._repeated = 0
        self._indented = self._follows_streams()

    def _follows_streams(self) -> bool:
        """Is it Wireshark's hex dump of a stream, where the server's is indented?"""
        dumped = [line for line in self._lines if _OFFSET.match(line)]
        indents = {len(line) - len(line.lstrip()) for line in dumped}
        return len(indents) > 1 and indents <= {0, 1, 4}

    def read(self) -> list[Written]:
        for number, line in enumerate(self._lines, 1):
            start = 0
            prefix = _PREFIX.match(line)
            if prefix is not None:
                self._side = _SIDES[prefix[1].lower()]
                start = prefix.end()
            if line[start:].strip() and not line[start:].lstrip().startswith("#"):
                self._read_line(number, line, start)
        return [Written(side, bytes(data)) for side, data in self._found if data]

    def _read_line(self, number: int, line: str, start: int) -> None:
        rest = line[start:]
        if rest.strip() == "*" and self._last:
            self._repeat = True
            return
        if _LITERAL.match(rest.lstrip()):
            self._add(self._literals(number, line, start))
            return
        od = _OD.match(rest)
        if od is not None and not self._goes_on(int(od[1], 16)):
            od = None
        dumped = _OFFSET.match(rest) or od
        if dumped is not None and (dumped is od or self._is_dump(dumped, rest)):
            self._dump(number, line, start, dumped)
        else:
            self._add(self._plain(number, line, start))

    def _add(self, data: bytes) -> None:
        if not self._found or self._found[-1][0] is not self._side:
            self._found.append((self._side, bytearray()))
        self._found[-1][1].extend(data)

    # --- dumps ------------------------------------------------------------------------

    def _goes_on(self, offset: int) -> bool:
        at = self._at.get(self._side, 0)
        return offset in (0, at) or (self._repeat and offset > at)

    def _is_dump(self, offset: re.Match[str], rest: str) -> bool:
        """Plain digits look like an offset where two spaces happen to follow them."""
        if ":" in rest[offset.start(1) : offset.end()]:
            return True
        whole = not rest[offset.end() :].strip()
        at = self._at.get(self._side, 0)
        if whole:
            return at > 0 and (self._repeat or int(offset[1], 16) == at)
        return True

    def _dump(self, number: int, line: str, start: int, offset: re.Match[str]) -> None:
        if self._indented:
            self._side = Side.SERVER if line[:1].isspace() else Side.CLIENT
        value = int(offset[1], 16)
        at = self._at.get(self._side, 0)
        column = start + offset.start(1) + 1
        if self._repeat and value > at and self._last:
            self._repeated += value - at
            if self._repeated > _MAX_REPEATED:
                rule = f"`*` stands for {self._repeated:,} bytes"
                raise HexError(number, column, f"{rule}, at most {_MAX_REPEATED:,} do")
            times, left = divmod(value - at, len(self._last))
            self._add(self._last * times + self._last[:left])
            at = value
        self._repeat = False
        if value not in (0, at):
            rule = f"the offset is {value:#x}, and {at:#x} bytes have come so far"
            raise HexError(number, column, f"{rule}: a line is missing")
        halves = ":" not in line[start : start + offset.end()]
        data = self._row(number, line, start + offset.end(), halves=halves)
        self._add(data)
        self._last = data
        self._at[self._side] = value + len(data)

    def _row(self, number: int, line: str, begin: int, *, halves: bool) -> bytes:
        """The bytes of a line of a dump, without the text beside them.

        ``halves``: a wider gap may be in the middle, and marks around the text.
        """
        beside = _beside(line, begin) if halves else None
        end = len(line) if beside is None else beside
        data = bytearray()
        column = begin
        for at, part in enumerate(_GAP.split(line[begin:end].rstrip())):
            if at % 2 == 0:
                if not self._groups(number, part, column, data, first=not data):
                    break
            elif data and beside is None:
                middle = halves and part == "  " and len(data) == _ROW // 2
                if not middle:
                    break
            column += len(part)
        return bytes(data)

    def _groups(
        self, number: int, part: str, column: int, data: bytearray, *, first: bool
    ) -> bool:
        """Add the digits of a part; ``False`` if it is no digits, but text."""
        for token in re.finditer(r"\S+", part):
            digits = token[0]
            if not _DIGITS.fullmatch(digits) or len(digits) % 2:
                if not first:
                    return False
                place = column + token.start() + 1
                raise HexError(number, place, f"no bytes: {_shown(digits)}")
            data += bytes.fromhex(digits)
        return True

    # --- other lines ------------------------------------------------------------------

    def _plain(self, number: int, line: str, start: int) -> bytes:
        data = bytearray()
        at = start
        while at < len(line):
            found = _PLAIN.match(line, at)
            if found is None:
                raise HexError(number, at + 1, f"not hexadecimal: {_shown(line[at:])}")
            if found["digits"] is not None:
                digits = found["digits"]
                if len(digits) % 2:
                    if len(digits) > 1 or line[at - 2 : at].lower() != "0x":
                        rule = f"an odd number of digits: {_shown(digits)}"
                        raise HexError(number, at + 1, rule)
                    digits = f"0{digits}"
                data += bytes.fromhex(digits)
            at = found.end()
        return bytes(data)

    def _literals(self, number: int, line: str, start: int) -> bytes:
        data = bytearray()
        at = _past(line, start)
        while at < len(line):
            found = _LITERAL.match(line, at)
            if found is None:
                raise HexError(number, at + 1, f"no bytes: {_shown(line[at:])}")
            try:
                with warnings.catch_warnings(action="ignore"):  # of odd escapes
                    data += ast.literal_eval(found[0])
            except (SyntaxError, ValueError):
                raise HexError(number, at + 1, "no bytes of Python's") from None
            at = _past(line, found.end())
        return bytes(data)


def _past(line: str, at: int) -> int:
    """Where the next literal begins, or the line ends."""
    between = _BETWEEN.match(line, at)
    return at if between is None else between.end()


def _beside(line: str, begin: int) -> int | None:
    """Where the text beside the bytes begins, if it has marks: `|…|`, or `>…<`."""
    marks = [line.find("|", begin)]
    if line.rstrip().endswith("<"):
        marks += [line.find(f"{space}>", begin) for space in " \t"]
    return min((at for at in marks if at >= 0), default=None)


def _shown(text: str) -> str:
    """What was written, so much of it as tells which it is."""
    text = text.strip()
    return repr(text if len(text) <= 20 else f"{text[:20]}…")
