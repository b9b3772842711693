"""What ``vectors.amp`` declares, for Twisted, and how Twisted writes and reads it."""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
from __future__ import annotations

from typing import Any

from twisted.protocols import amp

ITEM = [
    (b"id", amp.Integer()),
    (b"name", amp.Unicode()),
    (b"note", amp.Unicode(optional=True)),
]
CHOICE = [
    (b"text", amp.Unicode(optional=True)),
    (b"number", amp.Integer(optional=True)),
    (b"item", amp.AmpList(ITEM, optional=True)),
]
CAPITALS = [
    (b"zebra", amp.Integer()),
    (b"Zoo", amp.Integer()),
    (b"ant", amp.Unicode()),
    (b"Ant", amp.Unicode()),
]


def mapping(key: amp.Argument, value: amp.Argument) -> amp.AmpList:
    return amp.AmpList([(b"key", key), (b"value", value)])


ARGUMENTS: dict[str, amp.Argument] = {
    "EchoBool": amp.Boolean(),
    "EchoInt": amp.Integer(),
    "EchoFloat": amp.Float(),
    "EchoStr": amp.Unicode(),
    "EchoBytes": amp.String(),
    "EchoDecimal": amp.Decimal(),
    "EchoDatetime": amp.DateTime(),
    "EchoPath": amp.Path(),
    "EchoLevel": amp.Unicode(),
    "EchoBools": amp.ListOf(amp.Boolean()),
    "EchoInts": amp.ListOf(amp.Integer()),
    "EchoFloats": amp.ListOf(amp.Float()),
    "EchoStrs": amp.ListOf(amp.Unicode()),
    "EchoBlobs": amp.ListOf(amp.String()),
    "EchoDecimals": amp.ListOf(amp.Decimal()),
    "EchoDatetimes": amp.ListOf(amp.DateTime()),
    "EchoPaths": amp.ListOf(amp.Path()),
    "EchoLevels": amp.ListOf(amp.Unicode()),
    "EchoGrid": amp.ListOf(amp.ListOf(amp.Integer())),
    "EchoCube": amp.ListOf(amp.ListOf(amp.ListOf(amp.Unicode()))),
    "EchoItem": amp.AmpList(ITEM),
    "EchoItems": amp.AmpList(ITEM),
    "EchoOrders": amp.AmpList(
        [(b"number", amp.Integer()), (b"items", amp.AmpList(ITEM))]
    ),
    "EchoCapitals": amp.AmpList(CAPITALS),
    "EchoChoice": amp.AmpList(CHOICE),
    "EchoPrices": mapping(amp.Unicode(), amp.Float()),
    "EchoIndex": mapping(amp.Integer(), amp.ListOf(amp.Unicode())),
}


def write(command: str, value: Any) -> bytes:
    """The value's bytes, as they stand in a box that Twisted would send."""
    box = amp.Box()
    ARGUMENTS[command].toBox(b"value", box, {"value": value}, None)
    box.serialize()  # where Twisted refuses what is too long
    return box[b"value"]


def read(command: str, data: bytes) -> Any:
    objects: dict[str, Any] = {}
    ARGUMENTS[command].fromBox(b"value", amp.Box({b"value": data}), objects, None)
    return objects["value"]
