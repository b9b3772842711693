"""What goes wrong in a template, as a diagnostic at its line."""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING

from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError

from ampgen import model
from ampgen.diagnostics import Diagnostic, Label
from ampgen.diagnostics.suggest import did_you_mean
from ampgen.source import Source, Span
from ampgen.targets.owntemplates.rules import FAILS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_NO_NAME = re.compile(r"'(\w+)' is undefined")
_NO_ATTRIBUTE = re.compile(r"'(?:[\w.]*\.)?(\w+) object' has no attribute '(\w+)'")
_NO_HELPER = re.compile(r"No (filter|test) named '(\w+)'")

# Of what is no part of the model, the names that are promised.
_PLANNED = {"Class": ["kind", "name", "of"]}


def describe(
    error: Exception,
    name: str,
    sources: Mapping[str, Source],
    known: Collection[str],
    values: Collection[str],
    helpers: Mapping[str, Collection[str]],
) -> Diagnostic:
    """``sources``: the project's own templates by file name. ``known``: the names of
    all templates; ``values``: of what template ``name`` was given; ``helpers``: of the
    filters and tests.
    """
    place = _place(error, sources)
    if isinstance(error, RecursionError):
        message = f"template `{name}` never comes to an end"
        itself = f"`{name}` is this template itself: ours is `ampgen/{name}`"
        is_ours = f"ampgen/{name}" in known
        return Diagnostic(FAILS, message, place, help=itself if is_ours else None)
    message = _message(error)
    hint: str | None = None
    if isinstance(error, TemplateNotFound):
        hint = _meant(str(error.name), known)
    elif match := _NO_HELPER.match(message):
        hint = _meant(match[2], helpers[match[1]])
    elif isinstance(error, UndefinedError):
        hint = _defined(message, values)
    return Diagnostic(FAILS, f"template `{name}`: {message}", place, help=hint)


def _message(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f"there is no template `{error.name}`"
    if isinstance(error, TemplateSyntaxError | UndefinedError):
        return (error.message or "it cannot be understood").rstrip(".")
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _place(error: Exception, sources: Mapping[str, Source]) -> Label | None:
    """The innermost line of a template of the project's."""
    if isinstance(error, TemplateSyntaxError):
        source = sources.get(error.filename or "")
        return Label(line_span(source, error.lineno)) if source else None
    frames = traceback.walk_tb(error.__traceback__)
    found = [
        (sources[frame.f_code.co_filename], line)
        for frame, line in frames
        if frame.f_code.co_filename in sources
    ]
    return Label(line_span(*found[-1])) if found else None


def line_span(source: Source, number: int) -> Span:
    """The line, from its first character that is not blank to its last."""
    lines = source.text.split("\n")
    number = max(1, min(number, len(lines)))
    line = lines[number - 1]
    before = sum(len(one) + 1 for one in lines[: number - 1])
    start = before + len(line) - len(line.lstrip())
    return Span(source, start, start + len(line.strip()))


def _defined(message: str, values: Iterable[str]) -> str | None:
    if match := _NO_NAME.fullmatch(message):
        near = did_you_mean(match[1], values)
        return f"did you mean `{near}`?" if near else f"there are {_listed(values)}"
    if match := _NO_ATTRIBUTE.fullmatch(message):
        names = _PLANNED.get(match[1]) or dir(getattr(model, match[1], object))
        names = [one for one in names if not one.startswith("_")]
        near = did_you_mean(match[2], names)
        if near:
            return f"did you mean `{near}`?"
        return f"`{match[1]}` has {_listed(names)}" if names else None
    return None


def _meant(name: str, known: Iterable[str]) -> str | None:
    near = did_you_mean(name, known)
    return f"did you mean `{near}`?" if near else None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
