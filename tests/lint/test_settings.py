"""Which pyproject.toml counts for a schema, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from ampgen.check import check_schemas
from ampgen.disk import Disk

SCHEMA = "/// No.\nfatal error No;\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    for folder in ("outer", "outer/inner"):
        Path(folder, "a.amp").write_text(SCHEMA)


def levels(*paths: str) -> list[str]:
    found = check_schemas([], [Path(path) for path in paths])
    return [one.rule.severity.value for one in found]


def set_level(folder: str, level: str) -> None:
    text = f'[tool.ampgen.lint]\nAMP0810 = "{level}"\n'
    Path(folder, "pyproject.toml").write_text(text)


def test_the_nearest_one_counts() -> None:
    assert levels("outer/inner/a.amp") == ["note"]
    set_level(".", "warning")
    assert levels("outer/inner/a.amp") == ["warning"]
    set_level("outer/inner", "error")
    assert levels("outer/a.amp", "outer/inner/a.amp") == ["warning", "error"]


def test_one_that_says_nothing_of_ampgen_does_not_count() -> None:
    set_level(".", "warning")
    for text in ("", "[tool.ruff]\nline-length = 9\n", "tool = 5\n"):
        Path("outer", "pyproject.toml").write_text(text)
        assert levels("outer/a.amp") == ["warning"]
    Path("outer", "pyproject.toml").write_text("[tool.ampgen]\n")
    assert levels("outer/a.amp") == ["note"]


def test_each_folder_is_asked_once() -> None:
    asked: list[Path] = []

    class Asked(Disk):
        def read(self, path: Path) -> bytes | None:
            asked.append(path)
            return super().read(path)

    files = [Path("outer/a.amp"), Path("outer/inner/a.amp")]
    assert len(check_schemas([], files, (), Asked())) == 2
    projects = [path.parent for path in asked if path.name == "pyproject.toml"]
    assert len(projects) == len(set(projects))
    assert {Path.cwd(), Path.cwd() / "outer", Path.cwd() / "outer/inner"} <= {*projects}


@pytest.mark.parametrize(
    ("content", "place", "told"),
    [
        (b"[tool.ampgen]\nlint = 3\n", "2:1", "`[tool.ampgen.lint]` is not a table"),
        (b"[tool]\nampgen = 3\n", "2:1", "`[tool.ampgen]` is not a table"),
        (b"[tool.ampgen.lint]\r\na = ?\r\n", "2:5", "cannot be read as TOML"),
        (b"[tool.ampgen.lint]\na = \xff\n", "1:1", "cannot be read as TOML"),
        (b"[tool.ampgen.lint", "1:18", "cannot be read as TOML"),
        (b'[tool.ampgen.lint]\n"\\u0041" = "off"', "1:1", "there is no rule `A`"),
        (b'tool.ampgen.lint = {amp0801 = "off"}', "1:21", "`amp0801`, which"),
        (b"[tool.ampgen.lint]\nAMP0814 = 'off'", "2:1", "is always an error"),
    ],
)
def test_one_that_is_wrong_is_told_with_its_place(
    content: bytes, place: str, told: str
) -> None:
    Path("outer", "pyproject.toml").write_bytes(content)
    found = check_schemas([Path("outer/a.amp")])
    [error] = [one for one in found if one.is_error]
    assert error.primary is not None
    assert error.primary.span.place == f"outer/pyproject.toml:{place}"
    assert told in error.message
    assert "AMP0810" in {one.rule.code for one in found}  # the others are still there


def test_an_imported_file_has_the_levels_of_its_own_folder() -> None:
    Path("outer/inner/b.amp").write_text('import "a.amp";\nfatal error B;')
    Path("outer/c.amp").write_text('import "inner/b.amp";\nstruct C { x: int; }')
    text = '[tool.ampgen.lint]\nAMP0216 = "off"\n'
    Path("outer/inner/pyproject.toml").write_text(text)
    found = check_schemas([Path("outer/c.amp")])
    unused = [one for one in found if one.rule.code == "AMP0216"]
    assert [one.message for one in unused] == ["unused import `b`"]
