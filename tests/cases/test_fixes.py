"""What `ampgen fix` makes of every schema of the other cases.

Where it does something the case has a ``fixed.txt``: what was done, and the change.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ampgen import check as checking
from ampgen.cli.differences import difference
from ampgen.fix import Fixed, fix_schemas
from tests.cases.golden import UPDATE, check, folders
from tests.cases.test_refused import arguments

if TYPE_CHECKING:
    from ampgen.diagnostics import Diagnostic

CASES = [
    *folders("syntax"),
    *folders("refused"),
    *folders("refused_python"),
    *folders("lint"),
]


@pytest.fixture
def files(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A copy of a case, which is the working directory."""
    copy = tmp_path / "case"
    shutil.copytree(request.param, copy)
    monkeypatch.chdir(copy)
    return copy


def told(found: tuple[Diagnostic, ...]) -> Counter[tuple[str, str]]:
    return Counter((one.rule.code, one.message) for one in found if one.is_error)


def shown(fixed: Fixed) -> str:
    lines = [
        f"{one.primary.span.place} {one.rule.code} {one.fix.title}"
        + ("" if one.fix.safe else " (unsafe)")
        for one in fixed.done
        if one.primary and one.fix
    ]
    diffs = [difference(one.name, one.before, one.after) for one in fixed.changes]
    return "".join(["\n".join([*lines, ""]), *map(bytes.decode, diffs)])


def write(fixed: Fixed) -> None:
    for change in fixed.changes:
        assert change.path is not None
        change.path.write_bytes(change.after.encode())


@pytest.mark.parametrize(
    ("files", "case"),
    [(case, case) for case in CASES],
    indirect=["files"],
    ids=lambda case: f"{case.parent.name}/{case.name}",
)
def test_a_case_is_fixed_as_was_agreed_and_made_no_worse(
    files: Path, case: Path
) -> None:
    named, include = arguments(case)
    before = checking.check_schemas(named, (), include)
    fixed = fix_schemas(named, (), include, unsafe=True)
    expected = case / "fixed.txt"
    if fixed.done:
        check(expected, shown(fixed))
    elif UPDATE:
        expected.unlink(missing_ok=True)
    assert expected.exists() == bool(fixed.done) == bool(fixed.changes)
    write(fixed)
    after = checking.check_schemas(named, (), include)
    hidden = {r.code for r in checking.RULES if r.code.startswith("AMP08")}
    worse = told(after) - told(before)
    assert {code for code, _ in worse} <= hidden  # lints come to light
    assert told(after) == told(fixed.left)
    again = fix_schemas(named, (), include, unsafe=True)
    assert not again.done
    assert not again.changes


@pytest.mark.parametrize(
    "files", CASES, indirect=True, ids=lambda case: f"{case.parent.name}/{case.name}"
)
def test_without_unsafe_nothing_is_done_that_is(files: Path) -> None:
    named, include = arguments(files)
    fixed = fix_schemas(named, (), include)
    assert all(one.fix and one.fix.safe for one in fixed.done)
    write(fixed)
    assert not fix_schemas(named, (), include).done
