"""What is made for Twisted: formatted, typed, and to be imported in any place."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen import output
from ampgen.analysis import StandardInput
from ampgen.pipeline import compile_schemas
from tests.targets.python import hostile
from tests.targets.python.conftest import EDGES, ROOT, SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Sequence

LANGUAGE = ROOT / "tests" / "language" / "everything.amp"
PROGRAMS = Path(__file__).parent / "programs"

pytestmark = pytest.mark.timeout(300)


def generate(schemas: Sequence[Path | StandardInput]) -> dict[str, str]:
    compiled = compile_schemas(schemas, target="twisted")
    assert compiled.files is not None, compiled.diagnostics
    return compiled.files


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages that were generated, and a program that uses one."""
    root = tmp_path_factory.mktemp("typed")
    schema = StandardInput("names.amp", hostile.schema().encode())
    output.write(root / "example", generate(SCHEMAS))
    output.write(root / "edges", generate(EDGES))
    output.write(root / "language", generate([LANGUAGE]))
    output.write(root / "hostile", generate([schema]))
    for program in PROGRAMS.glob("*.txt"):
        text = program.read_text(encoding="utf-8")
        (root / f"{program.stem}.py").write_text(text, encoding="utf-8")
    return root


def test_ruff_keeps_it(tree: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ruff", "format", "--isolated", "--diff"),
            *("example", "edges", "language", "hostile"),
        ],
        cwd=tree,
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stdout) == (0, "")


def expected(tree: Path) -> set[tuple[str, int]]:
    """The lines of programs that are wrong, and say so."""
    return {
        (path.name, number)
        for path in tree.glob("*.py")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "# wrong" in line
    }


@pytest.mark.xdist_group("type checkers")
def test_mypy_sees_what_is_wrong_in_a_program_and_nothing_else(tree: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--output", "json"),
            *("--python-version", "3.11", "."),
        ],
        cwd=tree,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode in (0, 1), done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert {
        (one["file"], one["line"]) for one in found if one["severity"] == "error"
    } == expected(tree)


@pytest.mark.xdist_group("type checkers")
def test_pyright_sees_what_is_wrong_in_a_program_and_nothing_else(tree: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pyright", "--outputjson"),
            *("--pythonpath", sys.executable, "."),
        ],
        cwd=tree,
        capture_output=True,
        encoding="utf-8",
    )
    found = json.loads(done.stdout)["generalDiagnostics"]
    assert {
        (Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in found
    } == expected(tree)


@pytest.mark.parametrize("package", ["example", "edges", "language", "hostile"])
def test_everything_is_imported_from_anywhere(package: str, tree: Path) -> None:
    """Without ampgen, in the modules that are there and what they import."""
    modules = [
        ".".join(path.relative_to(tree).with_suffix("").parts)
        for path in sorted((tree / package).rglob("*.py"))
    ]
    program = "\n".join(f"import {name.removesuffix('.__init__')}" for name in modules)
    program += "\nimport sys\nassert 'ampgen.runtime' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        encoding="utf-8",
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_package_offers_what_its_roots_declare(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(tree), *sys.path])
    importlib.invalidate_caches()
    package: Any = importlib.import_module("example")
    assert package.Repeater.Repeat is package.repeat.Repeater.Repeat
    assert "Point" not in package.__all__  # an imported schema's
    assert {"TooLong", "Repeater", "RepeaterServer"} <= set(package.__all__)
