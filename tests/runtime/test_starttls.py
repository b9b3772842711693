"""`StartTLS`: what is said before TLS, and what must not be believed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import (
    Connection,
    ConnectionLost,
    Limits,
    RemoteError,
    Server,
    TlsError,
    connect,
    current_call,
    serve,
)
from ampgen.runtime.command import raw_command
from tests.logs import warnings_in
from tests.raw import PATIENCE, RawPeer, box, dial, listen
from tests.runtime.made.text import RepeatResult, TextClient
from tests.runtime.services import Events, Text
from tests.runtime.test_tls import ANSWER, ASK

if TYPE_CHECKING:
    import ssl

    from tests.certificates import Certificates

START = box({b"_ask": b"7", b"_command": b"StartTLS"})
BEGUN = {b"_answer": b"7"}


async def secure(peer: RawPeer, context: ssl.SSLContext) -> None:
    """What a client does behind the answer to `StartTLS`."""
    upgrade = peer.writer.start_tls(context, server_hostname="localhost")
    await asyncio.wait_for(upgrade, PATIENCE)


async def begin(peer: RawPeer, context: ssl.SSLContext) -> None:
    await peer.send(START)
    assert await peer.receive_box() == BEGUN
    await secure(peer, context)


@pytest.mark.parametrize("required", [True, False])
async def test_both_ends_of_ours(required: bool, certificates: Certificates) -> None:
    made: list[Connection] = []

    class Calling(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            answer = await self.events.confirm(text)
            return RepeatResult(text=answer * times, length=0)

    def factory(connection: Connection) -> Text:
        made.append(connection)
        return Calling()

    theirs = certificates.server_tls(client_ca=certificates.ca)
    ours = certificates.client_tls(certificate=certificates.client)
    async with (
        serve(
            "127.0.0.1:0", factory, starttls=theirs, starttls_required=required
        ) as server,
        TextClient.connect(server.addresses[0], events=Events(), starttls=ours) as text,
    ):
        assert (await text.repeat("a", 2)).text == "a: yesa: yes"
        assert text.connection.is_encrypted
        assert text.connection.peer_certificate
        assert made[0].is_encrypted
        assert made[0].peer_certificate


@pytest.mark.parametrize("required", [True, False])
async def test_begins_once(required: bool, certificates: Certificates) -> None:
    async with (
        serve(
            "127.0.0.1:0",
            Text(),
            starttls=certificates.server_tls(),
            starttls_required=required,
        ) as server,
        dial(server.addresses[0]) as peer,
    ):
        await begin(peer, certificates.client_tls())
        await peer.send(ASK)
        assert await peer.receive_box() == ANSWER
        await peer.send(START)
        assert await peer.receive_box() == {
            b"_error": b"7",
            b"_error_code": b"UNAVAILABLE",
            b"_error_description": b"TLS has begun already",
        }
        peer.writer.transport.abort()


# --- a server that requires it --------------------------------------------------------


async def test_nothing_is_served_before(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    service = Text()
    async with (
        serve("127.0.0.1:0", service, starttls=certificates.server_tls()) as server,
        dial(server.addresses[0]) as peer,
    ):
        # in pieces, and with something before it in the same one
        await peer.send(ASK[:10])
        log = box({b"_command": b"Log", b"line": b"x"})
        await peer.send(ASK[10:] + log + log + START)
        assert await peer.receive_box() == {
            b"_error": b"1",
            b"_error_code": b"TLS_REQUIRED",
            b"_error_description": (
                b"nothing is answered in the clear: begin with StartTLS"
            ),
        }
        assert await peer.receive_box() == BEGUN
        await secure(peer, certificates.client_tls())
        await peer.send(ASK)
        assert await peer.receive_box() == ANSWER
        peer.writer.transport.abort()
    assert service.lines == []
    assert warnings_in(caplog) == ["dropped b'Log': it came before StartTLS"]


async def test_a_client_that_does_not_ask_is_told(certificates: Certificates) -> None:
    async with (
        serve("127.0.0.1:0", Text(), starttls=certificates.server_tls()) as server,
        TextClient.connect(server.addresses[0]) as text,
    ):
        with pytest.raises(RemoteError, match="begin with StartTLS") as raised:
            await text.repeat("abc")
        assert raised.value.code == "TLS_REQUIRED"


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (START + ASK, "bytes in the clear behind StartTLS"),
        (START + START[:3], "bytes in the clear behind StartTLS"),
        (box({b"_answer": b"1"}), "a box that nobody asked for"),
        (box({b"_command": b"Log", b"_error": b"1"}), "a box that nobody asked for"),
        (box({b"_ask": b"1"}), "a box that nobody asked for"),
        (b"GET / HTTP/1.1\r\n", "a key of 18,245 bytes"),
        (box({b"_command": b"Log", b"line": b"x" * 101}), "a box over 100 bytes"),
        (box({b"_ask": b"1", b"_command": b"x"}) * 700, "asks too much before"),
        (START[:9], "closed the connection before TLS began"),
    ],
)
async def test_what_cannot_lead_to_tls_ends_it(
    sent: bytes,
    reason: str,
    certificates: Certificates,
    caplog: pytest.LogCaptureFixture,
    warned: asyncio.Event,
) -> None:
    service = Text()
    async with (
        serve(
            "127.0.0.1:0",
            service,
            starttls=certificates.server_tls(),
            limits=Limits(box=100),
        ) as server,
        dial(server.addresses[0]) as peer,
    ):
        await peer.send(sent)
        peer.writer.write_eof()
        assert await peer.ended()
        await warned.wait()
    [line] = warnings_in(caplog)
    assert line.startswith("no TLS with 127.0.0.1:")
    assert reason in line


async def test_who_never_asks_is_cut_off(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        serve(
            "127.0.0.1:0",
            Text(),
            starttls=certificates.server_tls(),
            handshake_timeout=0.05,
        ) as server,
        dial(server.addresses[0]) as peer,
    ):
        assert await peer.ended()
    [line] = warnings_in(caplog)
    assert line.endswith("no handshake within 0.05 s")


# --- a server that does not -----------------------------------------------------------


async def test_calls_before_it_are_answered_in_the_clear(
    certificates: Certificates,
) -> None:
    async with (
        serve(
            "127.0.0.1:0",
            Text(),
            starttls=certificates.server_tls(),
            starttls_required=False,
        ) as server,
        dial(server.addresses[0]) as peer,
    ):
        await peer.send(ASK)
        assert await peer.receive_box() == ANSWER
        await begin(peer, certificates.client_tls())
        for _ in range(3):
            await peer.send(ASK)
            assert await peer.receive_box() == ANSWER
        peer.writer.transport.abort()


async def test_nobody_is_known_from_before_it(certificates: Certificates) -> None:
    class Known(Text):
        async def repeat(self, text: str, times: int) -> RepeatResult:
            connection = current_call().connection
            if not connection.is_encrypted:
                connection.identity = "mallory"
            return RepeatResult(text=str(connection.identity), length=times)

    async with (
        serve(
            "127.0.0.1:0",
            Known(),
            starttls=certificates.server_tls(),
            starttls_required=False,
        ) as server,
        dial(server.addresses[0]) as peer,
    ):
        await peer.send(ASK)
        assert (await peer.receive_box())[b"text"] == b"mallory"
        await begin(peer, certificates.client_tls())
        await peer.send(ASK)
        assert (await peer.receive_box())[b"text"] == b"None"
        peer.writer.transport.abort()


async def test_bytes_behind_it_are_not_believed(
    certificates: Certificates,
    caplog: pytest.LogCaptureFixture,
    warned: asyncio.Event,
) -> None:
    service = Text()
    async with (
        serve(
            "127.0.0.1:0",
            service,
            starttls=certificates.server_tls(),
            starttls_required=False,
        ) as server,
        dial(server.addresses[0]) as peer,
    ):
        await peer.send(START + box({b"_command": b"Log", b"line": b"injected"}))
        await warned.wait()
        assert await peer.receive_box() == BEGUN
        with pytest.raises(ConnectionError):
            await secure(peer, certificates.client_tls())
    [line] = warnings_in(caplog)
    assert "closed: bytes in the clear behind StartTLS" in line
    assert service.lines == []


async def test_it_waits_for_calls_in_flight(certificates: Certificates) -> None:
    service = Text()
    refused = {
        b"_error": b"7",
        b"_error_code": b"UNAVAILABLE",
        b"_error_description": b"StartTLS has to wait until no call is in flight",
    }
    async with (
        serve(
            "127.0.0.1:0",
            service,
            starttls=certificates.server_tls(),
            starttls_required=False,
        ) as server,
        dial(server.addresses[0]) as peer,
    ):
        await peer.send(box({b"_ask": b"1", b"_command": b"Stop"}))
        await service.waiting.acquire()
        await peer.send(START)
        assert await peer.receive_box() == refused
        service.gate.set()
        assert await peer.receive_box() == {b"_answer": b"1"}
        await begin(peer, certificates.client_tls())
        peer.writer.transport.abort()


async def test_it_waits_for_calls_of_the_server(certificates: Certificates) -> None:
    calls: list[asyncio.Task[Any]] = []

    def factory(connection: Connection) -> Text:
        call = connection.call_box(b"Confirm", {b"question": b"?"})
        calls.append(asyncio.create_task(call))
        return Text()

    async with (
        serve(
            "127.0.0.1:0",
            factory,
            starttls=certificates.server_tls(),
            starttls_required=False,
        ) as server,
        dial(server.addresses[0]) as peer,
    ):
        request = await peer.receive_box()
        await peer.send(START)
        assert (await peer.receive_box())[b"_error_code"] == b"UNAVAILABLE"
        await peer.send(box({b"_answer": request[b"_ask"], b"result": b"yes"}))
        await begin(peer, certificates.client_tls())
        assert await calls[0] == {b"result": b"yes"}
        peer.writer.transport.abort()


async def test_it_wants_an_answer(
    certificates: Certificates,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        serve(
            "127.0.0.1:0",
            Text(),
            starttls=certificates.server_tls(),
            starttls_required=False,
        ) as server,
        dial(server.addresses[0]) as peer,
    ):
        await peer.send(box({b"_command": b"StartTLS"}) + ASK)
        assert await peer.receive_box() == ANSWER
    [line] = warnings_in(caplog)
    assert line.startswith("StartTLS: ")


async def test_a_handshake_that_fails_ends_the_connection(
    certificates: Certificates,
    caplog: pytest.LogCaptureFixture,
) -> None:
    made: list[Connection] = []

    def factory(connection: Connection) -> Text:
        made.append(connection)
        return Text()

    async with (
        serve(
            "127.0.0.1:0",
            factory,
            starttls=certificates.server_tls(),
            starttls_required=False,
        ) as server,
        dial(server.addresses[0]) as peer,
    ):
        await peer.send(START)
        assert await peer.receive_box() == BEGUN
        call = asyncio.create_task(made[0].call_box(b"Confirm", {b"question": b"?"}))
        await asyncio.sleep(0)
        assert not made[0].is_encrypted
        assert made[0].peer_certificate is None
        await peer.send(ASK)
        alert = await peer.receive(7)
        assert alert.startswith(b"\x15\x03")
        assert await peer.ended()
        peer.writer.write_eof()
        with pytest.raises(ConnectionLost, match="the peer speaks no TLS") as raised:
            await call
        assert not raised.value.sent
        await made[0].wait_closed()
    [line] = warnings_in(caplog)
    assert line.endswith("the peer speaks no TLS")


@pytest.mark.parametrize("end", ["server", "connection"])
async def test_the_end_does_not_wait_for_a_handshake(
    end: str, certificates: Certificates
) -> None:
    made: list[Connection] = []

    def factory(connection: Connection) -> Text:
        made.append(connection)
        return Text()

    async with asyncio.timeout(PATIENCE):
        async with (
            serve(
                "127.0.0.1:0",
                factory,
                starttls=certificates.server_tls(),
                starttls_required=False,
                drain_timeout=60,
            ) as server,
            dial(server.addresses[0]) as peer,
        ):
            await peer.send(START)
            assert await peer.receive_box() == BEGUN
            await peer.send(b"\x16")
            if end == "connection":
                made[0].close()
                await made[0].wait_closed()


async def test_it_never_begins_where_the_connection_closes(
    certificates: Certificates,
) -> None:
    class Closing(Text):
        def log(self, line: str) -> None:
            loop = asyncio.get_running_loop()
            loop.call_soon(current_call().connection.close)

    async with (
        serve(
            "127.0.0.1:0",
            Closing(),
            starttls=certificates.server_tls(),
            starttls_required=False,
        ) as server,
        dial(server.addresses[0]) as peer,
    ):
        await peer.send(box({b"_command": b"Log", b"line": b"x"}) + START)
        assert await peer.receive_box() == BEGUN
        assert await peer.ended()


def test_no_service_may_have_it_too(certificates: Certificates) -> None:
    class Own(Server):
        __ampgen_commands__ = ((raw_command(b"StartTLS"), "start"),)

        def start(self, box: object) -> None: ...

    with pytest.raises(ValueError, match="have a command 'StartTLS' already"):
        serve("127.0.0.1:0", Own(), starttls=certificates.server_tls())


# --- a client -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (
            box(
                {
                    b"_error": b"0",
                    b"_error_code": b"NO",
                    b"_error_description": b"never",
                }
            ),
            "the server refuses StartTLS: NO: never",
        ),
        (box({b"_error": b"0"}), "the server refuses StartTLS: : "),
        (
            box({b"_answer": b"0"}) + box({b"_command": b"Progress", b"done": b"1"}),
            "bytes in the clear behind StartTLS",
        ),
        (box({b"_answer": b"1"}), "a box that nobody asked for"),
        (b"\x15\x03\x01\x00\x02\x02\x0a", "this looks like TLS"),
        (
            box({b"_ask": b"1" * 60_000, b"_command": b"Confirm"}) * 2,
            "the peer asks too much before StartTLS",
        ),
        (b"", "the peer closed the connection before TLS began"),
    ],
)
async def test_a_server_that_does_not_start_tls(
    sent: bytes, reason: str, certificates: Certificates
) -> None:
    events = Events()

    async def answer() -> None:
        peer = await listener.accept()
        assert await peer.receive_box() == {b"_ask": b"0", b"_command": b"StartTLS"}
        await peer.send(sent)
        peer.writer.write_eof()
        await peer.reader.read()

    async with listen() as listener:
        answering = asyncio.create_task(answer())
        with pytest.raises(TlsError) as raised:
            await TextClient.connect(
                listener.address, events=events, starttls=certificates.client_tls()
            )
        await answering
    assert str(raised.value).startswith(f"no TLS with {listener.address}: ")
    assert reason in str(raised.value)
    assert events.seen == []


async def test_what_a_server_asks_before_is_refused_through_tls(
    certificates: Certificates, caplog: pytest.LogCaptureFixture
) -> None:
    events = Events()

    async def answer() -> None:
        peer = await listener.accept()
        await peer.send(box({b"_command": b"Progress", b"done": b"1"}))
        await peer.send(box({b"_ask": b"9", b"_command": b"Confirm"}))
        assert await peer.receive_box() == {b"_ask": b"0", b"_command": b"StartTLS"}
        # asyncio would take the start of TLS for something to be read in the clear
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await peer.send(box({b"_answer": b"0"}))
        await asyncio.wait_for(
            peer.writer.start_tls(certificates.server_tls()), PATIENCE
        )
        refusal = await peer.receive_box()
        assert refusal[b"_error"] == b"9"
        assert refusal[b"_error_code"] == b"TLS_REQUIRED"
        request = await peer.receive_box()
        await peer.send(box({b"_answer": request[b"_ask"], b"result": b""}))
        assert await peer.ended()
        peer.writer.transport.abort()

    async with listen() as listener:
        answering = asyncio.create_task(answer())
        async with TextClient.connect(
            listener.address,
            events=events,
            starttls=certificates.client_tls(),
            server_hostname="localhost",
        ) as text:
            assert await text.items([]) == []
        await answering
    assert events.seen == []
    assert warnings_in(caplog) == ["dropped b'Progress': it came before StartTLS"]


async def test_a_server_that_knows_no_starttls_is_left(
    certificates: Certificates,
) -> None:
    async with serve("127.0.0.1:0", Text()) as server:
        with pytest.raises(TlsError, match="refuses StartTLS: UNHANDLED: Unhandled"):
            await connect(server.addresses[0], starttls=certificates.client_tls())


async def test_a_server_that_never_answers_is_not_waited_for(
    certificates: Certificates,
) -> None:
    async with listen() as listener:
        with pytest.raises(TimeoutError, match="no connection to"):
            await connect(
                listener.address,
                starttls=certificates.client_tls(),
                connect_timeout=0.05,
            )
