"""Which declaration of the new version is which of the old one.

One that has its name and its file is the same. Else it has moved, if there is one such
name elsewhere; a service has been renamed if it answers to the wire names of another,
an error if it has the code of another; a type, if it stands where another has stood.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ampgen.compat.fields import common
from ampgen.model import Enum, Error, ListType, MapType, Service, Struct, Union

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ampgen.model import Declaration, Field, Module, Schema, Type

D = TypeVar("D", bound="Declaration")

Typed: TypeAlias = "Enum | Struct | Union"


class Declarations:
    """The pairs. ``gone`` and ``come`` are those without."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self.modules = _modules(old, new)
        self.new_of: dict[Declaration, Declaration] = {}
        self.old_of: dict[Declaration, Declaration] = {}
        self._old = [one for module in old.modules for one in module.declarations]
        self._new = [one for module in new.modules for one in module.declarations]
        self._match_by_place()
        self._match_moved()
        self._match_errors()
        self._match_services()
        self._match_types()

    @property
    def gone(self) -> list[Declaration]:
        return [one for one in self._old if one not in self.new_of]

    @property
    def come(self) -> list[Declaration]:
        return [one for one in self._new if one not in self.old_of]

    def pairs(self, kind: type[D]) -> Iterator[tuple[D, D]]:
        """In the order of the new version."""
        for new in self._new:
            old = self.old_of.get(new)
            if isinstance(new, kind) and isinstance(old, kind):
                yield old, new

    def identities(self) -> frozenset[tuple[int, int]]:
        """In both directions, as values travel in both."""
        pairs = {(id(old), id(new)) for old, new in self.new_of.items()}
        return frozenset(pairs | {(new, old) for old, new in pairs})

    def is_same(self, old: Type, new: Type) -> bool:
        """Is it one type, whatever it is called?"""
        match old, new:
            case ListType(one), ListType(other):
                return self.is_same(one, other)
            case MapType(), MapType():
                return self.is_same(old.key, new.key) and self.is_same(
                    old.value, new.value
                )
            case ((Enum() | Struct() | Union()), (Enum() | Struct() | Union())):
                return self.new_of.get(old) is new
            case _:
                return old == new

    def _match(self, old: Declaration, new: Declaration) -> None:
        self.new_of[old] = new
        self.old_of[new] = old

    def _match_by_place(self) -> None:
        for old_module, new_module in self.modules:
            by_name = {one.name: one for one in new_module.declarations}
            for old in old_module.declarations:
                new = by_name.get(old.name)
                if new is not None and type(new) is type(old):
                    self._match(old, new)

    def _match_moved(self) -> None:
        for old in self.gone:
            found = [
                new
                for new in self.come
                if new.name == old.name and type(new) is type(old)
            ]
            if len(found) == 1:
                self._match(old, found[0])

    def _match_errors(self) -> None:
        for old in self.gone:
            found = [
                new
                for new in self.come
                if isinstance(old, Error)
                and isinstance(new, Error)
                and old.code == new.code
            ]
            if len(found) == 1:
                self._match(old, found[0])

    def _match_services(self) -> None:
        """Most of its commands have to be there."""
        for old in self.gone:
            if not isinstance(old, Service):
                continue
            wires = {one.wire for one in old.commands}
            for new in self.come:
                if isinstance(new, Service):
                    kept = wires & {one.wire for one in new.commands}
                    if 2 * len(kept) > max(len(wires), len(new.commands)):
                        self._match(old, new)
                        break

    # --- types, by their use ----------------------------------------------------------

    def _match_types(self) -> None:
        waiting: list[tuple[Type, Type]] = []
        for old, new in self.pairs(Service):
            by_wire = {one.wire: one for one in new.all_commands()}
            for command in old.all_commands():
                other = by_wire.get(command.wire)
                if other is None:
                    continue
                waiting += _types(command.arguments, other.arguments)
                if command.result is not None and other.result is not None:
                    waiting += _types(command.result.fields, other.result.fields)
        for error, heir in self.pairs(Error):
            waiting += _types(error.fields, heir.fields)
        seen: set[tuple[int, int]] = set()
        while waiting:
            self._meet(*waiting.pop(0), waiting, seen)

    def _meet(
        self,
        old: Type,
        new: Type,
        waiting: list[tuple[Type, Type]],
        seen: set[tuple[int, int]],
    ) -> None:
        match old, new:
            case ListType(), ListType():
                waiting.append((old.item, new.item))
            case ListType(), (Struct() | Union()):
                waiting.append((old.item, new))
            case ((Struct() | Union()), ListType()):
                waiting.append((old, new.item))
            case MapType(), MapType():
                waiting += ((old.key, new.key), (old.value, new.value))
            case ((Enum() | Struct() | Union()), (Enum() | Struct() | Union())):
                if type(old) is not type(new) or (id(old), id(new)) in seen:
                    return
                seen.add((id(old), id(new)))
                if old not in self.new_of and new not in self.old_of:
                    self._match(old, new)
                if self.new_of.get(old) is new:
                    waiting += _types(_fields(old), _fields(new))
            case _:
                pass


def _modules(old: Schema, new: Schema) -> list[tuple[Module, Module]]:
    """By their paths; and if one file is compared with one, those two."""
    by_path = {module.path: module for module in new.modules}
    pairs: list[tuple[Module, Module]] = []
    if len(old.roots) == len(new.roots) == 1:
        pairs.append((old.roots[0], new.roots[0]))
    taken = {id(module) for pair in pairs for module in pair}
    for module in old.modules:
        other = by_path.get(module.path)
        if other is not None and not {id(module), id(other)} & taken:
            pairs.append((module, other))
    return pairs


def _types(old: Sequence[Field], new: Sequence[Field]) -> Iterable[tuple[Type, Type]]:
    return [(one.type, other.type) for one, other in common(old, new)]


def _fields(type_: Typed) -> Sequence[Field]:
    match type_:
        case Struct():
            return type_.fields
        case Union():
            return type_.members
        case Enum():
            return ()
