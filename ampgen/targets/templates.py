"""The templates' environment: templates hold layout and loops, and decide nothing."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_PACKAGE = Path(__file__).parent.parent


@cache
def environment() -> Environment:
    """An installed package has the templates inside it, a checkout beside it."""
    return Environment(
        loader=FileSystemLoader(
            [_PACKAGE / "templates", _PACKAGE.parent / "templates"]
        ),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # it is Python that is written, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
