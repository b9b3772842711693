"""Where templates come from: a project's folder, then ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import BaseLoader, TemplateNotFound
from jinja2.loaders import split_template_path

from ampgen.source import Source, shown_path
from ampgen.targets.templates import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from jinja2 import Environment

    from ampgen.disk import Disk

OURS = "ampgen/"  # before the name of one of ours: that one, and no other


class UnreadableTemplate(Exception):
    """The text says which, and why."""


class Loader(BaseLoader):
    """Asks ``disk`` for a project's own. ``sources``: those that there are, by path."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self.sources: dict[str, Source] = {}
        self.loaded: set[str] = set()

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002
        template: str,
    ) -> tuple[str, str, Callable[[], bool]]:
        parts = split_template_path(template)
        if not template.startswith(OURS):
            path = self._folder.joinpath(*parts)
            source = self._own(path)
            if source is not None:
                self.loaded.add(template)
                self.sources[source.path] = source
                return source.text, source.path, lambda: True
        else:
            parts = parts[1:]
        path = FOLDER.joinpath(*parts)
        if not path.is_file():
            raise TemplateNotFound(template)
        return path.read_text(encoding="utf-8"), str(path), lambda: True

    def _own(self, path: Path) -> Source | None:
        shown = shown_path(path)
        try:
            content = self._disk.read(path)
            return None if content is None else Source(shown, content.decode())
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            byte = error.object[error.start]
            reason = f"it is not UTF-8: byte 0x{byte:02x} in line {line}"
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
        raise UnreadableTemplate(f"cannot read `{shown}`: {reason}")


def ours() -> list[str]:
    """The names of ours, in order."""
    return sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.j2"))
