"""The programs of the docs run, and print what their pages say."""

from __future__ import annotations

import os
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

PROGRAMS = [
    ("deadlines.md", "deadlines/deadlines.py", "repeat.amp"),
    ("blocking.md", "blocking/blocking.py", "repeat.amp"),
    ("large.md", "large/large.py", "../docs/examples/large/pages.amp"),
    ("descriptors.md", "descriptors/descriptors.py", "worker.amp"),
    ("tls.md", "tls/tls.py", "repeat.amp"),
    (
        "staying-connected.md",
        "staying_connected/staying_connected.py",
        "repeat.amp",
    ),
    ("health.md", "health/health.py", "repeat.amp"),
    ("reflection.md", "reflection/reflection.py", "repeat.amp"),
]
SERVED = {"blocking.md": "repeat/server.py"}  # what such a program is to call


def test_the_tests_that_a_page_shows_pass(tmp_path: Path) -> None:
    path = ROOT / "docs" / "examples" / "testing" / "test_greeter.py"
    shown = path.read_text(encoding="utf-8").split('"""\n', 1)[1].strip()
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    assert f"```python\n{shown}\n```\n" in page
    compile_schema("repeat.amp", tmp_path)
    passed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "3 passed" in passed.stdout


def compile_schema(schema: str, folder: Path) -> None:
    path = str(ROOT / "schemas" / schema)
    assert run(["compile", path, "-o", str(folder / "textpkg")]) == 0


@contextmanager
def server_of(page: str, environment: dict[str, str]) -> Generator[list[str]]:
    """The address of the server that a page's program calls, if it calls one."""
    if page not in SERVED:
        yield []
        return
    server = ROOT / "docs" / "examples" / SERVED[page]
    with subprocess.Popen(
        [sys.executable, server, "127.0.0.1:0"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield [process.stdout.readline().split()[-1]]
        process.terminate()


@pytest.mark.parametrize(("page", "program", "schema"), PROGRAMS)
def test_a_page_shows_a_program_and_what_it_prints(
    page: str, program: str, schema: str, tmp_path: Path
) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    path = ROOT / "docs" / "examples" / program
    code = path.read_text(encoding="utf-8")
    # all between the docstring and what starts it
    shown = code.split('"""\n', 1)[1].split("\n\n\nif __name__")[0].strip()
    assert f"```python\n{shown}\n```\n" in text

    compile_schema(schema, tmp_path)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    with server_of(page, environment) as arguments:
        printed = subprocess.run(
            [sys.executable, "-W", "error", path, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert f"```\n{printed.stdout}```\n" in text
    assert not printed.stderr
