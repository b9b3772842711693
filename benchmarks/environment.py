"""An environment with the peers, made once for each Python under ``build/bench``."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
REQUIREMENTS = HERE / "requirements.txt"


class Unusable(Exception):
    """A Python that the benchmark cannot run on: the reason, and how to mend it."""


@dataclass(frozen=True, slots=True)
class Environment:
    """``folder`` holds the environment, what is generated for it, and what is noted."""

    folder: Path

    @property
    def python(self) -> Path:
        if sys.platform == "win32":
            return self.folder / "venv" / "Scripts" / "python.exe"
        return self.folder / "venv" / "bin" / "python"

    @property
    def generated(self) -> Path:
        return self.folder / "generated"

    def run(self, *arguments: str, first: str = str(ROOT)) -> int:
        """Run Python in it, a checkout first on its path; give the exit status."""
        path = os.pathsep.join((first, str(self.generated)))
        return subprocess.run(
            [str(self.python), *arguments],
            check=False,
            cwd=first,
            env={**os.environ, "PYTHONPATH": path},
        ).returncode

    def prepare_before(self, checkout: Path) -> str:
        """What is to come first on the path for another checkout's ampgen to run."""
        generated = self.folder / "before"
        if self.run(*_compile_bench(generated), first=str(checkout)):
            raise Unusable(f"{checkout} does not compile bench.amp: see above")
        return os.pathsep.join((str(checkout), str(generated)))


def prepare(python: str) -> Environment:
    """The environment for this interpreter, with all that could be installed in it."""
    tag = _ask(python, "f'{sys.implementation.name}-{sys.version_info[0]}.'")
    tag += _ask(python, "f'{sys.version_info[1]}'")
    environment = Environment(ROOT / "build" / "bench" / tag)
    if _ask(python, "sys.version_info >= (3, 11)") != "True":
        raise Unusable(f"{python} is {tag}; ampgen needs Python 3.11 or newer")
    environment.folder.mkdir(parents=True, exist_ok=True)
    _install(python, environment)
    _generate(environment)
    return environment


def _ask(python: str, expression: str) -> str:
    try:
        return subprocess.run(
            [python, "-c", f"import sys; print({expression})"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unusable(
            f"{python} does not run ({error}); name another with --python"
        ) from None


def _install(python: str, environment: Environment) -> None:
    """All at once, and where that fails one by one: the rest can still be measured."""
    wanted = REQUIREMENTS.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    stamp = environment.folder / "installed"
    digest = hashlib.sha256(wanted).hexdigest()
    if stamp.exists() and stamp.read_text() == digest:
        return
    print(f"preparing {environment.folder.relative_to(ROOT)}", file=sys.stderr)
    venv = str(environment.folder / "venv")
    if subprocess.run([python, "-m", "venv", venv], check=False).returncode:
        raise Unusable(f"{python} cannot make an environment (is `venv` there?)")
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    if environment.run(*pip, *_own_dependencies()):
        raise Unusable("what ampgen needs could not be installed: see above")
    if environment.run(*pip, "--requirement", str(REQUIREMENTS)):
        missing = [
            line
            for line in REQUIREMENTS.read_text().splitlines()
            if line and environment.run(*pip, line)
        ]
        for line in missing:
            print(f"not installed, and so not measured: {line}", file=sys.stderr)
        if missing:
            return  # to be tried again next time
    stamp.write_text(digest)


def _own_dependencies() -> list[str]:
    """Those alone: ampgen itself is measured as it stands in this checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dependencies: list[str] = project["dependencies"]
    return dependencies


def _generate(environment: Environment) -> None:
    """The peers' code, made of their schemas."""
    schemas = HERE / "schemas"
    generated = environment.generated
    generated.mkdir(exist_ok=True)
    if environment.run(*_compile_bench(generated)):
        raise Unusable("bench.amp does not compile: see above")
    protoc = ("-m", "grpc_tools.protoc", "-I", str(schemas))
    output = f"--python_out={generated}", f"--grpc_python_out={generated}"
    if environment.run(*protoc, *output, "bench.proto"):
        print("no code for the gRPC peers: see above", file=sys.stderr)


def _compile_bench(generated: Path) -> tuple[str, ...]:
    schema = str(HERE / "schemas" / "bench.amp")
    return ("-m", "ampgen", "compile", schema, "-o", str(generated / "bench_amp"))
