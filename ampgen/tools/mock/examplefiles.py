"""Files of examples, JSON or TOML, and what may be wrong in them.

A file has for each command a list of examples, of which the first one whose arguments
are those of the call is taken: ``docs/mock.md`` has the form. All of it is checked
against the schema, down to what would not fit into a box.
"""

from __future__ import annotations

import math
import tomllib
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ampgen.diagnostics.suggest import did_you_mean
from ampgen.model import ScalarType
from ampgen.runtime.errors import FAULTS, Fault, as_fault, fault_at
from ampgen.runtime.values import Scalar
from ampgen.runtime.wire import Limits, write_box
from ampgen.tools.jsonvalues import JsonValues, parse
from ampgen.tools.mock.examples import Example, Examples, Raised
from ampgen.tools.mock.standin import result_from_json, runtime_commands, with_bases

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence
    from pathlib import Path

    from ampgen.model import Command, Result, Service
    from ampgen.runtime.command import AnyCommand
    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.memory import Loaded

T = TypeVar("T")

_KEYS = ("arguments", "result", "items", "error")
_ERROR_KEYS = ("code", "name", "description", "fields")
_RAISED = ("INVALID_ARGUMENT", "OVERLOADED", "UNAVAILABLE", "UNAUTHENTICATED")
_DEPTH = Limits().depth


class ExamplesError(Exception):
    """The file cannot be read, or does not fit the schema: one text for each reason."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(tuple(reasons))
        self.reasons = tuple(reasons)


def read_examples(path: Path, loaded: Loaded, services: Iterable[Service]) -> Examples:
    """Read a file for these services; :class:`ExamplesError`."""
    try:
        data = _read(path)
        if not isinstance(data, dict):
            raise Fault("expected an object, of commands")
    except Fault as fault:
        raise ExamplesError([f"{path}: {fault}"]) from None
    reader = _Reader(loaded, with_bases(services))
    found = reader.read(data)
    if reader.reasons:
        raise ExamplesError([f"{path}: {reason}" for reason in reader.reasons])
    return Examples(found)


# --- the two forms of the file --------------------------------------------------------


def _read(path: Path) -> Json:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Fault(error.strerror or str(error)) from None
    if path.suffix != ".toml":
        try:
            return parse(raw)
        except Fault as fault:
            raise Fault(_by_lines(fault.rule, raw)) from None
    try:
        return _plain(tomllib.loads(raw.decode()))
    except UnicodeDecodeError as error:
        raise as_fault(error) from None
    except tomllib.TOMLDecodeError as error:
        raise Fault(f"not TOML: {error}") from None
    except RecursionError:
        raise Fault("nested too deep") from None


def _by_lines(rule: str, raw: bytes) -> str:
    """Python's reader counts characters; who mends the file has lines."""
    before, at, number = rule.rpartition(" at character ")
    if not at:
        return rule
    lines = raw.decode()[: int(number)].split("\n")
    return f"{before} (line {len(lines)}, column {len(lines[-1]) + 1})"


def _plain(value: Any) -> Json:
    """What TOML has beyond JSON, as JSON has it here."""
    match value:
        case dict():
            table = cast("dict[str, Any]", value)
            return {key: _plain(one) for key, one in table.items()}
        case list():
            return [_plain(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
        case date() | datetime() | time():
            return value.isoformat()
        case float() if not math.isfinite(value):
            return str(value)
        case _:
            return cast("Json", value)


# --- what it says ---------------------------------------------------------------------


class _Reader:
    """Makes examples of JSON, and gathers what is wrong in it."""

    def __init__(self, loaded: Loaded, services: Sequence[Service]) -> None:
        self.reasons: list[str] = []
        self._loaded = loaded
        self._values = JsonValues(loaded)
        self._made: dict[int, AnyCommand] = {}
        self._known: dict[str, Command] = {}
        by_name: dict[str, list[Command]] = {}
        for service in services:
            for command, made in runtime_commands(loaded, service):
                self._made[id(command)] = made
                by_name.setdefault(command.name, []).append(command)
            for command in service.all_commands():
                self._known.setdefault(f"{service.name}.{command.name}", command)
        for name, commands in by_name.items():
            if len(commands) == 1:
                self._known[name] = commands[0]

    def read(self, data: dict[str, Json]) -> dict[int, list[Example]]:
        found: dict[int, list[Example]] = {}
        for name, examples in data.items():
            try:
                command = _one_of("command", name, self._known)
                if not isinstance(examples, list):
                    raise Fault("expected an array of examples", name)
            except Fault as fault:
                self.reasons.append(str(fault))
                continue
            for number, one in enumerate(examples):
                try:
                    with _within(f"{name}[{number}]"):
                        example = self._example(command, one)
                        found.setdefault(id(command), []).append(example)
                except Fault as fault:
                    self.reasons.append(str(fault))
        return found

    def _example(self, command: Command, data: Json) -> Example:
        given = _object(data, _KEYS)
        self._check_keys(command, given)
        arguments: dict[str, Any] = {}
        error = None
        with _within("arguments"):
            arguments = self._arguments(command, given.get("arguments", {}))
        if "error" in given:
            with _within("error"):
                error = self._error(command, given["error"])
        if "result" in given:
            with _within("result"):
                self._check_result(command, given["result"])
        items: list[Json] = []
        if "items" in given:
            with _within("items"):
                items = self._items(command, given["items"])
        return Example(arguments, given.get("result"), tuple(items), error)

    def _check_keys(self, command: Command, given: Mapping[str, Json]) -> None:
        """Is there one thing that comes of the call, and can it come of this one?"""
        streams = command.result is not None and command.result.stream
        if streams and "result" in given:
            raise Fault(f"{command.name} answers a stream: give `items`, an array")
        if not streams and "items" in given:
            raise Fault(f"{command.name} answers no stream: give a `result`")
        if "result" in given and "error" in given:
            raise Fault("a call has a `result` or an `error`: give one of them")
        if command.oneway and "error" in given:
            raise Fault(f"{command.name} is oneway: nobody would hear of the error")
        what = "items" if streams else "result"
        if not {what, "error"} & set(given) and command.result is not None:
            raise Fault(f"nothing is said to come of it: give `{what}` or an `error`")

    def _arguments(self, command: Command, data: Json) -> dict[str, Any]:
        fields = {one.name: one for one in command.arguments}
        found: dict[str, Any] = {}
        for name, one in _object(data, fields).items():
            field = fields[name]
            if field.stream:
                raise Fault("a stream: examples are not chosen by its items", name)
            if field.type == ScalarType(Scalar.FD):
                raise Fault("a descriptor: examples are not chosen by it", name)
            with _within(name):
                absent = one is None and field.optional
                found[name] = (
                    None if absent else self._values.from_json(field.type, one)
                )
        return found

    def _check_result(self, command: Command, data: Json) -> None:
        if command.result is None:
            if data is not None:
                raise Fault(f"{command.name} answers nothing: leave it out")
            return
        made = result_from_json(self._loaded, self._values, command, data)
        runtime = self._made[id(command)]
        if not runtime.result_fds:
            with _unwrapped(command.result):
                runtime.write_answer(b"", made, _DEPTH)

    def _items(self, command: Command, data: Json) -> list[Json]:
        if not isinstance(data, list):
            raise Fault("expected an array")
        result, items = command.result, self._made[id(command)].items
        assert result is not None  # noqa: S101 (it is a stream)
        assert items is not None  # noqa: S101
        for number, one in enumerate(data):
            with _within(f"[{number}]"):
                made = result_from_json(self._loaded, self._values, command, one)
                with _unwrapped(result):
                    items.write(b"", made, _DEPTH)
        return data

    def _error(self, command: Command, data: Json) -> Raised:
        given: Mapping[str, Json] = {"code": data}
        if not isinstance(data, str):
            given = _object(data, _ERROR_KEYS)
        if ("code" in given) == ("name" in given):
            raise Fault("which error? Give its `code`, or its `name` in the schema")
        wanted = given["code"] if "code" in given else given["name"]
        description = given.get("description", "")
        if not isinstance(wanted, str) or not isinstance(description, str):
            raise Fault("`code`, `name` and `description` are strings")
        known: dict[str, int | None] = {}
        known |= {error.code: at for at, error in enumerate(command.errors)}
        for name in _RAISED:
            known.setdefault(name, None)
        for at, error in enumerate(command.errors):
            known.setdefault(error.name, at)
        number = _one_of(f"error of {command.name}", wanted, known)
        fields = given.get("fields", {})
        if number is None and fields:
            raise Fault(f"{wanted} has no fields", "fields")
        code = wanted if number is None else command.errors[number].code
        raised = Raised(code, description, number, fields)
        with _within("fields"):
            made: Any = raised.made(self._loaded, self._values, command)
            for declared in self._made[id(command)].errors:
                if isinstance(made, declared.error):
                    write_box(declared.encode(made, _DEPTH))
        return raised


def _object(data: Json, known: Iterable[str]) -> dict[str, Json]:
    if not isinstance(data, dict):
        raise Fault("expected an object")
    for key in data:
        _one_of("key", key, dict.fromkeys(known))
    return data


def _one_of(kind: str, name: str, known: Mapping[str, T]) -> T:
    if name in known:
        return known[name]
    near = did_you_mean(name, known)
    if near is not None:
        hint = f"did you mean `{near}`?"
    else:
        hint = f"there are {', '.join(known)}" if known else "there are none"
    raise Fault(f"no {kind} `{name}`; {hint}")


@contextmanager
def _within(key: str) -> Generator[None]:
    """Faults are of this key."""
    try:
        yield
    except FAULTS as fault:
        raise fault_at(key, fault) from None


@contextmanager
def _unwrapped(result: Result) -> Generator[None]:
    """What is bare has no key in the file, as it has one on the wire."""
    try:
        yield
    except Fault as fault:
        if not result.bare:
            raise
        key = result.fields[0].key
        raise Fault(fault.rule, fault.path.removeprefix(key).lstrip(".")) from None
