"""The pages of `ampgen proxy` and `replay` show what they print."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.docs import transcript
from tests.docs.test_transcripts import serving
from tests.docs.transcript import DOCS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the lines are for a shell")

SERVER = DOCS / "examples" / "proxy" / "door_server.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONASYNCIODEBUG": ""}


def plain(text: str) -> str:
    """Without times, and the ports of clients."""
    text = re.sub(r"^(#\d+ +)\d+\.\d+ ", r"\1TIME ", text, flags=re.MULTILINE)
    text = re.sub(r" +\d[\d.]* (µs|ms|s) ", " TIME ", text)
    text = re.sub(r'"time":[\d.]+,', '"time":0,', text)
    return re.sub(r"(opened by 127\.0\.0\.1):\d+", r"\1", text)


def test_the_page_of_proxy_shows_what_is_printed(tmp_path: Path) -> None:
    text = (DOCS / "proxy.md").read_text(encoding="utf-8")
    transcript.check_files(text)
    folder = shutil.copytree(SERVER.parent, tmp_path / "proxy")
    *calls, proxy, last = transcript.lines(text)
    words = proxy.command.split()
    assert words[:4] == ["ampgen", "proxy", "127.0.0.1:8001", "127.0.0.1:8000"]
    with serving(folder / "door_server.py") as server:
        listening = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "ampgen",
                "proxy",
                "127.0.0.1:0",
                server,
                *words[4:],
            ],
            cwd=folder,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with listening:
            try:
                assert listening.stdout is not None
                first = listening.stdout.readline()
                address = first.split()[2]
                commands = [
                    one.command.replace("127.0.0.1:8001", address) for one in calls
                ]
                printed = list(
                    transcript.printed(commands, folder, tmp_path / "bin", {})
                )
                listening.send_signal(signal.SIGINT)
                rest = listening.stdout.read()
            finally:
                listening.kill()
    assert listening.returncode == 0
    assert printed == [one.printed for one in calls]
    shown = (first + rest).replace(address, "127.0.0.1:8001")
    shown = shown.replace(server, "127.0.0.1:8000")
    assert plain(shown) == plain(proxy.printed)
    [lines] = transcript.printed([last.command], folder, tmp_path / "bin2", {})
    assert plain(lines) == plain(last.printed)
    assert "4711" not in (folder / "door.jsonl").read_text(encoding="utf-8")


def test_the_page_of_replay_shows_what_is_printed(tmp_path: Path) -> None:
    text = (DOCS / "replay.md").read_text(encoding="utf-8")
    folder = shutil.copytree(DOCS / "examples" / "replay", tmp_path / "replay")
    with serving(SERVER, "2") as address:
        transcript.check(
            text.replace("127.0.0.1:9000", address), folder, tmp_path / "b"
        )
    with serving(SERVER) as address:  # of which it is a recording
        transcript.check(
            "```console\n$ ampgen replay door.jsonl ADDRESS --fast --check\n"
            "3 connections, 3 boxes sent, 4 boxes came, 0 differences\n```\n".replace(
                "ADDRESS", address
            ),
            folder,
            tmp_path / "b2",
        )
