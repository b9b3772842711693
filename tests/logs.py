"""What the runtime says in its log."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """And worse. asyncio warns too, of a machine that is busy."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "ampgen" and record.levelno >= logging.WARNING
    ]
