"""The templates' environment: templates hold layout and loops, and decide nothing.

``FOLDER`` is where they are: an installed package has them inside it, a checkout beside
it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

_PACKAGE = Path(__file__).parent.parent
_INSTALLED = _PACKAGE / "templates"

FOLDER = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "templates"


@cache
def environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701  # it is Python that is written, not HTML
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
