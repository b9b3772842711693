"""`ampgen fix`, as a user runs it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ampgen.cli import run
from tests.cli.test_compile import ampgen

if TYPE_CHECKING:
    from pathlib import Path

SLIP = "/// A point.\nstruct Point {\n    x: int\n    y: int;\n}\n"
MENDED = SLIP.replace("x: int\n", "x: int;\n")
GUESS = "/// A point.\nstruct Point {\n    x: itn;\n}\n"
GUESSED = GUESS.replace("itn", "int")


@pytest.fixture
def schemas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.amp", "in/b.amp", "in/deep/c.amp", "in/.git/d.amp", "in/e.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SLIP)
    return tmp_path


def test_a_folder_is_mended_and_what_was_done_is_told(schemas: Path) -> None:
    done = ampgen("fix", "in", cwd=schemas)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "fixed: in/b.amp:3:11: AMP0102: insert `;`",
        "fixed: in/deep/c.amp:3:11: AMP0102: insert `;`",
    ]
    texts = {
        path.relative_to(schemas).as_posix(): path.read_text()
        for path in schemas.rglob("*")
        if path.is_file()
    }
    assert texts == {
        "a.amp": SLIP,
        "in/b.amp": MENDED,
        "in/deep/c.amp": MENDED,
        "in/.git/d.amp": SLIP,
        "in/e.txt": SLIP,
    }
    done = ampgen("fix", "in", cwd=schemas)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_left_is_told_as_check_tells_it(schemas: Path) -> None:
    (schemas / "a.amp").write_text(GUESS.replace("itn;", "itn"))
    done = ampgen("fix", "a.amp", cwd=schemas)
    assert (done.returncode, done.stdout) == (1, "")
    first, rest = done.stderr.split("\n", 1)
    assert first == "fixed: a.amp:3:11: AMP0102: insert `;`"
    checked = ampgen("check", "a.amp", cwd=schemas)
    diagnostics, last = rest.rsplit("\n", 2)[:2]
    assert checked.stderr.startswith(f"{diagnostics}\n")
    assert last == "--unsafe can mend 1 more"
    done = ampgen("fix", "a.amp", "--unsafe", cwd=schemas)
    assert done.returncode == 0
    assert done.stderr == "fixed: a.amp:3:8: AMP0204: write `int`\n"
    assert (schemas / "a.amp").read_text() == GUESSED


def test_a_fix_that_would_do_harm_is_told(schemas: Path) -> None:
    (schemas / "a.amp").write_text("type a = int;\ntype A = int;\n")
    done = ampgen("fix", "a.amp", "--unsafe", cwd=schemas)
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == (
        "1 fix is not made: it would lead to another error"
    )
    assert (schemas / "a.amp").read_text() == "type a = int;\ntype A = int;\n"


def test_check_says_what_fix_can_mend(schemas: Path) -> None:
    def last(*arguments: str) -> str:
        return ampgen("check", *arguments, cwd=schemas).stderr.splitlines()[-1]

    assert last("a.amp") == "`ampgen fix` can mend 1"
    (schemas / "a.amp").write_text(GUESS)
    assert last("a.amp") == "`ampgen fix --unsafe` can mend 1"
    assert last("a.amp", "in") == "`ampgen fix` can mend 2, and 1 more with --unsafe"
    assert last("a.amp", "--format", "short").startswith("a.amp:3:8: error[AMP0204]")
    (schemas / "a.amp").write_text("struct A { x: Nothing; }")
    assert last("a.amp") == "1 error"


def test_check_writes_nothing_and_fails_where_there_is_something_to_do(
    schemas: Path,
) -> None:
    done = ampgen("fix", "in", "--check", cwd=schemas)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "fixable: in/b.amp:3:11: AMP0102: insert `;`",
        "fixable: in/deep/c.amp:3:11: AMP0102: insert `;`",
    ]
    assert (schemas / "in/b.amp").read_text() == SLIP
    (schemas / "a.amp").write_text(MENDED)
    done = ampgen("fix", "a.amp", "--check", cwd=schemas)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("text", [SLIP, SLIP.rstrip(), "\ufeff" + SLIP])
def test_a_diff_is_one_for_patch(text: str, schemas: Path) -> None:
    path = schemas / "a.amp"
    path.write_text(text, encoding="utf-8")
    done = ampgen("fix", "--diff", "a.amp", cwd=schemas)
    assert (done.returncode, done.stderr) == (0, "")
    assert path.read_text(encoding="utf-8") == text
    subprocess.run(
        ["patch", "-p0"], cwd=schemas, input=done.stdout, encoding="utf-8", check=True
    )
    assert path.read_text(encoding="utf-8") == text.replace("x: int", "x: int;")
    (schemas / "a.amp").write_text(text, encoding="utf-8")
    done = ampgen("fix", "--diff", "--check", "a.amp", cwd=schemas)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(("text", "after"), [(SLIP, MENDED), (GUESS, GUESS)])
def test_standard_input_is_printed_as_mended(
    text: str, after: str, schemas: Path
) -> None:
    done = ampgen("fix", "-", "--name", "a.amp", cwd=schemas, stdin=text)
    assert done.stdout == after
    assert done.returncode == (0 if after == MENDED else 1)
    assert (schemas / "a.amp").read_text() == SLIP
    done = ampgen("fix", "-", "--name", "a.amp", "--check", cwd=schemas, stdin=text)
    assert (done.returncode, done.stdout) == (1, "")


def test_standard_input_that_is_no_text_is_printed_as_it_is(schemas: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ampgen", "fix", "-", "--name", "a.amp"],
        cwd=schemas,
        input=b"// \xe9\n",
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.returncode, done.stdout) == (1, b"// \xe9\n")
    assert b"not UTF-8" in done.stderr


def test_only_takes_codes_of_rules(
    schemas: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (schemas / "a.amp").write_text(GUESS.replace("itn;", "itn"))
    assert run(["fix", "a.amp", "--only", "amp0204", "--unsafe"]) == 1
    assert (schemas / "a.amp").read_text() == GUESSED.replace("int;", "int")
    capsys.readouterr()
    assert run(["fix", "a.amp", "--only", "AMP204"]) == 2
    assert "there is no rule AMP204; did you mean AMP0204?" in capsys.readouterr().err


def test_programs_get_what_was_done_as_notes(
    schemas: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (schemas / "a.amp").write_text(GUESS.replace("itn;", "itn"))
    assert run(["fix", "a.amp", "--format", "short", "--check"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "a.amp:3:8: error[AMP0204]: unknown type `itn`",
        "a.amp:3:11: note[AMP0102]: fixable: insert `;` (expected `;`)",
    ]
    assert run(["fix", "a.amp", "--format", "json"]) == 1
    left, done = map(json.loads, capsys.readouterr().err.splitlines())
    assert (left["code"], left["fix"]["safe"]) == ("AMP0204", False)
    assert done["severity"] == "note"
    assert done["message"] == "fixed: insert `;` (expected `;`)"
    assert run(["fix", "a.amp", "--format", "sarif", "--unsafe"]) == 0
    [run_] = json.loads(capsys.readouterr().err)["runs"]
    assert [one["level"] for one in run_["results"]] == ["note"]


def test_the_mode_of_a_file_is_kept_and_a_link_stays_one(schemas: Path) -> None:
    (schemas / "in/b.amp").chmod(0o640)
    (schemas / "link.amp").symlink_to("in/b.amp")
    assert ampgen("fix", "link.amp", cwd=schemas).returncode == 0
    assert (schemas / "link.amp").is_symlink()
    assert (schemas / "in/b.amp").read_text() == MENDED
    assert stat.S_IMODE((schemas / "in/b.amp").stat().st_mode) == 0o640


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_file_that_cannot_be_written_is_told(
    format_: str,
    schemas: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def full(_source: object, target: object) -> None:
        raise OSError(28, "No space left on device", target)

    monkeypatch.setattr("ampgen.output.os.replace", full)
    assert run(["fix", "a.amp", "--format", format_]) == 1
    told = capsys.readouterr().err
    if format_ == "json":
        [diagnostic] = map(json.loads, told.splitlines())
        assert diagnostic["code"] == "AMP0701"
        told = f"error: {diagnostic['message']}\n"
    assert told == f"error: {schemas / 'a.amp'}: No space left on device\n"
    assert (schemas / "a.amp").read_text() == SLIP


def test_what_is_not_there_is_told(schemas: Path) -> None:
    done = ampgen("fix", "none.amp", "a.amp", cwd=schemas)
    assert done.returncode == 1
    assert "cannot read `none.amp`: no such file" in done.stderr
    assert (schemas / "a.amp").read_text() == MENDED
    (schemas / "empty").mkdir()
    done = ampgen("fix", "empty", cwd=schemas)
    assert (done.returncode, done.stderr) == (
        1,
        "error: empty: no `.amp` file in this folder\n",
    )
    done = ampgen("fix", "-", cwd=schemas)
    assert done.returncode == 2
    assert "--name" in done.stderr


def test_files_that_were_not_named_are_told(schemas: Path) -> None:
    (schemas / "d.amp").write_text('import "a.amp";\ntype P = a.Point;\n')
    done = ampgen("fix", "d.amp", cwd=schemas)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "1 fix is not made: a.amp was not named"
    assert (schemas / "a.amp").read_text() == SLIP


def test_what_was_given_up_is_told(
    schemas: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("ampgen.fix.MAX_CHECKS", 1)
    assert run(["fix", "a.amp"]) == 1
    assert "not all fixes were tried" in capsys.readouterr().err
    assert (schemas / "a.amp").read_text() == SLIP


@pytest.mark.skipif(sys.platform == "win32", reason="names and modes of Unix")
def test_a_name_that_is_no_text_is_one_all_the_same(schemas: Path) -> None:
    path = os.fsdecode(b"b\xffad.amp")
    (schemas / path).write_text(GUESS.replace("itn;", "itn"))
    told = subprocess.run(
        [sys.executable, "-m", "ampgen", "fix", path, "--diff", "--format", "sarif"],
        cwd=schemas,
        capture_output=True,
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert told.stdout.startswith(b"--- b\xffad.amp\n+++ b\xffad.amp\n@@")
    assert b'"uri": "b%FFad.amp"' in told.stderr
