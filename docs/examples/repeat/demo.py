"""`make demo`: compile a schema, start its server, call it, each command shown."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PACKAGES = ROOT / "build" / "demo"  # where the generated package `textpkg` goes


def show(*command: str) -> None:
    print(f"\n$ {shlex.join(command)}", flush=True)


def script(name: str) -> str:
    """A path of this folder as a person at the project's root would type it."""
    return str((HERE / name).relative_to(ROOT))


def main() -> None:
    os.chdir(ROOT)
    schema, package = (
        "schemas/repeat.amp",
        str((PACKAGES / "textpkg").relative_to(ROOT)),
    )
    show("cat", schema)
    print(Path(schema).read_text(encoding="utf-8"), end="")

    show("ampgen", "compile", schema, "-o", package)
    subprocess.run(
        [sys.executable, "-m", "ampgen", "compile", schema, "-o", package], check=True
    )
    for path in sorted(Path(package).glob("*")):
        if path.is_file():
            print(path)

    environment = {**os.environ, "PYTHONPATH": str(PACKAGES)}
    show("python", script("server.py"), "127.0.0.1:0")
    with subprocess.Popen(
        [sys.executable, script("server.py"), "127.0.0.1:0"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            print(line, end="")
            address = line.split()[-1]
            show("python", script("client.py"), address)
            subprocess.run(
                [sys.executable, script("client.py"), address],
                env=environment,
                check=True,
            )
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
