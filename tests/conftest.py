"""Fixtures for all tests."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from ampgen.pipeline import compile_schemas
from tests import certificates as made_certificates

pytest_plugins = ["pytester"]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.certificates import Certificates


# Where there are connections, both event loops that programs use are tried.
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop
}
if sys.platform != "win32":
    import uvloop

    LOOPS["uvloop"] = uvloop.new_event_loop
_CONNECTED = ("runtime", "interop")


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    folder = item.path.relative_to(Path(__file__).parent).parts[0]
    return LOOPS if folder in _CONNECTED else {"asyncio": LOOPS["asyncio"]}


class CompileSchema(Protocol):
    def __call__(self, schema: Path | str, target: str = ...) -> Any: ...


@pytest.fixture(scope="session", autouse=True)
def _no_notes() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    """Nothing is left in the cache folder of whoever runs the tests, nor read there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMPGEN_CACHE", "")
        yield


@pytest.fixture(scope="session")
def compile_schema(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CompileSchema]:
    """Compile a schema, a file or its text, and import the module made of it.

    The same schema is compiled once in a session.
    """
    root = tmp_path_factory.mktemp("compiled")
    made: dict[tuple[Path | str, str], Any] = {}
    numbers = itertools.count()

    def compile_one(schema: Path | str, target: str = "python") -> Any:
        if (schema, target) not in made:
            package = f"compiled{next(numbers)}"
            if isinstance(schema, Path):
                path = schema
            else:
                path = root / f"{package}.amp"
                path.write_text(schema, encoding="utf-8")
            compiled = compile_schemas([path], target=target)
            assert compiled.files is not None, compiled.diagnostics
            for name, text in compiled.files.items():
                file = root / package / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            importlib.invalidate_caches()
            made[schema, target] = importlib.import_module(f"{package}.{path.stem}")
        return made[schema, target]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(root), *sys.path])
        yield compile_one


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return made_certificates.make(tmp_path_factory.mktemp("certificates"))
