"""Generated code and its users under `mypy --strict` and pyright's strict mode."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ampgen import output
from ampgen.pipeline import compile_schemas
from tests.targets.python import hostile
from tests.targets.python.conftest import EDGES, ROOT, SCHEMAS, generate

DEPRECATED = """
@deprecated("e") enum E { A; @deprecated("b") B; }
@deprecated("o") open enum O { A; }
@deprecated("s") struct S { e: E = A; @deprecated("f") o: O = A; }
@deprecated("u") union U { @deprecated("m") s: S; @deprecated("t") t: int; }
@deprecated("x") error X { e: E?; }
@deprecated("v") service V {
    @deprecated("c")
    command C(@deprecated("a") e: E = A, @sensitive u: U?) -> (@deprecated("r") s: S)
        raises X;
}
@deprecated("w") service W extends V calls V {}
"""
PROGRAMS = Path(__file__).parent / "programs"

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("type checkers"),  # each runs once
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages that were generated, and programs that use them."""
    root = tmp_path_factory.mktemp("typed")
    for name, schemas in (("example", SCHEMAS), ("edges", EDGES)):
        compiled = compile_schemas(schemas)
        assert compiled.files is not None, compiled.diagnostics
        output.write(root / name, compiled.files)
    output.write(root / "deprecated", generate(DEPRECATED))
    output.write(root / "hostile", generate(hostile.schema(), "names.amp"))
    for program in PROGRAMS.glob("*.txt"):
        shutil.copy(program, root / f"{program.stem}.py")
    return root


@pytest.fixture(scope="module")
def mypy(tree: Path) -> set[tuple[str, int]]:
    """Where mypy sees errors: file and line."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--output", "json"),
            *("--enable-error-code", "deprecated", "--python-version", "3.11", "."),
        ],
        cwd=tree,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "MYPYPATH": str(ROOT)},
    )
    assert done.returncode in (0, 1), done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {
        (Path(one["file"]).as_posix(), one["line"])
        for one in found
        if one["severity"] == "error" or one["code"] == "deprecated"
    }


@pytest.fixture(scope="module")
def pyright(tree: Path) -> set[tuple[str, int]]:
    """Where pyright sees anything at all."""
    settings = {
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": [str(ROOT)],
        "reportDeprecated": "error",
    }
    (tree / "pyrightconfig.json").write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--outputjson", "-p", tree],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode in (0, 1), done.stderr
    return {
        (
            Path(one["file"]).relative_to(tree.resolve()).as_posix(),
            one["range"]["start"]["line"] + 1,
        )
        for one in json.loads(done.stdout)["generalDiagnostics"]
    }


@pytest.fixture(params=["mypy", "pyright"])
def errors(request: pytest.FixtureRequest) -> set[tuple[str, int]]:
    found: set[tuple[str, int]] = request.getfixturevalue(request.param)
    return found


@pytest.mark.parametrize(
    "name", ["example", "edges", "hostile", "deprecated", "right.py"]
)
def test_is_clean(name: str, errors: set[tuple[str, int]]) -> None:
    assert not {place for place in errors if place[0].startswith(name)}


def test_each_mistake_is_an_error_at_its_line(errors: set[tuple[str, int]]) -> None:
    lines = (PROGRAMS / "wrong.txt").read_text(encoding="utf-8").splitlines()
    marked = {at for at, line in enumerate(lines, 1) if "# wrong: " in line}
    assert {line for file, line in errors if file == "wrong.py"} == marked
