"""`ampgen fmt`, as a user runs it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ampgen import output
from tests.cli.test_compile import ampgen

if TYPE_CHECKING:
    from pathlib import Path

UNTIDY = "struct  Point {x:int;} // a place\n"
TIDY = "struct Point {\n    x: int;\n} // a place\n"
BROKEN = "struct Point { x: int, }\n"


@pytest.fixture
def schemas(tmp_path: Path) -> Path:
    """Schemas here and below, one of them tidy, and what is none."""
    for name in ("b.amp", "sub/deep/c.amp", ".hidden/d.amp", "e.txt"):
        path = tmp_path / "schemas" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(UNTIDY)
    (tmp_path / "schemas" / "a.amp").write_text(TIDY)
    return tmp_path


def test_a_folder_is_formatted_in_silence(schemas: Path) -> None:
    for arguments in (["schemas"], ["--check", "schemas"]):
        done = ampgen("fmt", *arguments, cwd=schemas)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    texts = {
        path.relative_to(schemas / "schemas").as_posix(): path.read_text()
        for path in (schemas / "schemas").rglob("*")
        if path.is_file()
    }
    assert texts == {
        "a.amp": TIDY,
        "b.amp": TIDY,
        "sub/deep/c.amp": TIDY,
        ".hidden/d.amp": UNTIDY,
        "e.txt": UNTIDY,
    }


def test_check_names_the_files_and_writes_nothing(schemas: Path) -> None:
    done = ampgen("fmt", "--check", "schemas", "schemas/e.txt", cwd=schemas)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "differs: schemas/b.amp",
        "differs: schemas/sub/deep/c.amp",
        "differs: schemas/e.txt",
    ]
    assert (schemas / "schemas/b.amp").read_text() == UNTIDY


@pytest.mark.parametrize("text", [UNTIDY, UNTIDY.rstrip(), "\ufeff" + TIDY])
def test_a_diff_is_one_for_patch(text: str, schemas: Path) -> None:
    path = schemas / "schemas/b.amp"
    path.write_text(text, encoding="utf-8")
    done = ampgen("fmt", "--diff", "schemas/b.amp", cwd=schemas)
    assert (done.returncode, done.stderr) == (0, "")
    assert path.read_text(encoding="utf-8") == text
    subprocess.run(
        ["patch", "-p0"], cwd=schemas, input=done.stdout, encoding="utf-8", check=True
    )
    assert path.read_text(encoding="utf-8") == TIDY


def test_a_diff_of_what_is_tidy_is_empty_and_check_still_fails(schemas: Path) -> None:
    done = ampgen("fmt", "--diff", "--check", "schemas/a.amp", cwd=schemas)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = ampgen("fmt", "--diff", "--check", "schemas/b.amp", cwd=schemas)
    assert done.returncode == 1
    assert done.stdout.startswith("--- schemas/b.amp\n+++ schemas/b.amp\n")
    assert done.stderr == "differs: schemas/b.amp\n"


def test_standard_input_is_printed(schemas: Path) -> None:
    done = ampgen("fmt", "-", cwd=schemas, stdin=UNTIDY)
    assert (done.returncode, done.stdout, done.stderr) == (0, TIDY, "")
    done = ampgen("fmt", "--check", "-", cwd=schemas, stdin=UNTIDY)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "differs: <stdin>\n"


def test_standard_input_may_have_a_name(schemas: Path) -> None:
    done = ampgen(
        *("fmt", "-", "--check", "--diff", "--name", "x.amp"), cwd=schemas, stdin=UNTIDY
    )
    assert done.returncode == 1
    assert done.stdout.startswith("--- x.amp\n+++ x.amp\n")
    assert done.stderr == "differs: x.amp\n"
    short = ("fmt", "-", "--name", "x.amp", "--format", "short")
    done = ampgen(*short, cwd=schemas, stdin=BROKEN)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("x.amp:1:22: error[AMP0102]: ")
    done = ampgen("fmt", "schemas", "--name", "x.amp", cwd=schemas)
    assert done.returncode == 2
    assert "--name is for a schema from standard input: give `-` too" in done.stderr
    done = ampgen("fmt", "-", "--name", "", cwd=schemas, stdin=UNTIDY)
    assert done.returncode == 2
    assert "needs a name: --name text.amp" in done.stderr


def test_errors_are_told_as_compile_does_and_other_files_are_formatted(
    schemas: Path,
) -> None:
    broken = schemas / "schemas/a.amp"
    broken.write_text(BROKEN)
    done = ampgen("fmt", "schemas", "--format", "short", cwd=schemas)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("schemas/a.amp:1:22: error[AMP0102]: ")
    assert broken.read_text() == BROKEN
    assert (schemas / "schemas/b.amp").read_text() == TIDY


def test_what_cannot_be_read_is_told(schemas: Path) -> None:
    (schemas / "empty").mkdir()
    (schemas / "latin.amp").write_bytes(b"\n// \xe9\n")
    done = ampgen("fmt", "none.amp", "empty", "latin.amp", "schemas", cwd=schemas)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: none.amp: No such file or directory",
        "error: empty: no `.amp` file in this folder",
        "error: latin.amp: not UTF-8: byte 0xe9 in line 2",
    ]
    assert (schemas / "schemas/b.amp").read_text() == TIDY


@pytest.mark.parametrize(
    ("arguments", "reason"), [([""], "empty"), (["-", "-"], "once only"), ([], "PATH")]
)
def test_wrong_usage(arguments: list[str], reason: str, tmp_path: Path) -> None:
    done = ampgen("fmt", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert reason in done.stderr


def test_line_ends_become_unix(schemas: Path) -> None:
    path = schemas / "schemas/a.amp"
    path.write_bytes(TIDY.replace("\n", "\r\n").encode())
    assert ampgen("fmt", "schemas/a.amp", cwd=schemas).returncode == 0
    assert path.read_bytes() == TIDY.encode()


@pytest.mark.skipif(sys.platform == "win32", reason="links and modes of Unix")
def test_a_link_stays_one_and_a_mode_is_kept(schemas: Path) -> None:
    path = schemas / "schemas/b.amp"
    path.chmod(0o640)
    link = schemas / "link.amp"
    link.symlink_to(path)
    assert ampgen("fmt", "link.amp", cwd=schemas).returncode == 0
    assert link.is_symlink()
    assert path.read_text() == TIDY
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(one.name for one in path.parent.iterdir()) == [
        *(".hidden", "a.amp", "b.amp", "e.txt", "sub")
    ]


def test_a_file_that_cannot_be_replaced_is_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.amp"
    path.write_text(UNTIDY)

    def full(*_paths: Path) -> None:
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(output.OutputError, match=r"a\.amp: No space left on device"):
        output.replace({path: TIDY.encode()})
    assert [one.name for one in tmp_path.iterdir()] == ["a.amp"]
    assert path.read_text() == UNTIDY
