"""Schemas compiled for the tests here."""

from __future__ import annotations

import importlib
import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from ampgen import output
from ampgen.analysis import StandardInput
from ampgen.pipeline import compile_schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SCHEMAS = sorted((ROOT / "schemas").glob("*.amp"))
# Where modules, imports, aliases and what they hold meet in one name, or one type.
EDGES = sorted((Path(__file__).parent / "edges").glob("*.amp"))


class Compiling(Protocol):
    def __call__(self, schema: str, name: str = ...) -> Any: ...


def generate(schema: str, name: str = "made.amp") -> dict[str, str]:
    """The files that a schema's text makes."""
    compiled = compile_schemas([StandardInput(name, schema.encode())])
    assert compiled.files is not None, compiled.diagnostics
    return compiled.files


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compiling]:
    """Compile a schema's text and import its module."""
    root = tmp_path_factory.mktemp("made")
    numbers = itertools.count()

    def load_one(schema: str, name: str = "made.amp") -> Any:
        package = f"{root.name}_{next(numbers)}"
        output.write(root / package, generate(schema, name))
        importlib.invalidate_caches()
        return importlib.import_module(f"{package}.{Path(name).stem}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(root), *sys.path])
        yield load_one
