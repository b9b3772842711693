"""``intercepted``: interceptors around one service or one client."""

# pyright: reportPrivateUsage=false, reportUnnecessaryIsInstance=false

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ampgen.runtime.client import Client
from ampgen.runtime.interception import checked
from ampgen.runtime.services import InterceptedServer, Server

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ampgen.runtime.interception import Interceptor

T = TypeVar("T", bound="Client | Server")


def intercepted(target: T, interceptors: Iterable[Interceptor]) -> T:
    """The service, or the client, behind interceptors; the first one is outermost.

    What is given stays as it is. A service that is returned is there to be served, on
    any connection; a client makes its calls on the same connection. Those that were
    around it already stay inside of the new ones, but for a connection's or a server's,
    which are outside of all.
    """
    around = checked(interceptors)
    result: Any
    if isinstance(target, Client):
        common = len(target.connection.interceptors)
        outside, inside = target._interceptors[:common], target._interceptors[common:]
        result = copy.copy(target)
        result._intercept((*outside, *around, *inside))
    elif isinstance(target, Server):
        result = InterceptedServer(target, around)
    else:
        raise TypeError(
            "what is intercepted is an object of a generated client or server class,"
            f" not a {type(target).__qualname__}; in a factory, intercept what it makes"
        )
    return cast("T", result)
