"""Which command of the new version is which of the old one, and who calls it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ampgen.compat.changes import Part, Use
from ampgen.model import Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ampgen.compat.declared import Declarations
    from ampgen.model import Command, Field, Schema


@dataclass(slots=True)
class CommandPair:
    """``roles``: of these, ``True`` that the server calls it on the client."""

    old: Command | None
    new: Command | None
    roles: set[bool] = field(default_factory=set[bool])

    def of(self, part: Part) -> tuple[Use, ...]:
        command = self.new or self.old
        assert command is not None  # noqa: S101 - one of them is there
        return tuple(
            Use(part, self.old, self.new, command.service, role)
            for role in sorted(self.roles)
        )


@dataclass(frozen=True, slots=True)
class Inheritance:
    """A service that extends another in one version alone: it has its commands then."""

    old: Service
    new: Service
    base: Service
    is_added: bool
    uses: tuple[Use, ...]


@dataclass(slots=True)
class Commands:
    """``inheritances`` tell of the commands that only come or go with a base."""

    pairs: list[CommandPair]
    inheritances: list[Inheritance]
    roles: Roles


class Roles:
    """Who calls a service: the client, the server on the client, or both."""

    def __init__(self, schema: Schema) -> None:
        services = [
            one
            for module in schema.modules
            for one in module.declarations
            if isinstance(one, Service)
        ]
        self._called = {
            base
            for service in services
            for called in service.calls
            for base in called.lineage()
        }

    def of(self, service: Service) -> set[bool]:
        if service not in self._called:
            return {False}
        return {True, False} if service.all_calls() else {True}


def pair_commands(old: Schema, new: Schema, declared: Declarations) -> Commands:
    """The commands of all services that both versions have, each pair once."""
    old_roles, new_roles = Roles(old), Roles(new)
    found: dict[tuple[Command | None, Command | None], CommandPair] = {}
    lone: list[tuple[Service, Service, CommandPair]] = []
    for before, after in declared.pairs(Service):
        roles = old_roles.of(before) | new_roles.of(after)
        for pair in _match(before, after, declared):
            pair.roles |= roles
            if pair.old is None or pair.new is None:
                lone.append((before, after, pair))
            else:
                known = found.setdefault((pair.old, pair.new), pair)
                known.roles |= roles
    matched = {command for pair in found for command in pair}
    inherited: dict[tuple[Service, Service, Service, bool], list[Use]] = {}
    for before, after, pair in lone:
        command = pair.new or pair.old
        assert command is not None  # noqa: S101 - one of them is there
        own = command.service in (before, after)
        if command in matched and not own:
            key = before, after, command.service, pair.old is None
            inherited.setdefault(key, []).extend(pair.of(Part.COMMAND))
        else:
            known = found.setdefault((pair.old, pair.new), pair)
            known.roles |= pair.roles
    return Commands(
        list(found.values()),
        [Inheritance(*key, tuple(uses)) for key, uses in inherited.items()],
        new_roles,
    )


def _match(
    before: Service, after: Service, declared: Declarations
) -> Iterator[CommandPair]:
    old, new = before.all_commands(), after.all_commands()
    by_wire = {one.wire: one for one in new}
    pairs = {by_wire[one.wire]: one for one in old if one.wire in by_wire}
    kept = {one.wire for one in pairs}
    gone: list[Command] = []
    for command in old:
        if command.wire in kept:
            continue
        free = [one for one in new if one not in pairs]
        heir = _heir(command, free, old, new, declared)
        if heir is None:
            gone.append(command)
        else:
            pairs[heir] = command
    for command in new:
        yield CommandPair(pairs.get(command), command)
    for command in gone:
        yield CommandPair(command, None)


def _heir(
    command: Command,
    free: Sequence[Command],
    old: Sequence[Command],
    new: Sequence[Command],
    declared: Declarations,
) -> Command | None:
    """What it has become: its name is the same, or what it takes and gives is."""
    by_name = [one for one in free if one.name == command.name]
    if by_name:
        return by_name[0]
    place = _place(command, old, new)
    alike = [one for one in free if _is_alike(command, one, declared)]
    return next((one for one in alike if _place(one, new, old) == place), None)


def _place(
    command: Command, among: Sequence[Command], others: Sequence[Command]
) -> int:
    """How many before it both versions have."""
    wires = {one.wire for one in others}
    at = among.index(command)
    return sum(one.wire in wires for one in among[:at])


def _is_alike(old: Command, new: Command, declared: Declarations) -> bool:
    had = old.result.fields if old.result is not None else ()
    has = new.result.fields if new.result is not None else ()
    return (
        old.oneway is new.oneway
        and _are_alike(old.arguments, new.arguments, declared)
        and _are_alike(had, has, declared)
    )


def _are_alike(
    old: Sequence[Field], new: Sequence[Field], declared: Declarations
) -> bool:
    return len(old) == len(new) and all(
        one.key == other.key
        and one.stream is other.stream
        and declared.is_same(one.type, other.type)
        for one, other in zip(old, new, strict=True)
    )


def uses_of(
    service: Service,
    commands: Iterable[Command],
    roles: Iterable[bool],
    *,
    is_old: bool,
) -> tuple[Use, ...]:
    """Of commands which one version alone has, or calls on ``service``."""
    return tuple(
        Use(
            Part.COMMAND,
            command if is_old else None,
            None if is_old else command,
            service,
            role,
        )
        for command in commands
        for role in sorted(roles)
    )
