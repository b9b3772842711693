"""The calls that are tried: of each command of one version, to each of the other.

A trial says what the caller gives and what the implementer makes of it. There are few:
each of the arguments' sample values is given once, and each of the result's, and each
error, comes back once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import starmap
from typing import TYPE_CHECKING, Any, TypeAlias

from ampgen.model import Enum, ListType, MapType, Service, Struct, Union
from ampgen.targets.python import names
from ampgen.targets.python.commands import in_request, stream_argument
from ampgen.tools.pairing.meaning import Box, box, box_of, default_meaning, meaning
from ampgen.tools.pairing.samples import Given, Samples

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ampgen.model import Command, Error, Field, Result, Schema, Type
    from ampgen.tools.memory import Loaded


@dataclass(frozen=True, slots=True)
class Returns:
    """``value`` is what the handler returns; ``meant`` what it says."""

    value: Any
    meant: Box


@dataclass(frozen=True, slots=True)
class Yields:
    """``values`` are the items of a stream of results."""

    values: tuple[Any, ...]
    meant: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Raises:
    declared: Error
    error: Exception
    meant: Box


Outcome: TypeAlias = "Returns | Yields | Raises"
NOTHING = Returns(None, Box({}, {}))


@dataclass(frozen=True, slots=True)
class Asked:
    """What is given for a call. ``items`` are those of its stream argument."""

    given: Given
    meant: Box
    items: tuple[Any, ...]
    items_meant: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    caller: Command
    implementer: Command | None
    asked: Asked
    outcome: Outcome


# --- what may be asked, what may come back --------------------------------------------


def asked(samples: Samples, command: Command, reader: Command | None) -> list[Asked]:
    """Empty where there is no value for an argument."""
    fields = in_request(command)
    sent = stream_argument(command)
    read_as = () if reader is None else in_request(reader)
    read = None if reader is None else stream_argument(reader)
    streams: list[tuple[tuple[Any, ...], tuple[Box, ...]]] = [((), ())]
    if sent is not None:
        items = samples.of(sent.type, read_as=None if read is None else read.type)
        streams = _streams(items, [_item(sent, one) for one in items])
    given = samples.given(fields, read_as=read_as)
    found = [Asked(one, _meant(fields, one), *streams[0]) for one in given]
    return [*found, *_streamed(found, streams)]


def _streamed(found: list[Asked], streams: list[Any]) -> Iterator[Asked]:
    for items, meant in streams[1:] if found else ():
        yield replace(found[0], items=items, items_meant=meant)


def _streams(
    values: Sequence[Any], meant: Sequence[Box]
) -> list[tuple[tuple[Any, ...], tuple[Box, ...]]]:
    """The first item, all, and each of the others: what comes after one that does not
    decode shows nothing.
    """
    alone = [((one,), (said,)) for one, said in zip(values, meant, strict=True)]
    whole = [(tuple(values), tuple(meant))] if len(values) > 1 else []
    return [*alone[:1], *whole, *alone[1:]] or [((), ())]


def _item(field: Field, value: Any) -> Box:
    return Box({"item": meaning(field.type, value)}, {"item": field})


def _meant(fields: Sequence[Field], given: Given) -> Box:
    """What is left out has its default: that is sent."""
    pairs = {
        field.key: meaning(field.type, given[field.name])
        for field in fields
        if field.name in given
    }
    for field in fields:
        if field.key not in pairs and field.default is not None:
            pairs[field.key] = default_meaning(field.type, field.default)
    return Box(pairs, {field.key: field for field in fields})


def outcomes(
    loaded: Loaded, samples: Samples, command: Command, reader: Command
) -> list[Outcome]:
    """Results first; empty where there is no value for one."""
    read_as = () if reader.result is None else reader.result.fields
    codes = {error.code: error.fields for error in reader.errors}
    found: list[Outcome] = []
    result = command.result
    if result is None:
        found.append(NOTHING)
    else:
        made = [
            made_result(loaded, command, given)
            for given in samples.given(result.fields, read_as=read_as)
        ]
        meant = [result_box(result, one) for one in made]
        if result.stream:
            found += starmap(Yields, _streams(made, meant))
        else:
            found += map(Returns, made, meant)
    for error in command.errors:
        found += _raised(loaded, samples, error, codes.get(error.code, ()))
    return found


def made_result(loaded: Loaded, command: Command, given: Given) -> Any:
    result = command.result
    assert result is not None  # noqa: S101 - its values have been given
    if result.bare:
        return given.get(result.fields[0].name)
    made = loaded.python(command.service.module, names.result_class(command))
    return made(**Samples.named(result.fields, given, names.field_name))


def result_box(result: Result | None, value: Any) -> Box:
    """What a result says, or an item of a stream of them."""
    if result is None:
        return Box({}, {})
    if result.bare:
        return box_of(result.fields, {result.fields[0].name: value})
    return box(result.fields, value)


def _raised(
    loaded: Loaded, samples: Samples, error: Error, read_as: Sequence[Field]
) -> Iterator[Raises]:
    made = loaded.python(error.module, names.type_name(error))
    for given in samples.given(error.fields, read_as=read_as):
        fields = Samples.named(error.fields, given, names.error_field_name)
        raised = made("as declared", **fields)
        yield Raises(error, raised, box(error.fields, raised, names.error_field_name))


# --- which command meets which --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """A service in both versions, as one end has it that calls or answers.

    ``old`` or ``new`` is ``None`` where that version has none. ``is_called_back``: the
    program that listens calls it, on the one that connects.
    """

    old: Service | None
    new: Service | None
    is_called_back: bool = False


def pairs(old: Schema, new: Schema) -> list[Pair]:
    """What is served: those of one name, the others with the one that has most of their
    commands. Then what is called back over such a connection.
    """
    back = {one.name for schema in (old, new) for one in _called_back(schema)}
    olds, news = (
        {name: one for name, one in _services(schema).items() if name not in back}
        for schema in (old, new)
    )
    served = [Pair(*both) for both in _both(olds, news)]
    return list(dict.fromkeys([*served, *_back(served)]))


def _back(served: Iterable[Pair]) -> Iterator[Pair]:
    for pair in served:
        if pair.old is not None and pair.new is not None:
            olds, news = (
                {called.name: called for called in one.all_calls()}
                for one in (pair.old, pair.new)
            )
            for old, new in _both(olds, news):
                yield Pair(old, new, True)


def _both(
    olds: dict[str, Service], news: dict[str, Service]
) -> Iterator[tuple[Service | None, Service | None]]:
    """By name; then those that have commands in common, on the wire."""
    for name in [name for name in olds if name in news]:
        yield olds.pop(name), news.pop(name)
    for service in olds.values():
        near = max(news.values(), key=lambda one: _shared(service, one), default=None)
        if near is None or not _shared(service, near):
            yield service, None
        else:
            yield service, news.pop(near.name)
    for service in news.values():
        yield None, service


def _services(schema: Schema) -> dict[str, Service]:
    return {
        one.name: one
        for module in schema.modules
        for one in module.declarations
        if isinstance(one, Service)
    }


def _called_back(schema: Schema) -> Iterator[Service]:
    for service in _services(schema).values():
        for called in service.all_calls():
            yield from called.lineage()


def _shared(one: Service, other: Service) -> int:
    wires = {command.wire for command in one.all_commands()}
    return len(wires & {command.wire for command in other.all_commands()})


def commands(service: Service | None) -> dict[str, Command]:
    """By name on the wire; the nearest of several."""
    found = () if service is None else service.all_commands()
    return {one.wire: one for one in reversed(found)}


# --- enums that were closed -----------------------------------------------------------


def opened(old: Command | None, new: Command | None) -> frozenset[Enum]:
    """The enums of ``new`` that are open, and closed in ``old``.

    Nobody sends a value that is not declared before both ends know that they may.
    """
    found: dict[int, Enum] = {}
    if old is not None and new is not None:
        pairs_ = [*_matched(old.arguments, new.arguments)]
        if old.result is not None and new.result is not None:
            pairs_ += _matched(old.result.fields, new.result.fields)
        codes = {error.code: error for error in old.errors}
        for error in new.errors:
            if error.code in codes:
                pairs_ += _matched(codes[error.code].fields, error.fields)
        seen: set[tuple[int, int]] = set()
        for one, other in pairs_:
            _walk(one, other, found, seen)
    return frozenset(found.values())


def _matched(old: Iterable[Field], new: Iterable[Field]) -> list[tuple[Type, Type]]:
    keys = {"item" if field.stream else field.key: field for field in old}
    return [
        (keys[key].type, field.type)
        for field in new
        if (key := "item" if field.stream else field.key) in keys
    ]


def _walk(
    old: Type, new: Type, found: dict[int, Enum], seen: set[tuple[int, int]]
) -> None:
    if (id(old), id(new)) in seen:
        return
    seen.add((id(old), id(new)))
    match old, new:
        case Enum(), Enum():
            if new.open and not old.open:
                found[id(new)] = new
        case ListType(one), ListType(other):
            _walk(one, other, found, seen)
        case ListType(one), Struct() | Union():
            _walk(one, new, found, seen)
        case Struct() | Union(), ListType(other):
            _walk(old, other, found, seen)
        case MapType(), MapType():
            _walk(old.key, new.key, found, seen)
            _walk(old.value, new.value, found, seen)
        case ((Struct() | Union()), (Struct() | Union())):
            for one, other in _matched(_fields(old), _fields(new)):
                _walk(one, other, found, seen)
        case _:
            pass


def _fields(type_: Struct | Union) -> tuple[Field, ...]:
    return type_.fields if isinstance(type_, Struct) else type_.members
