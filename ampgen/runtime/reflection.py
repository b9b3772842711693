"""Reflection: a server tells the schemas of what it serves, if it is allowed to.

The two-way command ``_schema`` takes nothing and answers two lists of boxes (AmpList):
``schemas``, of ``path`` and ``source``, each schema once and with all that it imports;
``services``, of ``name`` and ``path``, the services that are served and where each is
declared. Every value may be `large`, those in the boxes of the lists as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ampgen.runtime.command import Command, Handler, no_results_written
from ampgen.runtime.composites import decode_boxes
from ampgen.runtime.errors import Fault, fault_at, missing
from ampgen.runtime.large import LargeBox, get_large
from ampgen.runtime.values import decode_str
from ampgen.runtime.wire import read_box, read_rest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class SchemaSource:
    """One schema file, as the module that was generated from it carries it.

    ``text`` is its canonical form, without comments other than docs; it names its
    ``imports`` relative to its own ``path``.
    """

    path: str
    text: str
    imports: tuple[SchemaSource, ...] = ()


class Schemas(dict[str, str]):
    """What a server tells of itself: the text of each schema by its path.

    Written to files, they compile. ``services``: of each service that is served, its
    name and the path of the schema that declares it.
    """

    def __init__(
        self,
        sources: Iterable[tuple[str, str]] = (),
        services: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(sources)
        self.services = list(services)


# --- the server -----------------------------------------------------------------------


def schema_handler(services: Iterable[object]) -> Handler:
    """What answers ``_schema`` where these services are served."""
    schemas = Schemas()
    for service in services:
        for cls in type(service).__mro__:
            declared: tuple[str, SchemaSource] | None = vars(cls).get(
                "__ampgen_service__"
            )
            if declared is not None:
                name, source = declared
                served = name, _place(source, schemas) + source.path
                if served not in schemas.services:
                    schemas.services.append(served)
    return Handler(SCHEMA, lambda: schemas, 0)


def _place(source: SchemaSource, schemas: Schemas) -> str:
    """Add a schema and its imports; the folder that they are in is returned.

    Two packages may have been generated from different files of one path: those of the
    second one go into a folder of their own.
    """
    files: dict[str, str] = {}
    _collect(source, files)
    folder = ""
    number = 1
    while any(schemas.get(folder + path, text) != text for path, text in files.items()):
        number += 1
        folder = f"other{number}/"
    schemas.update((folder + path, text) for path, text in files.items())
    return folder


def _collect(source: SchemaSource, files: dict[str, str]) -> None:
    if source.path not in files:
        files[source.path] = source.text
        for imported in source.imports:
            _collect(imported, files)


# --- on the wire ----------------------------------------------------------------------


def _read_arguments(data: bytes, at: int, _depth: int) -> tuple[tuple[()], int]:
    _box, end = read_rest(data, at)
    return (), end


def _write_answer(head: bytes, schemas: Schemas, _depth: int) -> bytes:
    box = LargeBox()
    box.put_large(b"schemas", _write_pairs(schemas.items(), b"path", b"source"))
    box.put_large(b"services", _write_pairs(schemas.services, b"name", b"path"))
    return box.write(head)


def _read_answer(data: bytes, at: int, depth: int) -> tuple[Schemas, int]:
    box, end = read_rest(data, at)
    schemas = _read_pairs(box, b"schemas", (b"path", b"source"), depth)
    services = _read_pairs(box, b"services", (b"name", b"path"), depth)
    return Schemas(schemas, services), end


def _write_pairs(
    pairs: Iterable[tuple[str, str]], first: bytes, second: bytes
) -> bytes:
    written: list[bytes] = []
    for one, other in pairs:
        box = LargeBox()
        box.put_large(first, one.encode())
        box.put_large(second, other.encode())
        written.append(box.write(b""))
    return b"".join(written)


def _read_pairs(
    box: Mapping[bytes, bytes], key: bytes, keys: tuple[bytes, bytes], depth: int
) -> list[tuple[str, str]]:
    def read(data: bytes, at: int, _depth: int) -> tuple[tuple[str, str], int]:
        pair, end = read_box(data, at)
        first, second = (_text(pair, key) for key in keys)
        return (first, second), end

    raw = _required(box, key)
    try:
        return decode_boxes(raw, read, depth)
    except Fault as fault:
        raise fault_at(key.decode(), fault) from None


def _text(box: Mapping[bytes, bytes], key: bytes) -> str:
    raw = _required(box, key)
    try:
        return decode_str(raw)
    except Fault as fault:
        raise fault_at(key.decode(), fault) from None


def _required(box: Mapping[bytes, bytes], key: bytes) -> bytes:
    value = get_large(box, key)
    if value is None:
        raise fault_at(key.decode(), missing())
    return value


SCHEMA = Command[tuple[()], Schemas](
    service="",
    name="_schema",
    wire=b"_schema",
    write_request=lambda head, _arguments, depth: no_results_written(head, None, depth),
    read_arguments=_read_arguments,
    write_answer=_write_answer,
    read_answer=_read_answer,
    idempotent=True,
    large_results=(b"schemas", b"services"),
)
