"""Depfiles, as real `make` and real `ninja` read them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ampgen.cli import run
from ampgen.tools.depfile import NotExpressible, depfile, escape

ROOT = Path(__file__).parents[2]
GEO = "struct Point { x: int; }\n"
TOWN = 'import "geo.amp";\nstruct Town { at: geo.Point; }\n'
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="make, and such names")

# A folder may be called anything; what is imported from it is found by `-I`.
FOLDERS = ["plain", "two words", "a$b", "c#d", "e:f", "all $ of # them: 1"]
FOR_NINJA = ["g=h"]  # for make that is a variable, whatever stands before it


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("a/b.amp", "a/b.amp"),
        ("a b.amp", "a\\ b.amp"),
        ("a\\ b", "a\\\\\\ b"),
        ("a\\b", "a\\b"),
        ("$a", "$$a"),
        ("a#b", "a\\#b"),
        ("a:b", "a\\:b"),
    ],
)
def test_what_has_a_meaning_is_escaped(path: str, written: str) -> None:
    assert escape(path) == written


def test_a_line_end_in_a_path_cannot_be_written() -> None:
    with pytest.raises(NotExpressible, match=r"'a\\nb' cannot be written"):
        depfile(["a\nb"], [])


class Build:
    """A folder in which a script compiles `town.amp`, which imports `geo.amp`."""

    def __init__(self, folder: Path, vendor: str, *options: str) -> None:
        self.folder = folder
        self.geo = folder / vendor / "geo.amp"
        self.geo.parent.mkdir()
        self.geo.write_text(GEO)
        self.town = folder / "town.amp"
        self.town.write_text(TOWN)
        command = [sys.executable, "-m", "ampgen", "compile", "town.amp", "-I", vendor]
        command += ["-o", "pkg", "--depfile", "pkg.d", *options]
        script = f"set -e\n{shlex.join(command)}\ntouch pkg.stamp\n"
        (folder / "build.sh").write_text(script)

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run("make", *arguments)

    def ninja(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(Path(sys.executable).with_name("ninja"), *arguments)

    def _run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )

    def touch(self, path: Path, after: str) -> None:
        """Let a file have changed just after another."""
        later = (self.folder / after).stat().st_mtime_ns + 1_000_000
        os.utime(path, ns=(later, later))


STAMP = ("--depfile-target", "pkg.stamp")
MAKEFILE = "pkg.stamp:\n\tsh build.sh\n-include pkg.d\n"
NINJA = """\
rule ampgen
  command = sh build.sh
  depfile = pkg.d
  deps = gcc
build pkg.stamp: ampgen town.amp
"""


@POSIX
@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
@pytest.mark.parametrize("vendor", FOLDERS)
def test_make_builds_again_when_an_imported_schema_changes(
    vendor: str, tmp_path: Path
) -> None:
    build = Build(tmp_path, vendor, *STAMP)
    (tmp_path / "Makefile").write_text(MAKEFILE)
    assert build.make().returncode == 0
    assert build.make("-q").returncode == 0
    for changed in (build.town, build.geo):
        build.touch(changed, "pkg.stamp")
        assert build.make("-q").returncode == 1
        assert build.make().returncode == 0
        assert build.make("-q").returncode == 0


@POSIX
@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
@pytest.mark.parametrize("vendor", ["plain", "all $ of # them: 1"])
def test_make_goes_on_when_a_schema_is_gone_that_nothing_imports(
    vendor: str, tmp_path: Path
) -> None:
    build = Build(tmp_path, vendor, *STAMP)
    (tmp_path / "Makefile").write_text(MAKEFILE)
    build.make()
    build.geo.unlink()
    failed = build.make()
    assert failed.returncode == 2
    assert "no file `geo.amp`" in failed.stderr, "it is the compiler that says so"
    build.town.write_text("struct Town { name: str; }\n")
    assert build.make().returncode == 0
    assert build.make("-q").returncode == 0


@POSIX
@pytest.mark.parametrize("vendor", [*FOLDERS, *FOR_NINJA])
def test_ninja_builds_again_when_an_imported_schema_changes(
    vendor: str, tmp_path: Path
) -> None:
    build = Build(tmp_path, vendor, *STAMP)
    (tmp_path / "build.ninja").write_text(NINJA)
    done = build.ninja()
    assert done.returncode == 0, done.stdout
    assert "no work to do" in build.ninja().stdout
    for changed in (build.town, build.geo):
        build.touch(changed, "pkg.stamp")
        assert "sh build.sh" in build.ninja("-v").stdout
        assert "no work to do" in build.ninja().stdout


@POSIX
def test_ninja_takes_all_files_that_are_made_as_outputs(tmp_path: Path) -> None:
    build = Build(tmp_path, "vendor")
    outputs = "pkg/__init__.py pkg/geo.py pkg/py.typed pkg/town.py"
    rule = NINJA.replace("  deps = gcc\n", "  restat = 1\n")
    (tmp_path / "build.ninja").write_text(rule.replace("pkg.stamp", outputs))
    done = build.ninja()
    assert done.returncode == 0, done.stdout
    assert "no work to do" in build.ninja().stdout
    build.touch(build.geo, "pkg.stamp")  # which comes last
    assert "sh build.sh" in build.ninja("-v").stdout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor" / "geo.amp").write_text(GEO)
    (tmp_path / "town.amp").write_text(TOWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AMPGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path


COMMAND = ["compile", "town.amp", "-I", "vendor", "-o", "pkg", "--depfile", "pkg.d"]
EXPECTED = """\
pkg/__init__.py pkg/geo.py pkg/py.typed pkg/town.py: \\
  town.amp \\
  vendor/geo.amp

town.amp:
vendor/geo.amp:
"""


def test_it_is_the_same_where_nothing_has_to_be_made(folder: Path) -> None:
    for _ in range(2):
        assert run(COMMAND) == 0
        assert Path("pkg.d").read_text() == EXPECTED
        Path("pkg.d").unlink()
    assert len(list(folder.glob("cache/*.json"))) == 1, "the second was known"


def test_it_is_not_touched_where_it_is_right_and_written_where_it_is_not(
    folder: Path,
) -> None:
    run(COMMAND)
    os.utime("pkg.d", ns=(1, 1))
    run(COMMAND)
    assert Path("pkg.d").stat().st_mtime_ns == 1
    Path("town.amp").write_text("struct Town { name: str; }\n")
    run(COMMAND)
    assert "geo" not in Path("pkg.d").read_text()


def test_it_stays_as_it_is_where_a_schema_has_errors(folder: Path) -> None:
    run(COMMAND)
    Path("town.amp").write_text("struct Town { name: strr; }\n")
    assert run(COMMAND) == 1
    assert Path("pkg.d").read_text() == EXPECTED


def test_paths_are_written_as_they_were_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "build").mkdir()
    monkeypatch.chdir(folder / "build")
    vendor = folder / "vendor"
    named = ["compile", "../town.amp", "-I", str(vendor), "-o", "pkg"]
    assert run([*named, "--depfile", "d", "--depfile-target", "x", "-I", ".."]) == 0
    assert Path("d").read_text().splitlines()[:3] == [
        "x: \\",
        "  ../town.amp \\",
        f"  {escape((vendor / 'geo.amp').as_posix())}",
    ]


def test_templates_are_among_what_it_depends_on(folder: Path) -> None:
    Path("own/files").mkdir(parents=True)
    Path("own/files/names.txt.j2").write_text("-- {{ generated }}\n")
    assert run([*COMMAND, "--templates", "own"]) == 0
    assert "\nown/files/names.txt.j2:\n" in Path("pkg.d").read_text()
    assert "pkg/names.txt" in Path("pkg.d").read_text()


def test_standard_input_is_no_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("town.amp").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        status = run(["compile", "-", "--name", "town.amp", *COMMAND[2:]])
    assert status == 0
    assert "town.amp" not in Path("pkg.d").read_text()
    assert "vendor/geo.amp" in Path("pkg.d").read_text()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--depfile", "d", "--check"], "--check writes nothing, so no --depfile"),
        (["--depfile", ""], "--depfile: the path is empty"),
        (["--depfile", "d", "--depfile-target", ""], "--depfile-target: the path is"),
        (["--depfile-target", "x"], "give that too"),
    ],
)
def test_wrong_usage_says_what_is_right(
    options: list[str],
    told: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run([*COMMAND[:-2], *options]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("target", ["\\udcff", "a b", "x" * 70])
def test_a_depfile_is_overwritten_and_nothing_else(
    target: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("pkg.d").touch()  # as mktemp leaves it
    target = target.encode().decode("unicode-escape")
    assert run([*COMMAND, "--depfile-target", target]) == 0
    assert os.fsencode(escape(target)) in Path("pkg.d").read_bytes()
    assert run(COMMAND) == 0
    assert Path("pkg.d").read_text().startswith("pkg/__init__.py ")
    for mine in ("town.amp", "pkg/town.py", "Makefile"):
        Path("Makefile").write_text("all: pkg.stamp\n\ttrue\n")
        before = Path(mine).read_text()
        assert run([*COMMAND[:-1], mine]) == 1
        told = f"error: {mine}: is no depfile, so it is left alone\n"
        assert capsys.readouterr().err == told
        assert Path(mine).read_text() == before


@POSIX
def test_what_is_no_file_is_left_as_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo("pipe")
    for path in ("pipe", "."):
        assert run([*COMMAND[:-1], path]) == 1
        assert f"error: {path}: is no depfile" in capsys.readouterr().err
    assert Path("pipe").is_fifo()


def test_a_depfile_that_cannot_be_written_is_a_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").write_text("")
    assert run([*COMMAND[:-1], "file/pkg.d"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert told.endswith("file: Not a directory\n")
