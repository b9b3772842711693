"""The pages about templates, targets and builds show what is there and is printed."""

from __future__ import annotations

import dataclasses
import inspect
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FunctionType
from typing import Any, cast

import pytest

from ampgen import model
from ampgen.runtime.version import __version__
from ampgen.targets.owntemplates.vocabulary import FILTERS, TESTS
from ampgen.targets.python.plan import KINDS
from ampgen.targets.templates import FOLDER
from tests.docs import transcript

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TARGET = ROOT / "tests" / "targets" / "example_target"

SHOWN = "by ampgen 0.1.0 from"  # in all versions

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a POSIX shell")


def page(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["templates", "targets", "building"])
def test_a_page_shows_the_files_that_it_names(name: str) -> None:
    shown = re.findall(
        r"^\[`[^`]*`\]\((.*)\):\n```\w*\n((?s:.*?))^```$", page(name), re.MULTILINE
    )
    assert len(shown) > 2
    for path, text in shown:
        assert (DOCS / path).read_text(encoding="utf-8") == text, path


@pytest.mark.parametrize("name", ["templates", "targets", "building"])
def test_a_page_shows_what_is_printed(name: str, tmp_path: Path) -> None:
    folder = shutil.copytree(DOCS / "examples" / name, tmp_path / name)
    site = shutil.copytree(TARGET / "src", tmp_path / "site")
    _install(site)
    tools = os.path.dirname(sys.executable)  # of ninja, if it is not the system's
    bin_ = tmp_path / "bin"
    transcript.check(
        page(name).replace(SHOWN, f"by ampgen {__version__} from"),
        folder,
        bin_,
        PATH=os.pathsep.join((str(bin_), os.environ["PATH"], tools)),
        PYTHONPATH=os.pathsep.join((str(ROOT), str(site))),
    )


def test_the_page_of_builds_shows_what_watching_prints(tmp_path: Path) -> None:
    shutil.copytree(DOCS / "examples" / "building" / "schemas", tmp_path / "schemas")
    (shown,) = re.findall(
        r"^```text\n\$ ampgen (.*)\n((?s:.*?))^```$", page("building"), re.MULTILINE
    )
    command, expected = shown
    geo = tmp_path / "schemas" / "geo.amp"
    good = geo.read_text(encoding="utf-8")
    told = ""
    with subprocess.Popen(
        [sys.executable, "-m", "ampgen", *command.split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for change in (good.replace("x: float", "x: flaot"), good, None):
            while not told.endswith("(Ctrl-C ends)\n"):
                told += process.stdout.readline()
            assert expected.startswith(told)
            if change is not None:
                geo.write_text(change, encoding="utf-8")
                told += process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    assert told == expected


def _install(site: Path) -> None:
    """As an installer leaves it; tests/packaging has a real one do it."""
    settings = (TARGET / "pyproject.toml").read_text(encoding="utf-8")
    (entry,) = re.findall(r'^markdown = "(.*)"$', settings, re.MULTILINE)
    info = site / "example_target-0.2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: example-target\nVersion: 0.2.0\n"
    )
    text = f"[ampgen.targets]\nmarkdown = {entry}\n"
    (info / "entry_points.txt").write_text(text)


def rows(text: str, head: str) -> list[list[str]]:
    """The table with this head."""
    table = text.split(f"\n| {head} |\n", 1)[1].split("\n\n", 1)[0]
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]
        for row in table.splitlines()[1:]
    ]


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w[\w ]*)", cell)


def test_the_page_of_templates_has_all_that_is_promised() -> None:
    text = page("templates")
    told = [names(cells[0])[0] for cells in rows(text, "filter | what it gives")]
    assert told == [*FILTERS]
    (tests,) = re.findall(r"^Tests: (.*)", text, re.MULTILINE)
    assert {*re.findall(r"`is (\w+)`", tests)} == {*TESTS}
    kinds = [cells[0] for cells in rows(text, "`plan.kind` | `plan.of`")]
    assert [name for cell in kinds for name in names(cell)] == [*KINDS]
    blocks = {
        (names(block)[0], path)
        for block, where, _ in rows(text, "block | of | where it stands")
        for path in re.findall(r"`([\w./]+)`", where)
    }
    there = {
        (block, path.relative_to(FOLDER).as_posix())
        for path in FOLDER.rglob("*.j2")
        for block in re.findall(r"{% block (\w+)", path.read_text(encoding="utf-8"))
    }
    assert blocks == there


def test_the_page_of_targets_has_the_whole_model() -> None:
    told = {
        names(cells[0])[0]: {*names(cells[1])}
        for cells in rows(page("targets"), "class | what it has")
    }
    there = {
        name: _parts(one)
        for name, one in vars(model).items()
        if inspect.isclass(one) and one.__module__ == model.__name__
    }
    assert told == there


def _parts(kind: Any) -> set[str]:
    """The names of its fields, methods and properties."""
    found = {field.name for field in dataclasses.fields(kind)}
    for name, value in cast("dict[str, object]", vars(kind)).items():
        if name[0] != "_" and isinstance(value, FunctionType | property):
            found.add(name)
    return found
