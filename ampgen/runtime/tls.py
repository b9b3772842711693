"""TLS: contexts with safe defaults, and what its errors mean.

Programs that know better make an ``ssl.SSLContext`` of their own: whatever takes
``tls=`` takes any.
"""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

FilePath: TypeAlias = "str | os.PathLike[str]"


def server_tls(
    certificate: FilePath,
    key: FilePath | None = None,
    *,
    password: str | None = None,
    client_ca: FilePath | None = None,
) -> ssl.SSLContext:
    """A context for ``serve(tls=…)``: TLS 1.2 and newer.

    ``certificate`` is a PEM file with the certificate, then those of its issuers, and
    with the private key if ``key`` names no other file. With ``client_ca`` every client
    has to have a certificate that one of those in this file issued. Raises ``OSError``
    for a file that cannot be read, ``ValueError`` for one that is not what it should
    be.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _harden(context)
    _load_certificate(context, certificate, key, password)
    if client_ca is not None:
        _load_authorities(context, client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_tls(
    ca: FilePath | None = None,
    *,
    certificate: FilePath | None = None,
    key: FilePath | None = None,
    password: str | None = None,
) -> ssl.SSLContext:
    """A context for ``connect(tls=…)``: TLS 1.2 and newer, the server verified.

    ``ca`` is a PEM file of the issuers to be trusted, those of the system if it is left
    out. ``certificate`` and ``key`` are what this end shows to a server that asks for
    it. Raises as ``server_tls`` does.
    """
    if ca is None:
        context = ssl.create_default_context()
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load_authorities(context, ca)
    _harden(context)
    if certificate is not None:
        _load_certificate(context, certificate, key, password)
    elif key is not None:
        raise ValueError("key= without certificate=: the key belongs to one")
    return context


def _harden(context: ssl.SSLContext) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION


def _load_authorities(context: ssl.SSLContext, file: FilePath) -> None:
    _check_pem(file, "CERTIFICATE", "no certificate")
    try:
        context.load_verify_locations(file)
    except ssl.SSLError as error:
        raise _bad(file, error) from None


def _load_certificate(
    context: ssl.SSLContext,
    certificate: FilePath,
    key: FilePath | None,
    password: str | None,
) -> None:
    key_file = certificate if key is None else key
    _check_pem(certificate, "CERTIFICATE", "no certificate")
    _check_pem(key_file, "(?:[A-Z]+ )?PRIVATE KEY", "no private key")
    ask = _ask_nobody(key_file) if password is None else lambda: password
    try:
        context.load_cert_chain(certificate, key, ask)
    except ssl.SSLError as error:
        if "KEY_VALUES_MISMATCH" in str(error.reason):
            reason = f"does not belong to the certificate in {os.fspath(certificate)}"
            raise ValueError(f"the key in {os.fspath(key_file)} {reason}") from None
        if password is not None and _is_encrypted(key_file):
            raise ValueError(
                f"the key in {os.fspath(key_file)} does not open: wrong password?"
            ) from None
        files = os.fspath(certificate)
        if key is not None:
            files += f" or {os.fspath(key)}"
        raise _bad(files, error) from None


def _ask_nobody(file: FilePath) -> Callable[[], str]:
    """In the place of OpenSSL's own question, which would wait at a terminal."""

    def refuse() -> NoReturn:
        raise ValueError(f"the key in {os.fspath(file)} is encrypted: give password=")

    return refuse


def _is_encrypted(file: FilePath) -> bool:
    return b"ENCRYPTED" in Path(file).read_bytes()


def _check_pem(file: FilePath, label: str, missing: str) -> None:
    data = Path(file).read_bytes()
    if not re.search(rb"-----BEGIN " + label.encode() + rb"-----", data):
        hint = "" if b"-----BEGIN " in data else " (it is not PEM)"
        raise ValueError(f"{os.fspath(file)}: {missing} in it{hint}")


def _bad(file: FilePath, error: ssl.SSLError) -> ValueError:
    return ValueError(f"{os.fspath(file)} cannot be read: {error.reason or error}")


# --- what programs pass ---------------------------------------------------------------


def check_context(context: object, option: str, *, server_side: bool) -> None:
    """Raises ``TypeError`` or ``ValueError`` for what cannot work at that end."""
    helper = "server_tls" if server_side else "client_tls"
    if not isinstance(context, ssl.SSLContext):
        raise TypeError(
            f"{option}= is an ssl.SSLContext, not a {type(context).__qualname__}"
            f" (ampgen.runtime.{helper} makes one)"
        )
    wrong = ssl.PROTOCOL_TLS_CLIENT if server_side else ssl.PROTOCOL_TLS_SERVER
    if context.protocol == wrong:
        other = "client" if server_side else "server"
        raise ValueError(
            f"{option}= is a context for a {other} (ampgen.runtime.{helper} makes one)"
        )


def check_host(context: ssl.SSLContext, host: str | None) -> None:
    """Raises ``ValueError`` for what no certificate could be for."""
    try:
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=host)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"server_hostname={host!r} is no name of a host: {error}"
        ) from None


# --- what went wrong ------------------------------------------------------------------

NO_TLS = "the peer speaks no TLS"

# By OpenSSL's code of a certificate that does not verify
_CERTIFICATE = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed, and not among those that are trusted",
    19: "comes from an unknown issuer (a self-signed one)",
    20: "comes from an unknown issuer",
    21: "comes from an unknown issuer",
    23: "is revoked",
}
_WRONG_NAME = (62, 64)  # a name, an IP address

# By a part of OpenSSL's name for it; an ALERT is what the peer said
_REASONS = (
    ("DID_NOT_RETURN_A_CERTIFICATE", "the peer shows no certificate, and has to"),
    ("CERTIFICATE_REQUIRED", "the peer wants a certificate of this end"),
    (
        "ALERT_UNKNOWN_CA",
        "the peer does not know the issuer of this end's certificate",
    ),
    (
        "ALERT_CERTIFICATE_EXPIRED",
        "the peer says that this end's certificate has expired, or is not valid yet",
    ),
    (
        "ALERT_CERTIFICATE_REVOKED",
        "the peer says that this end's certificate is revoked",
    ),
    ("ALERT_BAD_CERTIFICATE", "the peer does not accept this end's certificate"),
    ("ALERT_CERTIFICATE_UNKNOWN", "the peer does not accept this end's certificate"),
    ("ALERT_UNSUPPORTED_CERTIFICATE", "the peer cannot use this end's certificate"),
    ("PROTOCOL_VERSION", "the ends have no version of TLS in common"),
    ("UNSUPPORTED_PROTOCOL", "the ends have no version of TLS in common"),
    ("NO_PROTOCOLS_AVAILABLE", "this end allows no version of TLS"),
    (
        "NO_SHARED_CIPHER",
        "the ends have no cipher in common (a server without a certificate has none)",
    ),
    (
        "ALERT_HANDSHAKE_FAILURE",
        "the peer refuses: it wants a certificate of this end, or there is no common"
        " cipher",
    ),
)


def explain(error: ssl.SSLError, host: str | None) -> str:
    """In plain words; ``host`` is what the peer's certificate has to be for."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _WRONG_NAME:
            return f"the peer's certificate is not for {host!r}"
        what = _CERTIFICATE.get(error.verify_code)
        if what is not None:
            return f"the peer's certificate {what}"
        return f"the peer's certificate does not verify: {error.verify_message}"
    name: str = getattr(error, "reason", None) or str(error)
    for part, meaning in _REASONS:
        if part in name:
            return f"{meaning} ({name})"
    return name
