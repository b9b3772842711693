"""The programs of the docs run, and print what their pages say."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ampgen.cli import run

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).parents[2]

PROGRAMS = [
    (
        "authentication.md",
        "authentication/authentication.py",
        "../docs/examples/authentication/vault.amp",
    ),
    ("blocking.md", "blocking/blocking.py", "repeat.amp"),
    ("deadlines.md", "deadlines/deadlines.py", "repeat.amp"),
    ("interceptors.md", "interceptors/interceptors.py", "repeat.amp"),
    ("large.md", "large/large.py", "../docs/examples/large/pages.amp"),
    ("descriptors.md", "descriptors/descriptors.py", "worker.amp"),
    ("serving.md", "serving/serving.py", "repeat.amp"),
    ("tls.md", "tls/tls.py", "repeat.amp"),
    (
        "staying-connected.md",
        "staying_connected/staying_connected.py",
        "repeat.amp",
    ),
    ("observability.md", "observability/observability.py", "repeat.amp"),
    ("streams.md", "streams/archive_client.py", "archive.amp"),
    ("streams.md", "streams/twisted_archive.py", "archive.amp"),
    ("health.md", "health/health.py", "repeat.amp"),
    ("reflection.md", "reflection/reflection.py", "repeat.amp"),
    ("load.md", "load/load.py", "repeat.amp"),
    ("twisted-target.md", "twisted_target/twisted_repeater.py", "repeat.amp"),
]
# What a program is to call.
SERVED = {
    "blocking/blocking.py": "repeat/server.py",
    "streams/archive_client.py": "streams/archive_server.py",
    "streams/twisted_archive.py": "streams/archive_server.py",
}


def test_the_tests_that_a_page_shows_pass(tmp_path: Path) -> None:
    path = ROOT / "docs" / "examples" / "testing" / "test_greeter.py"
    shown = path.read_text(encoding="utf-8").split('"""\n', 1)[1].strip()
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    assert f"```python\n{shown}\n```\n" in page
    compile_schema("repeat.amp", tmp_path)
    passed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "3 passed" in passed.stdout


def compile_schema(schema: str, folder: Path) -> None:
    path = str(ROOT / "schemas" / schema)
    assert run(["compile", path, "-o", str(folder / "textpkg")]) == 0
    twisted = ["--target", "twisted", "-o", str(folder / "twistedpkg")]
    assert run(["compile", path, *twisted]) == 0


@contextmanager
def server_of(program: str, environment: dict[str, str]) -> Generator[list[str]]:
    """The address of the server that a program calls, if it calls one."""
    if program not in SERVED:
        yield []
        return
    server = ROOT / "docs" / "examples" / SERVED[program]
    with subprocess.Popen(
        [sys.executable, server, "127.0.0.1:0"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        yield [process.stdout.readline().split()[-1]]
        process.terminate()


def shown(path: Path) -> str:
    """A program as a page shows it: all between the docstring and what starts it."""
    code = path.read_text(encoding="utf-8")
    code = code.split('"""\n', 1)[1].split("\n\n\nif __name__")[0].strip()
    return f"```python\n{code}\n```\n"


@pytest.mark.parametrize(("page", "program", "schema"), PROGRAMS)
def test_a_page_shows_a_program_and_what_it_prints(
    page: str, program: str, schema: str, tmp_path: Path
) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    path = ROOT / "docs" / "examples" / program
    assert shown(path) in text
    folder, _, _ = program.partition("/")
    if SERVED.get(program, "").startswith(f"{folder}/"):
        assert shown(ROOT / "docs" / "examples" / SERVED[program]) in text

    compile_schema(schema, tmp_path)
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "PYTHONASYNCIODEBUG": "",  # it tells on standard error of what is slow
    }
    with server_of(program, environment) as arguments:
        printed = subprocess.run(
            [sys.executable, "-W", "error", path, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert f"```\n{printed.stdout}```\n" in text
    assert not printed.stderr
