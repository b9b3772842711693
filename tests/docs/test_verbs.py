"""What the pages of the verbs show is what their commands print."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"

PAGES = ["breaking", "decode", "fix", "fmt", "import"]


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_is_printed(page: str) -> None:
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    folder = DOCS / "examples" / page
    for name in re.findall(rf"\(examples/{page}/(.*\.amp)\):\n```\n", text):
        shown = (folder / name).read_text(encoding="utf-8")
        assert (
            f"]({(folder / name).relative_to(DOCS).as_posix()}):\n```\n{shown}```\n"
            in text
        )
    for name in re.findall(rf"\(examples/{page}/(.*\.py)\):\n", text):
        code = (folder / name).read_text(encoding="utf-8").split('"""\n', 1)[1].strip()
        assert f"](examples/{page}/{name}):\n```python\n{code}\n```\n" in text
    shells = re.findall(r"```console\n\$ ampgen (.*)\n((?s:.)*?)```", text)
    assert shells
    for command, expected in shells:
        arguments, _, stdin = command.partition(" < ")
        done = subprocess.run(
            [sys.executable, "-m", "ampgen", *shlex.split(arguments)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(DOCS.parent)},
            input=(folder / stdin).read_bytes() if stdin else b"",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.stdout.decode() == expected
