"""Targets of other packages, found by the group of entry points ``ampgen.targets``.

    [project.entry-points."ampgen.targets"]
    markdown = "my_package.target"

Nothing is imported before a target is asked for by its name, and the compiler's own
are never looked up here. What a target does wrong is told with the name of its package.
"""

from __future__ import annotations

import sys
import traceback
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ampgen.diagnostics import Diagnostic, Label, Rule
from ampgen.diagnostics.suggest import did_you_mean
from ampgen.source import Span
from ampgen.targets import TARGETS, TargetError
from ampgen.targets.mark import GENERATED, is_marked

if TYPE_CHECKING:
    from collections.abc import Generator
    from importlib.metadata import EntryPoint

    from ampgen.model import Schema

GROUP = "ampgen.targets"

# What an installer leaves behind, in two forms.
_ENTRIES = ("*.dist-info/entry_points.txt", "*.egg-info/entry_points.txt")


class UnknownTarget(TargetError):
    """No package that is installed offers it."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A target that some package offers."""

    name: str
    entry: EntryPoint

    @property
    def distribution(self) -> str:
        """Who offers it: name and version."""
        return _distribution(self.entry)

    def roots(self) -> list[Path]:
        """Where its code is: its package, or its module. Nothing is imported.

        Raises :class:`FileNotFoundError` where that is no file or folder.
        """
        name = self.entry.module.partition(".")[0]
        spec = find_spec(name)
        if spec is None:
            raise FileNotFoundError(name)
        roots = [Path(root) for root in spec.submodule_search_locations or ()]
        if not roots and spec.origin is not None:
            roots = [Path(spec.origin)]
        if not roots or not all(root.exists() for root in roots):
            raise FileNotFoundError(name)
        return roots

    def load(self) -> Loaded:
        """Import it; :class:`TargetError`."""
        with self.blamed("it cannot be imported"):
            target = self.entry.load()
        for needed in ("check", "render"):
            if not callable(getattr(target, needed, None)):
                raise self.error(f"`{self.entry.value}` has no function `{needed}`")
        return Loaded(self, target)

    @contextmanager
    def blamed(self, what: str) -> Generator[None]:
        """Whatever goes wrong inside is the package's, and so told."""
        try:
            yield
        except TargetError:
            raise
        except (Exception, SystemExit) as error:  # its exit is not ours
            last = traceback.extract_tb(error.__traceback__)[-1]
            told = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")
            place = f"{last.filename}:{last.lineno}"
            raise self.error(f"{what}: {told} ({place})") from error

    def error(self, what: str) -> TargetError:
        return TargetError(f"target `{self.name}` of {self.distribution}: {what}")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A target whose answers are looked at: :class:`TargetError` if they are wrong."""

    installed: Installed
    target: Any

    def check(self, schema: Schema) -> tuple[Diagnostic, ...]:
        with self.installed.blamed("`check` fails"):
            found = tuple(self.target.check(schema))
        for one in found:
            problem = _misshapen(one)
            if problem is not None:
                raise self.installed.error(f"`check` gives {problem}")
        return found

    def render(self, schema: Schema) -> dict[str, str]:
        with self.installed.blamed("`render` fails"):
            files: dict[Any, Any] = dict(self.target.render(schema))
        for path, text in files.items():
            problem = _problem(path, text, files)
            if problem is not None:
                raise self.installed.error(f"the file {path!r} {problem}")
        return dict(sorted(files.items()))


def names() -> list[str]:
    """Those that are installed, in order, as a help or a completion lists them.

    ``importlib.metadata`` is not asked: to import it takes longer than all the rest.
    """
    found: set[str] = set()
    for folder in map(Path, sys.path):
        for pattern in _ENTRIES:
            for path in folder.glob(pattern):
                found |= _offered(path)
    return sorted(found - {*TARGETS})


def _offered(path: Path) -> set[str]:
    """The names in the group that is ours, in a file of entry points."""
    parser = ConfigParser(delimiters="=", interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        text = path.read_text(encoding="utf-8")
        if GROUP in text:
            parser.read_string(text)
    except (OSError, ValueError, ConfigParserError):
        return set()  # not ours to report
    return {*parser[GROUP]} if GROUP in parser else set()


def find(name: str) -> Installed:
    """Raises :class:`TargetError` where no package has it, or several have."""
    from importlib.metadata import entry_points

    found = {
        _distribution(entry): entry for entry in entry_points(group=GROUP, name=name)
    }
    if not found:
        known = [*TARGETS, *names()]
        near = did_you_mean(name, known)
        hint = f"did you mean `{near}`?" if near else f"there are {', '.join(known)}"
        raise UnknownTarget(f"no target `{name}`; {hint}")
    if len(found) > 1:
        raise TargetError(
            f"target `{name}` is offered by several packages: "
            f"{', '.join(sorted(found))}; remove all but one"
        )
    (entry,) = found.values()
    installed = Installed(name, entry)
    try:
        _ = entry.module
    except (AssertionError, AttributeError):  # by the version of Python
        raise installed.error(f"`{entry.value}` names no module") from None
    return installed


def _distribution(entry: EntryPoint) -> str:
    return "?" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"


def _misshapen(found: Any) -> str | None:
    """What it is instead of a diagnostic that can be printed."""
    if not isinstance(found, Diagnostic):
        return f"{found!r}: no `ampgen.diagnostics.Diagnostic`"
    rule: Any = found.rule
    if not isinstance(rule, Rule):
        return f"a diagnostic whose `rule` is {rule!r}, and no `Rule`"
    labels: list[Any] = [] if found.primary is None else [found.primary]
    for label in (*labels, *found.related):
        span: Any = getattr(label, "span", None)
        if not isinstance(label, Label) or not isinstance(span, Span):
            return f"a diagnostic with {label!r}, which is no `Label` of a `Span`"
    return None


def _problem(path: Any, text: Any, files: dict[Any, Any]) -> str | None:
    """Why this cannot be a file of the output folder."""
    if not isinstance(path, str) or not isinstance(text, str):
        return "is not a str with a str"
    parts = PurePosixPath(path).parts
    if (
        not parts
        or "/".join(parts) != path
        or {"..", "/"} & {*parts}
        or {*path} & {*'\\:*?"<>|\0'}
    ):
        return "has no path inside the output folder that every system can have"
    if any(str(parent) in files for parent in PurePosixPath(path).parents):
        return "lies in another file"
    try:
        path.encode()
        content = text.encode()
    except UnicodeEncodeError as error:
        return f"is no text: {error.reason}"
    if (content or parts[-1] != "py.typed") and not is_marked(path, content):
        return (
            f"does not begin with a comment `{GENERATED}…`, by which it is known again"
        )
    return None
