"""The vectors, read: every case of the JSON files as a value for a test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Reader: TypeAlias = "Callable[[Any], Any]"
HERE = Path(__file__).parent
SCHEMA = HERE / "vectors.amp"


def load(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((HERE / name).read_bytes())["cases"]
    return cases


def unpack(pieces: list[Any]) -> bytes:
    """The bytes that `notation.pack` wrote."""
    return b"".join(
        bytes.fromhex(piece)
        if isinstance(piece, str)
        else bytes.fromhex(piece[0]) * piece[1]
        for piece in pieces
    )


def text(noted: Any) -> str:
    return noted if isinstance(noted, str) else noted["of"] * noted["times"]


def list_of(read: Reader) -> Reader:
    return lambda noted: [read(item) for item in noted]


def map_of(read_key: Reader, read_value: Reader) -> Reader:
    return lambda noted: {
        read_key(box["key"]): read_value(box["value"]) for box in noted
    }


@dataclass(frozen=True, slots=True)
class Record:
    """A box as a dataclass; keys that the box does not have are ``None``."""

    cls: Callable[..., Any]
    fields: dict[str, Reader]

    def __call__(self, noted: dict[str, Any]) -> Any:
        return self.cls(**{key: self.fields[key](noted[key]) for key in noted})


def alone(read: Reader) -> Reader:
    """A struct or a union that is not in a list: to Twisted, a list of one."""
    return lambda noted: read(noted[0])


EXACT: dict[str, Reader] = {
    "bool": bool,
    "int": int,
    "float": float,
    "str": text,
    "bytes": unpack,
    "Decimal": Decimal,
    "datetime": datetime.fromisoformat,
}


def exact(noted: dict[str, Any]) -> Any:
    """A value that was noted with its own type, for it does not have the schema's."""
    if noted["a"] == "list":
        return [exact(item) for item in noted["is"]]
    return EXACT[noted["a"]](noted["is"])


def readers(compiled: Any) -> dict[str, Reader]:
    """For every command of ``vectors.amp``: its value, from the notation."""
    item = Record(compiled.Item, {"id": int, "name": text, "note": text})
    order = Record(compiled.Order, {"number": int, "items": list_of(item)})
    capitals = Record(
        compiled.Capitals, {"zebra": int, "Zoo": int, "ant": text, "Ant": text}
    )
    member: dict[str, Reader] = {
        "text": lambda noted: compiled.ChoiceText(text(noted)),
        "number": lambda noted: compiled.ChoiceNumber(int(noted)),
        "item": lambda noted: compiled.ChoiceItem(item(noted[0])),
    }

    def choice(noted: dict[str, Any]) -> Any:
        [(key, value)] = noted.items()
        return member[key](value)

    scalars: dict[str, Reader] = {
        "Bool": bool,
        "Int": int,
        "Float": float,
        "Str": text,
        "Bytes": unpack,
        "Decimal": Decimal,
        "Datetime": datetime.fromisoformat,
        "Path": Path,
        "Level": compiled.Level,
    }
    lists = {f"{name}s": list_of(read) for name, read in scalars.items()}
    lists["Blobs"] = lists.pop("Bytess")
    composite: dict[str, Reader] = {
        "Grid": list_of(list_of(int)),
        "Cube": list_of(list_of(list_of(text))),
        "Item": alone(item),
        "Items": list_of(item),
        "Orders": list_of(order),
        "Capitals": list_of(capitals),
        "Choice": alone(choice),
        "Prices": map_of(text, float),
        "Index": map_of(int, list_of(text)),
    }
    return {f"Echo{name}": read for name, read in (scalars | lists | composite).items()}
