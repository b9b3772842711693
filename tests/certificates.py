"""Certificates, made for each run of the tests."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

import trustme

from ampgen.runtime import client_tls, server_tls

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

HOSTS = ("localhost", "127.0.0.1", "::1")
NAME = "ada@example.com"  # the client's
_DAY = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files. ``server`` and ``client`` have their keys in them."""

    ca: Path
    server: Path
    client: Path
    expired: Path
    future: Path
    self_signed: Path
    other_ca: Path  # that nobody trusts
    other_client: Path

    def server_tls(self, *, client_ca: Path | None = None) -> ssl.SSLContext:
        return server_tls(self.server, client_ca=client_ca)

    def client_tls(self, *, certificate: Path | None = None) -> ssl.SSLContext:
        return client_tls(self.ca, certificate=certificate)


def make(folder: Path) -> Certificates:
    def write(name: str, *blobs: trustme.Blob) -> Path:
        path = folder / name
        path.write_bytes(b"".join(blob.bytes() for blob in blobs))
        return path

    def issue(
        name: str,
        issuer: trustme.CA,
        *hosts: str,
        begins: datetime.datetime | None = None,
        ends: datetime.datetime | None = None,
    ) -> Path:
        made = issuer.issue_cert(*hosts, not_before=begins, not_after=ends)
        return write(name, made.private_key_pem, *made.cert_chain_pems)

    ca, other = trustme.CA(), trustme.CA()
    now = datetime.datetime.now(datetime.UTC)
    return Certificates(
        ca=write("ca.pem", ca.cert_pem),
        server=issue("server.pem", ca, *HOSTS),
        client=issue("client.pem", ca, NAME),
        expired=issue(
            "expired.pem", ca, *HOSTS, begins=now - 2 * _DAY, ends=now - _DAY
        ),
        future=issue("future.pem", ca, *HOSTS, begins=now + _DAY, ends=now + 2 * _DAY),
        self_signed=write("self_signed.pem", other.private_key_pem, other.cert_pem),
        other_ca=write("other_ca.pem", other.cert_pem),
        other_client=issue("other_client.pem", other, NAME),
    )
