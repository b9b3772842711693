"""Small schemas on disk, analysed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ampgen.analysis import analyse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ampgen.diagnostics import Diagnostic
    from ampgen.model import Module, Schema


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def module_of(folder: Path, text: str, **others: str) -> Module:
    """The one module of ``text``, in which nothing is wrong."""
    write(folder, {"schema.amp": text, **{f"{n}.amp": t for n, t in others.items()}})
    return accepted(*analyse([folder / "schema.amp"])).roots[0]


def accepted(schema: Schema | None, diagnostics: tuple[Diagnostic, ...]) -> Schema:
    assert schema is not None, said(diagnostics)
    assert said(diagnostics) == []
    return schema


def said(diagnostics: tuple[Diagnostic, ...]) -> list[str]:
    """Each diagnostic as ``file:line:column: CODE message``."""
    return [
        f"{_place(diagnostic)}: {diagnostic.rule.code} {diagnostic.message}"
        for diagnostic in diagnostics
    ]


def refusals(folder: Path, text: str) -> list[str]:
    """What is said of ``text``: ``line:column: CODE``, in order."""
    write(folder, {"schema.amp": text})
    _, diagnostics = analyse([folder / "schema.amp"])
    return [
        f"{_place(diagnostic).split(':', 1)[1]} {diagnostic.rule.code}"
        for diagnostic in diagnostics
    ]


def _place(diagnostic: Diagnostic) -> str:
    if diagnostic.primary is None:
        return "-"
    path, line, column = diagnostic.primary.span.place.rsplit(":", 2)
    return f"{os.path.basename(path)}:{line}:{column}"
