"""What lark works out from the grammar is kept, and read again where it can be."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import lark.lark
import pytest

from ampgen.language import parser
from tests.language.reading import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = "service Text { command Upper(word: str) -> str; }"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "cache"
    monkeypatch.setenv("AMPGEN_CACHE", str(folder))
    yield folder
    parser._parser.cache_clear()  # pyright: ignore[reportPrivateUsage]


def is_built(monkeypatch: pytest.MonkeyPatch) -> bool:
    """Does a new process have to work the tables out? It parses a schema, too."""
    built: list[object] = []
    load_grammar: Any = vars(lark.lark)["load_grammar"]

    def counted(*arguments: Any) -> Any:
        built.append(arguments)
        return load_grammar(*arguments)

    parser._parser.cache_clear()  # pyright: ignore[reportPrivateUsage]
    with monkeypatch.context() as patch:
        patch.setattr(lark.lark, "load_grammar", counted)
        [declaration] = clean(SCHEMA).declarations
    assert declaration.name.text == "Text"
    return bool(built)


def test_the_tables_are_worked_out_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_built(monkeypatch)
    assert not is_built(monkeypatch)
    [kept] = folder.iterdir()
    assert sys.implementation.cache_tag in kept.name


@pytest.mark.parametrize("keep", [0, 70, 1000])
def test_a_file_that_is_cut_off_is_made_again(
    keep: int,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert is_built(monkeypatch)
    [kept] = folder.iterdir()
    kept.write_bytes(kept.read_bytes()[:keep])
    assert is_built(monkeypatch)
    assert not is_built(monkeypatch)
    assert capfd.readouterr() == ("", "")


def test_without_a_folder_all_is_worked_out_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder.write_text("no folder")
    assert is_built(monkeypatch)
    assert is_built(monkeypatch)
    monkeypatch.setenv("AMPGEN_CACHE", "")
    assert is_built(monkeypatch)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(sys.platform == "win32", reason="a profile is its user's")
def test_nothing_is_read_where_others_may_write(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_built(monkeypatch)
    assert folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    assert is_built(monkeypatch)
