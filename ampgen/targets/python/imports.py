"""All that a generated module may import, and which of it one module needs.

Each is imported under a name with a leading underscore, which no name of a schema has.
So a module's imports are read off its body: whatever name of this table its code uses.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ampgen.runtime.values import SCALARS
from ampgen.targets.python.layout import Group, statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STUBS = "ampgen.runtime.stubs"

# Module -> what is taken from it, beside what the table of scalars names.
_TAKEN: dict[str, str] = {
    "abc": "abstractmethod",
    "collections.abc": "AsyncIterable Awaitable Iterable Mapping Sequence",
    "dataclasses": "dataclass field",
    "enum": "StrEnum",
    "math": "inf nan",
    "typing": "ClassVar Self TypeAlias Unpack",
    STUBS: """
        DEFAULT FAULTS SIZE
        Address BlockingClient BlockingStream Client Command CommandError ConnectOptions
        Connecting DeclaredError Items LargeBox LocalOptions SchemaSource Server Stream
        Timeout
        closed_enum_decoder closed_enum_encoder current_call deprecated fault_at
        get_large get_whole maker missing no_results_read no_results_written
        open_enum_decoder open_enum_encoder read_box read_only_pair read_rest
        require_runtime too_deep unknown_member wrong_type
        decode_boxes decode_deep_list decode_deep_map decode_list decode_map decode_one
        decode_strs
        encode_boxes encode_deep_list encode_deep_map encode_list encode_map
        encode_strs
    """,
}
_MODULES = {"_builtins": "builtins"}
_DOTTED = re.compile(r"([\w.]+)\.(\w+)")


def _origins() -> Iterator[tuple[str, str]]:
    """Module and name of everything that may be imported."""
    for module, taken in _TAKEN.items():
        yield from ((module, name) for name in taken.split())
    for row in SCALARS.values():
        yield STUBS, row.encode.__name__
        yield STUBS, row.decode.__name__
        for module, name in _DOTTED.findall(f"{row.python} {row.accepts}"):
            yield (STUBS if module.startswith("ampgen.") else module), name


_ORIGIN = {f"_{name}": (module, name) for module, name in _origins()}

# Private names that a schema's own definitions must not take.
IMPORTABLE = frozenset(_ORIGIN) | frozenset(_MODULES)

# Generated code holds no other strings than these, so this finds its private names. An
# underscore inside a word begins none. Every alternative begins with a character, no
# class or look behind, so that all other text is skipped quickly; and so is a string,
# from escape to escape: there are megabytes.
_TOKEN = re.compile(
    r'"""[^"\\]*(?:(?:\\.|"(?!""))[^"\\]*)*"""'
    r'|"[^"\\\n]*(?:\\.[^"\\\n]*)*"'
    r"|'[^'\\\n]*(?:\\.[^'\\\n]*)*'"
    r"|#[^\n]*|_(?<!\w_)\w*",
    re.DOTALL,
)


def used(body: str, names: frozenset[str] = IMPORTABLE) -> frozenset[str]:
    """Which of the names, by default those of the table, code uses."""
    return names.intersection(_TOKEN.findall(body))


def standard_imports(names: Iterable[str]) -> list[str]:
    """The statements that bring in these names from the standard library."""
    names = set(names)
    modules = {_ORIGIN[name][0] for name in names if name in _ORIGIN} - {STUBS}
    return [
        *(
            f"import {module} as {name}"
            for name, module in _MODULES.items()
            if name in names
        ),
        *(_from(module, names) for module in sorted(modules)),
    ]


def stub_import(names: Iterable[str]) -> str:
    """The statement that brings in these names from the runtime."""
    return _from(STUBS, set(names))


def _of(module: str, names: set[str]) -> list[str]:
    return sorted(
        (name for name in names if _ORIGIN.get(name, ("",))[0] == module), key=_isort
    )


def _from(module: str, names: set[str]) -> str:
    items = tuple(f"{_ORIGIN[name][1]} as {name}" for name in _of(module, names))
    return statement(f"from {module} import ", Group("(", items, ")", bare=True))


def _isort(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    bare = name.removeprefix("_")
    return (0 if bare.isupper() else 1 if bare[0].isupper() else 2, bare)
