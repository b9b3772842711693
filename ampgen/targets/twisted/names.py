"""The names that a schema gets in Twisted, where Twisted or a class there decides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ampgen.targets.python.names import legal, snake_case

if TYPE_CHECKING:
    from ampgen.model import Command, Service

# `PYTHON_KEYWORDS` of twisted.protocols.amp: of Python 2, and it keeps them.
_KEYWORDS = frozenset(
    (
        *("and", "assert", "break", "class", "continue", "def", "del", "elif", "else"),
        *("except", "exec", "finally", "for", "from", "global", "if", "import", "in"),
        *("is", "lambda", "not", "or", "pass", "print", "raise", "return", "try"),
        *("while", "yield"),
    )
)

# Parameters of what passes arguments on: callRemote(self, commandType), a responder's
# self, and maybeDeferred(f), which calls it.
UNPASSABLE = frozenset(("self", "commandType", "f"))

# What an AMP, which a responder class may be mixed with, has in small letters.
METHODS = frozenset(
    """
    connected factory locator paused proto_init proto_key proto_value recvd state
    transport
    """.split()  # noqa: SIM905
)

_PLAIN = re.compile(r"_?[a-zA-Z][a-zA-Z0-9_]*")  # `__x` would get a prefix


def key(wire: str) -> str:
    """What Twisted calls the key ``wire`` in a dictionary."""
    plain = wire.replace("-", "_")
    return plain.title() if plain in _KEYWORDS else plain


def is_plain(name: str) -> bool:
    """May it name a parameter, or an attribute of a class?"""
    return bool(_PLAIN.fullmatch(name)) and legal(name) == name


def namespace(service: Service) -> str:
    """The class whose attributes are the service's commands."""
    return legal(service.name)


def command_class(command: Command) -> str:
    return legal(command.name)


def responder(command: Command) -> str:
    """The method to override."""
    return legal(snake_case(command.name), METHODS)
