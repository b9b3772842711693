"""The vectors are what Twisted makes, here and now."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.vectors.cases import HERE

if TYPE_CHECKING:
    from pathlib import Path

FILES = sorted(path.name for path in HERE.glob("*.json"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vectors")
    subprocess.run([sys.executable, str(HERE / "make.py"), str(folder)], check=True)
    return folder


def unversioned(data: bytes) -> bytes:
    """Another Twisted makes the same."""
    return re.sub(rb"Twisted [0-9.]+", b"Twisted", data, count=1)


@pytest.mark.parametrize("name", FILES)
def test_making_them_again_changes_nothing(name: str, made: Path) -> None:
    kept = (HERE / name).read_bytes()
    assert unversioned((made / name).read_bytes()) == unversioned(kept)


def test_every_file_is_kept(made: Path) -> None:
    assert sorted(path.name for path in made.iterdir()) == FILES
