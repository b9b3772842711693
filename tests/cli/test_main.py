"""The verbs, `--help`, `--version`, `explain`."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ampgen import check, compat
from ampgen.cli import VERBS, rules, run
from ampgen.runtime.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ampgen.diagnostics import Rule

RULES = (*check.RULES, *compat.RULES, *rules.RULES)

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
    assert len(lines) == len(set(lines)) == len(RULES)


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


def loaded(*arguments: str, **environment: str) -> set[str]:
    """The modules that a run loads beside those of click."""
    code = (
        "import sys, click; before = set(sys.modules);"
        "from ampgen.cli import run; run(sys.argv[1:]);"
        "print('\\f', *(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, **environment},
        check=True,
    )
    return set(done.stdout.rpartition("\f")[2].split())


OURS = {"ampgen", "ampgen.cli", "ampgen.runtime", "ampgen.runtime.version"}
COMPILER = {"lark", "jinja2", "ampgen.analysis", "ampgen.language.parser"}
NETWORK = {"asyncio", "ssl", "socket", "logging"}
FETCHED = {"twisted", "hashlib", "difflib", "tempfile", "tomllib"}


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_nothing_is_loaded_but_click_and_the_table_of_verbs(option: str) -> None:
    modules = loaded(option)
    assert {one for one in modules if one.startswith("ampgen")} == OURS
    assert not modules & (COMPILER | NETWORK | FETCHED | {"dataclasses", "json"})


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_loads_no_compiler(verb: str) -> None:
    assert not loaded(verb, "--help") & (COMPILER | {"twisted"})


@pytest.mark.parametrize(
    "verb",
    ["call", "check", "compile", "describe", "explain", "fix", "fmt", "import"],
)
def test_the_help_of_a_verb_loads_no_network(verb: str) -> None:
    assert not loaded(verb, "--help") & NETWORK


def test_a_schema_that_is_up_to_date_is_told_so_without_a_compiler(
    tmp_path: Path,
) -> None:
    (tmp_path / "a.amp").write_text("struct Point { x: int; }\n")
    compile_ = ("compile", str(tmp_path / "a.amp"), "-o", str(tmp_path / "pkg"))
    notes = str(tmp_path / "notes")
    assert loaded(*compile_, AMPGEN_CACHE=notes) >= COMPILER
    assert not loaded(*compile_, AMPGEN_CACHE=notes) & (COMPILER | NETWORK)


@pytest.mark.skipif(sys.platform == "win32", reason="closes a descriptor")
def test_what_is_found_counts_where_nobody_hears_of_it(tmp_path: Path) -> None:
    (tmp_path / "a.amp").write_text("struct P { x: int; }")  # there is a note
    for arguments, status in ((["a.amp"], 0), (["--none"], 2), (["none.amp"], 1)):
        command = [sys.executable, "-m", "ampgen", "check", *arguments]
        shown = " ".join(map(shlex.quote, command))
        done = subprocess.run(
            ["/bin/sh", "-c", f"{shown} 2>&-"],
            cwd=tmp_path,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            check=False,
        )
        assert done.returncode == status
