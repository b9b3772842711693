"""The page of `ampgen mock` shows what it answers, and what it prints meanwhile."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys

from tests.docs import transcript
from tests.docs.test_call import DOCS, ENVIRONMENT

FOLDER = DOCS / "examples" / "mock"
SHOWN = "127.0.0.1:8000"


def printed(line: str, address: str) -> str:
    """What a line of a shell prints, on both of its outputs."""
    command, _, stdin = line.partition(" < ")
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command.replace(SHOWN, address))],
        cwd=FOLDER,
        env=ENVIRONMENT,
        input=(FOLDER / stdin).read_bytes() if stdin else b"",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout.decode()


def test_the_page_shows_what_is_printed() -> None:
    text = (DOCS / "mock.md").read_text(encoding="utf-8")
    for name in ("orders.amp", "orders.toml", "wrong.json"):
        assert f"[`{name}`](examples/mock/{name})" in text
    transcript.check_files(text)
    [command] = re.findall(r"With `(ampgen mock .*)` in one terminal", text)
    [told] = re.findall(r"```\n(Orders on (?s:.)*?)```", text)
    blocks = re.findall(r"```console\n((?s:.)*?)```", text)
    calls = [
        call
        for block in blocks
        for call in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", block, re.MULTILINE)
    ]
    assert len(calls) > 4
    with subprocess.Popen(
        [sys.executable, "-m", *shlex.split(command.replace(SHOWN, "127.0.0.1:0"))],
        cwd=FOLDER,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    ) as mock:
        try:
            assert mock.stdout is not None
            first = mock.stdout.readline()
            address = first.split()[-1]
            for line, expected in calls:
                assert printed(line, address) == expected
            mock.send_signal(signal.SIGINT)
            rest = mock.stdout.read()
        finally:
            mock.kill()
    lines = (first + rest).replace(address, SHOWN)
    lines = re.sub(r"^\d\d:\d\d:\d\d #", "12:00:00 #", lines, flags=re.MULTILINE)
    assert re.sub(r" (127\.0\.0\.1):\d+ Orders\.", r" \1:50000 Orders.", lines) == told
