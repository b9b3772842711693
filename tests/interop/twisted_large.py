"""What ``large.amp`` declares, by hand for Twisted, as AMP programs have done it."""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
# ruff: noqa: N802, N815, RUF012 (its names, and its way to declare)
from __future__ import annotations

import io
from itertools import count
from typing import Any, cast

from twisted.protocols import amp

from tests.interop.twisted_commands import POINT, End

MOST = 0xFFFF


class Big(amp.Argument):
    """A value of any length, of the type of another argument."""

    def __init__(self, of: amp.Argument, optional: bool = False) -> None:
        super().__init__(optional=optional)
        self._of = of

    def toBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
        value = objects.get(_python_name(name))
        if value is None and self.optional:
            return
        rest = io.BytesIO(cast("bytes", self._of.toStringProto(value, proto)))
        strings[name] = rest.read(MOST)
        for number in count(2):
            piece = rest.read(MOST)
            if not piece:
                break
            strings[b"%b.%d" % (name, number)] = piece

    def fromBox(self, name: bytes, strings: Any, objects: Any, proto: Any) -> None:
        if name not in strings and self.optional:
            objects[_python_name(name)] = None
            return
        whole = strings[name]
        for number in count(2):
            piece = strings.get(b"%b.%d" % (name, number))
            if piece is None:
                break
            whole += piece
        objects[_python_name(name)] = self._of.fromStringProto(whole, proto)


def _python_name(name: bytes) -> str:
    return cast("str", amp._wireNameToPythonIdentifier(name))


VALUES = [
    (b"text", Big(amp.Unicode())),
    (b"size", amp.Integer(optional=True)),
    (b"raw", Big(amp.String(), optional=True)),
    (b"points", Big(amp.AmpList(POINT))),
    (b"Words", Big(amp.ListOf(amp.Unicode()))),
]


class Echo(amp.Command):
    arguments = VALUES
    response = VALUES


class Make(amp.Command):
    arguments = [(b"size", amp.Integer())]
    response = [(b"raw", Big(amp.String()))]


class Small(amp.Command):
    arguments = [(b"text", amp.Unicode())]
    response = [(b"text", amp.Unicode())]


class Large(amp.Command):
    """`Small`, as a program declares it that has given its argument more room."""

    commandName = b"Small"
    arguments = [(b"text", Big(amp.Unicode()))]
    response = [(b"text", amp.Unicode())]
    errors = {ValueError: b"INVALID_ARGUMENT"}


class Store(End):
    @Echo.responder
    def echo(self, **values: Any) -> Any:
        self.seen.append(values)
        return values

    @Make.responder
    def make(self, size: int) -> Any:
        return {"raw": b"x" * size}

    @Small.responder
    def small(self, text: str) -> Any:
        return {"text": text}
