"""What the README shows is what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ampgen.cli import run

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

BROKEN = """\
struct Point { x: int; y: int; }

service Canvas {
    command Draw(at: Piont, colour: str) -> (id: int);
}
"""


@pytest.mark.parametrize(
    "path",
    [
        "schemas/repeat.amp",
        "docs/examples/repeat/server.py",
        "docs/examples/repeat/client.py",
    ],
)
def test_the_tour_shows_the_files_of_the_example(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".py"):  # all between the docstring and what starts it
        text = text.split('"""\n', 1)[1].split("\n\n\nif __name__")[0]
    assert f"\n{text.strip()}\n```\n" in README


def test_the_tour_prints_what_is_shown(tmp_path: Path) -> None:
    schema = str(ROOT / "schemas" / "repeat.amp")
    assert run(["compile", schema, "-o", str(tmp_path / "textpkg")]) == 0
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "PYTHONASYNCIODEBUG": "",  # it tells on standard error of what is slow
    }
    programs = ROOT / "docs" / "examples" / "repeat"
    with subprocess.Popen(
        [sys.executable, programs / "server.py", "127.0.0.1:0"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().split()[-1]
            printed = subprocess.run(
                [sys.executable, programs / "client.py", address],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
                timeout=60,
            )
        finally:
            server.terminate()
    assert f"What it prints:\n```\n{printed.stdout}```\n" in README


def test_the_mistake_is_reported_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text.amp").write_text(BROKEN, encoding="utf-8")
    assert run(["compile", "text.amp", "-o", "pkg"]) == 1
    report, _summary = capsys.readouterr().err.rsplit("\n\n", 1)
    assert f"```\n{report}\n```\n" in README
