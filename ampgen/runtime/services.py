"""Services: what answers the commands that a peer may call."""

# pyright: reportUnnecessaryIsInstance=false
# What programs pass is checked at run time too: not all of them are typed.

from __future__ import annotations

import inspect
from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from ampgen.runtime.command import AnyCommand, Handler
from ampgen.runtime.interception import checked, intercepted_handler
from ampgen.runtime.reflection import SCHEMA, SchemaSource, schema_handler
from ampgen.runtime.streamed import streamed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ampgen.runtime.interception import Interceptor


class Server(ABC):  # noqa: B024  # the generated classes have the abstract methods
    """The base of the generated server classes.

    ``__ampgen_commands__``: for each command that a class adds, the name of its method.
    ``__ampgen_service__``: the service's name in its schema, and that.
    """

    __ampgen_commands__: ClassVar[tuple[tuple[AnyCommand, str], ...]] = ()
    __ampgen_service__: ClassVar[tuple[str, SchemaSource] | None] = None


class InterceptedServer(Server):
    """A service behind interceptors: it is served in the place of ``service``."""

    def __init__(self, service: Server, interceptors: tuple[Interceptor, ...]) -> None:
        self.service = service
        self.interceptors = interceptors

    def __getattr__(self, name: str) -> Any:
        return getattr(self.service, name)


Service: TypeAlias = "Server | Callable[[Any], Server]"
"""A service, or what makes one for each connection, called with its ``Connection``."""


class Services:
    """What one end serves; what factories make is checked for each connection.

    ``interceptors`` are around all of it. ``reflect``: the peer may ask for the schemas
    of it.
    """

    def __init__(
        self,
        services: Iterable[Service],
        interceptors: Iterable[Interceptor] = (),
        *,
        reflect: bool = False,
    ) -> None:
        self.interceptors = checked(interceptors)
        objects: list[Server] = []
        self._factories: list[Callable[[Any], Server]] = []
        for service in services:
            if isinstance(service, Server):
                objects.append(service)
            elif callable(service):
                self._factories.append(service)
            else:
                raise TypeError(
                    "a service is an object of a generated server class, or a callable"
                    f" that makes one, not a {type(service).__qualname__}"
                )
        self._handlers = handlers_of(objects, interceptors=self.interceptors)
        self._reflected = objects if reflect else None
        if reflect:
            self._handlers[SCHEMA.wire] = schema_handler(map(_inmost, objects))

    def add(self, name: bytes, handler: Handler) -> None:
        """Answer one more command; ``ValueError`` if a service does."""
        if name in self._handlers:
            raise ValueError(f"the services have a command {name.decode()!r} already")
        self._handlers[name] = handler

    def handlers(self, connection: object) -> Mapping[bytes, Handler]:
        if not self._factories:
            return self._handlers
        made: list[Server] = []
        for factory in self._factories:
            service = factory(connection)
            if not isinstance(service, Server):
                raise TypeError(
                    f"{factory!r} made a {type(service).__qualname__}, not a service"
                )
            made.append(service)
        handlers = handlers_of(made, self._handlers, self.interceptors)
        if self._reflected is not None:
            reflected = map(_inmost, (*self._reflected, *made))
            handlers[SCHEMA.wire] = schema_handler(reflected)
        return handlers


def _inmost(service: Server) -> Server:
    """What interceptors are around."""
    while isinstance(service, InterceptedServer):
        service = service.service
    return service


def handlers_of(
    services: Iterable[Server],
    known: Mapping[bytes, Handler] | None = None,
    interceptors: tuple[Interceptor, ...] = (),
) -> dict[bytes, Handler]:
    """The handlers of these services by wire name, beside those ``known``.

    Raises ``ValueError`` where two would answer one name.
    """
    handlers = dict(known or {})
    for given in services:
        service, around = given, interceptors
        while isinstance(service, InterceptedServer):
            around = (*around, *service.interceptors)
            service = service.service
        own: dict[bytes, Handler] = {}
        for cls in type(service).__mro__:
            commands: tuple[tuple[AnyCommand, str], ...] = cls.__dict__.get(
                "__ampgen_commands__", ()
            )
            for command, name in commands:
                if command.wire in handlers:
                    raise ValueError(
                        f"two services would answer {command.wire.decode()!r}:"
                        f" {type(service).__qualname__} is the second one"
                    )
                if command.wire not in own:  # nearer in the order of bases wins
                    handler = _handler(service, command, name)
                    if around:
                        handler = intercepted_handler(handler, around)
                    own[command.wire] = handler
        handlers |= own
    return handlers


def _handler(service: Server, command: AnyCommand, name: str) -> Handler:
    """An older handler takes fewer arguments: it is called without the last ones."""
    method = getattr(service, name)
    count = _count(service, command, name, method)
    if command.items is None and command.sends is None:
        return Handler(command, method, count)
    given = len(command.required) - (command.sends is not None)  # in the request
    return Handler(command, streamed(command, method, count), given)


def _count(
    service: Server, command: AnyCommand, name: str, method: Callable[..., Any]
) -> int:
    """How many of the arguments the handler takes."""
    count = len(command.required)
    try:
        parameters = inspect.signature(method).parameters.values()
    except (TypeError, ValueError):  # written in C: Python cannot say
        return count
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters):
        return count
    takes = sum(
        parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
        for parameter in parameters
    )
    if takes < count and any(command.required[takes:]):
        raise TypeError(
            f"{type(service).__qualname__}.{name} takes {takes} of the {count}"
            f" arguments of {command.name}; only trailing optional ones may be left out"
        )
    return min(takes, count)
