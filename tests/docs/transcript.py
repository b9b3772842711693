"""What the shell blocks of a page say, tried: each line is run, in their order.

A block is fenced as ``console``. A line of it that begins with ``$ `` is for a shell,
and so are the lines that go on behind a backslash; what follows, to the next ``$ ``, is
what it prints on both of its outputs. All lines of a page go to one shell, in a copy of
the page's example, so that later ones see what earlier ones have made.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"

END = "\036"  # of what one line printed; nothing that we run prints it


@dataclass(frozen=True)
class Line:
    command: str
    printed: str


def lines(page: str) -> list[Line]:
    """Of all shell blocks of a page's text."""
    found: list[Line] = []
    for block in re.findall(r"^```console\n((?s:.)*?)^```$", page, re.MULTILINE):
        parts = re.split(r"^\$ ", block, flags=re.MULTILINE)
        assert parts[0] == "", f"a block begins without `$ `: {block}"
        for part in parts[1:]:
            match = re.match(r"((?:.*\\\n)*.*\n)((?s:.*))", part)
            assert match is not None
            found.append(Line(match[1].removesuffix("\n"), match[2]))
    return found


# What `make` tells a `make` below it, which would then say more than a page shows.
_OF_MAKE = frozenset({"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"})
_OUTSIDE_MAKE = {key: it for key, it in os.environ.items() if key not in _OF_MAKE}


def printed(
    commands: list[str], folder: Path, bin_: Path, environment: Mapping[str, str]
) -> Iterator[str]:
    """What each prints, run one after the other by one shell in ``folder``.

    In ``bin_``, which is made, are `ampgen` and `python`: those that run this test.
    """
    bin_.mkdir()
    for name, words in (("ampgen", ["-m", "ampgen"]), ("python", [])):
        program = bin_ / name
        quoted = shlex.join([sys.executable, *words])
        program.write_text(f'#!/bin/sh\nexec {quoted} "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    # `$?` is the status of the line before, as in a real session
    script = "".join(
        f"(exit $status)\n{command}\nstatus=$?\nprintf '\\036'\n"
        for command in commands
    )
    done = subprocess.run(
        ["/bin/sh", "-c", f"exec 2>&1\nstatus=0\n{script}"],
        stdin=subprocess.DEVNULL,
        cwd=folder,
        env={
            **_OUTSIDE_MAKE,
            "PATH": f"{bin_}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONASYNCIODEBUG": "",  # it tells on standard error of what is slow
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=60,
    )
    *outputs, rest = done.stdout.decode().split(END)
    assert rest == "", rest
    yield from outputs


def check(text: str, folder: Path, bin_: Path, **environment: str) -> None:
    """The page shows what its lines print."""
    shown = lines(text)
    assert shown, "a page of a verb shows what it prints"
    outputs = list(printed([line.command for line in shown], folder, bin_, environment))
    assert len(outputs) == len(shown)
    for line, output in zip(shown, outputs, strict=True):
        assert output == line.printed, f"$ {line.command}"


def check_files(text: str) -> None:
    """Each file that a page names above a block is what the block shows.

    Of a Python file all between the docstring and what starts it.
    """
    linked = re.findall(
        r"\((examples/[^)\s]+)\):\n```\w*\n((?s:.)*?)^```$", text, re.MULTILINE
    )
    for name, shown in linked:
        content = (DOCS / name).read_text(encoding="utf-8")
        if name.endswith(".py"):
            content = content.split('"""\n', 1)[1].split("\n\n\nif __name__")[0]
        assert shown.strip("\n") == content.strip("\n"), name
