"""`--watch`: a real process, and files that really change.

Each round ends with a line on standard output, and a change that is made after that
line is noticed, whenever it comes: so nothing here waits for time to pass.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ampgen.cli import run

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).parents[2]
TOWN = 'import "geo.amp";\nstruct Town { at: geo.Point; }\n'
GEO = "struct Point { x: int; }\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


class Watcher:
    """A process that watches; ``errors`` is a file of what it says of schemas."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self._process = process
        self._errors = errors

    def round(self) -> str:
        """What the next round says it did."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.endswith(" (Ctrl-C ends)\n"), line + self._errors.read_text()
        return line.removesuffix(" (Ctrl-C ends)\n")

    def told(self) -> str:
        """What has been said of schemas since the last time."""
        text = self._errors.read_text()
        self._errors.write_text("")
        return text

    def interrupt(self) -> int:
        self._process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self) -> int:
        return self._process.wait(10)


@contextmanager
def watching(folder: Path, *arguments: str, **environment: str) -> Generator[Watcher]:
    errors = folder.parent / f"{folder.name}.stderr"
    errors.write_text("")
    with (
        errors.open("a") as stderr,
        subprocess.Popen(
            [sys.executable, "-m", "ampgen", *arguments, "--watch"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            yield Watcher(process, errors)
        finally:
            process.kill()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "vendor").mkdir(parents=True)
    (folder / "town.amp").write_text(TOWN)
    (folder / "vendor" / "geo.amp").write_text(GEO)
    return folder


COMPILE = ("compile", "town.amp", "-I", "vendor", "-o", "pkg")


def test_what_is_imported_is_watched_and_an_error_is_told_and_no_end(
    folder: Path,
) -> None:
    geo = folder / "vendor" / "geo.amp"
    with watching(folder, *COMPILE) as watcher:
        assert watcher.round() == "pkg: 4 written; watching 2 files"
        geo.write_text("struct Point { x: intt; }\n")
        assert watcher.round() == "pkg: left as it is; watching 2 files"
        assert "error[AMP0204]: unknown type `intt`" in watcher.told()
        geo.write_text("struct Point { x: int; y: int; }\n")
        assert watcher.round() == "pkg: 1 written; watching 2 files"
        assert "y: int" in (folder / "pkg" / "geo.py").read_text()
        assert watcher.told() == ""
        assert watcher.interrupt() == 130


def test_an_editors_save_by_renaming_is_seen(folder: Path) -> None:
    with watching(folder, *COMPILE) as watcher:
        watcher.round()
        for name in ("y", "z"):  # twice: the second file is another one
            (folder / "town.amp~").write_text(f"struct Town {{ {name}: int; }}\n")
            os.replace(folder / "town.amp~", folder / "town.amp")
            assert watcher.round().startswith("pkg: ")
            assert f"{name}: int" in (folder / "pkg" / "town.py").read_text()


def test_a_file_that_was_looked_for_in_vain_is_seen_when_it_comes(folder: Path) -> None:
    (folder / "vendor" / "geo.amp").unlink()
    with watching(folder, *COMPILE) as watcher:
        assert watcher.round() == "pkg: left as it is; watching 1 file"
        assert "no file `geo.amp`" in watcher.told()
        (folder / "vendor" / "geo.amp").write_text(GEO)
        assert watcher.round() == "pkg: 4 written; watching 2 files"
        (folder / "geo.amp").write_text("struct Point { near: int; }\n")
        assert watcher.round() == "pkg: 1 written; watching 2 files"


def test_a_folder_that_goes_and_comes_again_is_still_watched(folder: Path) -> None:
    with watching(folder, *COMPILE) as watcher:
        watcher.round()
        os.rename(folder / "vendor", folder / "away")
        assert watcher.round() == "pkg: left as it is; watching 1 file"
        os.rename(folder / "away", folder / "vendor")
        assert watcher.round() == "pkg: up to date; watching 2 files"
        (folder / "vendor" / "geo.amp").write_text("struct Point { z: int; }\n")
        assert watcher.round() == "pkg: 1 written; watching 2 files"


def test_a_folder_far_up_that_goes_and_comes_again_is_seen(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    os.rename(folder / "vendor", folder / "a" / "b" / "vendor")
    options = ("town.amp", "-I", "a/b/vendor", "-o", "pkg")
    with watching(folder, "compile", *options) as watcher:
        watcher.round()
        os.rename(folder / "a", folder / "away")
        assert watcher.round() == "pkg: left as it is; watching 1 file"
        os.rename(folder / "away", folder / "a")
        assert watcher.round() == "pkg: up to date; watching 2 files"


def test_a_file_that_could_not_be_read_is_seen_when_it_can(folder: Path) -> None:
    (folder / "geo.amp").mkdir()
    with watching(folder, *COMPILE) as watcher:
        assert watcher.round() == "pkg: left as it is; watching 2 files"
        assert "it is a folder" in watcher.told()
        (folder / "geo.amp").rmdir()
        assert watcher.round() == "pkg: 4 written; watching 2 files"


def test_where_a_link_leads_is_watched(folder: Path) -> None:
    there = folder.parent / "elsewhere.amp"
    os.rename(folder / "vendor" / "geo.amp", there)
    (folder / "vendor" / "geo.amp").symlink_to(there)
    with watching(folder, *COMPILE) as watcher:
        watcher.round()
        there.write_text("struct Point { z: int; }\n")
        assert watcher.round() == "pkg: 1 written; watching 2 files"


def test_a_file_that_says_the_same_again_makes_no_round(folder: Path) -> None:
    with watching(folder, *COMPILE) as watcher:
        watcher.round()
        (folder / "town.amp").write_text(TOWN)
        (folder / "unrelated.txt").write_text("")
        (folder / "vendor" / "geo.amp").write_text("struct Point { z: int; }\n")
        assert watcher.round() == "pkg: 1 written; watching 2 files"
        assert watcher.interrupt() == 130


def test_templates_and_new_ones_are_watched(folder: Path) -> None:
    own = folder / "own" / "files"
    own.mkdir(parents=True)
    (own / "a.txt.j2").write_text("-- {{ generated }}\n")
    with watching(folder, *COMPILE, "--templates", "own") as watcher:
        assert watcher.round() == "pkg: 5 written; watching 3 files and 1 folder"
        (own / "b.txt.j2").write_text("-- {{ generated }}\n")
        assert watcher.round() == "pkg: 1 written; watching 4 files and 1 folder"
        (own / "b.txt.j2").write_text("-- {{ generatd }}\n")
        assert watcher.round() == "pkg: left as it is; watching 4 files and 1 folder"
        assert "'generatd' is undefined" in watcher.told()
        (own / "b.txt.j2").unlink()
        assert watcher.round() == "pkg: 1 removed; watching 3 files and 1 folder"


def test_a_depfile_is_written_in_each_round(folder: Path) -> None:
    with watching(folder, *COMPILE, "--depfile", "pkg.d") as watcher:
        watcher.round()
        assert "vendor/geo.amp" in (folder / "pkg.d").read_text()
        (folder / "town.amp").write_text("struct Town { name: str; }\n")
        watcher.round()
        assert "vendor/geo.amp" not in (folder / "pkg.d").read_text()


def test_what_is_known_from_an_earlier_run_is_watched_as_well(folder: Path) -> None:
    cache = str(folder.parent / "cache")
    with watching(folder, *COMPILE, AMPGEN_CACHE=cache) as watcher:
        assert watcher.round() == "pkg: 4 written; watching 2 files"
    with watching(folder, *COMPILE, AMPGEN_CACHE=cache) as watcher:
        assert watcher.round() == "pkg: up to date; watching 2 files"
        (folder / "geo.amp").write_text("struct Point { near: int; }\n")
        assert watcher.round() == "pkg: 1 written; watching 2 files"


def test_code_that_was_replaced_while_watching_is_not_taken_for_what_ran(
    folder: Path,
) -> None:
    site = folder.parent / "site"
    (site / "pages-1.dist-info").mkdir(parents=True)
    (site / "pages-1.dist-info" / "METADATA").write_text("Name: pages\nVersion: 1\n")
    entry = "[ampgen.targets]\npages = pages\n"
    (site / "pages-1.dist-info" / "entry_points.txt").write_text(entry)

    def target(version: str) -> None:
        made = f"{{'a.txt': '; Generated by ampgen {version}'}}"
        code = f"def check(schema): return []\ndef render(schema): return {made}\n"
        (site / "pages.py").write_text(code)

    environment = {
        "PYTHONPATH": f"{site}{os.pathsep}{ROOT}",
        "AMPGEN_CACHE": str(folder.parent / "cache"),
    }
    command = ["compile", "town.amp", "-I", "vendor", "-o", "out", "--target", "pages"]
    target("old")
    with watching(folder, *command, **environment) as watcher:
        watcher.round()
        target("new one")
        (folder / "town.amp").write_text("struct Town { name: str; }\n")
        watcher.round()
        assert watcher.interrupt() == 130
    subprocess.run(
        [sys.executable, "-m", "ampgen", *command],
        cwd=folder,
        env={**os.environ, **environment},
        check=True,
    )
    made = (folder / "out" / "a.txt").read_text()
    assert made == "; Generated by ampgen new one"


def test_a_package_that_another_has_changed_is_told_by_check(folder: Path) -> None:
    with watching(folder, *COMPILE, "--check") as watcher:
        assert watcher.round() == "pkg: differs; watching 2 files"
        assert "missing: " in watcher.told()
        assert not (folder / "pkg").exists()


def test_check_watches_folders_settings_and_new_schemas(folder: Path) -> None:
    (folder / "vendor" / "deep").mkdir()
    with watching(folder, "check", ".", "-I", "vendor") as watcher:
        assert watcher.round() == "no errors; watching 2 files and 1 folder"
        watcher.told()
        (folder / "vendor" / "deep" / "new.amp").write_text("struct New { x: intt; }\n")
        said = "not as it should be; watching 3 files and 1 folder"
        assert watcher.round() == said
        assert "unknown type `intt`" in watcher.told()
        (folder / "vendor" / "deep" / "new.amp").write_text("struct New { x: int; }\n")
        assert watcher.round() == "no errors; watching 3 files and 1 folder"
        assert "note[AMP0804]" in watcher.told()
        settings = '[tool.ampgen.lint]\nAMP0804 = "error"\n'
        (folder / "pyproject.toml").write_text(settings)
        said = "not as it should be; watching 4 files and 1 folder"
        assert watcher.round() == said
        assert "error[AMP0804]" in watcher.told()
        (folder / "made").mkdir()
        os.rename(folder / "vendor" / "deep", folder / "made" / "deep")
        watcher.round()
        assert "made/deep/new.amp" in watcher.told()
        assert watcher.interrupt() == 130


def test_check_goes_on_where_a_folder_has_no_schema(folder: Path) -> None:
    (folder / "empty").mkdir()
    with watching(folder, "check", "empty") as watcher:
        watcher.round()
        assert watcher.told() == "error: empty: no `.amp` file in this folder\n"
        (folder / "empty" / "geo.amp").write_text(GEO)
        assert watcher.round().startswith("no errors")


def test_it_watches_by_asking_again_where_the_system_tells_nothing(
    folder: Path,
) -> None:
    with watching(folder, *COMPILE, WATCHFILES_FORCE_POLLING="1") as watcher:
        watcher.round()
        (folder / "vendor" / "geo.amp").write_text("struct Point { z: int; }\n")
        assert watcher.round() == "pkg: 1 written; watching 2 files"


@pytest.mark.parametrize("verb", [("compile", "-o", "../pkg"), ("check",)])
def test_a_working_directory_that_goes_is_the_end(
    verb: tuple[str, ...], folder: Path
) -> None:
    here = folder / "here"
    here.mkdir()
    with watching(here, *verb, "../town.amp", "-I", "../vendor") as watcher:
        watcher.round()
        watcher.told()
        here.rmdir()
        (folder / "town.amp").write_text("struct Town { name: str; }\n")
        assert watcher.wait() == 1
        assert watcher.told() == "error: the working directory is gone\n"


@pytest.mark.parametrize(
    "arguments", [["compile", "-", "--name", "a.amp", "-o", "p"], ["check", "-"]]
)
def test_standard_input_cannot_be_watched(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*arguments, "--watch"]) == 2
    assert "standard input cannot be watched" in capsys.readouterr().err


def test_what_is_missing_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.delitem(sys.modules, "ampgen.tools.watching", raising=False)
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    assert run([*COMPILE, "--watch"]) == 1
    assert "pip install 'ampgen-idl[watch]'" in capsys.readouterr().err
