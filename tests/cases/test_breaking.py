"""Pairs of schemas, each with what a change from one to the other breaks.

A case is a folder under ``breaking/``: ``old.amp`` and ``new.amp``, and in
``expected.txt`` the verdict on each change and all that is said of it. A verdict has
the letters of :mod:`ampgen.compat.verdicts`: server first, client first, caller,
implementer. Set ``AMPGEN_UPDATE_GOLDEN=1`` to write what is said now, and read the
difference.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ampgen.analysis import analyse
from ampgen.compat import RULES, compare
from ampgen.compat.verdicts import Peers, Rollout, Verdict, Wire
from ampgen.tools.breaking import breaking
from tests.cases.golden import as_text, check, folders

if TYPE_CHECKING:
    from ampgen.model import Schema

BREAKING = folders("breaking")


def read(path: str) -> Schema:
    schema, diagnostics = analyse([Path(path)])
    assert schema is not None
    assert not any(one.is_error for one in diagnostics)
    return schema


def letters(verdict: Verdict) -> str:
    wire = verdict.server_first.value, verdict.client_first.value
    return " ".join((*wire, verdict.caller.value, verdict.implementer.value))


@pytest.mark.parametrize("case", BREAKING, ids=lambda case: case.name)
def test_a_change_is_judged_and_told(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case)
    old, new = read("old.amp"), read("new.amp")
    lines = [
        f"{peers.value:7} {change.rule.code} {letters(change.verdict)}\n"
        for peers in Peers
        for change in compare(old, new, peers)
    ]
    said = as_text(breaking(old, new, source=True))
    check(case / "expected.txt", "".join((*lines, "\n", said)))


@pytest.mark.parametrize("case", BREAKING, ids=lambda case: case.name)
def test_nothing_has_changed_between_a_schema_and_itself(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case)
    for name in ("old.amp", "new.amp"):
        assert compare(read(name), read(name)) == ()


@pytest.mark.parametrize("case", BREAKING, ids=lambda case: case.name)
def test_a_change_that_fails_says_so_in_words(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case)
    for change in compare(read("old.amp"), read("new.amp")):
        for order, effect in (
            (Rollout.SERVER_FIRST, change.server_first),
            (Rollout.CLIENT_FIRST, change.client_first),
        ):
            told = Wire.SAFE if effect is None else effect.wire
            assert told is change.verdict.wire(order)
            assert effect is None or not re.search(r"[{}]", effect.words)


@pytest.mark.parametrize("case", BREAKING, ids=lambda case: case.name)
def test_where_there_is_no_twisted_program_nothing_is_said_of_one(
    case: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case)
    old, new = read("old.amp"), read("new.amp")
    said = as_text(breaking(old, new, source=True, peers=Peers.AMPGEN))
    assert "Twisted" not in said


def test_every_rule_has_a_case() -> None:
    said = "".join((case / "expected.txt").read_text("utf-8") for case in BREAKING)
    assert {rule.code for rule in RULES} == set(
        re.findall(r"^\w+ +(AMP\d+)", said, re.MULTILINE)
    )
