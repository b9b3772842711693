"""The run itself, in a prepared environment: measure, show, keep."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import targets
from benchmarks.environment import REQUIREMENTS, ROOT
from benchmarks.experiments import EXPERIMENTS, codec
from benchmarks.plan import Plan
from benchmarks.processes import cores
from benchmarks.progress import done
from benchmarks.publish import publish
from benchmarks.roster import BEFORE, PEERS
from benchmarks.workloads import WORKLOADS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.tables import Table


def main(arguments: list[str]) -> int:
    options = _parser().parse_args(arguments)
    plan = Plan(
        rounds=options.rounds or (2 if options.quick else 5),
        seconds=options.seconds or (0.25 if options.quick else 1.0),
        peers=(
            *(options.peers or (name for name in PEERS if name != BEFORE)),
            *((BEFORE,) if options.before else ()),
        ),
        workloads=tuple(options.workloads or WORKLOADS),
        quick=options.quick,
        scratch=Path(options.scratch),
        before=options.before,
    )
    results: dict[str, Any] = {"about": _about(plan)}
    for name in options.experiments or EXPERIMENTS:
        results[name] = EXPERIMENTS[name].measure(plan)
        done()
        _keep(plan, results)  # a run that is broken off has what it has
        for table in EXPERIMENTS[name].tables(results[name]):
            print(f"{table}\n", flush=True)
    for table in _targets(results):
        print(f"{table}\n")
    report = show(results)
    (plan.scratch / "results.md").write_text(report)
    print(f"kept in {plan.scratch.relative_to(ROOT)}/results.{{json,md}}")
    if options.publish:
        publish(results, report)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("scratch", help="the environment's folder")
    parser.add_argument("--quick", action="store_true", help="in under two minutes")
    parser.add_argument("--rounds", type=int, help="default: 5")
    parser.add_argument("--seconds", type=float, help="for each figure; default: 1")
    for name, table in (
        ("peers", PEERS),
        ("workloads", WORKLOADS),
        ("experiments", EXPERIMENTS),
    ):
        parser.add_argument(
            f"--{name}",
            nargs="+",
            choices=[one for one in table if one != BEFORE],
            help="default: all",
        )
    parser.add_argument("--before", help=argparse.SUPPRESS)  # of `--against`
    parser.add_argument(
        "--publish", action="store_true", help="put table and plot into docs/"
    )
    return parser


def _about(plan: Plan) -> dict[str, Any]:
    packages: dict[str, str] = {}
    for line in REQUIREMENTS.read_text().splitlines():
        name = line.split(">=")[0]
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            packages[name] = "missing"
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "pinned": cores() is not None,
        "date": datetime.now(UTC).date().isoformat(),
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "packages": packages,
    }


def _keep(plan: Plan, results: dict[str, Any]) -> None:
    (plan.scratch / "results.json").write_text(json.dumps(results, indent=1) + "\n")


def _targets(results: dict[str, Any]) -> Iterable[Table]:
    paces = dict(results.get("throughput", {"paces": {}})["paces"])
    if "codec" in results:
        paces[targets.CODEC] = codec.paces(results["codec"])
    table = targets.table(paces)
    if table.rows:
        yield table


def show(results: dict[str, Any]) -> str:
    """The whole report, as Markdown."""
    about = results["about"]
    pinned = "each on a core of its own" if about["pinned"] else "not pinned"
    packages = ", ".join(f"{k} {v}" for k, v in about["packages"].items())
    tables = [*_targets(results)]
    for name, experiment in EXPERIMENTS.items():
        if name in results:
            tables += experiment.tables(results[name])
    return "\n\n".join(
        (
            f"{about['python']}, {about['system']}, {about['date']}; server and client"
            f" {pinned}; {about['rounds']} rounds of {about['seconds']:g} s."
            f"\nWith {packages}.",
            *map(str, tables),
            "",
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
