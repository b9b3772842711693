"""Who calls: found out by one interceptor, asked for by another.

An identity is whatever the program takes for one. It belongs to the connection
(``connection.identity``, which a handler may set, too), or to a single call
(``InterceptedCall.identify``); ``current_call().identity`` is the one that holds.
"""

from __future__ import annotations

import hmac
import inspect
from typing import TYPE_CHECKING, Any, TypeAlias

from ampgen.runtime.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from ampgen.runtime.interceptedcall import InterceptedCall
    from ampgen.runtime.interception import Interceptor, Proceed

TOKEN = "authorization"  # noqa: S105  # the name of the metadata that has it
SCHEME = "Bearer"

Verified: TypeAlias = "object | Awaitable[object | None] | None"
"""The identity; ``None`` or ``False`` for nobody. At once or later."""


def require_identity(*, except_for: Iterable[str] = ()) -> Interceptor:
    """Refuse calls of nobody known with ``Unauthenticated``.

    ``except_for``: commands that anybody may call, each as ``Service.Command``, by the
    service that declares it.
    """
    if isinstance(except_for, str):
        raise TypeError("except_for is a list of commands, not one")
    open_to_all = frozenset(except_for)

    async def require(call: InterceptedCall, proceed: Proceed) -> object:
        _check_side(call)
        if call.name not in open_to_all and _nobody(call.identity):
            raise Unauthenticated(f"{call.name} is not for everybody: say who you are")
        return await proceed(call)

    return require


def token_identity(
    verify: Callable[[str], Verified], *, name: str = TOKEN, scheme: str = SCHEME
) -> Interceptor:
    """The identity of a call by the token that comes with it.

    ``verify`` is asked for each call; it returns ``None`` or ``False`` for a token that
    is not good: that call is refused with ``Unauthenticated``. A call without a token
    goes on as it is: ``require_identity`` behind this refuses it.

    The token is in the metadata ``name``, behind the ``scheme`` (``Bearer TOKEN``);
    an empty ``scheme`` means that it stands there alone.
    """

    async def identify(call: InterceptedCall, proceed: Proceed) -> object:
        _check_side(call)
        value = call.metadata.get(name)
        if value is not None:
            token = _token(value, scheme)
            identity = None if token is None else await _later(verify(token))
            if _nobody(identity):
                raise Unauthenticated(f"the token in {name!r} is not good")
            call.identify(identity)
        return await proceed(call)

    return identify


def _token(value: str, scheme: str) -> str | None:
    if not scheme:
        return value
    word, _space, token = value.partition(" ")
    return token.strip() if word.lower() == scheme.lower() else None


def send_token(
    token: str | Callable[[], str | Awaitable[str]],
    *,
    name: str = TOKEN,
    scheme: str = SCHEME,
) -> Interceptor:
    """Send a token along with each call; a function is asked for it each time."""

    async def send(call: InterceptedCall, proceed: Proceed) -> object:
        text = token if isinstance(token, str) else await _later(token())
        value = f"{scheme} {text}" if scheme else text
        return await proceed(call.replace(metadata={**call.metadata, name: value}))

    return send


def certificate_identity(
    identify: Callable[[Mapping[str, Any]], Verified],
) -> Interceptor:
    """The identity of a connection by the certificate of its client.

    ``identify`` gets what ``ssl.SSLSocket.getpeercert()`` returns for a certificate
    that has been verified; for one that has not, or is not there, it is not asked.
    """

    def certificate(call: InterceptedCall) -> Any:
        return call.connection.peer_certificate

    return _of_connection(certificate, identify)


def uid_identity(identify: Callable[[int], Verified]) -> Interceptor:
    """The identity of a connection by the user that its client runs as.

    Unix sockets tell (``Connection.peer_uid``); elsewhere ``identify`` is not asked.
    """
    return _of_connection(lambda call: call.connection.peer_uid, identify)


def _of_connection(
    find: Callable[[InterceptedCall], Any], identify: Callable[[Any], Verified]
) -> Interceptor:
    async def once(call: InterceptedCall, proceed: Proceed) -> object:
        """Until it is known: one that a handler has set stays."""
        _check_side(call)
        connection = call.connection
        if connection.identity is None:
            found = find(call)
            if found is not None:
                identity = await _later(identify(found))
                if connection.identity is None and not _nobody(identity):
                    connection.identity = identity
        return await proceed(call)

    return once


def same_secret(given: str, expected: str) -> bool:
    """Are they the same? Takes as long for a near miss as for any other one."""
    return hmac.compare_digest(
        given.encode("utf-8", "surrogatepass"),
        expected.encode("utf-8", "surrogatepass"),
    )


def _nobody(identity: object) -> bool:
    """A function that says whether it knows somebody says ``False``."""
    return identity is None or identity is False


async def _later(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


def _check_side(call: InterceptedCall) -> None:
    if call.side == "client":
        raise TypeError("this interceptor is for what is served, not for a client")
