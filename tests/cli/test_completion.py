"""Completion: what is offered, and that the shells which are here offer it."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ampgen.check import RULES
from ampgen.cli import VERBS
from tests.cli.test_compile import ROOT, ampgen

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

SCHEMA = "service Text { command Upper(text: str) -> str; command Tail(); }\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with schemas, and one with the command."""
    for name in ("in/deep/text.amp", "in/deep/read.me", "two/a.amp", "two/b.amp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SCHEMA)
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "ampgen"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ampgen "$@"\n')
    command.chmod(0o755)
    return tmp_path


# --- what is offered: click's protocol, which the scripts of all shells speak ---------


def offered(folder: Path, *words: str, shell: str = "bash") -> list[str]:
    number = str(len(words)) if shell != "fish" else words[-1]
    done = ampgen(
        cwd=folder,
        _AMPGEN_COMPLETE=f"{shell}_complete",
        COMP_WORDS=" ".join(("ampgen", *words)),
        COMP_CWORD=number,
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def plain(*words: str) -> list[str]:
    return [f"plain,{word}" for word in words]


@pytest.mark.parametrize("verb", ["check", "compile", "describe", "fix", "fmt", "mock"])
def test_schemas_are_offered_and_folders_on_the_way(verb: str, folder: Path) -> None:
    assert offered(folder, verb, "") == plain("bin/", "in/", "two/")
    assert offered(folder, verb, "in") == plain("in/deep/text.amp")
    assert offered(folder, verb, "in/deep/t") == plain("in/deep/text.amp")
    assert offered(folder, verb, "tw") == plain("two/a.amp", "two/b.amp")
    assert offered(folder, verb, ".h") == plain(".hidden/")
    assert offered(folder, verb, "bin/") == []
    assert offered(folder, verb, "no/where") == []


def test_a_name_that_must_be_quoted_is_left_to_the_shell(folder: Path) -> None:
    (folder / "two" / "c d.amp").touch()
    assert offered(folder, "fix", "two/") == ["file,two/"]


def test_verbs_options_and_their_values_are_offered(folder: Path) -> None:
    assert offered(folder, "") == plain(*VERBS)
    assert offered(folder, "fix", "--u") == plain("--unsafe")
    assert offered(folder, "fix", "--format", "s") == plain("short", "sarif")
    assert offered(folder, "fix", "--only", "AMP0801") == plain("AMP0801")
    assert offered(folder, "fix", "--only", "AMP07") == []
    assert offered(folder, "explain", "amp07")[0] == "plain,AMP0701"
    assert len(offered(folder, "explain", "")) > len(RULES)
    assert offered(folder, "compile", "-o", "p") == ["dir,p"]
    assert offered(folder, "check", "-I", "p") == ["dir,p"]
    assert offered(folder, "import", "-o", "p") == ["file,p"]
    assert offered(folder, "decode", "p") == ["file,p"]
    assert offered(folder, "decode", "-s", "in") == plain("in/deep/text.amp")
    assert offered(folder, "proxy", "a", "b", "in") == plain("in/deep/text.amp")
    assert offered(folder, "proxy", "--record", "p") == ["file,p"]
    assert offered(folder, "replay", "p") == ["file,p"]


def test_describe_offers_what_a_schema_declares(folder: Path) -> None:
    words = ("describe", "two/a.amp")
    assert offered(folder, *words, "T") == plain("Text", "Text.Upper", "Text.Tail")
    assert offered(folder, *words, "Text.U") == plain("Text.Upper")
    assert offered(folder, "describe", "127.0.0.1", "") == []
    (folder / "two/a.amp").write_text("service {")
    assert offered(folder, *words, "T") == []


def test_mock_offers_the_services_of_its_schema(folder: Path) -> None:
    assert offered(folder, "mock", "two/a.amp", "--service", "T") == plain("Text")
    assert offered(folder, "mock", "two/a.amp", "--service", "U") == []
    assert offered(folder, "mock", "--service", "T") == []


def test_the_page_says_what_the_shells_here_are_told() -> None:
    page = (ROOT / "docs" / "completion.md").read_text(encoding="utf-8")
    for shell in ("bash", "zsh"):
        line = f'eval "$(_AMPGEN_COMPLETE={shell}_source ampgen)"'
        assert f"| `{line}`" in page
        assert line in INTERACTIVE[shell][1]
    assert f"`{FISH.replace('|', chr(92) + '|')}`" in page


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_every_shell(shell: str, folder: Path) -> None:
    done = ampgen(cwd=folder, _AMPGEN_COMPLETE=f"{shell}_source")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"_AMPGEN_COMPLETE={shell}_complete" in done.stdout
    words = [line.split("\n")[0] for line in offered(folder, "fix", "in", shell=shell)]
    assert "in/deep/text.amp" in " ".join(words)


# --- the shells themselves ------------------------------------------------------------


class Terminal:
    """A shell at a terminal, and what it has written there."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._shown = ""

    def type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def wait_for(self, pattern: str) -> None:
        """Until it is shown, behind all that was waited for before."""
        end = time.monotonic() + 40
        while (found := re.search(pattern, self._shown)) is None:
            ready, _, _ = select.select([self._fd], [], [], end - time.monotonic())
            assert ready, f"no {pattern!r} in {self._shown!r}"
            self._shown += os.read(self._fd, 4096).decode(errors="replace")
        self._shown = self._shown[found.end() :]


@contextmanager
def at_a_terminal(command: list[str], folder: Path) -> Generator[Terminal]:
    ours, theirs = pty.openpty()
    environment = {
        "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "TERM": "dumb",
        "PS1": "ready> ",
    }
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        try:
            yield Terminal(ours)
        finally:
            process.kill()
            os.close(ours)


FISH = "_AMPGEN_COMPLETE=fish_source ampgen | source"
INTERACTIVE = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        'eval "$(_AMPGEN_COMPLETE=bash_source ampgen)"; echo set"-"up\n',
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -U compinit; compinit -u -D; "
        'eval "$(_AMPGEN_COMPLETE=zsh_source ampgen)"; echo set"-"up\n',
    ),
}


def completes_at_the_tab_key(shell: str, folder: Path) -> None:
    command, setup = INTERACTIVE[shell]
    with at_a_terminal(command, folder) as terminal:
        terminal.wait_for("> ")
        terminal.type(setup)
        terminal.wait_for("set-up")
        terminal.type("ampgen fix in\t")
        terminal.wait_for(r"/deep/text\.amp ")
        terminal.type("--un\t")
        terminal.wait_for("safe ")
        terminal.type("\x15ampgen desc\t")
        terminal.wait_for("ribe ")
        terminal.type("two/a.amp Text.U\t")
        terminal.wait_for("pper ")
        terminal.type("\x15ampgen call 127.0.0.1:1 two/a.amp Text.Upper te\t")
        terminal.wait_for("xt=")


def fish_completes(folder: Path) -> None:
    lines = ("ampgen fix in", "ampgen fix --un", "ampgen describe two/a.amp Text.U")
    asked = "; ".join(f'complete -C "{line}"' for line in lines)
    done = subprocess.run(
        [
            *("fish", "--no-config", "-c"),
            f"{FISH}; {asked}",
        ],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
        },
        capture_output=True,
        encoding="utf-8",
    )
    words = [line.split("\t")[0] for line in done.stdout.splitlines()]
    assert words == ["in/deep/text.amp", "--unsafe", "Text.Upper"]


SHELLS = [one for one in (*INTERACTIVE, "fish") if shutil.which(one)]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes(shell: str, folder: Path) -> None:
    if shell == "fish":
        fish_completes(folder)
    else:
        completes_at_the_tab_key(shell, folder)
