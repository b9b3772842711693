"""``python -m benchmarks``: prepare the environments, then measure in each of them.

The standard library alone: this runs before anything is installed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.environment import Unusable, prepare


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure ampgen beside other ways to call from Python to Python.",
        epilog="Further options are those of the measuring itself:"
        " --quick, --rounds, --seconds, --peers, --workloads, --experiments, --publish;"
        " `--measure-help` explains them.",
    )
    parser.add_argument(
        "--python",
        action="append",
        metavar="PATH",
        help="the Python to measure on (more than one may be named; default: this one)",
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="CHECKOUT",
        help="also measure the ampgen of another checkout (`git worktree add`)",
    )
    parser.add_argument("--measure-help", action="store_true")
    options, further = parser.parse_known_args(arguments)
    if options.measure_help:
        further = ["--help"]
    pythons: list[str] = options.python or [sys.executable]
    status = 0
    for python in pythons:
        try:
            environment = prepare(python)
            if options.against:
                before = environment.prepare_before(options.against.resolve())
                further = [*further, "--before", before]
        except Unusable as reason:
            print(f"cannot measure: {reason}", file=sys.stderr)
            status = 1
        else:
            status |= environment.run(
                "-m", "benchmarks.measure", str(environment.folder), *further
            )
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
