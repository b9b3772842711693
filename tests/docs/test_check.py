"""The page about `ampgen check` shows what is there, and what is said of it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ampgen.cli import run
from ampgen.lint import RULES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
FOLDER = ROOT / "docs" / "examples" / "check"

COMMANDS = re.findall(r"```console\n\$ ampgen (.*)\n((?s:.*?))```\n", PAGE)


@pytest.mark.parametrize("name", ["plant.amp", "pyproject.toml"])
def test_the_page_shows_the_files_of_the_example(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8").strip()
    assert f"\n{text}\n```\n" in PAGE


@pytest.mark.parametrize(("command", "output"), COMMANDS)
def test_the_page_shows_what_is_printed(
    command: str,
    output: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(FOLDER)
    assert run(shlex.split(command)) == 1
    assert capsys.readouterr().err == output


def test_the_page_has_each_rule_with_its_level() -> None:
    assert len(COMMANDS) == 2
    rows = re.findall(r"^\| (AMP\d+) \| (.*) \| (\w+) \|$", PAGE, re.MULTILINE)
    told = [(rule.code, rule.title, rule.severity.value) for rule in RULES]
    assert rows == told
