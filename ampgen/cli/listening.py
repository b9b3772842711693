"""How the verbs that listen do it: TLS by options, and failures in plain words."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ampgen.cli.contract import Failure
from ampgen.cli.dialling import file_, password_from

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable

    from ampgen.runtime.server import Listener

F = TypeVar("F", bound="Callable[..., Any]")

_OPTIONS = (
    click.option(
        "--tls-cert",
        type=file_,
        metavar="FILE",
        help="Speak TLS, with this certificate (PEM).",
    ),
    click.option(
        "--tls-key",
        type=file_,
        metavar="FILE",
        help="Its private key (PEM), if that is in a file of its own.",
    ),
    click.option(
        "--tls-key-password-file",
        type=file_,
        metavar="FILE",
        help="The first line of it opens the private key.",
    ),
    click.option(
        "--client-ca",
        type=file_,
        metavar="FILE",
        help="Whose certificates clients have to show (PEM).",
    ),
)


@dataclass(frozen=True, slots=True)
class Listening:
    """What the options say."""

    tls_cert: str | None
    tls_key: str | None
    tls_key_password_file: str | None
    client_ca: str | None

    def context(self) -> ssl.SSLContext | None:
        """What to speak TLS with, or ``None``. ``click.UsageError``, `Failure`."""
        others = (self.tls_key, self.tls_key_password_file, self.client_ca)
        if self.tls_cert is None:
            if any(others):
                raise click.UsageError("TLS needs a certificate: give --tls-cert")
            return None
        from ampgen.runtime import server_tls

        try:
            return server_tls(
                self.tls_cert,
                self.tls_key,
                password=password_from(self.tls_key_password_file),
                client_ca=self.client_ca,
            )
        except (OSError, ValueError) as error:
            text = str(error).replace("password=", "--tls-key-password-file")
            raise Failure(text) from None


@asynccontextmanager
async def listening_on(listener: Listener, address: str) -> AsyncGenerator[Listener]:
    """It listens, and drains in the end; :class:`Failure` where it cannot."""
    from ampgen.tools.oserrors import reason

    try:
        await listener.__aenter__()
    except OSError as error:
        raise Failure(f"cannot listen on {address}: {reason(error)}") from None
    try:
        yield listener
    finally:
        await listener.drain()


def listening(verb: F) -> F:
    """Give a verb the options of this module: :class:`Listening`'s arguments."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb
