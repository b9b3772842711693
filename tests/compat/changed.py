"""Two versions of a schema from their texts, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.analysis import analyse
from ampgen.compat import compare
from ampgen.compat.verdicts import Peers
from ampgen.source import StandardInput

if TYPE_CHECKING:
    from ampgen.compat.changes import Change
    from ampgen.model import Schema


def schema(text: str) -> Schema:
    return schemas(text=text)


def schemas(**texts: str) -> Schema:
    """Of several files, by their names without the ending."""
    given = [StandardInput(f"{name}.amp", one.encode()) for name, one in texts.items()]
    found, diagnostics = analyse(given)
    assert found is not None
    assert not [one.message for one in diagnostics if one.is_error]
    return found


def changes(old: str, new: str, peers: Peers = Peers.TWISTED) -> tuple[Change, ...]:
    return compare(schema(old), schema(new), peers)


def told(old: str, new: str, peers: Peers = Peers.TWISTED) -> list[str]:
    """``AMP1007 K D B B: argument `times` of `Repeat` is new and required``."""
    return [
        f"{one.rule.code} {one.verdict.server_first.value} "
        f"{one.verdict.client_first.value} {one.verdict.caller.value} "
        f"{one.verdict.implementer.value}: {one.message}"
        for one in changes(old, new, peers)
    ]
