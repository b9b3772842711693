"""`ampgen breaking`, as a user runs it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from ampgen.cli import run
from tests.cli.test_compile import ampgen, shell
from tests.tools.test_revision import commit, git, write

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")

OLD = "service Text { command Repeat(text: str) -> str; }\n"
NEW = "service Text { command Repeat(text: str, times: int) -> str; }\n"
SAFE = "service Text { command Repeat(text: str) -> (result: str, size: int?); }\n"

LINE = "error[AMP1007]: argument `times` of `Repeat` is new and required"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.amp").write_text(OLD)
    (tmp_path / "new.amp").write_text(NEW)
    return tmp_path


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    git(tmp_path, "init", "--quiet")
    write(tmp_path, schemas__text=OLD, schemas__geo="struct Point { x: int; }\n")
    commit(tmp_path, "one")
    write(tmp_path, schemas__text=NEW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    status = run(["breaking", "--format", "short", *arguments])
    captured = capsys.readouterr()
    assert captured.out == ""
    return status, captured.err.splitlines()


def test_tells_what_will_happen_in_words(folder: Path) -> None:
    done = ampgen("breaking", "new.amp", "--against", "old.amp", cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{LINE}\n --> new.amp:1:42\n" in done.stderr
    assert (
        "an old client's `Repeat` fails with INVALID_ARGUMENT: `times` is missing; "
        "a Twisted server also drops the connection\n"
    ) in done.stderr
    assert " ::: old.amp:1:24\n" in done.stderr


def test_says_nothing_where_all_is_safe(folder: Path) -> None:
    (folder / "new.amp").write_text(SAFE)
    done = ampgen("breaking", "new.amp", "--against", "old.amp", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_warning_is_no_failure(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("new.amp", "--against", "old.amp", "--rollout", "client-first")
    status, lines = told(capsys, *arguments)
    assert status == 0
    assert lines == [f"new.amp:1:42: {LINE.replace('error', 'warning')}"]


def test_peers_and_source_are_passed_on(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "new.amp").write_text(SAFE)
    arguments = ["breaking", "new.amp", "--against", "old.amp", "--source"]
    assert run(arguments) == 1
    assert "code that calls has to be changed" in capsys.readouterr().err
    (folder / "new.amp").write_text(NEW)
    assert run([*arguments[:-1], "--peers", "ampgen"]) == 1
    assert "Twisted" not in capsys.readouterr().err


def test_folders_are_compared_as_wholes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("before", OLD), ("after", NEW)):
        (folder / name / "common").mkdir(parents=True)
        (folder / name / "text.amp").write_text(text)
        (folder / name / "common" / "geo.amp").write_text("struct Point { }\n")
    status, lines = told(capsys, "after", "--against", "before")
    assert (status, lines) == (1, [f"after/text.amp:1:42: {LINE}"])


def test_what_imports_it_is_told_where_it_has_changed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, field in (("before", ""), ("after", "y: int;")):
        (folder / name).mkdir()
        (folder / name / "geo.amp").write_text(f"struct Point {{ {field} }}\n")
        (folder / name / "s.amp").write_text(
            'import "geo.amp";\nservice S { command C(at: geo.Point); }\n'
        )
    status, lines = told(capsys, "after/s.amp", "--against", "before/s.amp")
    assert status == 1
    assert [line.split(": ")[0] for line in lines] == ["after/geo.amp:1:16"]


def test_the_new_version_may_be_standard_input(folder: Path) -> None:
    arguments = ("breaking", "-", "--name", "new.amp", "--against", "old.amp")
    done = ampgen(*arguments, "--format", "short", cwd=folder, stdin=NEW)
    assert (done.returncode, done.stderr) == (1, f"new.amp:1:42: {LINE}\n")


def test_formats_for_machines_have_the_sentences(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["breaking", "new.amp", "--against", "old.amp", "--format"]
    run([*arguments, "json"])
    found = json.loads(capsys.readouterr().err)
    assert [note.split(":")[0] for note in found["notes"]] == [
        "server first",
        "client first",
    ]
    assert found["related"][0]["file"] == "old.amp"
    run([*arguments, "github"])
    assert "note: server first: an old client's" in capsys.readouterr().err


# --- revisions ------------------------------------------------------------------------


@pytest.mark.parametrize("new", ["after", "after/text.amp"])
def test_a_folder_of_imports_within_one_version_is_that_of_the_other_in_it(
    new: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'import "geo.amp"; service S { command C(at: geo.Point); }\n'
    for version, field in (("before", ""), ("after", "y: int;")):
        write(folder / version, text=text, common__geo=f"struct Point {{ {field} }}\n")
    old = new.replace("after", "before")
    status, lines = told(capsys, new, "--against", old, "-I", "after/common")
    assert status == 1
    assert [line.split(" ", 1)[0] for line in lines] == ["after/common/geo.amp:1:16:"]


def test_a_folder_of_imports_elsewhere_is_the_same_for_both(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'import "geo.amp"; service S { command C(at: geo.Point); }\n'
    write(folder, after__text=text, once__before__text=text)
    write(folder, vendor__geo="struct Point { x: int; }\n")
    write(folder, once__vendor__geo="struct Point { }\n")
    arguments = ("after", "--against", "once/before", "-I", "vendor")
    assert told(capsys, *arguments) == (0, [])


@needs_git
@pytest.mark.parametrize(
    ("new", "old", "place"),
    [
        ("schemas/text.amp", "git:one", "schemas/text.amp"),
        ("schemas/text.amp", "git:HEAD:schemas/text.amp", "schemas/text.amp"),
        ("schemas", "git:one", "schemas/text.amp"),
        ("schemas", "git:one:./schemas", "schemas/text.amp"),
        (".", "git:one", "schemas/text.amp"),
        (".", "git:one:", "schemas/text.amp"),
    ],
)
def test_a_revision_is_compared_with(
    new: str, old: str, place: str, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, lines = told(capsys, new, "--against", old)
    assert (status, lines) == (1, [f"{place}:1:42: {LINE}"])


@needs_git
def test_nothing_has_changed_since_the_revision(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(repository, "two")
    assert told(capsys, "schemas", "--against", "git:two") == (0, [])


@needs_git
def test_a_revision_is_that_of_the_repository_of_the_new_version(
    repository: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(Path(repository.anchor))
    new = os.fspath(repository / "schemas" / "text.amp")
    status, lines = told(capsys, new, "--against", "git:one")
    assert (status, len(lines)) == (1, 1)
    done = run(["breaking", new, "--against", "git:one"])
    assert done == 1
    assert " ::: git:one:schemas/text.amp:1:24\n" in capsys.readouterr().err


@needs_git
def test_folders_of_imports_are_looked_up_in_the_revision(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = 'import "geo.amp";\nservice S { command C(at: geo.Point); }\n'
    write(repository, user=text)
    commit(repository, "two")
    write(repository, schemas__geo="struct Point { x: int; y: int; }\n")
    arguments = ("user.amp", "--against", "git:two", "-I", "schemas")
    status, lines = told(capsys, *arguments)
    assert status == 1
    assert [line.split(" ", 1)[0] for line in lines] == ["schemas/geo.amp:1:24:"]


# --- mistakes -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["new.amp"], 2, "Missing option '--against'"),
        (["new.amp", "--against", ""], 2, "the old version is empty"),
        (["", "--against", "old.amp"], 2, "the path of a schema is empty"),
        (["-", "--against", "old.amp"], 2, "--name text.amp"),
        (["new.amp", "--against", "-"], 2, "can be the new version alone"),
        ([".", "--against", ".", "--name", "a.amp"], 2, "--name is for a schema from"),
        ([".", "--against", "old.amp"], 2, "a folder with a folder"),
        (["new.amp", "--against", "."], 2, "a folder with a folder"),
        (["new.amp", "--against", "no.amp"], 1, "cannot read `no.amp`"),
        (["no.amp", "--against", "old.amp"], 1, "cannot read `no.amp`"),
        (["new.amp", "--against", "git:"], 1, "error: `git:` names no revision"),
        (["new.amp", "--against", "old.amp", "--rollout", "x"], 2, "'x' is not one of"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(
    arguments: list[str],
    status: int,
    sentence: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["breaking", *arguments]) == status
    assert sentence in capsys.readouterr().err


@needs_git
@pytest.mark.parametrize(
    ("new", "old", "sentence"),
    [
        ("schemas", "git:two", "there is no revision `two` in "),
        ("schemas", "git:one:text.amp", "there is no `one:text.amp`"),
        ("schemas", "git:one:schemas/text.amp", "a folder with a folder"),
        (
            "schemas/late.amp",
            "git:one",
            "there is no `one:schemas/late.amp`: if it had another path there, say so: "
            "`git:one:PATH`",
        ),
        ("empty", "git:one", "no `.amp` file in this folder"),
    ],
)
def test_what_is_not_in_the_repository_is_a_sentence(
    new: str,
    old: str,
    sentence: str,
    repository: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(repository, schemas__late="struct A { }\n")
    (repository / "empty").mkdir()
    assert run(["breaking", new, "--against", old]) in (1, 2)
    assert sentence in capsys.readouterr().err


@needs_git
def test_a_schema_outside_of_any_repository_has_no_revisions(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["breaking", "new.amp", "--against", "git:main"]) == 1
    assert capsys.readouterr().err.startswith("error: not a git repository")


def test_errors_of_either_version_are_told_and_nothing_else(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.amp").write_text("struct A { x: intt; }\n")
    for arguments in (("bad.amp", "old.amp"), ("new.amp", "bad.amp")):
        status, lines = told(capsys, arguments[0], "--against", arguments[1])
        assert (status, len(lines)) == (1, 1)
        assert lines[0].startswith("bad.amp:1:15: error[AMP0204]")


@pytest.mark.skipif(os.name == "nt", reason="a folder in use stays there")
def test_a_working_directory_that_is_gone_is_a_sentence(folder: Path) -> None:
    (folder / "gone").mkdir()
    command = f"{sys.executable} -m ampgen breaking a.amp --against b.amp"
    done = shell(f"rmdir ../gone; {command}", folder / "gone")
    assert done.returncode == 1
    assert done.stderr.endswith("the working directory is gone\n")


# --- proofs ---------------------------------------------------------------------------


def test_proofs_go_to_standard_output(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["breaking", "new.amp", "--against", "old.amp", "--format", "short"]
    assert run([*arguments, "--rollout", "server-first", "--prove"]) == 1
    shown = capsys.readouterr()
    assert shown.err == f"new.amp:1:42: {LINE}\n"
    assert "server first: an old client calls a new server" in shown.out
    assert "client first" not in shown.out
    assert "InvalidArgument (INVALID_ARGUMENT)" in shown.out
    assert "Twisted" in shown.out
    run([*arguments, "--prove", "--peers", "ampgen"])
    assert "Twisted" not in capsys.readouterr().out


def test_where_nothing_breaks_nothing_is_run(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["breaking", "old.amp", "--against", "old.amp", "--prove"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_version_without_code_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "old.amp").write_text("struct SClient { } service S { command C(); }")
    (folder / "new.amp").write_text("struct SClient { } service S { }")
    arguments = ["breaking", "new.amp", "--against", "old.amp", "--format", "short"]
    assert run([*arguments, "--prove"]) == 1
    shown = capsys.readouterr()
    assert "AMP06" in shown.err
    assert shown.out == ""
