"""Services: which there are, what they extend, and whom they call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.compat.commands import Roles, uses_of
from ampgen.compat.finding import Comparison, Found
from ampgen.compat.outcomes import SAFE, Kind, Outcome
from ampgen.compat.verdicts import Source
from ampgen.diagnostics import Label, Rule
from ampgen.model import Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.compat.versions import Versions

_S, _B = Source.SAFE, Source.BREAKS
_UNKNOWN = Outcome(Kind.UNKNOWN)


def _added(versions: Versions) -> Iterator[Found]:
    for service in versions.declarations.come:
        if isinstance(service, Service):
            roles = Roles(versions.new).of(service)
            yield Found(
                f"service `{service.name}` is new",
                Label(service.span, "new"),
                None,
                uses_of(service, roles, is_old=False),
                SAFE,
                _UNKNOWN,
                help="roll out what answers it before anything calls it",
            )


def _removed(versions: Versions) -> Iterator[Found]:
    for service in versions.declarations.gone:
        if isinstance(service, Service):
            roles = Roles(versions.old).of(service)
            yield Found(
                f"service `{service.name}` is gone",
                Label(versions.place_of(service), f"`{service.name}` is gone"),
                Label(service.span, "was here"),
                uses_of(service, roles, is_old=True),
                _UNKNOWN,
                SAFE,
                (_B, _B),
            )


ADDED = Comparison(
    Rule(
        "AMP1051",
        "service added",
        """\
A server of the old version does not know its commands: calls fail with UNHANDLED, and a
oneway command makes a Twisted server close the connection. Roll the server out before
any client calls it. A service that the server calls on the client is the other way
round.
""",
    ),
    _added,
)

REMOVED = Comparison(
    Rule(
        "AMP1052",
        "service removed",
        """\
Calls of old clients fail with UNHANDLED, and a oneway command makes a Twisted server
close the connection. Mark its commands `@deprecated`, see that nobody calls them any
more, then remove it.

A service counts as renamed, not as removed, if another one has come that answers to
most of its commands.
""",
    ),
    _removed,
)


def _extends(versions: Versions) -> Iterator[Found]:
    for one in versions.commands.inheritances:
        how = "extends" if one.is_added else "no longer extends"
        source = (_S, _B) if one.is_added else (_B, _B)
        yield Found(
            f"service `{one.new.name}` {how} `{one.base.name}`",
            Label(one.new.span, f"{how} `{one.base.name}`"),
            Label(one.old.span, "did not" if one.is_added else "did"),
            one.uses,
            SAFE if one.is_added else _UNKNOWN,
            _UNKNOWN if one.is_added else SAFE,
            source,
        )


EXTENDS = Comparison(
    Rule(
        "AMP1053",
        "base of a service added or removed",
        """\
With a base come its commands, and with it they go: a server of the version that does
not extend it answers them with UNHANDLED, unless it serves the base besides.

    service Admin extends Text { … }                     // before
    service Admin { … }                                  // after
""",
    ),
    _extends,
)


def _calls(versions: Versions) -> Iterator[Found]:
    declared = versions.declarations
    for old, new in declared.pairs(Service):
        before = {declared.new_of.get(one): one for one in old.calls}
        for called in new.calls:
            if called in declared.old_of and called not in before:
                yield Found(
                    f"service `{new.name}` calls `{called.name}` now",
                    Label(new.span, f"calls `{called.name}`"),
                    Label(old.span, "did not call it"),
                    uses_of(called, (True,), is_old=False),
                    SAFE,
                    _UNKNOWN,
                )
        for heir, called in before.items():
            if heir is not None and heir not in new.calls:
                yield Found(
                    f"service `{new.name}` no longer calls `{called.name}`",
                    Label(new.span, f"does not call `{called.name}`"),
                    Label(old.span, "did call it"),
                    uses_of(called, (True,), is_old=True),
                    _UNKNOWN,
                    SAFE,
                    (_B, _B),
                )


CALLS = Comparison(
    Rule(
        "AMP1054",
        "service that is called back added or removed",
        """\
What a server calls on its clients, these must answer. A client of the version that does
not know of it answers with UNHANDLED; at a Twisted client a oneway command ends the
connection.

    service Text { … }                                   // before
    service Text calls TextEvents { … }                  // after

Roll the clients out before the server calls it; and when it is to go, the server first.
""",
    ),
    _calls,
)
