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
    from collections.abc import Iterator, Mapping

    from ampgen.compat.versions import Versions
    from ampgen.model import Command, Declaration

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
                uses_of(service, service.all_commands(), roles, is_old=False),
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
                uses_of(service, service.all_commands(), roles, is_old=True),
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
    heirs = {one.old: one.new for one in versions.commands.pairs}
    forebears = {one.new: one.old for one in versions.commands.pairs}
    for old, new in declared.pairs(Service):
        for called, come in _called_alone(new, old, declared.old_of, forebears):
            yield Found(
                f"service `{new.name}` calls `{called.name}` now",
                Label(new.span, f"calls `{called.name}`"),
                Label(old.span, "did not call it"),
                uses_of(called, come, (True,), is_old=False),
                SAFE,
                _UNKNOWN,
            )
        for called, gone in _called_alone(old, new, declared.new_of, heirs):
            yield Found(
                f"service `{new.name}` no longer calls `{called.name}`",
                Label(new.span, f"does not call `{called.name}`"),
                Label(old.span, "did call it"),
                uses_of(called, gone, (True,), is_old=True),
                _UNKNOWN,
                SAFE,
                (_B, _B),
            )


def _called_alone(
    one: Service,
    other: Service,
    twin_of: Mapping[Declaration, Declaration],
    twins: Mapping[Command | None, Command | None],
) -> Iterator[tuple[Service, list[Command]]]:
    """Whom one version of a service calls and the other does not, and the commands that
    the other does not call on anybody else.

    ``twin_of`` and ``twins`` lead to the other version. What a base calls is told of
    the base, if both have it.
    """
    others = other.all_calls()
    known = {command for called in others for command in called.all_commands()}
    bases = set(other.lineage())
    told = {
        called
        for base in one.lineage()
        if base is not one and twin_of.get(base) in bases
        for called in base.calls
    }
    for called in one.all_calls():
        twin = twin_of.get(called)
        if twin is None or twin in others or called in told - set(one.calls):
            continue
        yield (
            called,
            [
                command
                for command in called.all_commands()
                if twins.get(command) not in known
            ],
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
