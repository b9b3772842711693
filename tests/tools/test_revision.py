"""Schemas at a revision of a git repository."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ampgen.analysis import analyse
from ampgen.tools.revision import Revision, RevisionError, split

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git")

IDENTITY = ("-c", "user.name=A", "-c", "user.email=a@example.com")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", folder, *IDENTITY, *arguments],
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
    )
    return done.stdout.decode()


def commit(folder: Path, name: str) -> None:
    """All files as they are, as a revision of that name."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", name)
    git(folder, "tag", name)


def write(folder: Path, **texts: str) -> None:
    """``a__b="…"`` is the file ``a/b.amp``."""
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.amp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`one` has `schemas/text.amp`, which imports `schemas/common/geo.amp`."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    write(
        folder,
        schemas__text='import "common/geo.amp";\nstruct Line { from: geo.Point; }\n',
        schemas__common__geo="struct Point { x: int; }\n",
        schemas__broken="struct Point {\n",
    )
    commit(folder, "one")
    write(folder, schemas__text="struct Line { }\n", schemas__common__geo="nothing\n")
    commit(folder, "two")
    monkeypatch.chdir(folder)
    return folder


def test_a_schema_is_read_with_its_imports_as_they_were(repository: Path) -> None:
    revision = Revision("one", repository)
    named = revision.inside("schemas/text.amp")
    schema, diagnostics = analyse([named], (), revision)
    assert diagnostics == ()
    assert schema is not None
    assert [module.path for module in schema.modules] == [("common", "geo"), ("text",)]
    assert [module.source.path for module in schema.modules] == [
        "git:one:schemas/common/geo.amp",
        "git:one:schemas/text.amp",
    ]


def test_what_is_wrong_with_it_is_told_in_its_place(repository: Path) -> None:
    revision = Revision("HEAD~1", repository)
    _, diagnostics = analyse([revision.at("schemas/broken.amp")], (), revision)
    assert diagnostics[0].primary is not None
    assert diagnostics[0].primary.span.place.startswith("git:HEAD~1:schemas/broken.amp")


def test_imports_do_not_leave_the_repository(repository: Path) -> None:
    (repository.parent / "geo.amp").write_text("struct Point { }\n")
    write(repository, out='import "../geo.amp";\nstruct A { at: geo.Point; }\n')
    commit(repository, "three")
    revision = Revision("three", repository)
    _, diagnostics = analyse([revision.at("out.amp")], (), revision)
    assert diagnostics[0].message == "no file `../geo.amp`"


def test_folders_of_imports_are_those_of_the_revision_or_lie_outside(
    repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "vendor"
    write(outside, unit="struct Metre { }\n")
    write(
        repository,
        user="""
            import "geo.amp";
            import "unit.amp";
            struct A { a: geo.Point; b: unit.Metre; }
        """,
        schemas__common__geo="struct Point { }\n",
    )
    commit(repository, "three")
    shutil.rmtree(repository / "schemas")
    revision = Revision("three", repository)
    include = [revision.included(Path("schemas/common")), revision.included(outside)]
    _, diagnostics = analyse([revision.at("user.amp")], include, revision)
    assert diagnostics == ()


def test_a_folder_has_all_schemas_below_it_but_for_hidden_folders(
    repository: Path,
) -> None:
    write(repository, schemas___hidden__no="")
    (repository / "schemas" / "_hidden").rename(repository / "schemas" / ".hidden")
    (repository / "schemas" / "notes.txt").touch()
    commit(repository, "three")
    revision = Revision("three", repository)
    found = revision.schemas(revision.at("schemas"))
    assert [revision.shown(path.as_posix()) for path in found] == [
        "git:three:schemas/broken.amp",
        "git:three:schemas/common/geo.amp",
        "git:three:schemas/text.amp",
    ]
    assert revision.schemas(revision.at("."))[0].name == "broken.amp"


def test_a_path_is_one_from_the_top_or_with_a_dot_from_here(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository / "schemas")
    revision = Revision("one", Path())
    paths = (
        "schemas/text.amp",
        "/schemas/text.amp",
        "./text.amp",
        "../schemas/text.amp",
    )
    assert len({revision.real_path(revision.at(path)) for path in paths}) == 1
    assert revision.is_folder(revision.at("."))
    assert revision.real_path(revision.inside("text.amp")) == revision.real_path(
        revision.at("schemas/text.amp")
    )


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_symbolic_links_are_followed_within_the_revision(repository: Path) -> None:
    (repository / "linked").symlink_to("schemas/common")
    (repository / "line.amp").symlink_to("./schemas/text.amp")
    (repository / "round").symlink_to("round")
    git(repository, "checkout", "--quiet", "one", "schemas")
    commit(repository, "three")
    revision = Revision("three", repository)
    geo = revision.at("linked/geo.amp")
    assert revision.read(geo) == b"struct Point { x: int; }\n"
    assert revision.real_path(geo) == revision.real_path(
        revision.at("schemas/common/geo.amp")
    )
    assert revision.read(revision.at("line.amp")) == revision.read(
        revision.at("schemas/text.amp")
    )
    with pytest.raises(OSError, match="symbolic links"):
        revision.at("round/geo.amp")


def test_other_files_are_as_they_are_on_the_disk(
    repository: Path, tmp_path: Path
) -> None:
    revision = Revision("one", repository)
    (tmp_path / "a.amp").write_text("// here\n")
    assert revision.read(tmp_path / "a.amp") == b"// here\n"
    assert revision.read(tmp_path / "b.amp") is None
    assert revision.real_path(tmp_path / "a.amp") == os.path.realpath(
        tmp_path / "a.amp"
    )
    assert revision.shown("schemas/text.amp") == "schemas/text.amp"
    with pytest.raises(IsADirectoryError):
        revision.read(revision.at("schemas"))


@pytest.mark.parametrize(
    ("place", "parts"),
    [
        ("git:main", ("main", None)),
        ("git:origin/main:a/b.amp", ("origin/main", "a/b.amp")),
        ("git:HEAD~2:", ("HEAD~2", "")),
        ("git:main@{2026-01-31 10:00}", ("main@{2026-01-31 10:00}", None)),
        ("git:HEAD^{/fix: a}:a:b.amp", ("HEAD^{/fix: a}", "a:b.amp")),
        ("git:{a:b", ("{a", "b")),
    ],
)
def test_a_place_is_a_revision_and_perhaps_a_path(
    place: str, parts: tuple[str, str | None]
) -> None:
    assert split(place) == parts


@pytest.mark.parametrize("place", ["git:", "git::a.amp", "git:--help"])
def test_a_place_without_a_revision_is_none(place: str) -> None:
    with pytest.raises(RevisionError, match=r"write `git:REF\[:PATH\]`"):
        split(place)


def test_what_is_not_there_is_a_sentence(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(RevisionError, match="there is no revision `three` in "):
        Revision("three", repository)
    revision = Revision("one", repository)
    with pytest.raises(RevisionError, match=r"^there is no `one:text.amp`: .* `\./` "):
        revision.at("text.amp")
    with pytest.raises(RevisionError, match=r"^there is no `one:../text.amp`: "):
        revision.at("schemas/../../text.amp")
    with pytest.raises(RevisionError, match="outside the repository"):
        revision.at("../a.amp")
    with pytest.raises(RevisionError, match="outside the repository"):
        revision.inside(tmp_path / "a.amp")
    with pytest.raises(RevisionError, match=r"no `.amp` file in `one:schemas/x`"):
        revision.schemas(revision.inside("schemas/x"))
    with pytest.raises(RevisionError, match="not a git repository"):
        Revision("one", tmp_path)


@pytest.mark.parametrize("absolute", [True, False])
def test_the_repository_is_that_of_the_schema_and_not_that_of_a_hook(
    absolute: bool,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    monkeypatch.chdir(other)
    folder = other / ".git" if absolute else Path(".git")
    monkeypatch.setenv("GIT_DIR", os.fspath(folder))
    monkeypatch.setenv("GIT_INDEX_FILE", os.fspath(folder / "index"))
    revision = Revision("one", repository / "schemas")
    named = revision.inside(repository / "schemas")
    assert named.as_posix() == "git:one:/schemas"
    assert len(revision.schemas(named)) == 3


@pytest.mark.parametrize("absolute", [True, False])
def test_a_working_tree_that_is_named_is_meant(
    absolute: bool,
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bare = tmp_path / "bare"
    (repository / ".git").rename(bare)
    monkeypatch.chdir(tmp_path)
    for name, path in (("GIT_DIR", bare), ("GIT_WORK_TREE", repository)):
        monkeypatch.setenv(name, os.fspath(path) if absolute else path.name)
    revision = Revision("one", repository / "schemas")
    text = revision.inside(repository / "schemas" / "text.amp")
    assert revision.read(text) is not None


def test_a_system_without_git_is_told_so(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.fspath(repository))
    with pytest.raises(RevisionError, match=r"^`git` cannot be run: No such file"):
        Revision("one", repository)
