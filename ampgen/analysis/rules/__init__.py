"""Every rule of analysis, in one table. A code never changes its meaning.

02xx names, imports and files · 03xx wire keys, codes and values · 04xx types, shape and
defaults · 05xx annotations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.analysis.rules import names, notes, shape, wire

if TYPE_CHECKING:
    from ampgen.diagnostics import Rule

RULES: tuple[Rule, ...] = (
    names.UNREADABLE,
    names.IMPORT_CYCLE,
    names.DUPLICATE_NAME,
    names.UNKNOWN_TYPE,
    names.UNKNOWN_ERROR,
    names.UNKNOWN_SERVICE,
    names.UNKNOWN_IMPORT,
    names.WRONG_KIND,
    names.LEADING_UNDERSCORE,
    names.TAKEN_NAME,
    names.ALIAS_CYCLE,
    names.EXTENDS_CYCLE,
    names.IMPORT_NEEDS_NAME,
    names.AMBIGUOUS_IMPORT,
    names.IMPORTED_TWICE,
    names.UNUSED_IMPORT,
    names.OUTSIDE_ROOTS,
    names.PATH_NOT_NAMES,
    names.MODULE_CLASH,
    names.UNKNOWN_MEMBER,
    names.LISTED_TWICE,
    names.INHERITED_TWICE,
    wire.DUPLICATE_KEY,
    wire.BAD_KEY,
    wire.RESERVED_KEY,
    wire.PIECE_KEY,
    wire.BAD_COMMAND,
    wire.DUPLICATE_COMMAND,
    wire.BAD_CODE,
    wire.DUPLICATE_CODE,
    wire.DUPLICATE_VALUE,
    wire.NOT_ENCODABLE,
    shape.EMPTY,
    shape.OPTIONAL_PLACE,
    shape.REQUIRED_ERROR_FIELD,
    shape.UNION_MEMBER,
    shape.CONTAINS_ITSELF,
    shape.MAP_KEY,
    shape.MODIFIER_PLACE,
    shape.LARGE_TYPE,
    shape.FD_PLACE,
    shape.STREAM_ARGUMENTS,
    shape.ONEWAY,
    shape.WRONG_DEFAULT,
    shape.OPTIONAL_DEFAULT,
    shape.NO_DEFAULT,
    shape.TOO_DEEP,
    notes.UNKNOWN,
    notes.WRONG_PLACE,
    notes.WRONG_ARGUMENT,
    notes.REPEATED,
    notes.TIMEOUT_STREAM,
)

UNSOUND: frozenset[Rule] = frozenset(
    (
        names.IMPORT_CYCLE,
        names.EXTENDS_CYCLE,
        names.IMPORT_NEEDS_NAME,
        names.OUTSIDE_ROOTS,
        names.PATH_NOT_NAMES,
        names.MODULE_CLASH,
    )
)
"""Where one of these is broken there is a circle, or a file without a module path."""
