"""Golden cases: a folder with a schema, and what the compiler says about it."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ampgen.diagnostics.printers import print_diagnostics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ampgen.diagnostics import Diagnostic

CASES = Path(__file__).parent
UPDATE = os.environ.get("AMPGEN_UPDATE_GOLDEN") == "1"


def folders(name: str) -> list[Path]:
    """The folders of the cases in a folder here."""
    return sorted(path for path in (CASES / name).iterdir() if path.is_dir())


def as_text(diagnostics: Iterable[Diagnostic]) -> str:
    stream = io.StringIO()
    print_diagnostics(diagnostics, stream)
    return stream.getvalue()


def check(expected: Path, actual: str) -> None:
    """Compare with a committed file, or write it if that was asked for."""
    if UPDATE:
        expected.write_bytes(actual.encode())
    assert actual == expected.read_bytes().decode()
