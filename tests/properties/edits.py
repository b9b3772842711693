"""Strategies: edits of a schema, one for each row of what a change may break.

An edit takes a schema and gives another one, or ``None`` where there is nothing that it
could be done to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from hypothesis import strategies as st

from ampgen.runtime.values import Scalar
from tests.properties.schemas import Enum, ListOf, MapOf, Named, may_be_large
from tests.properties.versions import (
    MORE_NAMES,
    OPTIONAL,
    REQUIRED,
    SCALARS,
    Command,
    Error,
    Field,
    Record,
    Schema,
    defaults,
    named,
    types,
    with_large,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.properties.schemas import Type

    Draw: TypeAlias = Callable[[st.SearchStrategy[Any]], Any]
    Edit: TypeAlias = Callable[[Draw, Schema], "Schema | None"]


def known(schema: Schema) -> tuple[Type, ...]:
    return named((*schema.enums, *schema.records))


# --- one of several -------------------------------------------------------------------


def put(items: tuple[Any, ...], at: int, *instead: Any) -> tuple[Any, ...]:
    return (*items[:at], *instead, *items[at + 1 :])


def pick(draw: Draw, items: tuple[Any, ...], fits: Callable[[Any], bool]) -> int | None:
    places = [at for at, one in enumerate(items) if fits(one)]
    return draw(st.sampled_from(places)) if places else None


def anything(_one: Any) -> bool:
    return True


def edit_command(
    draw: Draw,
    schema: Schema,
    fits: Callable[[Command], bool],
    change: Callable[[Command], Command],
) -> Schema | None:
    at = pick(draw, schema.commands, fits)
    if at is None:
        return None
    made = change(schema.commands[at])
    return replace(schema, commands=put(schema.commands, at, made))


def edit_record(
    draw: Draw,
    schema: Schema,
    fits: Callable[[Record], bool],
    change: Callable[[Record], Record],
) -> Schema | None:
    at = pick(draw, schema.records, fits)
    if at is None:
        return None
    made = change(schema.records[at])
    return replace(schema, records=put(schema.records, at, made))


def edit_enum(
    draw: Draw,
    schema: Schema,
    fits: Callable[[Enum], bool],
    change: Callable[[Enum], Enum],
) -> Schema | None:
    at = pick(draw, schema.enums, fits)
    if at is None:
        return None
    return replace(schema, enums=put(schema.enums, at, change(schema.enums[at])))


def edit_error(
    draw: Draw,
    schema: Schema,
    fits: Callable[[Error], bool],
    change: Callable[[Error], Error],
) -> Schema | None:
    at = pick(draw, schema.errors, fits)
    if at is None:
        return None
    return replace(schema, errors=put(schema.errors, at, change(schema.errors[at])))


def edit_field(
    draw: Draw,
    schema: Schema,
    fits: Callable[[Field], bool],
    change: Callable[[Field], Field | None],
    *,
    where: tuple[str, ...] = ("arguments", "results", "fields"),
) -> Schema | None:
    """One field of an argument list, a result or a struct."""
    owners: list[tuple[str, int, str]] = []
    for at, command in enumerate(schema.commands):
        owners += [
            ("commands", at, part)
            for part in ("arguments", "results")
            if part in where and any(map(fits, getattr(command, part)))
        ]
    if "fields" in where:
        owners += [
            ("records", at, "fields")
            for at, record in enumerate(schema.records)
            if record.kind == "struct" and any(map(fits, record.fields))
        ]
    if not owners:
        return None
    kind, at, part = draw(st.sampled_from(owners))
    all_owners = getattr(schema, kind)
    owner = all_owners[at]
    all_fields = getattr(owner, part)
    place = pick(draw, all_fields, fits)
    assert place is not None
    made = change(all_fields[place])
    if made is None:
        return None
    in_owner: Any = {part: put(all_fields, place, made)}
    in_schema: Any = {kind: put(all_owners, at, replace(owner, **in_owner))}
    return replace(schema, **in_schema)


# --- commands -------------------------------------------------------------------------


def command_added(draw: Draw, schema: Schema) -> Schema:
    made = Command("Added", oneway=draw(st.booleans()))
    return replace(schema, commands=(*schema.commands, made))


def command_removed(draw: Draw, schema: Schema) -> Schema | None:
    if len(schema.commands) < 2:
        return None
    at = pick(draw, schema.commands, anything)
    assert at is not None
    return replace(schema, commands=put(schema.commands, at))


def command_renamed(draw: Draw, schema: Schema) -> Schema | None:
    pinned = draw(st.booleans())

    def change(command: Command) -> Command:
        wire = command.wire or command.name
        return replace(command, name="Again", wire=wire if pinned else None)

    return edit_command(draw, schema, anything, change)


def made_oneway(draw: Draw, schema: Schema) -> Schema | None:
    return edit_command(
        draw,
        schema,
        lambda one: not (one.oneway or one.streams or has_stream(one)),
        lambda one: Command(one.name, one.arguments, oneway=True, wire=one.wire),
    )


def made_two_way(draw: Draw, schema: Schema) -> Schema | None:
    need = draw(st.sampled_from((None, REQUIRED, OPTIONAL)))
    results = () if need is None else (Field("alpha", Scalar.INT, need),)
    errors = tuple(one.name for one in schema.errors[: draw(st.integers(0, 1))])
    return edit_command(
        draw,
        schema,
        lambda one: one.oneway,
        lambda one: replace(one, oneway=False, results=results, errors=errors),
    )


def has_stream(command: Command) -> bool:
    return any(field.stream for field in command.arguments)


def commands_reordered(_draw: Draw, schema: Schema) -> Schema:
    return replace(schema, commands=schema.commands[::-1])


def service_renamed(_draw: Draw, schema: Schema) -> Schema:
    return replace(schema, service="Job")


# --- arguments and results ------------------------------------------------------------


def added(draw: Draw, schema: Schema, part: str) -> Schema | None:
    type_ = draw(types(known(schema)))
    possible = (REQUIRED, OPTIONAL, *defaults(type_, schema.enums))
    field = Field(MORE_NAMES[0], type_, draw(st.sampled_from(possible)))
    first = draw(st.booleans())

    def change(command: Command) -> Command:
        fields = getattr(command, part)
        made: Any = {part: (field, *fields) if first else (*fields, field)}
        return replace(command, **made)

    def fits(command: Command) -> bool:
        if part == "arguments":
            return True
        return not (command.oneway or command.bare)

    return edit_command(draw, schema, fits, change)


def argument_added(draw: Draw, schema: Schema) -> Schema | None:
    return added(draw, schema, "arguments")


def result_added(draw: Draw, schema: Schema) -> Schema | None:
    return added(draw, schema, "results")


def removed(draw: Draw, schema: Schema, part: str, least: int) -> Schema | None:
    def change(command: Command) -> Command:
        fields = getattr(command, part)
        at = pick(draw, fields, anything)
        assert at is not None
        made: Any = {part: put(fields, at)}
        return replace(command, **made)

    return edit_command(
        draw,
        schema,
        lambda one: len(getattr(one, part)) > least and not has_stream(one),
        change,
    )


def argument_removed(draw: Draw, schema: Schema) -> Schema | None:
    return removed(draw, schema, "arguments", 0)


def result_removed(draw: Draw, schema: Schema) -> Schema | None:
    return removed(draw, schema, "results", 1)


def need_changed(draw: Draw, schema: Schema) -> Schema | None:
    """Optional, required, with a default; or another default."""

    def change(field: Field) -> Field | None:
        possible = {REQUIRED, OPTIONAL, *defaults(field.type, schema.enums)}
        others = sorted(possible - {field.need})
        return replace(field, need=draw(st.sampled_from(others)))

    return not_bare_default(
        edit_field(draw, schema, lambda one: not one.stream, change)
    )


def not_bare_default(schema: Schema | None) -> Schema | None:
    """A bare result has no default; one that streams is no optional either."""
    if schema is None:
        return None
    for command in schema.commands:
        for field in command.results if command.bare else ():
            allowed = (REQUIRED,) if command.streams else (REQUIRED, OPTIONAL)
            if field.need not in allowed:
                return None
    return schema


def field_renamed(draw: Draw, schema: Schema) -> Schema | None:
    pinned = draw(st.booleans())

    def change(field: Field) -> Field:
        wire = (field.wire or field.name) if pinned and not field.stream else None
        return replace(field, name=MORE_NAMES[1], wire=wire)

    found = edit_field(draw, schema, anything, change)
    if found is not None and pinned:
        for command in found.commands:
            if command.bare and command.results[0].wire:
                return None  # a bare result is renamed by its key
    return found


def order_changed(draw: Draw, schema: Schema) -> Schema | None:
    if draw(st.booleans()):
        return edit_command(
            draw,
            schema,
            lambda one: len(one.arguments) > 1,
            lambda one: replace(one, arguments=one.arguments[::-1]),
        )
    return edit_record(
        draw,
        schema,
        lambda one: len(one.fields) > 1,
        lambda one: replace(one, fields=one.fields[::-1]),
    )


def parenthesised(draw: Draw, schema: Schema) -> Schema | None:
    return edit_command(
        draw,
        schema,
        lambda one: one.bare,
        lambda one: replace(one, bare=False),
    )


def type_changed(draw: Draw, schema: Schema) -> Schema | None:
    """Of an argument, a result, a field or an item; to anything."""
    type_ = draw(types(known_types(schema)))
    return edit_field(
        draw,
        schema,
        lambda one: one.type != type_,
        lambda one: replace(
            with_large(schema, replace(one, type=type_), one.large),
            need=one.need if one.need in (REQUIRED, OPTIONAL) else REQUIRED,
        ),
        where=("arguments", "results"),  # a struct could hold itself
    )


def known_types(schema: Schema) -> tuple[Type, ...]:
    return known(schema)


def scalar_changed(draw: Draw, schema: Schema) -> Schema | None:
    return edit_field(
        draw,
        schema,
        lambda one: isinstance(one.type, Scalar),
        lambda one: replace(
            one,
            type=draw(
                st.sampled_from([other for other in SCALARS if other != one.type])
            ),
            need=one.need if one.need in (REQUIRED, OPTIONAL) else REQUIRED,
            large=False,
        ),
    )


def enum_or_text(draw: Draw, schema: Schema) -> Schema | None:
    """A scalar becomes an enum, or an enum a scalar."""
    enums = [Named(one.name) for one in schema.enums]
    if not enums:
        return None

    def change(field: Field) -> Field:
        instead: list[Type] = list(SCALARS) if field.type in enums else [*enums]
        need = field.need if field.need in (REQUIRED, OPTIONAL) else REQUIRED
        return replace(
            field, type=draw(st.sampled_from(instead)), need=need, large=False
        )

    return edit_field(
        draw,
        schema,
        lambda one: one.type in enums or isinstance(one.type, Scalar),
        change,
    )


def made_list(draw: Draw, schema: Schema) -> Schema | None:
    """``T`` becomes ``[T]``, or the other way round."""

    def change(field: Field) -> Field:
        type_ = (
            field.type.item if isinstance(field.type, ListOf) else ListOf(field.type)
        )
        need = field.need if field.need in (REQUIRED, OPTIONAL) else REQUIRED
        return with_large(schema, replace(field, type=type_, need=need), field.large)

    return edit_field(draw, schema, anything, change)


def container_changed(draw: Draw, schema: Schema) -> Schema | None:
    """A struct, a map or a list becomes another of these, or a text."""
    structs = [Named(one.name) for one in schema.records]
    instead = [
        *(Scalar.STR, Scalar.BYTES, ListOf(Scalar.STR), ListOf(Scalar.INT)),
        *(MapOf(Scalar.STR, Scalar.STR), ListOf(ListOf(Scalar.STR))),
        *map(ListOf, structs),
        *structs,
    ]

    def change(field: Field) -> Field | None:
        others = [one for one in instead if one != field.type]
        need = field.need if field.need in (REQUIRED, OPTIONAL) else REQUIRED
        made = replace(field, type=draw(st.sampled_from(others)), need=need)
        return with_large(schema, made, field.large)

    return edit_field(
        draw,
        schema,
        lambda one: not isinstance(one.type, Scalar),
        change,
        where=("arguments", "results"),
    )


def large_changed(draw: Draw, schema: Schema) -> Schema | None:
    enums = {Named(one.name) for one in schema.enums}

    def fits(field: Field) -> bool:
        simple = isinstance(field.type, Scalar) and may_be_large(field.type)
        listed = isinstance(field.type, ListOf) and isinstance(field.type.item, Scalar)
        return (simple or listed) and not field.stream and field.type not in enums

    streaming = any(one.streams for one in schema.commands)
    return edit_field(
        draw,
        schema,
        fits,
        lambda one: replace(one, large=not one.large),
        where=("arguments",) if streaming else ("arguments", "results"),
    )


# --- streams --------------------------------------------------------------------------


def result_stream_changed(draw: Draw, schema: Schema) -> Schema | None:
    def change(command: Command) -> Command:
        results = tuple(
            replace(
                one,
                large=False,
                need=REQUIRED if command.bare else one.need,
            )
            for one in command.results
        )
        return replace(command, streams=not command.streams, results=results)

    return edit_command(draw, schema, lambda one: bool(one.results), change)


def argument_stream_changed(draw: Draw, schema: Schema) -> Schema | None:
    def fits(command: Command) -> bool:
        return not command.oneway and bool(command.arguments)

    def change(command: Command) -> Command:
        at = pick(draw, command.arguments, lambda one: one.stream)
        if at is None:
            at = pick(draw, command.arguments, anything)
        assert at is not None
        field = command.arguments[at]
        made = replace(
            field, stream=not field.stream, need=REQUIRED, large=False, wire=None
        )
        return replace(command, arguments=put(command.arguments, at, made))

    return edit_command(draw, schema, fits, change)


# --- errors ---------------------------------------------------------------------------


def raised_added(draw: Draw, schema: Schema) -> Schema | None:
    return edit_command(
        draw,
        schema,
        lambda one: not one.oneway and len(one.errors) < len(schema.errors),
        lambda one: replace(
            one,
            errors=tuple(error.name for error in schema.errors),
        ),
    )


def raised_removed(draw: Draw, schema: Schema) -> Schema | None:
    return edit_command(
        draw,
        schema,
        lambda one: bool(one.errors),
        lambda one: replace(one, errors=one.errors[:-1]),
    )


def code_changed(draw: Draw, schema: Schema) -> Schema | None:
    return edit_error(
        draw, schema, anything, lambda one: replace(one, code=f"NEW_{one.code}")
    )


def fatal_changed(draw: Draw, schema: Schema) -> Schema | None:
    return edit_error(
        draw, schema, anything, lambda one: replace(one, fatal=not one.fatal)
    )


def error_fields_changed(draw: Draw, schema: Schema) -> Schema | None:
    def change(error: Error) -> Error:
        if error.fields:
            return replace(error, fields=())
        return replace(error, fields=(Field("beta", Scalar.INT, OPTIONAL),))

    return edit_error(draw, schema, anything, change)


# --- enums, structs, unions -----------------------------------------------------------


def member_added(draw: Draw, schema: Schema) -> Schema | None:
    return edit_enum(
        draw,
        schema,
        anything,
        lambda one: replace(one, members=(*one.members, "more")),
    )


def member_removed(draw: Draw, schema: Schema) -> Schema | None:
    found = edit_enum(
        draw,
        schema,
        lambda one: len(one.members) > 1,
        lambda one: replace(one, members=one.members[:-1]),
    )
    # the default that was the member
    return None if found is None or " = M1" in found.text() else found


def openness_changed(draw: Draw, schema: Schema) -> Schema | None:
    return edit_enum(
        draw, schema, anything, lambda one: replace(one, open=not one.open)
    )


def struct_field_added(draw: Draw, schema: Schema) -> Schema | None:
    need = draw(st.sampled_from((REQUIRED, OPTIONAL, "3")))
    return edit_record(
        draw,
        schema,
        lambda one: one.kind == "struct",
        lambda one: replace(
            one, fields=(*one.fields, Field(MORE_NAMES[0], Scalar.INT, need))
        ),
    )


def struct_field_removed(draw: Draw, schema: Schema) -> Schema | None:
    return edit_record(
        draw,
        schema,
        lambda one: one.kind == "struct" and bool(one.fields),
        lambda one: replace(one, fields=one.fields[1:]),
    )


def union_member_added(draw: Draw, schema: Schema) -> Schema | None:
    return edit_record(
        draw,
        schema,
        lambda one: one.kind == "union",
        lambda one: replace(
            one, fields=(*one.fields, Field(MORE_NAMES[0], Scalar.STR))
        ),
    )


def union_member_removed(draw: Draw, schema: Schema) -> Schema | None:
    return edit_record(
        draw,
        schema,
        lambda one: one.kind == "union" and len(one.fields) > 1,
        lambda one: replace(one, fields=one.fields[1:]),
    )


def type_renamed(draw: Draw, schema: Schema) -> Schema | None:
    """And everything that is written with it."""
    names = [*(one.name for one in schema.enums), *(one.name for one in schema.records)]
    if not names:
        return None
    old = draw(st.sampled_from(names))

    def in_type(type_: Type) -> Type:
        match type_:
            case ListOf(item):
                return ListOf(in_type(item))
            case MapOf(key, value):
                return MapOf(key, in_type(value))
            case Named(name) if name == old:
                return Named("Renamed")
            case _:
                return type_

    def in_fields(fields: tuple[Field, ...]) -> tuple[Field, ...]:
        return tuple(replace(one, type=in_type(one.type)) for one in fields)

    def called(name: str) -> str:
        return "Renamed" if name == old else name

    return replace(
        schema,
        enums=tuple(replace(one, name=called(one.name)) for one in schema.enums),
        records=tuple(
            replace(one, name=called(one.name), fields=in_fields(one.fields))
            for one in schema.records
        ),
        errors=tuple(
            replace(one, fields=in_fields(one.fields)) for one in schema.errors
        ),
        commands=tuple(
            replace(
                one,
                arguments=in_fields(one.arguments),
                results=in_fields(one.results),
            )
            for one in schema.commands
        ),
    )


EDITS: tuple[Edit, ...] = (
    command_added,
    command_removed,
    command_renamed,
    made_oneway,
    made_two_way,
    commands_reordered,
    service_renamed,
    argument_added,
    argument_removed,
    result_added,
    result_removed,
    need_changed,
    field_renamed,
    order_changed,
    parenthesised,
    type_changed,
    scalar_changed,
    enum_or_text,
    made_list,
    container_changed,
    large_changed,
    result_stream_changed,
    argument_stream_changed,
    raised_added,
    raised_removed,
    code_changed,
    fatal_changed,
    error_fields_changed,
    member_added,
    member_removed,
    openness_changed,
    struct_field_added,
    struct_field_removed,
    union_member_added,
    union_member_removed,
    type_renamed,
)
