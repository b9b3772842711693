"""What jinja2 makes of our templates is kept, and used where it can be no other."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
import pytest

from ampgen.pipeline import compile_schemas
from ampgen.source import StandardInput
from ampgen.targets import bytecode, templates

if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEMA = StandardInput("text.amp", b"service Text { command Upper(word: str) -> str; }")
ALL = ["classes", "codecs", "head", "module", "package"]


class Runs:
    """Each as if in a process of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        templates.ours.cache_clear()
        self.without = made()  # the tests keep nothing, but for those below
        monkeypatch.setenv("AMPGEN_CACHE", str(folder))
        self.folder = folder
        self._monkeypatch = monkeypatch

    def compiled(self, others: dict[str, str] | None = None) -> list[str]:
        """The templates that had to be; ``others`` are the files that are made."""
        names: list[str] = []
        compile_: Any = jinja2.Environment.compile

        def counted(
            environment: jinja2.Environment, source: str, name: str, path: str
        ) -> Any:
            names.append(name.removeprefix("python/").removesuffix(".py.j2"))
            return compile_(environment, source, name, path)

        templates.ours.cache_clear()
        with self._monkeypatch.context() as patch:
            patch.setattr(jinja2.Environment, "compile", counted)
            assert made() == (others or self.without)
        return sorted(names)

    @property
    def kept(self) -> list[Path]:
        return sorted(self.folder.glob("*.bytecode"))


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    yield Runs(tmp_path / "cache", monkeypatch)
    templates.ours.cache_clear()


def made() -> dict[str, str]:
    files = compile_schemas([SCHEMA]).files
    assert files is not None
    return files


def test_templates_are_compiled_once(runs: Runs) -> None:
    assert runs.compiled() == ALL
    assert runs.compiled() == []
    assert len(runs.kept) == len(ALL)
    assert all(str(sys.implementation.cache_tag) in path.name for path in runs.kept)


@pytest.mark.parametrize("keep", [0, 20, 32, 100, -1])
def test_a_file_that_is_cut_off_is_made_again(keep: int, runs: Runs) -> None:
    runs.compiled()
    for path in runs.kept:
        path.write_bytes(path.read_bytes()[:keep])
    assert runs.compiled() == ALL
    assert runs.compiled() == []


@pytest.mark.parametrize("at", [0, 40, -1])
def test_a_file_that_is_damaged_is_made_again(at: int, runs: Runs) -> None:
    runs.compiled()
    for path in runs.kept:
        content = bytearray(path.read_bytes())
        content[at] ^= 1
        path.write_bytes(content)
    assert runs.compiled() == ALL
    assert runs.compiled() == []


def test_the_bytecode_of_one_template_is_not_that_of_another(runs: Runs) -> None:
    runs.compiled()
    first, *others = runs.kept
    for path in others:
        shutil.copy(first, path)
    assert runs.compiled() == ALL[1:]


def test_a_template_that_has_changed_is_compiled(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.compiled()
    folder = tmp_path / "templates"
    shutil.copytree(templates.FOLDER, folder)
    monkeypatch.setattr(templates, "FOLDER", folder)
    assert runs.compiled() == []
    package = folder / "python" / "package.py.j2"
    package.write_text(package.read_text() + "# The end.\n")
    changed = runs.without["__init__.py"] + "# The end.\n"
    files = runs.without | {"__init__.py": changed}
    assert runs.compiled(files) == ["package"]
    assert runs.compiled(files) == []


@pytest.mark.parametrize("of", ["jinja2", "settings", "Python"])
def test_what_others_have_made_is_made_again(
    of: str, runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.compiled()
    if of == "jinja2":
        other = tmp_path / "jinja2"
        shutil.copytree(Path(jinja2.__file__).parent, other)
        with (other / "compiler.py").open("a") as compiler:
            compiler.write("# of another version")
        monkeypatch.setattr(jinja2, "__file__", str(other / "__init__.py"))
    elif of == "settings":
        other = tmp_path / "templates.py"
        other.write_text("trim_blocks=False")
        monkeypatch.setattr(templates, "__file__", str(other))
    else:
        monkeypatch.setattr(sys, "version", "2.7")
    assert runs.compiled() == ALL
    assert runs.compiled() == []


def test_without_a_folder_all_is_compiled_again(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.folder.write_text("no folder")
    assert runs.compiled() == runs.compiled() == ALL
    monkeypatch.setenv("AMPGEN_CACHE", "")
    assert runs.compiled() == ALL
    assert runs.folder.read_text() == "no folder"


def test_where_nothing_can_be_written_all_is_compiled_again(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise PermissionError(path, len(content))

    monkeypatch.setattr(bytecode, "keep", refuse)
    assert runs.compiled() == runs.compiled() == ALL


def test_what_cannot_be_put_in_its_place_leaves_nothing_behind(runs: Runs) -> None:
    runs.compiled()
    first, *_others = runs.kept
    first.unlink()
    first.mkdir()
    assert runs.compiled() == runs.compiled() == ALL[:1]
    assert len(list(runs.folder.iterdir())) == len(ALL)


def test_where_jinja2_is_no_plain_file_all_is_compiled_again(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "all.zip"
    archive.write_bytes(b"")
    monkeypatch.setattr(jinja2, "__file__", str(archive / "jinja2" / "__init__.py"))
    assert runs.compiled() == runs.compiled() == ALL
    assert runs.kept == []


@pytest.mark.skipif(sys.platform == "win32", reason="a profile is its user's")
def test_nothing_is_read_where_others_may_write(runs: Runs) -> None:
    runs.compiled()
    assert runs.folder.stat().st_mode & 0o777 == 0o700
    runs.folder.chmod(0o777)
    assert runs.compiled() == ALL
