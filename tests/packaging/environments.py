"""Clean environments, and what runs in them."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIP = ("-m", "pip", "--quiet", "--disable-pip-version-check")


def try_to_run(
    *command: str | Path, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run it with nothing of ours on its path."""
    inherited = {
        k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COV"))
    }
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """What the command prints; it must succeed."""
    done = try_to_run(*command, cwd=cwd, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def a_clean_environment(folder: Path) -> Path:
    """A fresh virtual environment; the path of its Python."""
    venv.create(folder, with_pip=True)
    return folder / "bin" / "python"
