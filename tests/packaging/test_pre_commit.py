"""The hooks for pre-commit, run by pre-commit itself on a repository of schemas."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.packaging.environments import ROOT, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("installs")]

HOOKS = ".pre-commit-hooks.yaml"
PARTS = ("ampgen", "templates", "schemas", "pyproject.toml", "README.md", "LICENSE")
PAGE = ROOT / "docs" / "pre-commit.md"

UNTIDY = "/// A point.\nstruct Point { x: int }\n"
TIDY = "/// A point.\nstruct Point {\n    x: int;\n}\n"


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return run("git", *who, *arguments, cwd=folder)


def repository_of_hooks(folder: Path) -> str:
    """This project as it lies here, in a repository of its own; its commit."""
    folder.mkdir()
    for part in (*PARTS, HOOKS):
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, folder / part)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all", "--force")
    git(folder, "commit", "--quiet", "--no-verify", "--message", "All")
    return git(folder, "rev-parse", "HEAD").strip()


def configuration(repository: Path, revision: str) -> str:
    """What the page tells a reader to write."""
    blocks: list[str] = re.findall(
        r"```yaml\n((?s:.*?))```", PAGE.read_text(encoding="utf-8")
    )
    [shown] = blocks
    shown = shown.replace("ADDRESS", json.dumps(str(repository)))
    return shown.replace("TAG", revision)


def commit_with_hooks(project: Path, home: Path) -> dict[str, str]:
    """What pre-commit says of each hook: ``Passed``, or how it has failed."""
    git(project, "add", "--all")
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--all-files"],
        cwd=project,
        env={**os.environ, "PRE_COMMIT_HOME": str(home), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=240,
    )
    hooks = re.split(r"^ampgen ", done.stdout, flags=re.MULTILINE)[1:]
    told = {
        name: "Passed" if verdict.startswith("Passed") else verdict
        for name, verdict in (re.split(r"\.{3,}", hook, maxsplit=1) for hook in hooks)
    }
    assert (done.returncode == 0) == (set(told.values()) == {"Passed"}), done.stdout
    return told


def test_the_hooks_mend_format_check_and_compare(tmp_path: Path) -> None:
    hooks, home = tmp_path / "hooks", tmp_path / "home"
    project = tmp_path / "project"
    (project / "schemas").mkdir(parents=True)
    schema = project / "schemas" / "text.amp"
    schema.write_text(UNTIDY)
    git(project, "init", "--quiet")
    config = configuration(hooks, repository_of_hooks(hooks))
    (project / ".pre-commit-config.yaml").write_text(config)

    told = commit_with_hooks(project, home)
    assert list(told) == ["fix", "fmt", "check", "compile --check"]
    assert "files were modified by this hook" in told["fix"]
    assert "fixed: schemas/text.amp:2:22: AMP0102: insert `;`" in told["fix"]
    assert "files were modified by this hook" in told["fmt"]
    assert told["check"] == "Passed"
    assert "missing: textpkg/text.py" in told["compile --check"]
    assert schema.read_text() == TIDY

    compile_ = ("compile", "schemas/text.amp", "-o", "textpkg")
    run(sys.executable, "-m", "ampgen", *compile_, cwd=project, PYTHONPATH=str(ROOT))
    assert set(commit_with_hooks(project, home).values()) == {"Passed"}

    schema.write_text(TIDY.replace("int", "Nothing"))
    told = commit_with_hooks(project, home)
    assert "error[AMP0204]: unknown type `Nothing`" in told["check"]
    assert told["fmt"] == "Passed"


def test_every_hook_is_on_the_page() -> None:
    declared = re.findall(r"^- id: (.*)$", (ROOT / HOOKS).read_text(), re.MULTILINE)
    rows = re.findall(r"^\| `(.*?)` \|", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(declared)
