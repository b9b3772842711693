"""The verbs, `--help`, `--version`, `explain`."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ampgen import check
from ampgen.cli import VERBS, rules, run
from ampgen.runtime.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ampgen.diagnostics import Rule

RULES = (*check.RULES, *rules.RULES)

Capture = pytest.CaptureFixture[str]


def output(capsys: Capture, arguments: Sequence[str]) -> str:
    assert run(arguments) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


def test_version(capsys: Capture) -> None:
    assert output(capsys, ["--version"]) == f"ampgen {__version__}\n"


def test_help_lists_every_verb_and_shows_an_example(capsys: Capture) -> None:
    text = output(capsys, ["--help"])
    assert all(f"  {verb} " in text for verb in VERBS)
    assert "Example" in text


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_shows_an_example(verb: str, capsys: Capture) -> None:
    assert f"ampgen {verb}" in output(capsys, [verb, "--help"]).split("Example")[1]


@pytest.mark.parametrize("rule", RULES, ids=[rule.code for rule in RULES])
def test_every_code_is_explained(rule: Rule, capsys: Capture) -> None:
    told = output(capsys, ["explain", rule.code])
    assert told.startswith(f"{rule.code}: ")
    assert rule.explanation.rstrip() in told


def test_explain_without_a_code_lists_them_all(capsys: Capture) -> None:
    lines = output(capsys, ["explain"]).splitlines()
    assert [line.split()[0] for line in lines] == sorted(rule.code for rule in RULES)


def test_explain_takes_a_code_in_small_letters(capsys: Capture) -> None:
    assert output(capsys, ["explain", "amp0204"]).startswith("AMP0204: unknown type")


def test_explain_suggests_the_code_that_was_meant(capsys: Capture) -> None:
    assert run(["explain", "AMP204"]) == 2
    assert "did you mean AMP0204?" in capsys.readouterr().err


def test_control_c_is_a_status_and_no_traceback(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Interrupted:
        @property
        def buffer(self) -> object:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Interrupted())
    arguments = ["compile", "-", "--name", "a.amp", "-o", str(tmp_path / "pkg")]
    assert run(arguments) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_the_version_is_told_without_loading_the_compiler() -> None:
    code = (
        "import sys; from ampgen.cli import run; run(['--version']);"
        "print([m for m in sys.modules if m in"
        " ('asyncio', 'lark', 'jinja2', 'ampgen.analysis', 'ampgen.pipeline')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
