"""The reactor's thread, and the schema compiled."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop import reactor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import CompileSchema


@pytest.fixture(scope="session", autouse=True)
def reactor_thread() -> Iterator[None]:
    thread = reactor.start()
    yield
    reactor.stop(thread)


@pytest.fixture(scope="session")
def interop(compile_schema: CompileSchema) -> Any:
    return compile_schema(Path(__file__).parent / "interop.amp")
