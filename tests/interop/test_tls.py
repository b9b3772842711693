"""TLS and `StartTLS` beside Twisted: its TLS is OpenSSL by another way."""

# mypy: disable-error-code="no-untyped-call"
# pyright: basic
from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet import ssl as twisted_ssl
from twisted.internet.endpoints import (
    SSL4ServerEndpoint,
    clientFromString,
    connectProtocol,
    wrapClientTLS,
)
from twisted.internet.protocol import Factory
from twisted.protocols import amp

from ampgen.runtime import ConnectionLost, TlsError, serve
from tests import certificates as made
from tests.interop import twisted_commands as commands
from tests.interop.ours import events_service, interop_service
from tests.interop.reactor import (
    TwistedServer,
    ask,
    reactor,
    there,
    twisted_client,
    twisted_server,
)
from tests.interop.twisted_commands import End
from tests.logs import warnings_in
from tests.raw import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from tests.certificates import Certificates

# Twisted passes pyOpenSSL's own objects to it.
pytestmark = pytest.mark.filterwarnings("ignore:.*cryptography:DeprecationWarning")

SIZE = 60_000


def certificate(path: Path) -> Any:
    return twisted_ssl.Certificate.loadPEM(path.read_bytes())


def private(path: Path) -> Any:
    return twisted_ssl.PrivateCertificate.loadPEM(path.read_bytes())


class StartingEnd(End):
    """Starts TLS with a certificate, and wants one that ``authority`` issued."""

    certificate: Any = None
    authority: Any = None

    @amp.StartTLS.responder
    def start_tls(self) -> Any:
        answer = {"tls_localCertificate": self.certificate}
        if self.authority is not None:
            answer["tls_verifyAuthorities"] = [self.authority]
        return answer


def starting(at: Path, authority: Any = None) -> Callable[[], End]:
    own = private(at)

    def build() -> End:
        end = StartingEnd()
        end.certificate, end.authority = own, authority
        return end

    return build


@asynccontextmanager
async def tls_server(at: Path) -> AsyncGenerator[TwistedServer]:
    server = TwistedServer(End)
    factory = Factory.forProtocol(server.build)
    endpoint = SSL4ServerEndpoint(
        reactor, 0, private(at).options(), interface="127.0.0.1"
    )
    port = await there(lambda: endpoint.listen(factory))
    server.address = f"127.0.0.1:{port.getHost().port}"
    try:
        yield server
    finally:
        await there(port.stopListening)
        for end in server.ends:
            await drop(end)


@asynccontextmanager
async def tls_client(
    address: str, trusted: Path, own: Path | None = None
) -> AsyncGenerator[End]:
    options: Any = twisted_ssl.optionsForClientTLS(
        "localhost",
        trustRoot=certificate(trusted),
        clientCertificate=None if own is None else private(own),
    )
    end = End()
    plain: Any = clientFromString(reactor, f"tcp:{address}")
    await there(lambda: connectProtocol(wrapClientTLS(options, plain), end))
    try:
        yield end
    finally:
        await drop(end)


async def drop(end: End) -> None:
    await there(end.abort)
    await there(lambda: end.lost)


async def talk(end: End) -> None:
    """Calls of Twisted's end, both ways, small and large."""
    assert await ask(end, commands.CallBack, text="a") == {"answer": "A"}
    sizes = [(await ask(end, commands.Large, size=SIZE))["raw"] for _ in range(20)]
    assert {len(raw) for raw in sizes} == {SIZE}


async def talk_to(client: Any) -> None:
    """Calls of ours, both ways."""
    assert (await client.call_back("a")).answer == "A"
    sizes = await asyncio.gather(*(client.large(SIZE) for _ in range(20)))
    assert {len(raw) for raw in sizes} == {SIZE}


# --- TLS from the first byte ----------------------------------------------------------


async def test_a_twisted_client(interop: Any, certificates: Certificates) -> None:
    async with (
        serve(
            "127.0.0.1:0",
            interop_service(interop),
            tls=certificates.server_tls(client_ca=certificates.ca),
        ) as server,
        tls_client(server.addresses[0], certificates.ca, certificates.client) as end,
    ):
        await talk(end)
        await there(end.close)
        await there(lambda: end.lost)


async def test_a_twisted_server(interop: Any, certificates: Certificates) -> None:
    async with (
        tls_server(certificates.server) as server,
        interop.InteropClient.connect(
            server.address,
            events=events_service(interop),
            tls=certificates.client_tls(),
        ) as client,
    ):
        await talk_to(client)
        certificate = client.connection.peer_certificate
        assert ("DNS", "localhost") in certificate["subjectAltName"]


async def test_a_twisted_server_that_goes(
    interop: Any, certificates: Certificates
) -> None:
    async with (
        tls_server(certificates.server) as server,
        interop.InteropClient.connect(
            server.address, tls=certificates.client_tls()
        ) as client,
    ):
        await client.large(0)
        call = asyncio.create_task(client.wait(1))
        await client.large(0)
        await there(server.ends[0].close)
        with pytest.raises(ConnectionLost, match="the peer closed the connection"):
            await call
        await asyncio.wait_for(client.connection.wait_closed(), PATIENCE)


async def test_a_twisted_client_that_does_not_trust(
    interop: Any, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        serve(
            "127.0.0.1:0", interop_service(interop), tls=certificates.server_tls()
        ) as server,
        tls_client(server.addresses[0], certificates.other_ca) as end,
    ):
        await there(lambda: end.lost)
    [line] = warnings_in(caplog)
    assert "the peer does not know the issuer" in line


async def test_a_twisted_client_without_tls(
    interop: Any, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        serve(
            "127.0.0.1:0", interop_service(interop), tls=certificates.server_tls()
        ) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        with pytest.raises(amp.TooLong):
            await ask(end, commands.Large, size=0)
    [line] = warnings_in(caplog)
    assert line.endswith("the peer speaks no TLS")


async def test_a_twisted_server_without_tls(
    interop: Any, certificates: Certificates
) -> None:
    async with twisted_server() as server:
        with pytest.raises(TlsError, match="the peer speaks no TLS, or"):
            await interop.InteropClient.connect(
                server.address, tls=certificates.client_tls()
            )


# --- StartTLS -------------------------------------------------------------------------


@pytest.mark.parametrize("required", [True, False])
async def test_a_twisted_client_starts_tls(
    required: bool, interop: Any, certificates: Certificates
) -> None:
    connections: list[Any] = []

    def factory(connection: Any) -> Any:
        connections.append(connection)
        return interop_service(interop)

    async with (
        serve(
            "127.0.0.1:0",
            factory,
            starttls=certificates.server_tls(client_ca=certificates.ca),
            starttls_required=required,
        ) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        if not required:
            await talk(end)
            assert not connections[0].is_encrypted
        await ask(
            end,
            amp.StartTLS,
            tls_localCertificate=private(certificates.client),
            tls_verifyAuthorities=[certificate(certificates.ca)],
        )
        await talk(end)
        theirs = await there(lambda: end.peerCertificate)
        assert theirs == certificate(certificates.server)
        ours = connections[0].peer_certificate
        assert ("email", made.NAME) in ours["subjectAltName"]


async def test_what_a_twisted_client_sends_right_behind_goes_through_tls(
    interop: Any, certificates: Certificates
) -> None:
    """Twisted keeps it back until TLS is there."""
    async with (
        serve(
            "127.0.0.1:0",
            interop_service(interop),
            starttls=certificates.server_tls(),
        ) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        started = asyncio.create_task(
            ask(
                end,
                amp.StartTLS,
                tls_verifyAuthorities=[certificate(certificates.ca)],
            )
        )
        answers = [ask(end, commands.Large, size=SIZE) for _ in range(5)]
        for answer in await asyncio.gather(*answers):
            assert len(answer["raw"]) == SIZE
        await started


async def test_a_twisted_client_that_does_not_start_tls(
    interop: Any, certificates: Certificates
) -> None:
    async with (
        serve(
            "127.0.0.1:0", interop_service(interop), starttls=certificates.server_tls()
        ) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        with pytest.raises(amp.UnknownRemoteError, match="begin with StartTLS"):
            await ask(end, commands.Large, size=0)
        await ask(
            end, amp.StartTLS, tls_verifyAuthorities=[certificate(certificates.ca)]
        )
        await talk(end)


async def test_a_twisted_client_that_does_not_trust_what_starts(
    interop: Any, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        serve(
            "127.0.0.1:0", interop_service(interop), starttls=certificates.server_tls()
        ) as server,
        twisted_client(server.addresses[0]) as end,
    ):
        await ask(
            end,
            amp.StartTLS,
            tls_verifyAuthorities=[certificate(certificates.other_ca)],
        )
        await there(lambda: end.lost)
    [line] = warnings_in(caplog)
    assert "the peer does not know the issuer" in line


@pytest.mark.parametrize("mutual", [True, False])
async def test_a_twisted_server_starts_tls(
    mutual: bool, interop: Any, certificates: Certificates
) -> None:
    authority = certificate(certificates.ca) if mutual else None
    ours = certificates.client_tls(certificate=certificates.client)
    async with (
        twisted_server(end=starting(certificates.server, authority)) as server,
        interop.InteropClient.connect(
            server.address, events=events_service(interop), starttls=ours
        ) as client,
    ):
        await talk_to(client)
        assert client.connection.is_encrypted
        if mutual:
            theirs = await there(lambda: server.ends[0].peerCertificate)
            assert theirs == certificate(certificates.client)


async def test_a_twisted_server_with_a_certificate_made_up(
    interop: Any, certificates: Certificates
) -> None:
    """What Twisted answers by itself."""
    async with twisted_server() as server:
        with pytest.raises(TlsError, match="is self-signed, and not among those"):
            await interop.InteropClient.connect(
                server.address, starttls=certificates.client_tls()
            )


async def test_a_twisted_server_that_wants_a_certificate(
    interop: Any, certificates: Certificates
) -> None:
    authority = certificate(certificates.ca)
    async with twisted_server(end=starting(certificates.server, authority)) as server:
        with pytest.raises(
            (ConnectionLost, TlsError), match="wants a certificate of this end"
        ):
            async with interop.InteropClient.connect(
                server.address, starttls=certificates.client_tls()
            ) as client:
                await client.large(0)
