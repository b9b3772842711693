"""`ampgen check`, as a user runs it."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from ampgen.cli import run
from tests.cli.test_compile import ampgen, shell

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "/// A point.\nstruct Point { x: int; }\n"
WARNED = "/// A point.\nstruct Point { nO: int; }\n"
NOTED = "/// No.\nfatal error No;\n"
BAD = "struct Point { x: intt; }\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    status = run(["check", "--format", "short", *arguments])
    captured = capsys.readouterr()
    assert captured.out == ""
    return status, captured.err.splitlines()


def test_says_nothing_where_all_is_well_and_writes_nothing(folder: Path) -> None:
    (folder / "a.amp").write_text(GOOD)
    done = ampgen("check", "a.amp", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in folder.iterdir()] == ["a.amp"]


@pytest.mark.parametrize(
    ("schema", "arguments", "status"),
    [
        (BAD, [], 1),
        (WARNED, [], 0),
        (WARNED, ["--strict"], 1),
        (NOTED, [], 0),
        (NOTED, ["--strict"], 0),
        (GOOD, ["--strict"], 0),
    ],
)
def test_the_status_is_that_of_the_worst(
    schema: str, arguments: list[str], status: int, folder: Path
) -> None:
    (folder / "a.amp").write_text(schema)
    assert run(["check", "a.amp", *arguments]) == status


def test_a_level_that_the_project_sets_decides(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.amp").write_text(NOTED)
    settings = folder / "pyproject.toml"
    for level, status in (("error", 1), ("warning", 0), ("note", 0), ("off", 0)):
        settings.write_text(f'[tool.ampgen.lint]\nAMP0810 = "{level}"\n')
        where = f"a.amp:2:13: {level}[AMP0810]: error `No` is fatal"
        assert told(capsys, "a.amp") == (status, [where] if level != "off" else [])


def test_a_folder_stands_for_all_schemas_in_it_but_for_hidden_folders(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in ("in/b.amp", "in/a.amp", "in/deep/c.amp", "in/.git/d.amp", "in/e.txt"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(WARNED)
    status, lines = told(capsys, "in")
    places = [line.split(":")[0] for line in lines]
    assert (status, places) == (0, ["in/a.amp", "in/b.amp", "in/deep/c.amp"])


def test_what_lies_in_one_folder_need_not_fit_into_one_package(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.amp", "b.amp"):
        (folder / name).write_text(GOOD)
    assert told(capsys, ".") == (0, [])
    status, lines = told(capsys, "a.amp", "b.amp")
    assert (status, [line.split()[1] for line in lines]) == (1, ["error[AMP0605]:"])
    assert told(capsys, "a.amp", ".")[0] == 0
    assert told(capsys, "a.amp", "b.amp", ".")[0] == 1  # named, and found as well


def test_imports_are_found_in_the_folders_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "vendor").mkdir()
    (folder / "vendor" / "geo.amp").write_text(WARNED)
    (folder / "a.amp").write_text(
        'import "geo.amp";\n/// A.\nstruct A { at: geo.Point; }\n'
    )
    assert told(capsys, "a.amp")[0] == 1
    assert told(capsys, "a.amp", "-I", "vendor") == (0, [])


def test_standard_input_has_the_levels_of_the_working_directory(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.ampgen.lint]\nAMP0802 = "error"\n')
    arguments = ("check", "-", "--name", "a.amp", "--format", "short")
    done = ampgen(*arguments, cwd=folder, stdin=WARNED)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("a.amp:2:16: error[AMP0802]: ")


def test_notes_in_the_formats_for_machines(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.amp").write_text(NOTED)
    printed: dict[str, str] = {}
    for format_ in ("text", "json", "sarif", "github"):
        assert run(["check", "a.amp", "--format", format_]) == 0
        printed[format_] = capsys.readouterr().err
    assert json.loads(printed["json"])["severity"] == "note"
    assert json.loads(printed["sarif"])["runs"][0]["results"][0]["level"] == "note"
    assert printed["github"].startswith("::notice file=a.amp,line=2,col=13,")
    assert printed["text"].endswith("\n\n1 note\n")


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        ([], 2, "PATH"),
        ([""], 2, "the path of a schema is empty"),
        (["-"], 2, "--name text.amp"),
        (["a.amp", "--name", "b.amp"], 2, "--name"),
        (["empty"], 1, "error: empty: no `.amp` file in this folder\n"),
        (["a.amp", "--format", "xml"], 2, "'xml' is not one of"),
        (["missing.amp"], 1, "cannot read `missing.amp`"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    arguments: list[str],
    status: int,
    sentence: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folder / "empty" / ".hidden").mkdir(parents=True)
    (folder / "empty" / ".hidden" / "a.amp").write_text(GOOD)
    assert run(["check", *arguments]) == status
    assert sentence in capsys.readouterr().err


def test_settings_that_cannot_be_read_are_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a.amp").write_text(NOTED)
    (folder / "pyproject.toml").mkdir()
    assert run(["check", "a.amp"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "pyproject.toml: " in said


@pytest.mark.skipif(os.name == "nt", reason="a folder in use stays there")
def test_a_working_directory_that_is_gone_is_a_sentence(folder: Path) -> None:
    (folder / "gone").mkdir()
    command = f"rmdir ../gone; {sys.executable} -m ampgen check a.amp"
    done = shell(command, folder / "gone")
    assert done.returncode == 1
    assert done.stderr == "error: the working directory is gone\n"


@pytest.mark.skipif(os.name == "nt", reason="a shell closes it")
def test_standard_input_that_is_closed_is_a_sentence(folder: Path) -> None:
    done = shell(f"{sys.executable} -m ampgen check - --name a.amp <&-", folder)
    assert (done.returncode, done.stderr) == (1, "error: standard input: closed\n")


def test_compiling_says_nothing_of_lint_nor_of_its_settings(folder: Path) -> None:
    (folder / "a.amp").write_text(WARNED)
    (folder / "pyproject.toml").write_text("[tool.ampgen.lint]\nnaming = 3\n")
    done = ampgen("compile", "a.amp", "-o", "pkg", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
