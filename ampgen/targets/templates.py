"""The templates' environment: templates hold layout and loops, and decide nothing.

``FOLDER`` is where they are: an installed package has them inside it, a checkout beside
it. A project may put its own before them (:mod:`ampgen.targets.owntemplates`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ampgen.cache import cache_folder

if TYPE_CHECKING:
    from jinja2 import BaseLoader, BytecodeCache, Environment

_PACKAGE = Path(__file__).parent.parent
_INSTALLED = _PACKAGE / "templates"

FOLDER = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "templates"


class Templates:
    """Templates by name: ``python/module.py.j2``."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def render(self, name: str, **values: Any) -> str:
        return self.environment.get_template(name).render(values)


@cache
def ours() -> Templates:
    from jinja2 import FileSystemLoader

    from ampgen.targets.bytecode import Bytecode

    folder = cache_folder()
    kept = None if folder is None else Bytecode(folder, settings=Path(__file__))
    return Templates(environment(FileSystemLoader(FOLDER), kept))


def environment(loader: BaseLoader, kept: BytecodeCache | None = None) -> Environment:
    """How all templates are read, wherever they come from."""
    from jinja2 import Environment, StrictUndefined

    return Environment(  # noqa: S701  # it is Python that is written, not HTML
        loader=loader,
        bytecode_cache=kept,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
