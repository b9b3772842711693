"""TLS from the first byte, and what goes wrong with it."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import socket
import ssl
import threading
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from OpenSSL import SSL

from ampgen.runtime import (
    Cancelled,
    Connection,
    ConnectionLost,
    Limits,
    TlsError,
    Unavailable,
    client_tls,
    connect,
    current_call,
    serve,
    server_tls,
    tlslayer,
)
from ampgen.runtime.tls import explain
from tests import certificates as made
from tests.logs import warnings_in
from tests.raw import PATIENCE, RawPeer, box, dial, listen
from tests.runtime.made.text import Item, RepeatResult, TextClient
from tests.runtime.services import Events, Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from tests.certificates import Certificates

Contexts = tuple[ssl.SSLContext | None, ssl.SSLContext | None]

ASK = box({b"_ask": b"1", b"_command": b"Repeat", b"text": b"abc"})
ANSWER = {b"_answer": b"1", b"text": b"abc", b"length": b"3"}


@asynccontextmanager
async def dial_tls(address: str, context: ssl.SSLContext) -> AsyncGenerator[RawPeer]:
    """A peer with asyncio's own TLS."""
    host, _, port = address.rpartition(":")
    streams = await asyncio.open_connection(host, int(port), ssl=context)
    peer = RawPeer(*streams)
    try:
        yield peer
    finally:
        peer.writer.transport.abort()


@asynccontextmanager
async def listen_tls(
    context: ssl.SSLContext, serve_one: Callable[[RawPeer], Any]
) -> AsyncGenerator[str]:
    """A server with asyncio's own TLS."""

    async def accept(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            await serve_one(RawPeer(reader, writer))
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"{host}:{port}"
    finally:
        server.close()
        await server.wait_closed()


# --- it works -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["127.0.0.1:0", "[::1]:0", "localhost:0", "unix"])
async def test_calls_go_both_ways(
    kind: str, certificates: Certificates, tmp_path: Path
) -> None:
    address = f"unix:{tmp_path / 'socket'}" if kind == "unix" else kind
    options: Any = {"server_hostname": "localhost"} if kind == "unix" else {}
    events = Events()

    class Calling(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            answer = await self.events.confirm(text)
            return RepeatResult(text=answer * times, length=0)

    async with (
        serve(address, Calling(), tls=certificates.server_tls()) as server,
        TextClient.connect(
            server.addresses[0],
            events=events,
            tls=certificates.client_tls(),
            **options,
        ) as text,
    ):
        assert text.connection.is_encrypted
        assert (await text.repeat("a", 2)).text == "a: yesa: yes"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
async def test_peers_with_another_tls_understand(
    version: str, certificates: Certificates
) -> None:
    async def answer_one(peer: RawPeer) -> None:
        request = await peer.receive_box()
        await peer.send(box({b"_answer": request[b"_ask"], b"result": b""}))
        assert await peer.ended()

    theirs, ours = certificates.client_tls(), certificates.server_tls()
    for context in (theirs, ours):
        context.maximum_version = context.minimum_version = ssl.TLSVersion[version]
    async with (
        serve("127.0.0.1:0", Text(), tls=ours) as server,
        dial_tls(server.addresses[0], theirs) as peer,
    ):
        await peer.send(ASK)
        assert await peer.receive_box() == ANSWER
    async with (
        listen_tls(ours, answer_one) as address,
        TextClient.connect(address, tls=theirs) as text,
    ):
        assert await text.items([]) == []


async def test_blocking_clients_use_it(certificates: Certificates) -> None:
    def call(address: str) -> str:
        tls = certificates.client_tls()
        with TextClient.connect_blocking(address, tls=tls) as text:
            return text.repeat("abc").text

    async with serve("127.0.0.1:0", Text(), tls=certificates.server_tls()) as server:
        assert await asyncio.to_thread(call, server.addresses[0]) == "abc"


async def test_a_server_hears_of_the_clients_certificate(
    certificates: Certificates,
) -> None:
    seen: list[Any] = []

    class Asking(Text):
        def items(self, items: list[Item]) -> list[Item]:
            seen.append(current_call().peer_certificate)
            return items

    tls = certificates.server_tls(client_ca=certificates.ca)
    ours = certificates.client_tls(certificate=certificates.client)
    async with (
        serve("127.0.0.1:0", Asking(), tls=tls) as server,
        TextClient.connect(server.addresses[0], tls=ours) as text,
    ):
        await text.items([])
        theirs: Any = text.connection.peer_certificate
    [certificate] = seen
    assert ("email", made.NAME) in certificate["subjectAltName"]
    assert ("DNS", "localhost") in theirs["subjectAltName"]


async def test_without_tls_there_is_no_certificate(certificates: Certificates) -> None:
    connections: list[Connection] = []

    def factory(connection: Connection) -> Text:
        assert not connection.is_encrypted
        assert connection.peer_certificate is None
        connections.append(connection)
        return Text()

    async with (
        serve("127.0.0.1:0", factory) as server,
        connect(server.addresses[0]) as connection,
    ):
        assert not connection.is_encrypted
        assert connection.peer_certificate is None
    async with (
        serve("127.0.0.1:0", factory, tls=certificates.server_tls()) as server,
        TextClient.connect(server.addresses[0], tls=certificates.client_tls()) as text,
    ):
        assert await text.items([]) == []
        assert connections[1].is_encrypted
        assert connections[1].peer_certificate is None  # it was not asked for
    assert not connection.is_encrypted
    assert text.connection.is_encrypted
    assert text.connection.peer_certificate is not None  # it is remembered


async def test_who_calls_before_the_handshake_is_sent_behind_it(
    certificates: Certificates,
) -> None:
    calls: list[asyncio.Task[Any]] = []

    def factory(connection: Connection) -> Text:
        call = connection.call_box(b"Confirm", {b"question": b"there"})
        calls.append(asyncio.create_task(call))
        return Text()

    async with (
        serve("127.0.0.1:0", factory, tls=certificates.server_tls()) as server,
        connect(server.addresses[0], serve=[Events()], tls=certificates.client_tls()),
    ):
        assert await calls[0] == {b"result": b"there: yes"}


async def test_who_closes_before_the_handshake_closes_behind_it(
    certificates: Certificates,
) -> None:
    def factory(connection: Connection) -> Text:
        connection.close()
        return Text()

    async with serve("127.0.0.1:0", factory, tls=certificates.server_tls()) as server:
        text = await TextClient.connect(
            server.addresses[0], tls=certificates.client_tls()
        )
        await asyncio.wait_for(text.connection.wait_closed(), PATIENCE)
        with pytest.raises(ConnectionLost, match="the peer closed the connection"):
            await text.items([])


# --- it fails -------------------------------------------------------------------------


FAILURES: dict[str, tuple[Callable[[Certificates], Contexts], str, str]] = {
    "wrong host": (
        lambda c: (server_tls(c.client), c.client_tls()),
        r"the peer's certificate is not for '127\.0\.0\.1'",
        "does not accept this end's certificate",
    ),
    "expired": (
        lambda c: (server_tls(c.expired), c.client_tls()),
        "the peer's certificate has expired",
        "says that this end's certificate has expired, or is not valid yet",
    ),
    "not yet valid": (
        lambda c: (server_tls(c.future), c.client_tls()),
        "the peer's certificate is not valid yet",
        "not accept this end's certificate|is not valid yet",
    ),
    "unknown issuer": (
        lambda c: (c.server_tls(), client_tls(c.other_ca)),
        "the peer's certificate comes from an unknown issuer",
        "does not know the issuer",
    ),
    "unknown to the system": (
        lambda c: (c.server_tls(), client_tls()),
        "the peer's certificate comes from an unknown issuer",
        "does not know the issuer",
    ),
    "self-signed": (
        lambda c: (server_tls(c.self_signed), c.client_tls()),
        "the peer's certificate is self-signed, and not among those",
        "does not know the issuer",
    ),
    "plain client": (
        lambda c: (c.server_tls(), None),
        r"broke the protocol: a key of .* \(this looks like TLS",
        "the peer speaks no TLS",
    ),
    "plain server": (
        lambda c: (None, c.client_tls()),
        "the peer closed the connection: the peer speaks no TLS, or",
        r"broke the protocol: a key of .* \(this looks like TLS",
    ),
    "no client certificate": (
        lambda c: (c.server_tls(client_ca=c.ca), c.client_tls()),
        "the peer wants a certificate of this end",
        "the peer shows no certificate, and has to",
    ),
    "no client certificate, TLS 1.2": (
        lambda c: (c.server_tls(client_ca=c.ca), up_to_1_2(c.client_tls())),
        "wants a certificate of this end, or there is no common cipher",
        "the peer shows no certificate, and has to",
    ),
    "client certificate of an unknown issuer": (
        lambda c: (
            c.server_tls(client_ca=c.ca),
            c.client_tls(certificate=c.other_client),
        ),
        "the peer does not know the issuer of this end's certificate",
        "the peer's certificate comes from an unknown issuer",
    ),
    "no common version": (
        lambda c: (up_to_1_2(c.server_tls()), from_1_3(c.client_tls())),
        "the ends have no version of TLS in common",
        "the ends have no version of TLS in common",
    ),
    "a server without a certificate": (
        lambda c: (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), c.client_tls()),
        "the peer refuses",
        r"no cipher in common \(a server without a certificate has none\)",
    ),
}


def up_to_1_2(context: ssl.SSLContext) -> ssl.SSLContext:
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


def from_1_3(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


@pytest.mark.parametrize("name", FAILURES)
async def test_both_ends_are_told_why(
    name: str, certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    contexts, at_the_client, at_the_server = FAILURES[name]
    theirs, ours = contexts(certificates)
    async with serve("127.0.0.1:0", Text(), tls=theirs) as server:
        # with TLS 1.3 a client has its connection before the server has looked at its
        # certificate
        with pytest.raises((TlsError, ConnectionLost), match=at_the_client) as raised:
            async with TextClient.connect(server.addresses[0], tls=ours) as text:
                await text.repeat("abc")
    assert isinstance(raised.value, OSError)
    told = warnings_in(caplog)
    if ours is None:  # the client's own log
        told = [line for line in told if "no TLS with" in line]
    [line] = told
    assert re.search(at_the_server, line)
    assert "127.0.0.1" in line


async def test_who_says_nothing_is_cut_off(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    tls = certificates.server_tls()
    async with (
        serve("127.0.0.1:0", Text(), tls=tls, handshake_timeout=0.05) as server,
        dial(server.addresses[0]) as peer,
    ):
        assert await peer.ended()
    [line] = warnings_in(caplog)
    assert line.endswith("no handshake within 0.05 s")


async def test_a_client_waits_no_longer_than_it_said(
    certificates: Certificates,
) -> None:
    async with listen() as listener:
        with pytest.raises(TimeoutError, match=r"no connection to .* within 0\.05 s"):
            await connect(
                listener.address, tls=certificates.client_tls(), connect_timeout=0.05
            )
        peer = await listener.accept()
        hello = await peer.receive(1)
        assert hello == b"\x16"


async def test_who_looks_whether_the_port_is_open_is_no_news(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ampgen")
    async with (
        serve("127.0.0.1:0", Text(), tls=certificates.server_tls()) as server,
        dial(server.addresses[0]) as peer,
    ):
        peer.writer.write_eof()
        assert await peer.ended()
    assert not warnings_in(caplog)
    assert "the peer speaks no TLS, or it is not willing to" in caplog.text


async def test_who_leaves_in_the_handshake_may_not_like_the_certificate(
    certificates: Certificates, caplog: pytest.LogCaptureFixture, warned: asyncio.Event
) -> None:
    """asyncio's own TLS sends no alert."""
    distrusting = client_tls(certificates.other_ca)
    async with serve("127.0.0.1:0", Text(), tls=certificates.server_tls()) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            async with dial_tls(server.addresses[0], distrusting):
                pass
        await warned.wait()
    [line] = warnings_in(caplog)
    assert "does not say why: it may not accept this end's certificate" in line


async def test_a_server_without_alerts_is_asked_for_its_wishes(
    certificates: Certificates,
) -> None:
    async def nobody_comes(_peer: RawPeer) -> None:
        raise AssertionError

    strict = certificates.server_tls(client_ca=certificates.ca)
    async with listen_tls(strict, nobody_comes) as address:
        text = await TextClient.connect(address, tls=certificates.client_tls())
        await text.connection.wait_closed()
        with pytest.raises(ConnectionLost, match=r"may want a certificate of this end"):
            await text.repeat("abc")
        with pytest.raises(TlsError, match="does not say why"):
            await connect(address, tls=up_to_1_2(certificates.client_tls()))


async def test_a_server_that_ends_does_not_wait_for_handshakes(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    made = asyncio.Event()

    def factory(_connection: Connection) -> Text:
        made.set()
        return Text()

    tls = certificates.server_tls()
    async with asyncio.timeout(PATIENCE), AsyncExitStack() as later:
        async with serve("127.0.0.1:0", factory, tls=tls, drain_timeout=60) as server:
            peer = await later.enter_async_context(dial(server.addresses[0]))
            await made.wait()
        assert await peer.ended()
    assert not warnings_in(caplog)


async def test_who_gives_up_connecting_leaves_nothing_behind(
    certificates: Certificates,
) -> None:
    async with listen() as listener:
        connecting = asyncio.ensure_future(
            connect(listener.address, tls=certificates.client_tls()).__aenter__()
        )
        peer = await listener.accept()
        assert await peer.receive(1) == b"\x16"
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await peer.reader.read()


async def test_a_server_that_is_not_there_is_refused_as_ever(
    certificates: Certificates, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        await connect(f"127.0.0.1:{port}", tls=certificates.client_tls())
    path = tmp_path / "nobody"
    with pytest.raises(FileNotFoundError, match="nobody"):
        await connect(
            f"unix:{path}", tls=certificates.client_tls(), server_hostname="localhost"
        )


# --- while it lasts -------------------------------------------------------------------


async def test_a_great_deal_goes_through(certificates: Certificates) -> None:
    items = [Item(id=number, name="x" * 500) for number in range(120)]
    async with (
        serve("127.0.0.1:0", Text(), tls=certificates.server_tls()) as server,
        TextClient.connect(server.addresses[0], tls=certificates.client_tls()) as text,
    ):
        calls = [text.items(items) for _ in range(200)]
        for answer in await asyncio.gather(*calls):
            assert answer == items


async def test_who_does_not_read_is_not_read_from(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    sent = 0
    request = box(
        {
            b"_ask": b"%s",
            b"_command": b"Items",
            b"items": box({b"id": b"1", b"name": b"x" * 60_000}),
        }
    )
    requests = b"".join(request.replace(b"%s", b"%02d" % n) for n in range(40))

    async def send_all(peer: RawPeer) -> None:
        nonlocal sent
        while True:
            await peer.send(requests)
            sent += len(requests)

    async with (
        serve(
            "127.0.0.1:0",
            Text(),
            tls=certificates.server_tls(),
            limits=Limits(unsent=1_000_000),
            drain_timeout=0.1,
        ) as server,
        dial_tls(server.addresses[0], certificates.client_tls()) as peer,
    ):
        transport: Any = peer.writer.transport
        transport.pause_reading()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(send_all(peer), 1)
    # what the systems and both ends hold, and no more
    assert sent < 40_000_000
    assert not warnings_in(caplog)


async def test_more_unsent_than_is_allowed_ends_it(
    certificates: Certificates, caplog: pytest.LogCaptureFixture, warned: asyncio.Event
) -> None:
    class Talking(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            waiting.release()
            await gate.wait()
            return RepeatResult(text="x" * 60_000, length=0)

    gate, waiting = asyncio.Event(), asyncio.Semaphore(0)
    ask = [
        box({b"_ask": b"%x" % n, b"_command": b"Repeat", b"text": b""})
        for n in range(100)
    ]
    async with (
        serve(
            "127.0.0.1:0",
            Talking(),
            tls=certificates.server_tls(),
            limits=Limits(unsent=1_000_000),
        ) as server,
        dial_tls(server.addresses[0], certificates.client_tls()) as peer,
    ):
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await peer.send(b"".join(ask))
        for _ in ask:
            await waiting.acquire()
        gate.set()
        await warned.wait()
    [line] = warnings_in(caplog)
    assert "the peer does not read: closed with" in line


async def test_a_renegotiation_holds_up_what_is_sent(
    certificates: Certificates,
) -> None:
    """The other end is OpenSSL itself, no socket between."""

    class Below(asyncio.Transport):
        def __init__(self) -> None:
            super().__init__({})
            self.written = bytearray()

        def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
            self.written += data

        def get_write_buffer_size(self) -> int:
            return 0

        def close(self) -> None:
            self.written.clear()

        def can_write_eof(self) -> bool:
            return False

        def resume_reading(self) -> None: ...

    class Above:
        def __init__(self) -> None:
            self.data = b""

        def connection_made(self, transport: asyncio.Transport) -> None: ...
        def data_received(self, data: bytes) -> None:
            self.data += data

        def eof_received(self) -> None: ...
        def pause_writing(self) -> None: ...
        def resume_writing(self) -> None: ...
        def connection_lost(self, exc: Exception | None) -> None: ...

    def pump() -> None:
        """Until neither has anything for the other."""
        while True:
            peer.bio_write(bytes(below.written)) if below.written else None
            below.written.clear()
            try:
                if peer.get_state_string() != b"SSL negotiation finished successfully":
                    peer.do_handshake()
                received.extend(peer.recv(100_000))
            except SSL.WantReadError:
                pass
            try:
                layer.data_received(peer.bio_read(100_000))
            except SSL.WantReadError:
                if not below.written:
                    return

    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    context.use_certificate_chain_file(str(certificates.server))
    context.use_privatekey_file(str(certificates.server))
    peer = SSL.Connection(context, None)
    peer.set_accept_state()
    received = bytearray()
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    theirs.load_verify_locations(certificates.ca)
    below, above = Below(), Above()
    layer = tlslayer.TlsLayer(
        above,
        theirs,
        server_side=False,
        established=above.connection_made,
        settled=lambda _layer, error: settled.append(error),
        host="localhost",
    )
    settled: list[TlsError | None] = []
    layer.connection_made(below)
    layer.pause_writing()  # nobody writes yet
    layer.write(b"be")
    layer.resume_writing()
    pump()
    assert settled == [None]
    layer.writelines([b"fo", b"re"])
    pump()
    peer.renegotiate()
    peer.do_handshake()
    layer.data_received(peer.bio_read(100_000))
    layer.write(b"while")
    assert layer.get_write_buffer_size() == 5
    pump()
    peer.send(b"answer")
    pump()
    assert received == b"beforewhile"
    assert above.data == b"answer"
    assert layer.get_write_buffer_size() == 0
    assert not layer.can_write_eof()
    layer.close()
    below.written.clear()
    layer.write(b"late")
    assert not below.written
    layer.connection_lost(None)


# --- how it ends ----------------------------------------------------------------------


async def test_no_answer_is_lost_when_the_server_ends(
    certificates: Certificates,
) -> None:
    """Whatever the client still sends meanwhile."""
    items = [Item(id=number, name="x" * 500) for number in range(120)]
    served = 0

    class Counting(Text):
        def items(self, items: list[Item]) -> list[Item]:
            nonlocal served
            served += 1
            if served == 50:
                server.close()
                connections[0].close()
            return items

    connections: list[Connection] = []

    def factory(connection: Connection) -> Text:
        connections.append(connection)
        return Counting()

    server = serve("127.0.0.1:0", factory, tls=certificates.server_tls())
    async with server:
        text = await TextClient.connect(
            server.addresses[0], tls=certificates.client_tls()
        )
        calls = [text.items(items) for _ in range(400)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        lost = [answer for answer in answers if not isinstance(answer, list)]
        assert all(isinstance(e, ConnectionLost | Unavailable) for e in lost)
        assert len(answers) - len(lost) == served >= 50


async def test_no_request_is_lost_when_the_client_ends(
    certificates: Certificates,
) -> None:
    service = Text()
    async with serve("127.0.0.1:0", service, tls=certificates.server_tls()) as server:
        for number in range(20):
            async with TextClient.connect(
                server.addresses[0], tls=certificates.client_tls()
            ) as text:
                await text.log(f"{number}")
    assert service.lines == [f"{number} from Log" for number in range(20)]


@asynccontextmanager
async def deaf_server(context: ssl.SSLContext) -> AsyncGenerator[str]:
    """Shakes hands, and then does nothing at all."""

    def sit() -> None:
        plain, _address = listening.accept()
        with context.wrap_socket(plain, server_side=True):
            done.wait(PATIENCE)

    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sitting = asyncio.create_task(asyncio.to_thread(sit))
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        done.set()
        await sitting


async def test_a_peer_that_does_not_close_is_not_waited_for(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tlslayer, "SHUTDOWN_TIMEOUT", 0.05)
    async with deaf_server(certificates.server_tls()) as address:
        text = await TextClient.connect(
            address, tls=certificates.client_tls(), drain_timeout=60
        )
        await text.log("x")
        await asyncio.wait_for(text.aclose(), PATIENCE / 2)


async def test_a_peer_that_reads_nothing_has_the_drain_time(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def log_all(text: TextClient) -> None:
        while True:
            await text.log("x" * 60_000, timeout=0.1)

    monkeypatch.setattr(tlslayer, "SHUTDOWN_TIMEOUT", 0.05)
    async with deaf_server(certificates.server_tls()) as address:
        text = await TextClient.connect(
            address, tls=certificates.client_tls(), drain_timeout=0.3
        )
        with pytest.raises(TimeoutError):
            await log_all(text)
        began = asyncio.get_running_loop().time()
        await asyncio.wait_for(text.aclose(), PATIENCE / 2)
        assert asyncio.get_running_loop().time() - began > 0.2


async def test_when_the_peer_ends_its_side_handlers_end(
    certificates: Certificates,
) -> None:
    service = Text()
    async with (
        serve("127.0.0.1:0", service, tls=certificates.server_tls()) as server,
        dial_tls(server.addresses[0], certificates.client_tls()) as peer,
    ):
        await peer.send(ASK + box({b"_ask": b"2", b"_command": b"Stop"}))
        await service.waiting.acquire()
        assert await peer.receive_box() == ANSWER
        peer.writer.close()
        async with asyncio.timeout(PATIENCE):
            await peer.writer.wait_closed()


async def test_an_end_without_goodbye_is_an_end(certificates: Certificates) -> None:
    """As some peers do it: the connection below ends, and TLS says nothing."""

    async def answer_and_go(peer: RawPeer) -> None:
        request = await peer.receive_box()
        await peer.send(box({b"_answer": request[b"_ask"], b"result": b""}))
        assert (await peer.receive_box())[b"_command"] == b"Stop"

    async with (
        listen_tls(certificates.server_tls(), answer_and_go) as address,
        TextClient.connect(address, tls=certificates.client_tls()) as text,
    ):
        assert await text.items([]) == []
        with pytest.raises(ConnectionLost, match=r"the peer closed the connection"):
            await text.stop()


async def test_what_does_not_decrypt_ends_it(certificates: Certificates) -> None:
    tls = certificates.client_tls()
    async with (
        serve("127.0.0.1:0", Text(), tls=certificates.server_tls()) as server,
        dial_tls(server.addresses[0], tls) as peer,
    ):
        await peer.send(ASK)
        assert await peer.receive_box() == ANSWER
        transport: Any = peer.writer.transport
        sock: Any = transport.get_extra_info("socket")
        os.write(sock.fileno(), b"\x17\x03\x03\x00\x20" + b"no cipher" * 4)
        with pytest.raises(ssl.SSLError, match="ALERT_BAD_RECORD_MAC"):
            await peer.ended()


async def test_what_came_before_something_broken_is_acted_on_and_not_answered(
    certificates: Certificates,
) -> None:
    """Behind it OpenSSL encrypts nothing more: not what a handler sends, either."""
    made: list[Connection] = []

    class Calling(Text):
        def items(self, items: list[Item]) -> list[Item]:
            made.append(current_call().connection)
            return items

    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = certificates.client_tls().wrap_bio(
        incoming, outgoing, server_hostname="localhost"
    )
    async with (
        serve("127.0.0.1:0", Calling(), tls=certificates.server_tls()) as server,
        dial(server.addresses[0]) as peer,
    ):
        while tls.version() is None:
            with suppress(ssl.SSLWantReadError):
                tls.do_handshake()
            await peer.send(outgoing.read())
            if tls.version() is None:
                incoming.write(await peer.reader.read(100_000))
        tls.write(box({b"_ask": b"1", b"_command": b"Items", b"items": b""}))
        await peer.send(outgoing.read() + b"\x17\x03\x03\x00\x20" + b"no cipher" * 4)
        incoming.write(await asyncio.wait_for(peer.reader.read(), PATIENCE))
        with pytest.raises(ssl.SSLError, match="ALERT_BAD_RECORD_MAC"):
            tls.read()
        [connection] = made
        await asyncio.wait_for(connection.wait_closed(), PATIENCE)
        assert "DECRYPTION_FAILED_OR_BAD_RECORD_MAC" in connection.status.reason


async def test_handlers_that_take_too_long_are_cancelled_and_answered(
    certificates: Certificates,
) -> None:
    service = Text()
    tls = certificates.server_tls()
    async with asyncio.timeout(PATIENCE):
        async with serve("127.0.0.1:0", service, tls=tls, drain_timeout=0.01) as server:
            text = await TextClient.connect(
                server.addresses[0], tls=certificates.client_tls(), timeout=None
            )
            call = asyncio.create_task(text.stop())
            await service.waiting.acquire()
        with pytest.raises(Cancelled):
            await call
        await text.connection.wait_closed()


# --- contexts -------------------------------------------------------------------------


def test_contexts_are_safe(certificates: Certificates) -> None:
    ours, theirs = certificates.client_tls(), certificates.server_tls()
    for context in (ours, theirs, client_tls()):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    for context in (ours, client_tls()):
        assert context.check_hostname
        assert context.verify_mode == ssl.CERT_REQUIRED
    assert theirs.verify_mode == ssl.CERT_NONE
    strict = certificates.server_tls(client_ca=certificates.ca)
    assert strict.verify_mode == ssl.CERT_REQUIRED


@pytest.fixture(scope="module")
def files(certificates: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`cert`, `key` (of it), `other` (key), `locked` (key), `der`, `damaged`."""
    from cryptography.hazmat.primitives import serialization  # trustme's own

    folder = tmp_path_factory.mktemp("files")
    text = certificates.server.read_text()
    key, chain = text.split("-----BEGIN CERTIFICATE-----", 1)
    chain = "-----BEGIN CERTIFICATE-----" + chain
    (folder / "key").write_text(key)
    (folder / "cert").write_text(chain)
    other = certificates.client.read_text().split("-----BEGIN CERTIFICATE-----")[0]
    (folder / "other").write_text(other)
    loaded = serialization.load_pem_private_key(key.encode(), None)
    (folder / "locked").write_bytes(
        loaded.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"sesame"),
        )
    )
    first = chain.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
    (folder / "der").write_bytes(ssl.PEM_cert_to_DER_cert(first))
    (folder / "damaged").write_text(chain.replace("\nM", "\nX"))
    damaged = (folder / "damaged").read_text()
    (folder / "both").write_text(key + damaged)
    return folder


@pytest.mark.parametrize(
    ("certificate", "key", "password", "reason"),
    [
        ("cert", None, None, "{0}/cert: no private key in it"),
        ("der", "key", None, "{0}/der: no certificate in it (it is not PEM)"),
        ("key", "key", None, "{0}/key: no certificate in it"),
        ("cert", "der", None, "{0}/der: no private key in it (it is not PEM)"),
        (
            "cert",
            "other",
            None,
            "the key in {0}/other does not belong to the certificate in {0}/cert",
        ),
        ("cert", "locked", None, "the key in {0}/locked is encrypted: give password="),
        (
            "cert",
            "locked",
            "sesam",
            "the key in {0}/locked does not open: wrong password?",
        ),
        ("damaged", "key", None, "{0}/damaged or {0}/key cannot be read: "),
        ("both", None, None, "{0}/both cannot be read: "),
        ("damaged", "key", "sesam", "{0}/damaged or {0}/key cannot be read: "),
    ],
)
def test_a_file_that_does_not_fit_is_named(
    certificate: str, key: str | None, password: str | None, reason: str, files: Path
) -> None:
    key_file = None if key is None else files / key
    with pytest.raises(ValueError, match=re.escape(reason.format(files))) as raised:
        server_tls(files / certificate, key_file, password=password)
    assert "sesam" not in str(raised.value)


def test_files_of_all_kinds_fit(certificates: Certificates, files: Path) -> None:
    server_tls(files / "cert", files / "key")
    server_tls(str(files / "cert"), str(files / "locked"), password="sesame")
    client_tls(certificates.ca, certificate=files / "cert", key=files / "key")
    client_tls(certificate=certificates.client)


def test_a_file_that_is_not_there_is_named(files: Path) -> None:
    none = files / "none"
    with pytest.raises(FileNotFoundError, match="none"):
        server_tls(none)
    with pytest.raises(FileNotFoundError, match="none"):
        server_tls(files / "cert", none)
    with pytest.raises(FileNotFoundError, match="none"):
        server_tls(files / "cert", files / "key", client_ca=none)
    with pytest.raises(FileNotFoundError, match="none"):
        client_tls(none)


def test_authorities_that_do_not_fit_are_named(files: Path) -> None:
    with pytest.raises(ValueError, match="key: no certificate in it"):
        client_tls(files / "key")
    with pytest.raises(ValueError, match="damaged cannot be read"):
        client_tls(files / "damaged")
    with pytest.raises(ValueError, match="key= without certificate="):
        client_tls(key=files / "key")


def test_what_does_not_fit_together_is_refused(certificates: Certificates) -> None:
    ours, theirs = certificates.client_tls(), certificates.server_tls()
    anything: Any = True
    with pytest.raises(TypeError, match=r"tls= is an ssl.SSLContext, not a bool"):
        serve("127.0.0.1:0", Text(), tls=anything)
    with pytest.raises(TypeError, match=r"starttls= .* \(ampgen.runtime.client_tls"):
        connect("127.0.0.1:1", starttls=anything)
    with pytest.raises(ValueError, match="tls= is a context for a client"):
        serve("127.0.0.1:0", Text(), tls=ours)
    with pytest.raises(ValueError, match="starttls= is a context for a server"):
        connect("127.0.0.1:1", starttls=theirs)
    with pytest.raises(ValueError, match="TLS begins only once"):
        serve("127.0.0.1:0", Text(), tls=theirs, starttls=theirs)
    with pytest.raises(ValueError, match="TLS begins only once"):
        connect("127.0.0.1:1", tls=ours, starttls=ours)
    with pytest.raises(ValueError, match="server_hostname= without tls="):
        connect("127.0.0.1:1", server_hostname="localhost")
    with pytest.raises(ValueError, match="server_hostname= is missing"):
        connect("unix:/nowhere", tls=ours)
    for host in (".example.com", "example..com", "x" * 64 + ".com", "a\0b"):
        with pytest.raises(ValueError, match=r"server_hostname=.* is no name"):
            connect("127.0.0.1:1", tls=ours, server_hostname=host)
    for seconds in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="handshake_timeout"):
            serve("127.0.0.1:0", Text(), tls=theirs, handshake_timeout=seconds)
    anything = "10"
    with pytest.raises(TypeError, match="handshake_timeout"):
        serve("127.0.0.1:0", Text(), tls=theirs, handshake_timeout=anything)


async def test_who_checks_no_name_needs_none(
    certificates: Certificates, tmp_path: Path
) -> None:
    careless = certificates.client_tls()
    careless.check_hostname = False
    async with (
        serve(
            f"unix:{tmp_path / 'socket'}", Text(), tls=certificates.server_tls()
        ) as server,
        TextClient.connect(server.addresses[0], tls=careless) as text,
    ):
        assert await text.items([]) == []


def test_what_openssl_says_is_said_where_there_are_no_better_words() -> None:
    error = ssl.SSLCertVerificationError(1, "strange")
    error.verify_code, error.verify_message = 79, "invalid CA certificate"
    assert explain(error, None) == (
        "the peer's certificate does not verify: invalid CA certificate"
    )
    assert explain(ssl.SSLError(1, "strange"), None) == "strange"
