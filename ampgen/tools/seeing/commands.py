"""The commands of a schema by what they are called on the wire."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ampgen.model import Error, Service, Struct, Union
from ampgen.runtime.streams import ARGUMENTS, RESULTS
from ampgen.tools.seeing.fieldvalues import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ampgen.model import Command, Field, Schema


class Commands:
    """All commands of all services, those of the schemas that were named first.

    ``secret``: the keys under which anything sensitive may stand, in any box.
    """

    def __init__(self, schema: Schema | None) -> None:
        self._named: dict[bytes, list[Command]] = {}
        self.secret: set[bytes] = set()
        modules = () if schema is None else (*schema.roots, *schema.modules)
        for module in dict.fromkeys(modules):
            for one in module.declarations:
                if isinstance(one, Service):
                    for command in one.commands:
                        self._add(command)
                elif isinstance(one, (Struct, Error)):
                    self._look_for_secrets(one.fields)
                elif isinstance(one, Union):
                    self._look_for_secrets(one.members)
        for wire, several in self._named.items():
            if len(several) > 1:
                self._named[wire] = _wary(several)

    def _add(self, command: Command) -> None:
        self._named.setdefault(command.wire.encode(), []).append(command)
        self._look_for_secrets(arguments(command))
        self._look_for_secrets(() if command.result is None else command.result.fields)
        self._look_for_secrets(items(command, ARGUMENTS.item))

    def _look_for_secrets(self, fields: Sequence[Field]) -> None:
        self.secret.update(one.key.encode() for one in fields if is_secret(one))

    def __bool__(self) -> bool:
        return bool(self._named)

    def named(self, wire: bytes) -> Sequence[Command]:
        """Those of one name: several services may have it."""
        return self._named.get(wire, ())

    def streaming(self, wire: bytes, suffix: bytes) -> list[Command]:
        """Those of them that have the stream which a box of this suffix belongs to."""
        results = suffix in (RESULTS.item, RESULTS.credit, RESULTS.stop)
        return [
            command
            for command in self.named(wire)
            if (streams_results(command) if results else stream_argument(command))
        ]


def _wary(several: Sequence[Command]) -> list[Command]:
    """Which is meant will be a guess: what may be a secret in one is so in all."""
    by_key: dict[str, list[Field]] = {}
    for command in several:
        for one in _all_fields(command):
            by_key.setdefault(_key(one), []).append(one)
    doubtful = {
        key
        for key, fields in by_key.items()
        if len({(one.sensitive, one.type) for one in fields}) > 1
        and any(map(is_secret, fields))
    }

    def hide(fields: Sequence[Field]) -> tuple[Field, ...]:
        return tuple(
            replace(one, sensitive=True) if _key(one) in doubtful else one
            for one in fields
        )

    return [
        replace(
            command,
            arguments=hide(command.arguments),
            result=command.result
            and replace(command.result, fields=hide(command.result.fields)),
            errors=tuple(
                replace(error, fields=hide(error.fields)) for error in command.errors
            ),
        )
        for command in several
    ]


def _all_fields(command: Command) -> Iterator[Field]:
    yield from command.arguments
    yield from () if command.result is None else command.result.fields
    for error in command.errors:
        yield from error.fields


def _key(field: Field) -> str:
    return "item" if field.stream else field.key


def arguments(command: Command) -> tuple[Field, ...]:
    """Those that are in the request."""
    return tuple(field for field in command.arguments if not field.stream)


def stream_argument(command: Command) -> Field | None:
    return next((field for field in command.arguments if field.stream), None)


def streams_results(command: Command) -> bool:
    return command.result is not None and command.result.stream


def results(command: Command) -> tuple[Field, ...]:
    """Those that are in the answer; of a stream they are in its items."""
    if command.result is None or command.result.stream:
        return ()
    return command.result.fields


def items(command: Command, suffix: bytes) -> tuple[Field, ...]:
    """The fields of a box of a stream: of an item, or none."""
    if suffix == RESULTS.item and command.result is not None:
        return command.result.fields
    argument = stream_argument(command)
    if suffix == ARGUMENTS.item and argument is not None:
        key = _key(argument)  # its name is not sent
        return (replace(argument, name=key, key=key),)
    return ()
