"""Pages whose lines are run one after the other, and see what those before made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.docs import transcript
from tests.docs.transcript import DOCS

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the lines are for a shell")

SHOWN = "127.0.0.1:8000"  # where the pages have their servers


@contextmanager
def serving(program: Path, *arguments: str) -> Generator[str]:
    """The address of a program that prints it at the end of its first line."""
    with subprocess.Popen(
        [sys.executable, program, "127.0.0.1:0", *arguments],
        env={**os.environ, "PYTHONPATH": str(DOCS.parent)},
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().split()[-1]
        finally:
            server.terminate()


@pytest.mark.parametrize("page", ["compile", "explain", "schema"])
def test_a_page_shows_files_and_what_is_printed(page: str, tmp_path: Path) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    transcript.check_files(text)
    folder = shutil.copytree(DOCS / "examples" / page, tmp_path / page)
    transcript.check(text, folder, tmp_path / "bin")


def test_the_page_of_describe_shows_what_is_printed(tmp_path: Path) -> None:
    text = (DOCS / "describe.md").read_text(encoding="utf-8")
    folder = shutil.copytree(DOCS / "examples" / "call", tmp_path / "call")
    with serving(folder / "stock_server.py") as address:
        transcript.check(text.replace(SHOWN, address), folder, tmp_path / "bin")


def test_a_line_that_prints_something_else_is_found(tmp_path: Path) -> None:
    tmp_path.joinpath("a.txt").write_text("a\n", encoding="utf-8")
    page = "```console\n$ cat a.txt\na\n$ cat a.txt; false\na\n$ echo $?\n1\n```\n"
    transcript.check(page, tmp_path, tmp_path / "bin")
    with pytest.raises(AssertionError, match=r"\$ echo"):
        transcript.check(page.replace("1\n", "0\n"), tmp_path, tmp_path / "bin2")
