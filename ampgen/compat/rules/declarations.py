"""Names that code knows and the wire does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.finding import Comparison, Found
from ampgen.compat.verdicts import Source
from ampgen.diagnostics import Label, Rule
from ampgen.model import Alias, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.compat.versions import Versions
    from ampgen.model import Declaration

_S, _W, _B = Source.SAFE, Source.WARNS, Source.BREAKS


def _word(declaration: Declaration) -> str:
    word = "type" if isinstance(declaration, Alias) else type(declaration).__name__
    return f"{word.lower()} `{declaration.name}`"


def _renamed(versions: Versions) -> Iterator[Found]:
    for old, new in versions.declarations.new_of.items():
        modules = (old.module, new.module)
        moved = modules not in versions.declarations.modules
        if old.name == new.name and not moved:
            continue
        if old.name != new.name:
            what = f"was called `{old.name}`"
        else:
            what = f"was in `{old.module.source.path}`"
        yield Found(
            f"{_word(new)} {what}",
            Label(new.span, "its name is not on the wire"),
            Label(old.span, "was here"),
            source=(_B, _B),
        )


def _removed(versions: Versions) -> Iterator[Found]:
    for old in versions.declarations.gone:
        if not isinstance(old, Service):
            yield Found(
                f"{_word(old)} is gone",
                Label(versions.place_of(old), f"`{old.name}` is gone"),
                Label(old.span, "was here"),
                source=(_B, _B),
            )


def _deprecated(versions: Versions) -> Iterator[Found]:
    for old, new in versions.declarations.new_of.items():
        if new.notes.deprecated is not None and old.notes.deprecated is None:
            yield Found(
                f"{_word(new)} is deprecated: {new.notes.deprecated}",
                Label(new.span, "deprecated"),
                Label(old.span, "was not"),
                source=(_W, _W),
            )
    for pair in versions.commands.pairs:
        if pair.old is None or pair.new is None:
            continue
        reason = pair.new.notes.deprecated
        if reason is not None and pair.old.notes.deprecated is None:
            yield Found(
                f"command `{pair.new.name}` is deprecated: {reason}",
                Label(pair.new.span, "deprecated"),
                Label(pair.old.span, "was not"),
                source=(_W, _S),
            )


RENAMED = Comparison(
    Rule(
        "AMP1055",
        "declaration renamed or moved",
        """\
Names of types, errors and services, and of files, are not on the wire: programs of both
versions understand one another. Code that names or imports it has to be changed.

    struct Author { name: str; }                         // before
    struct Writer { name: str; }                         // after

A type counts as renamed if the other stands where it has stood.
""",
    ),
    _renamed,
)

REMOVED = Comparison(
    Rule(
        "AMP1056",
        "declaration removed",
        """\
What still travels is told where it has changed. Code that names the type or the error
has to be changed.
""",
    ),
    _removed,
)

DEPRECATED = Comparison(
    Rule(
        "AMP1057",
        "deprecated",
        """\
Nothing changes on the wire. Calls warn, and so does a type checker where the code names
it.

    @deprecated("use Repeat") command OldRepeat(text: str) -> str;
""",
    ),
    _deprecated,
)
