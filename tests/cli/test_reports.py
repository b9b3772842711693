"""What verbs say of files, in every format."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ampgen.cli import VERBS, run
from ampgen.diagnostics.printers import PRINTERS
from tests.cli.test_compile import ROOT, ampgen

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]

GOOD = "struct Point {\n    x: int;\n}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.amp").write_text(GOOD)
    (tmp_path / "untidy.amp").write_text("struct Point {x: int;}\n")
    (tmp_path / "bad.amp").write_text("struct Point { x: intt; }\n")
    (tmp_path / "latin.amp").write_bytes(b"// \xe9\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    return tmp_path


CASES = [
    # arguments, the plain lines, and of each line the code and the file
    (
        ["compile", "a.amp", "-o", "pkg", "--check"],
        ["missing: pkg/__init__.py", "missing: pkg/a.py", "missing: pkg/py.typed"],
        [("AMP0702", f"pkg/{name}") for name in ("__init__.py", "a.py", "py.typed")],
    ),
    (
        ["compile", "a.amp", "-o", "file"],
        ["error: file: is a file, and should be a folder"],
        [("AMP0701", None)],
    ),
    (
        ["fmt", "untidy.amp", "--check"],
        ["differs: untidy.amp"],
        [("AMP0703", "untidy.amp")],
    ),
    (
        ["fmt", "none.amp", "latin.amp"],
        [
            "error: none.amp: No such file or directory",
            "error: latin.amp: not UTF-8: byte 0xe9 in line 1",
        ],
        [("AMP0701", None), ("AMP0701", None)],
    ),
    (
        ["check", "empty"],
        ["error: empty: no `.amp` file in this folder"],
        [("AMP0701", None)],
    ),
    (
        ["fix", "empty"],
        ["error: empty: no `.amp` file in this folder"],
        [("AMP0701", None)],
    ),
    (
        ["import", "nothing.here"],
        ["error: there is no module `nothing`; `--path DIR` names a folder to look in"],
        [("AMP0701", None)],
    ),
]


@pytest.mark.parametrize(
    ("arguments", "lines", "told"), CASES, ids=[case[0][0] for case in CASES]
)
def test_a_plain_line_is_a_diagnostic_for_programs(
    arguments: list[str],
    lines: list[str],
    told: list[tuple[str, str | None]],
    folder: Path,
    capsys: Capture,
) -> None:
    assert run(arguments) == 1
    assert capsys.readouterr().err.splitlines() == lines
    assert run([*arguments, "--format", "json"]) == 1
    found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(one["code"], one["file"]) for one in found] == told
    messages = [line.removeprefix("error: ") for line in lines]
    assert [one["message"] for one in found] == messages
    for format_ in PRINTERS:
        assert run([*arguments, "--format", format_]) == 1
        told_in = capsys.readouterr().err
        assert all(message in told_in for message in messages)
        if format_ == "sarif":
            json.loads(told_in)  # one document, whatever there is to say


@pytest.mark.parametrize(
    "arguments",
    [
        ["compile", "bad.amp", "-o", "pkg"],
        ["check", "bad.amp"],
        ["fix", "bad.amp"],
        ["describe", "bad.amp"],
    ],
    ids=lambda arguments: arguments[0],
)
@pytest.mark.parametrize("format_", PRINTERS)
def test_an_error_in_a_schema_is_told_in_every_format(
    arguments: list[str], format_: str, folder: Path, capsys: Capture
) -> None:
    assert run([*arguments, "--format", format_]) == 1
    told = capsys.readouterr().err
    assert "unknown type `intt`" in told
    assert "bad.amp" in told


def test_warnings_and_what_is_out_of_date_are_one_document(
    folder: Path, capsys: Capture
) -> None:
    (folder / "a.amp").write_text('import "b.amp";\n' + GOOD)
    (folder / "b.amp").write_text("")
    arguments = ["compile", "a.amp", "-o", "pkg", "--check", "--format", "sarif"]
    assert run(arguments) == 1
    [told] = json.loads(capsys.readouterr().err)["runs"]
    codes = [one["ruleId"] for one in told["results"]]
    assert sorted(set(codes)) == ["AMP0216", "AMP0702"]


def test_what_import_leaves_out_is_a_note_for_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(ROOT / "docs" / "examples" / "import")
    assert run(["import", "stock"]) == 0
    plain = capsys.readouterr()
    assert run(["import", "stock", "--format", "json"]) == 0
    told = capsys.readouterr()
    assert told.out == plain.out
    notes = [json.loads(line) for line in told.err.splitlines()]
    assert notes
    assert {(one["code"], one["severity"]) for one in notes} == {("AMP0704", "note")}
    lines = [f"note: {one['message']}" for one in notes]
    assert plain.err.splitlines() == lines


@pytest.mark.parametrize("verb", sorted({"check", "describe", "fix"}))
def test_a_schema_comes_from_standard_input(verb: str, folder: Path) -> None:
    done = ampgen(verb, "-", "--name", "text.amp", cwd=folder, stdin=GOOD)
    assert done.returncode == 0
    assert done.stdout == ("" if verb == "check" else GOOD)
    bad = (folder / "bad.amp").read_text()
    done = ampgen(
        *(verb, "-", "--name", "in/text.amp", "--format", "short"),
        cwd=folder,
        stdin=bad,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("in/text.amp:1:19: error[AMP0204]: ")
    done = ampgen(verb, "-", cwd=folder, stdin=GOOD)
    assert done.returncode == 2
    assert "--name" in done.stderr


@pytest.mark.parametrize("verb", ["check", "compile", "describe", "fix", "fmt"])
def test_standard_input_that_is_closed_is_told(
    verb: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    further = {"compile": ["-o", "pkg", "--name", "a.amp"], "fmt": []}
    arguments = [verb, "-", *further.get(verb, ["--name", "a.amp"])]
    assert run(arguments) == 1
    assert "closed" in capsys.readouterr().err


def test_a_pipe_that_nobody_reads_is_no_traceback(folder: Path) -> None:
    for arguments in (["fix", "--diff", "untidy.amp"], ["describe", "a.amp"]):
        (folder / "untidy.amp").write_text("struct Point { x: int }\n")
        with subprocess.Popen(
            [sys.executable, "-m", "ampgen", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PYTHONPATH": str(ROOT)},
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.wait(30) == 1
            assert process.stderr.read() == b""


def test_every_verb_that_reports_takes_a_format(capsys: Capture) -> None:
    reporting = {"check", "compile", "describe", "fix", "fmt", "import"}
    assert reporting <= set(VERBS)
    for verb in sorted(reporting):
        assert run([verb, "--help"]) == 0
        assert "[text|short|json|github|sarif]" in capsys.readouterr().out
