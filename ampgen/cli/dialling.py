"""How the verbs that talk to a peer get to it: the options, and what they mean."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ampgen.cli.contract import Failure
from ampgen.cli.options import Number

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, Callable

    from ampgen.runtime import Connection
    from ampgen.tools.proxy.upstream import Upstream

F = TypeVar("F", bound="Callable[..., Any]")

PATIENCE = 10.0  # seconds, for connecting and asking for schemas

file_ = click.Path(exists=True, dir_okay=False)

_OPTIONS = (
    click.option(
        "--timeout",
        type=Number(min=0, min_open=True),
        metavar="SECONDS",
        help=f"For connecting ({PATIENCE:g} if left out), and for the call.",
    ),
    click.option("--tls", is_flag=True, help="Speak TLS, from the beginning."),
    click.option("--starttls", is_flag=True, help="Ask for TLS with StartTLS."),
    click.option(
        "--ca",
        type=file_,
        metavar="FILE",
        help="Whose certificates to trust (PEM); those of the system if left out.",
    ),
    click.option(
        "--cert", type=file_, metavar="FILE", help="The certificate to show (PEM)."
    ),
    click.option("--key", type=file_, metavar="FILE", help="Its private key (PEM)."),
    click.option(
        "--key-password-file",
        type=file_,
        metavar="FILE",
        help="The first line of it opens the private key.",
    ),
    click.option(
        "--server-hostname",
        metavar="NAME",
        help="Whom the server's certificate is for, if not the host in ADDRESS.",
    ),
)


def password_from(path: str | None) -> str | None:
    """What opens a private key: a file's first line. :class:`Failure`"""
    if path is None:
        return None
    try:
        return Path(path).read_text("utf-8").partition("\n")[0].rstrip("\r")
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Failure(f"{path}: not UTF-8") from None


@dataclass(frozen=True, slots=True)
class Dialling:
    """What the options say; TLS goes without saying where there is one about it."""

    timeout: float | None
    tls: bool
    starttls: bool
    ca: str | None
    cert: str | None
    key: str | None
    key_password_file: str | None
    server_hostname: str | None

    @property
    def patience(self) -> float:
        return PATIENCE if self.timeout is None else self.timeout

    def _options(self) -> dict[str, Any]:
        own = (self.cert, self.key, self.key_password_file)
        about = (self.ca, *own, self.server_hostname)
        if self.server_hostname == "":  # as an unset variable of a script leaves it
            raise click.UsageError("--server-hostname: an empty name is no host's")
        if self.tls and self.starttls:
            raise click.UsageError("--tls and --starttls: TLS begins only once")
        if not (self.tls or self.starttls or any(about)):
            return {}
        if self.key and not self.cert:
            raise click.UsageError("--key belongs to a certificate: give --cert, too")
        if self.key_password_file and not self.cert:
            raise click.UsageError("--key-password-file is for --cert: give that, too")
        how = "starttls" if self.starttls else "tls"
        return {how: self._context(), "server_hostname": self.server_hostname}

    def _context(self) -> ssl.SSLContext:
        from ampgen.runtime import client_tls

        password = password_from(self.key_password_file)
        try:
            return client_tls(
                self.ca, certificate=self.cert, key=self.key, password=password
            )
        except (OSError, ValueError) as error:
            text = str(error).replace("password=", "--key-password-file")
            raise Failure(text) from None

    def upstream(self, address: str) -> Upstream:
        """For who makes no calls, and wants the bytes. ``click.UsageError``"""
        from ampgen.runtime.addresses import parse_address
        from ampgen.runtime.dialling import securing_of
        from ampgen.tools.proxy.upstream import Upstream

        options = self._options()
        host = options.pop("server_hostname", None)
        try:
            where = parse_address(address)
            securing = securing_of(
                where, options.get("tls"), options.get("starttls"), host
            )
        except ValueError as error:
            raise click.UsageError(_in_options(error)) from None
        return Upstream(where, securing, self.patience)

    @asynccontextmanager
    async def connected(self, address: str) -> AsyncGenerator[Connection]:
        """A connection; :class:`Failure`, or ``click.UsageError`` for no address."""
        import logging

        from ampgen.runtime import connect

        # what the runtime would log of a peer is told as the error that it leads to
        logging.getLogger("ampgen").addHandler(logging.NullHandler())
        options = self._options()
        try:
            connecting = connect(address, connect_timeout=self.patience, **options)
        except ValueError as error:
            raise click.UsageError(_in_options(error)) from None
        try:
            connection = await connecting
        except OSError as error:
            from ampgen.tools.oserrors import reason

            raise Failure(f"cannot connect to {address}: {reason(error)}") from None
        try:
            yield connection
        finally:
            await connection.aclose()


def _in_options(error: ValueError) -> str:
    return re.sub("^server_hostname= ?", "--server-hostname ", str(error))


def dialling(verb: F) -> F:
    """Give a verb the options of this module: :meth:`Dialling`'s arguments."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb
