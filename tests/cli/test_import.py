"""`ampgen import`, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ampgen.cli import run
from tests.cli.test_compile import ROOT, ampgen

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
from twisted.protocols import amp

print("imported")

class Money(amp.Argument):
    def toString(self, inObject):
        return inObject
    def fromString(self, inString):
        return inString

class Sum(amp.Command):
    arguments = [(b"a", amp.Integer()), (b"b", Money())]
    response = [(b"total", amp.Integer())]
"""
SCHEMA = """\
service Calculator {
    command Sum(a: int, b: decimal) -> (total: int);
}
"""
TYPE = ("--type", "calculator.Money=decimal")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "calculator.py").write_text(PROGRAM)
    return tmp_path


def test_prints_the_schema_alone(folder: Path) -> None:
    done = ampgen("import", "calculator", *TYPE, cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, SCHEMA, "imported\n")


def test_writes_a_file_that_compiles(folder: Path) -> None:
    arguments = ("import", "calculator", *TYPE, "-o", "calculator.amp")
    for _ in range(2):  # the same again is nothing to refuse
        done = ampgen(*arguments, cwd=folder)
        assert (done.returncode, done.stdout) == (0, "")
    assert (folder / "calculator.amp").read_text() == SCHEMA
    done = ampgen("compile", "calculator.amp", "-o", "pkg", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")


def test_another_file_is_left_alone_unless_it_is_forced(folder: Path) -> None:
    (folder / "calculator.amp").write_text("// mine\n")
    arguments = ("import", "calculator", *TYPE, "-o", "calculator.amp")
    done = ampgen(*arguments, cwd=folder)
    assert done.returncode == 1
    assert "error: calculator.amp: is there already; --force" in done.stderr
    assert (folder / "calculator.amp").read_text() == "// mine\n"
    done = ampgen(*arguments, "--force", cwd=folder)
    assert done.returncode == 0
    assert (folder / "calculator.amp").read_text() == SCHEMA


def test_tells_what_it_could_not_say(folder: Path) -> None:
    done = ampgen("import", "calculator:Sum", cwd=folder)
    assert done.returncode == 0
    assert (
        "note: calculator.Sum: `b` has become bytes: calculator.Money is a class of "
        "the program's own; --type calculator.Money=TYPE says what it is\n"
    ) in done.stderr
    assert "    // calculator.Money is a class of the program's own.\n" in done.stdout


def test_looks_in_other_folders_as_well(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = ampgen("import", "calculator", cwd=elsewhere)
    assert done.returncode == 1
    assert done.stderr == (
        "error: there is no module `calculator`; `--path DIR` names a folder to look "
        "in\n"
    )
    done = ampgen("import", "calculator", *TYPE, "--path", "..", cwd=elsewhere)
    assert (done.returncode, done.stdout) == (0, SCHEMA)


def test_a_schema_with_errors_is_told_of(folder: Path) -> None:
    """What a program may name so that only its author can mend it."""
    (folder / "odd.py").write_text(
        PROGRAM + "class Sum_(amp.Command):\n"
        "    arguments = [(b'pages', amp.Integer()), (b'pages.2', amp.Integer())]\n"
    )
    done = ampgen("import", "odd", "--type", "odd.Money=large str", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "imported\n")
    text = (folder / "odd.py").read_text()
    text = text.replace("(b'pages', amp.Integer())", "(b'pages', Money())")
    (folder / "odd.py").write_text(text)
    done = ampgen("import", "odd", "--type", "odd.Money=large str", cwd=folder)
    assert done.returncode == 1
    assert 'error[AMP0304]: wire key `"pages.2"` is also a piece of' in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "Missing argument"),
        (("m", "--type", "money"), "`` is none of the types: bool, int"),
        (("m", "--type", "a-b=int"), "`a-b` is not the name of a class"),
        (("m", "--type", "a.B=money"), "`money` is none of the types: bool, int"),
        (("m", "--service", "a-b"), "`a-b` is not a name"),
    ],
)
def test_wrong_usage(
    options: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["import", *options]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("output", ["gone/x.amp", "."])
def test_what_cannot_be_written_is_an_error(output: str, folder: Path) -> None:
    done = ampgen("import", "calculator", *TYPE, "-o", output, "--force", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in done.stderr


def test_without_twisted_it_says_what_to_install(folder: Path) -> None:
    program = (
        "import sys; sys.modules['twisted'] = None; from ampgen.cli import main; "
        "main(['import', 'calculator'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 1
    assert done.stderr == (
        "error: this needs Twisted, which is not installed: "
        "pip install 'ampgen-idl[twisted]'\n"
    )
