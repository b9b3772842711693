"""The distribution, installed where nothing else of ours is, compiles and calls."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.packaging.environments import PIP, ROOT, a_clean_environment, run

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = ROOT / "docs" / "examples" / "repeat"

# One worker runs both: two at once would fight over the build and the network.
pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("installs")]


def compiles_and_calls(python: Path, work: Path) -> None:
    schema = work / "repeat.amp"
    schema.write_text((ROOT / "schemas" / "repeat.amp").read_text(encoding="utf-8"))
    run(python.parent / "ampgen", "compile", "repeat.amp", "-o", "textpkg", cwd=work)
    with subprocess.Popen(
        [str(python), str(EXAMPLE / "server.py"), "127.0.0.1:0"],
        cwd=work,
        env={"PYTHONPATH": str(work), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        printed = run(
            python, EXAMPLE / "client.py", address, cwd=work, PYTHONPATH=str(work)
        )
        server.terminate()
        assert server.wait(10) == 0
    assert printed.splitlines()[0] == "abcabcabc"
    assert printed.splitlines()[1].startswith("TooLong: ")


def test_the_wheel_compiles_and_calls_in_a_clean_environment(tmp_path: Path) -> None:
    run(sys.executable, *PIP, "wheel", "--no-deps", "-w", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("ampgen_idl-*.whl")
    python = a_clean_environment(tmp_path / "venv")
    run(python, *PIP, "install", wheel, cwd=tmp_path)
    compiles_and_calls(python, tmp_path)


def test_an_editable_install_compiles_and_calls(tmp_path: Path) -> None:
    python = a_clean_environment(tmp_path / "venv")
    run(python, *PIP, "install", "--editable", ROOT, cwd=tmp_path)
    compiles_and_calls(python, tmp_path)


def test_the_runtime_imports_nothing_but_the_standard_library(tmp_path: Path) -> None:
    run(sys.executable, *PIP, "wheel", "--no-deps", "-w", tmp_path, ROOT, cwd=tmp_path)
    (wheel,) = tmp_path.glob("ampgen_idl-*.whl")
    python = a_clean_environment(tmp_path / "venv")
    run(python, *PIP, "install", "--no-deps", wheel, cwd=tmp_path)
    imported = "import ampgen.runtime, ampgen.runtime.stubs, ampgen.runtime.health"
    run(python, "-c", imported, cwd=tmp_path)
    files = run(python, "-m", "zipfile", "-l", wheel, cwd=tmp_path)
    assert "ampgen/schemas/health.amp" in files
