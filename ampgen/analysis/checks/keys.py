"""The keys of each box: legal, each once, none reserved, none a piece of another."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ampgen.analysis.rules import wire as rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.analysis.draft import Box, Draft, Key
    from ampgen.analysis.findings import Findings

MAX_KEY_LENGTH = 0xFF  # AMP's key length has a high byte that stays NUL
MAX_LARGE_KEY_LENGTH = 250  # leaves room for `.9999` behind it

_PIECE = re.compile(r"(.*)\.([2-9]|[1-9][0-9]+)", re.DOTALL)


def check_keys(draft: Draft, findings: Findings) -> None:
    for box in draft.boxes:
        good = [key for key in box.keys if not _refuse_bad(key, box, findings)]
        unique = _refuse_duplicates(good, box, findings)
        open_ = _refuse_reserved(unique, box, findings)
        _refuse_pieces(open_, box, findings)


def _refuse_bad(key: Key, box: Box, findings: Findings) -> bool:
    limit = MAX_KEY_LENGTH if key.large is None else MAX_LARGE_KEY_LENGTH
    text = key.text
    if not text:
        message, label = "a wire key is empty", "a key has one character at least"
    elif not text.isascii():
        message, label = f"wire key {quoted(text)} is not ASCII", "keys are ASCII"
    elif text.startswith("_"):
        if not key.pinned:
            return True  # the name itself is refused
        message = f"wire key {quoted(text)} starts with `_`"
        label = "such keys are AMP's own"
    elif len(text) > limit:
        what = "a wire key" if key.large is None else "the key of a `large` value"
        message = f"{what} is {len(text)} characters long"
        label = f"it may have {limit}"
    else:
        return False
    help_ = None if key.pinned else box.rekey
    findings.add(rule.BAD_KEY, message, key.span, label, help=help_)
    return True


def _refuse_duplicates(keys: Sequence[Key], box: Box, findings: Findings) -> list[Key]:
    first: dict[str, Key] = {}
    for key in keys:
        earlier = first.setdefault(key.text, key)
        if earlier is not key:
            findings.add(
                rule.DUPLICATE_KEY,
                f"wire key {quoted(key.text)} is used twice in one box",
                key.span,
                "used again here",
                related=[(earlier.span, "first used here")],
                help=box.rekey,
            )
    return list(first.values())


def _refuse_reserved(keys: Sequence[Key], box: Box, findings: Findings) -> list[Key]:
    reserved = {literal.value: literal for literal in box.reserved}
    left: list[Key] = []
    for key in keys:
        literal = reserved.get(key.text)
        if literal is None:
            left.append(key)
            continue
        findings.add(
            rule.RESERVED_KEY,
            f"wire key {quoted(key.text)} is reserved",
            key.span,
            "an old peer would read it the old way",
            related=[(literal.span, "reserved here")],
            help=box.rekey,
        )
    return left


def _refuse_pieces(keys: Sequence[Key], box: Box, findings: Findings) -> None:
    large = {key.text: key for key in keys if key.large is not None}
    if not large:
        return
    others = [(key.text, key.span) for key in keys]
    others += [(literal.value, literal.span) for literal in box.reserved]
    for text, span in others:
        match = _PIECE.fullmatch(text)
        owner = match and large.get(match[1])
        if owner:
            findings.add(
                rule.PIECE_KEY,
                f"wire key {quoted(text)} is also a piece of {quoted(owner.text)}",
                span,
                "a large value puts its further pieces under such keys",
                related=[(owner.span, "this value is large")],
                help="choose a key that does not end in a point and a number",
            )


def quoted(text: str, limit: int = 40) -> str:
    """``text`` between double quotes in back-ticks, cut, control characters escaped."""
    cut = text if len(text) <= limit else text[:limit] + "…"
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)
    return f'`"{shown}"`'
