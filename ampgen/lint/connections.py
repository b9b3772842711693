"""What calls that share a connection do to one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.diagnostics import Label, Rule, Severity
from ampgen.lint.finding import Finding, Lint
from ampgen.model import Error, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.model import Command, Module, Schema


def _fatal_errors(schema: Schema) -> Iterator[Finding]:
    for module in schema.modules:
        for declaration in module.declarations:
            if isinstance(declaration, Error) and declaration.fatal:
                yield Finding(
                    f"error `{declaration.name}` is fatal",
                    declaration.span,
                    "it ends the connection, for all calls that share it",
                    help="leave `fatal` out, unless the connection is of no more use",
                )


FATAL = Lint(
    Rule(
        "AMP0810",
        "fatal error",
        """\
After a fatal error the connection closes. Calls share connections, so an error that
concerns one call makes others fail, or wait for a new connection.

    fatal error NoSuchFile;

An error that is not fatal does for all but a peer with which one cannot go on:

    error NoSuchFile;
    fatal error WrongKey;           // the peer is not who it says it is
""",
        Severity.NOTE,
    ),
    _fatal_errors,
)


def _same_commands(schema: Schema) -> Iterator[Finding]:
    meeting = _Meeting(schema)
    by_wire: dict[str, list[Service]] = {}
    for service in meeting.services:
        table = meeting.tables[id(service)]
        others = {id(other): other for wire in table for other in by_wire.get(wire, ())}
        for other in others.values():
            if meeting.possible(service, other) and not meeting.follows(service, other):
                first, second = other, service
                if service.module not in schema.roots:
                    first, second = service, other
                yield _same(first, second, meeting)
                break  # one report for each service
        for wire in table:
            by_wire.setdefault(wire, []).append(service)


def _same(other: Service, service: Service, meeting: _Meeting) -> Finding:
    """It is reported at the latter."""
    table, known = meeting.tables[id(service)], meeting.tables[id(other)]
    shared = [wire for wire in table if wire in known]
    here, there = table[shared[0]], known[shared[0]]
    at = here.span if here.service is service else service.span
    listed = ", ".join(f"`{wire}`" for wire in shared)
    mend = (
        "serve one service that extends both"
        if here is there
        else 'pin another wire name with `@wire("…")`'
    )
    return Finding(
        f"`{other.name}` and `{service.name}` both answer {listed}",
        at,
        "one end of a connection can have only one of the two",
        (Label(there.span if there.service is other else other.span, "the other one"),),
        help=f"{mend}, or never serve the two together",
        inside=service.span,
    )


class _Meeting:
    """Which services could be served together, by one end of a connection."""

    def __init__(self, schema: Schema) -> None:
        self.services = [
            declaration
            for module in schema.modules
            for declaration in module.declarations
            if isinstance(declaration, Service)
        ]
        self.tables: dict[int, dict[str, Command]] = {
            id(service): {command.wire: command for command in service.all_commands()}
            for service in self.services
        }
        self._called = {
            id(called) for service in self.services for called in service.calls
        }
        self._lineages = {
            id(service): {id(base) for base in service.lineage()}
            for service in self.services
        }
        # For each module those from which it is reached, itself among them.
        self._reached_from: dict[int, set[int]] = {}
        reached: dict[int, dict[int, Module]] = {}
        for module in schema.modules:  # what is imported comes first
            reached[id(module)] = {id(module): module}
            for imported in module.imports:
                reached[id(module)] |= reached[id(imported)]
            for one in reached[id(module)]:
                self._reached_from.setdefault(one, set()).add(id(module))

    def possible(self, one: Service, other: Service) -> bool:
        return not (
            id(one) in self._lineages[id(other)]  # then the latter alone is served
            or id(other) in self._lineages[id(one)]
            or self._ends(one).isdisjoint(self._ends(other))
            or self._reached_from[id(one.module)].isdisjoint(
                self._reached_from[id(other.module)]
            )
        )

    def follows(self, one: Service, other: Service) -> bool:
        """Do bases of theirs meet already? Then that is reported."""
        return any(
            self.possible(base, ground)
            and not self.tables[id(base)].keys().isdisjoint(self.tables[id(ground)])
            for base in one.lineage()
            for ground in other.lineage()
            if base is not one or ground is not other
        )

    def _ends(self, service: Service) -> set[str]:
        """Who answers a service: one that is called, and calls none, the client."""
        if id(service) not in self._called:
            return {"server"}
        return {"client", "server"} if service.calls else {"client"}


SAME_COMMAND = Lint(
    Rule(
        "AMP0811",
        "services that answer one wire name",
        """\
One end of a connection answers a command by its wire name. Two services with a command
of one name cannot be served together: that is refused when the server starts, or when
the client connects.

    service Text { command Stop(); }
    service Clock { command Stop(); }

Pin another wire name, if no programs use it yet; or let them extend one service, and
serve one that extends both:

    service Text { @wire("Text.Stop") command Stop(); }

Reported are services that could meet: neither extends the other, both are answered by
the same end (a service that another one `calls` by the client, all others by the
server), and they stand in one file, or in two that are reached from one by imports.
A service is reported once, with the first one that it cannot meet.
""",
        Severity.WARNING,
    ),
    _same_commands,
)
