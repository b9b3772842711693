"""What a change of a schema breaks: two versions of it, and a table of rules.

A rule, how it is explained, and how the changes that it is about are found stand in one
place. What a change does on the wire follows from what the messages of one version are
to readers of the other (:mod:`ampgen.compat.reading`, :mod:`ampgen.compat.outcomes`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.rules import (
    arguments,
    commands,
    declarations,
    enums,
    errors,
    reserved,
    results,
    services,
    structs,
    types,
    values,
)
from ampgen.compat.verdicts import Peers
from ampgen.compat.versions import Versions

if TYPE_CHECKING:
    from ampgen.compat.changes import Change
    from ampgen.compat.finding import Comparison
    from ampgen.diagnostics import Rule
    from ampgen.model import Schema

__all__ = ["COMPARISONS", "RULES", "compare"]

COMPARISONS: tuple[Comparison, ...] = (
    commands.ADDED,
    commands.REMOVED,
    commands.RENAMED,
    commands.ONEWAY,
    commands.PINNED,
    arguments.ADDED,
    arguments.REQUIRED_ADDED,
    arguments.REMOVED,
    arguments.NOW_REQUIRED,
    arguments.NO_LONGER_REQUIRED,
    values.STREAM_RENAMED,
    arguments.RENAMED,
    arguments.PINNED,
    arguments.ORDER,
    values.DEFAULT,
    results.ADDED,
    results.REQUIRED_ADDED,
    results.REMOVED,
    results.NOW_REQUIRED,
    results.NO_LONGER_REQUIRED,
    results.RENAMED,
    results.PINNED,
    results.BARE,
    errors.RAISED,
    errors.NO_LONGER_RAISED,
    errors.RECODED,
    errors.FATAL,
    enums.ADDED,
    enums.REMOVED,
    enums.OPENED,
    enums.RENAMED,
    structs.FIELD_ADDED,
    structs.REQUIRED_FIELD_ADDED,
    structs.FIELD_REMOVED,
    structs.FIELD_RENAMED,
    structs.FIELD_PINNED,
    structs.FIELD_NOW_REQUIRED,
    structs.FIELD_NO_LONGER_REQUIRED,
    structs.MEMBER_ADDED,
    structs.MEMBER_REMOVED,
    structs.MEMBER_RENAMED,
    errors.FIELD_ADDED,
    errors.FIELD_REMOVED,
    errors.FIELD_RENAMED,
    errors.FIELD_PINNED,
    types.MANY,
    types.SHAPE,
    commands.STREAMED,
    types.SCALAR,
    values.LARGE,
    services.ADDED,
    services.REMOVED,
    services.EXTENDS,
    services.CALLS,
    declarations.RENAMED,
    declarations.REMOVED,
    declarations.DEPRECATED,
    reserved.AGAIN,
)

RULES: tuple[Rule, ...] = tuple(one.rule for one in COMPARISONS)


def compare(
    old: Schema, new: Schema, peers: Peers = Peers.TWISTED
) -> tuple[Change, ...]:
    """All that has changed between two versions, what is safe as well.

    Both have to be free of errors. Each change is told once, with all commands in which
    it shows. ``peers`` decides what counts as the worst of a change.
    """
    versions = Versions(old, new, peers)
    return tuple(
        found.told_by(one.rule, peers)
        for one in COMPARISONS
        for found in one.search(versions)
    )
