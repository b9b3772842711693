"""The page of `ampgen call` and `describe` shows what they print, call after call."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "examples" / "call"
SHOWN = "127.0.0.1:8000"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(DOCS.parent),
    "PYTHONASYNCIODEBUG": "",  # it tells on standard error of what is slow
}


def printed(command: str, address: str) -> str:
    """What a line of a shell prints, on both of its outputs."""
    line, _, stdin = command.partition(" < ")
    words = shlex.split(line.replace("\\\n", "").replace(SHOWN, address))
    done = subprocess.run(
        [sys.executable, "-m", "ampgen", *words],
        cwd=FOLDER,
        env=ENVIRONMENT,
        input=(FOLDER / stdin).read_bytes() if stdin else b"",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout.decode().replace(address, SHOWN)


def test_the_page_shows_what_is_printed() -> None:
    text = (DOCS / "call.md").read_text(encoding="utf-8")
    for name in ("stock.amp", "delivery.jsonl"):
        content = (FOLDER / name).read_text(encoding="utf-8")
        assert f"[`{name}`](examples/call/{name}):\n```\n{content}```\n" in text
    blocks = re.findall(r"```console\n((?s:.)*?)```", text)
    calls = [
        call
        for block in blocks
        for call in re.findall(
            r"^\$ ampgen ((?:.*\\\n)*.*)\n((?:[^$].*\n|\n)*)", block, re.MULTILINE
        )
    ]
    assert len(calls) > 5
    with subprocess.Popen(
        [sys.executable, FOLDER / "stock_server.py", "127.0.0.1:0"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[-1]
            for command, expected in calls:
                assert printed(command, address) == expected
        finally:
            server.terminate()
