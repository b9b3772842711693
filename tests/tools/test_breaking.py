"""What is reported of the changes between two versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ampgen.compat.verdicts import Peers, Rollout
from ampgen.diagnostics import Severity
from ampgen.tools.breaking import breaking
from tests.compat.changed import schema

if TYPE_CHECKING:
    from pathlib import Path

REQUIRED = "service S { command C(); }", "service S { command C(a: int); }"
RESULT = "service S { command C(); }", "service S { command C() -> (a: int); }"
ONEWAY = "service S { }", "service S { oneway command C(); }"
OPTIONAL = "service S { command C(); }", "service S { command C(a: int?); }"
PINNED = "service S { command C(); }", 'service S { @wire("C") command D(); }'
TYPED = "service S { command C(); }", "service S { command C() -> (a: int?); }"
DEPRECATED = "struct A { }", '@deprecated("no") struct A { }'
SAFE = "struct A { x: int?; }", "struct A { x: int?; y: int?; }"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def severities(
    versions: tuple[str, str],
    rollout: Rollout = Rollout.ANY,
    peers: Peers = Peers.TWISTED,
    *,
    source: bool = False,
) -> list[str]:
    old, new = map(schema, versions)
    found = breaking(old, new, rollout=rollout, peers=peers, source=source)
    return [f"{one.rule.code} {one.rule.severity.value}" for one in found]


@pytest.mark.parametrize(
    ("versions", "any_", "server_first", "client_first"),
    [
        (REQUIRED, "error", "error", "warning"),
        (RESULT, "error", None, "error"),
        (ONEWAY, "error", None, "error"),
        (OPTIONAL, "warning", None, "warning"),
        (PINNED, None, None, None),
        (SAFE, None, None, None),
    ],
)
def test_the_order_that_counts_makes_it_an_error(
    versions: tuple[str, str],
    any_: str | None,
    server_first: str | None,
    client_first: str | None,
) -> None:
    for rollout, expected in zip(
        (Rollout.ANY, Rollout.SERVER_FIRST, Rollout.CLIENT_FIRST),
        (any_, server_first, client_first),
        strict=True,
    ):
        told = [line.split()[1] for line in severities(versions, rollout)]
        assert told == ([] if expected is None else [expected])


def test_a_lost_oneway_command_is_an_error_with_twisted_peers_alone() -> None:
    assert severities(ONEWAY) == ["AMP1001 error"]
    assert severities(ONEWAY, peers=Peers.AMPGEN) == ["AMP1001 warning"]


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (PINNED, ["AMP1005 error"]),
        (TYPED, ["AMP1016 warning"]),
        (DEPRECATED, ["AMP1057 note"]),
        (OPTIONAL, ["AMP1006 warning"]),
        (SAFE, []),
    ],
)
def test_code_counts_if_it_is_asked_for(
    versions: tuple[str, str], expected: list[str]
) -> None:
    assert severities(versions, Rollout.SERVER_FIRST, source=True) == expected


def test_notes_tell_of_the_orders_that_count() -> None:
    old, new = map(schema, RESULT)
    safe = "server first: safe"
    fails = (
        "client first: a new client's `C` is done, and then fails with DecodeError: "
        "`a` is missing"
    )
    code = "code that answers has to be changed"
    (both,) = breaking(old, new)
    assert both.notes == (safe, fails)
    (one,) = breaking(old, new, rollout=Rollout.CLIENT_FIRST, source=True)
    assert one.notes == (fails, code)
    (source,) = breaking(old, new, rollout=Rollout.SERVER_FIRST, source=True)
    assert source.notes == (code,)
    assert [label.text for label in source.related] == ["was without it"]


def test_a_project_sets_the_levels(folder: Path) -> None:
    levels = '[tool.ampgen.lint]\nAMP0801 = "off"\n[tool.ampgen.breaking]\n'
    (folder / "pyproject.toml").write_text(f'{levels}AMP1007 = "off"\n')
    assert severities(REQUIRED) == []
    (folder / "pyproject.toml").write_text(f'{levels}AMP1006 = "error"\n')
    assert severities(OPTIONAL) == ["AMP1006 error"]


def test_a_level_that_cannot_be_understood_is_an_error(folder: Path) -> None:
    (folder / "pyproject.toml").write_text(
        '[tool.ampgen.breaking]\nAMP0801 = "off"\nAMP1006 = "of"\n'
    )
    old, new = map(schema, OPTIONAL)
    found = breaking(old, new)
    assert [one.message for one in found if one.rule.severity is Severity.ERROR] == [
        "there is no rule `AMP0801`, which [tool.ampgen.breaking] sets",
        "`of` is no level for `AMP1006` in [tool.ampgen.breaking]",
    ]
