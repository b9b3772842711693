"""How long the compilers take, process and all: ours, and protoc for Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.figures import spread
from benchmarks.long_schemas import amp, proto
from benchmarks.progress import progress
from benchmarks.tables import Table, median

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.plan import Plan

LINES = (100, 1000, 5000)


def measure(plan: Plan) -> dict[str, Any]:
    """Seconds by tool and lines; ``python`` is how long an empty program takes."""
    folder = plan.scratch / "compile"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _times(folder, LINES[0])  # what is kept from one run to the next is there
    found: dict[str, dict[str, list[float]]] = {}
    for turn in range(plan.rounds):
        for lines in LINES:
            progress(f"round {turn + 1}/{plan.rounds}: compile, {lines:,} lines")
            for tool, seconds in _times(folder, lines).items():
                found.setdefault(tool, {}).setdefault(str(lines), []).append(seconds)
        for tool, command in (
            ("python -c pass", ["-c", "pass"]),
            ("ampgen --version", ["-m", "ampgen", "--version"]),
        ):
            found.setdefault(tool, {}).setdefault("–", []).append(_seconds(command))
    return {"seconds": found}


def _times(folder: Path, lines: int) -> dict[str, float]:
    amp_file = folder / f"long{lines}.amp"
    proto_file = folder / f"long{lines}.proto"
    amp_file.write_text(amp(lines))
    proto_file.write_text(proto(lines))
    output = folder / f"long{lines}"
    shutil.rmtree(output, ignore_errors=True)
    ours = ["-m", "ampgen", "compile", str(amp_file), "-o", str(output)]
    theirs = ["-m", "grpc_tools.protoc", "-I", str(folder), f"--python_out={folder}"]
    theirs += [f"--pyi_out={folder}", f"--grpc_python_out={folder}", str(proto_file)]
    return {
        "ampgen compile": _seconds(ours),
        "ampgen compile, nothing changed": _seconds(ours),
        "protoc (messages, types, gRPC)": _seconds(theirs),
    }


# Of an installed package the bytecode is kept, whatever this environment says.
_KEEPING = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _seconds(arguments: list[str]) -> float:
    start = perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        env=_KEEPING,
    )
    return perf_counter() - start


def tables(found: dict[str, Any]) -> Iterable[Table]:
    sizes = ("–", *map(str, LINES))
    yield Table(
        "Compiling (seconds, with the start of Python)",
        ("", "no schema", *(f"{lines:,} lines" for lines in LINES)),
        [
            (tool, *(median(spread(by_lines.get(size, ()))) for size in sizes))
            for tool, by_lines in found["seconds"].items()
        ],
    )
