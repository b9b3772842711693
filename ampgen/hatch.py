"""The build hook for hatchling: a package compiles its schemas when it is built.

    [build-system]
    requires = ["hatchling", "ampgen-idl"]

    [tool.hatch.build.hooks.ampgen]
    schemas = ["schemas/*.amp"]
    output = "src/shop/rpc"

Also ``include`` (folders, as ``-I``), ``target`` and ``templates``. Paths are relative
to the project. What is made is part of what is built, though it is ignored by git.
"""

from __future__ import annotations

import io
import re
from contextlib import chdir
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, NoReturn, cast

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.plugin import hookimpl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.tools.building import Request

OPTIONS = ("schemas", "output", "include", "target", "templates")

# What hatchling itself reads in the table of a hook.
_HATCHLINGS = {
    "dependencies",
    "enable-by-default",
    "require-runtime-dependencies",
    "require-runtime-features",
}


class _Refused(Exception):
    """The table asks for what cannot be; the text is for the user."""


class AmpgenBuildHook(BuildHookInterface[BuilderConfig]):
    """What goes wrong is printed, and ends the build."""

    PLUGIN_NAME = "ampgen"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        # Not before: hatchling imports this module for every project.
        from ampgen.diagnostics.printers import print_diagnostics
        from ampgen.tools.building import build

        with chdir(self.root):  # so that diagnostics show paths as in the project
            try:
                output, request = self._request()
            except _Refused as refused:
                self._abort(str(refused))
            built = build(request, output)
        if built.diagnostics:
            shown = io.StringIO()
            print_diagnostics(built.diagnostics, shown)
            self.app.display_error(shown.getvalue().rstrip())
        if built.changes is None:
            self._abort(built.problem or "the schemas are not compiled")
        made = (f"/{output.as_posix()}/{name}" for name in built.files)
        build_data.setdefault("artifacts", []).extend(map(_literally, made))

    def _abort(self, problem: str) -> NoReturn:
        self.app.abort(f"error: [tool.hatch.build.hooks.ampgen]: {problem}")
        raise AssertionError("it has ended the process")

    def _request(self) -> tuple[Path, Request]:
        """The output folder, and what is to be made in it."""
        from ampgen.diagnostics.suggest import did_you_mean
        from ampgen.targets import TARGETS
        from ampgen.tools.building import Request

        for option in self.config:
            if option not in OPTIONS and option not in _HATCHLINGS:
                near = did_you_mean(option, OPTIONS)
                hint = (
                    f"did you mean `{near}`?" if near else f"it has {_listed(OPTIONS)}"
                )
                raise _Refused(f"there is no option `{option}`; {hint}")
        templates = self._text("templates")
        output = self._text("output")
        patterns = self._texts("schemas")
        if not output or not patterns:
            raise _Refused("`schemas` and `output` are needed")
        folder = PurePath(output)
        is_outside = folder.is_absolute() or ".." in folder.parts or not folder.parts
        if is_outside or "\0" in output:
            raise _Refused(f"`output` is a folder in the project, and not `{output}`")
        target = self._text("target") or "python"
        if templates and target not in TARGETS:
            raise _Refused(
                f"`templates`: the target `{target}` has no templates of ours"
            )
        schemas = [path for pattern in patterns for path in _matching(pattern)]
        return Path(folder), Request(
            list(dict.fromkeys(schemas)),
            [Path(folder) for folder in self._texts("include")],
            target,
            Path(templates) if templates else None,
        )

    def _text(self, option: str) -> str | None:
        value = self.config.get(option)
        if value is not None and not isinstance(value, str):
            raise _Refused(f"`{option}` is a string")
        return value

    def _texts(self, option: str) -> list[str]:
        given: object = self.config.get(option, [])
        values = cast("list[object]", given) if isinstance(given, list) else [None]
        texts = [one for one in values if isinstance(one, str) and one]
        if len(texts) < len(values):
            raise _Refused(f"`{option}` is a list of strings, and none is empty")
        return texts


def _matching(pattern: str) -> Iterator[Path]:
    """The files of a pattern; a plain path is itself, there or not."""
    if not re.search(r"[*?\[]", pattern):
        yield Path(pattern)
        return
    try:
        found = sorted(path for path in Path().glob(pattern) if not path.is_dir())
    except (ValueError, NotImplementedError) as error:
        raise _Refused(f"`schemas`: {pattern}: {error}") from None
    if not found:
        raise _Refused(f"`schemas`: no file matches `{pattern}`")
    yield from found


def _literally(path: str) -> str:
    """As a pattern that matches this path alone."""
    return re.sub(r"([\\*?\[\]!# ])", r"\\\1", path)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


@hookimpl
def hatch_register_build_hook() -> type[AmpgenBuildHook]:
    return AmpgenBuildHook
