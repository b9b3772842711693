"""How long the properties are looked at: everywhere the same; and a quiet log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile(
    "ci",
    deadline=None,  # the machine that runs this may be a slow one
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=True,
)
settings.load_profile("ci")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Every violation and every undeclared error is a line in the log: not here."""
    logging.getLogger("ampgen").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("ampgen").setLevel(logging.NOTSET)
