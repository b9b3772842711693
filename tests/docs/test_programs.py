"""The programs of the docs run, and print what their pages say."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ampgen.cli import run

ROOT = Path(__file__).parents[2]

PROGRAMS = [("deadlines.md", "deadlines/deadlines.py", "repeat.amp")]


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

    schema = str(ROOT / "schemas" / schema)
    assert run(["compile", schema, "-o", str(tmp_path / "textpkg")]) == 0
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    printed = subprocess.run(
        [sys.executable, "-W", "error", path],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert f"```\n{printed.stdout}```\n" in text
    assert not printed.stderr
