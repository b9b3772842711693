"""Fixtures for the tests of the runtime."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@pytest.fixture
async def warned() -> AsyncGenerator[asyncio.Event]:
    """Set by the first warning in the log."""
    event = asyncio.Event()

    def note(record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING:
            event.set()
        return True

    logger = logging.getLogger("ampgen")
    logger.addFilter(note)
    yield event
    logger.removeFilter(note)
