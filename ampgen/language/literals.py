"""What strings and numbers mean, and what can be wrong inside one.

A literal that is wrong still gets a value, the nearest one: what is wrong with it has
been said, and later stages need not say it again.
"""

from __future__ import annotations

import math
import re

from ampgen.diagnostics import Diagnostic, Label, Rule
from ampgen.diagnostics.fixes import writing
from ampgen.frozen import frozen
from ampgen.language.rules import (
    MALFORMED_NUMBER,
    NO_SUCH_CHARACTER,
    NUMBER_OUT_OF_RANGE,
    UNKNOWN_ESCAPE,
)
from ampgen.source import Source, Span

MAX_INT_DIGITS = 4300  # CPython's own guard: sys.int_info.default_max_str_digits

_STRING = re.compile(r'"((?:\\.|[^"\\])*)')
_ESCAPE = re.compile(
    r"\\(?:u\{([0-9A-Fa-f]{1,6})\}|u(?:\{[^}\"]*\}?|[0-9A-Fa-f]{0,6})|.)?"
)
_FOUR_DIGITS = re.compile(r"\\u(?![dD][89A-Fa-f])[0-9A-Fa-f]{4}")  # of a character
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"'}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m)")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


@frozen
class Fault:
    """A mistake inside a literal; ``start`` and ``end`` count from its start.

    ``mended`` is what to write instead, where it has the same value.
    """

    rule: Rule
    start: int
    end: int
    message: str
    help: str | None = None
    mended: str | None = None

    def at(self, source: Source, offset: int) -> Diagnostic:
        """The diagnostic for a literal that begins at ``offset``."""
        span = Span(source, offset + self.start, offset + self.end)
        fix = None if self.mended is None else writing(span, self.mended, safe=True)
        return Diagnostic(self.rule, self.message, Label(span), (), self.help, fix)


@frozen
class Duration:
    seconds: float


def decode_string(raw: str) -> tuple[str, tuple[Fault, ...]]:
    """The value of a string as written, quotation marks and all."""
    match = _STRING.match(raw)
    body = match[1] if match else raw[1:]
    if "\\" not in body:
        return body, ()
    faults: list[Fault] = []

    def value(match: re.Match[str]) -> str:
        escape = match[0]
        if escape[1:] in _ESCAPED:
            return _ESCAPED[escape[1:]]
        fault = _escape_fault(escape, match[1], match.start() + 1, match.end() + 1)
        if fault is None:
            return chr(int(match[1], 16))
        faults.append(fault)
        return "\N{REPLACEMENT CHARACTER}"

    return _ESCAPE.sub(value, body), tuple(faults)


def _escape_fault(
    escape: str, digits: str | None, start: int, end: int
) -> Fault | None:
    if digits is not None:
        code_point = int(digits, 16)
        if code_point > 0x10FFFF:
            return Fault(
                NO_SUCH_CHARACTER,
                start,
                end,
                f"`{escape}` is beyond the last character",
                "Unicode ends at `\\u{10FFFF}`",
            )
        if 0xD800 <= code_point <= 0xDFFF:
            return Fault(
                NO_SUCH_CHARACTER,
                start,
                end,
                f"`{escape}` is a surrogate, not a character",
                "write the character itself, or its own code point: `\\u{1F600}`",
            )
        return None
    if escape.startswith("\\u"):
        return Fault(
            UNKNOWN_ESCAPE,
            start,
            end,
            f"malformed escape `{escape}`",
            "a character is written `\\u{20AC}`, with one to six hexadecimal digits",
            f"\\u{{{escape[2:]}}}" if _FOUR_DIGITS.fullmatch(escape) else None,
        )
    return Fault(
        UNKNOWN_ESCAPE,
        start,
        end,
        f"unknown escape `{escape}`",
        'escapes are `\\n`, `\\t`, `\\r`, `\\\\`, `\\"` and `\\u{…}`; '
        "a backslash is written `\\\\`",
    )


def read_number(raw: str) -> tuple[int | float | Duration, Fault | None]:
    """The value of a number as written: an integer, a float or a duration."""
    if _INTEGER.fullmatch(raw):
        digits = len(raw) - raw.startswith("-")
        if digits > MAX_INT_DIGITS:
            message = (
                f"an integer has at most {MAX_INT_DIGITS} digits, this one has {digits}"
            )
            return 0, Fault(NUMBER_OUT_OF_RANGE, 0, len(raw), message)
        return int(raw), None
    if raw == "-inf" or _FLOAT.fullmatch(raw):
        value = float(raw)
        if math.isinf(value) and raw != "-inf":
            message = "number too large for a float"
            help_text = "infinity is written `inf` or `-inf`"
            return value, Fault(NUMBER_OUT_OF_RANGE, 0, len(raw), message, help_text)
        return value, None
    duration = _DURATION.fullmatch(raw)
    if duration:
        return Duration(float(duration[1]) * _SECONDS[duration[2]]), None
    shown = raw if len(raw) <= 40 else raw[:39] + "…"
    message = f"malformed number `{shown}`"
    help_text, mended = _mend(raw)
    fault = Fault(MALFORMED_NUMBER, 0, len(raw), message, help_text, mended)
    return _nearest(raw), fault


def _nearest(raw: str) -> int | float | Duration:
    if re.fullmatch(r"-?[0-9.]+[a-z]+", raw) and not re.search(r"[xe]", raw):
        return Duration(0.0)
    if "." in raw:
        return 0.0
    return 0


def _mend(raw: str) -> tuple[str, str | None]:
    """What to say, and what to write where the value is sure."""
    plain = raw.replace("_", "")
    if "_" in raw and _FLOAT.fullmatch(plain):
        return f"digits are not grouped: write `{plain}`", plain
    unsigned = raw.removeprefix("-")
    if re.fullmatch(r"0[0-9]+", unsigned):
        shorter = unsigned.lstrip("0") or "0"
        signed = f"{raw[: len(raw) - len(unsigned)]}{shorter}"
        return f"without leading zeros it is `{signed}`", None  # or it was octal
    if re.fullmatch(r"0[xXoObB][0-9A-Fa-f]+", unsigned):
        try:
            number = str(int(raw, 0))
        except ValueError:
            return "numbers are decimal", None
        return f"numbers are decimal: write `{number}`", number
    if re.fullmatch(r"[0-9]+\.(?:[eE].*)?", unsigned):
        longer = raw.replace(".", ".0", 1)
        mended = longer if _FLOAT.fullmatch(longer) else None
        return "digits stand on both sides of the point: `1.0`", mended
    if re.fullmatch(r"[0-9.]+(?:ms|s|m)", unsigned) and raw.startswith("-"):
        return "a duration has no sign", None
    if re.fullmatch(r"[0-9.]+[A-Za-zµ]+", unsigned):
        return (
            "a duration has the unit `ms`, `s` or `m`; a name begins with a letter",
            None,
        )
    return "numbers look like `0`, `-12`, `1.5` or `6.02e23`", None
