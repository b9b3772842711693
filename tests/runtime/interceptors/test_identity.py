"""Who calls: each way to find out, and what is refused to nobody."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import hmac
import os
import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from ampgen.runtime import (
    Connection,
    InternalError,
    Limits,
    RemoteError,
    Unauthenticated,
    connect,
    current_call,
    serve,
)
from ampgen.runtime.credentials import peer_uid
from ampgen.runtime.interceptors import (
    certificate_identity,
    require_identity,
    same_secret,
    send_token,
    token_identity,
    uid_identity,
)
from ampgen.runtime.receiver import receiver_for
from ampgen.runtime.services import Services
from tests.runtime.interceptors.around import pair
from tests.runtime.made.text import RepeatResult, TextClient
from tests.runtime.services import Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from pathlib import Path

    from ampgen.runtime import Interceptor


class Knowing(Text):
    """``Log`` signs in; ``Repeat`` tells who calls."""

    def repeat(self, text: str, times: int) -> RepeatResult:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return RepeatResult(text=str(current_call().identity), length=times)

    def log(self, line: str) -> None:
        current_call().connection.identity = line or None


# --- a first call ---------------------------------------------------------------------


async def test_a_first_call_says_who_the_connection_is() -> None:
    refuse = require_identity(except_for=["Text.Log"])
    async with pair(Knowing(), server=[refuse]) as text:
        with pytest.raises(Unauthenticated, match=r"Text\.Repeat is not for everybody"):
            await text.repeat("")
        await text.log("me")
        assert (await text.repeat("")).text == "me"
        await text.log("")
        with pytest.raises(Unauthenticated):
            await text.repeat("")


async def test_connections_do_not_share_it() -> None:
    service = Knowing()
    async with serve("127.0.0.1:0", service) as server:
        for who in ("me", "you"):
            async with TextClient.connect(server.addresses[0]) as text:
                assert (await text.repeat("")).text == "None"
                await text.log(who)
                assert (await text.repeat("")).text == who


async def test_what_no_service_knows_is_refused_too() -> None:
    async def fallback(_name: bytes, box: dict[bytes, bytes], _call: Any) -> Any:
        return box

    async with (
        serve(
            "127.0.0.1:0", fallback=fallback, interceptors=[require_identity()]
        ) as server,
        connect(server.addresses[0]) as connection,
    ):
        with pytest.raises(Unauthenticated):
            await connection.call_box(b"Repeat", {})


def test_one_name_is_no_list_of_names() -> None:
    with pytest.raises(TypeError, match="except_for is a list"):
        require_identity(except_for="Text.Log")


# --- a token --------------------------------------------------------------------------

USERS = {"t0ken": "me"}


def at_once(token: str) -> str | None:
    return USERS.get(token)


async def later(token: str) -> str | None:
    await asyncio.sleep(0)
    return USERS.get(token)


@pytest.mark.parametrize("verify", [at_once, later])
async def test_a_token_says_who_calls(verify: Any) -> None:
    server = [token_identity(verify), require_identity()]
    async with pair(Knowing(), server=server) as text:
        good = {"authorization": "Bearer t0ken"}
        assert (await text.repeat("", metadata=good)).text == "me"
        with pytest.raises(Unauthenticated, match="not for everybody"):
            await text.repeat("")  # it was for that one call
        for bad in ("Bearer t0ke", "Bearer", "", "t0ken", "Basic t0ken"):
            with pytest.raises(Unauthenticated, match="the token in 'authorization'"):
                await text.repeat("", metadata={"authorization": bad})
        lower = {"authorization": "bearer t0ken"}
        assert (await text.repeat("", metadata=lower)).text == "me"


async def test_without_a_token_a_call_is_nobodys() -> None:
    async with pair(Knowing(), server=[token_identity(at_once)]) as text:
        assert (await text.repeat("")).text == "None"


def give() -> str:
    return "t0ken"


async def give_later() -> str:
    await asyncio.sleep(0)
    return "t0ken"


@pytest.mark.parametrize("token", ["t0ken", give, give_later])
@pytest.mark.parametrize("options", [{}, {"name": "x-token", "scheme": ""}])
async def test_a_client_sends_it(token: Any, options: Any) -> None:
    server = [token_identity(at_once, **options), require_identity()]
    async with pair(
        Knowing(), server=server, client=[send_token(token, **options)]
    ) as text:
        assert (await text.repeat("", metadata={"other": "x"})).text == "me"
        assert (await text.repeat("")).text == "me"


async def test_a_token_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    def broken(token: str) -> str | None:
        raise LookupError("no users")

    caplog.set_level(0)
    async with pair(
        server=[token_identity(broken)], client=[send_token("t0ken")]
    ) as text:
        with pytest.raises(InternalError):
            await text.repeat("")
    assert "no users" in caplog.text
    assert "t0ken" not in caplog.text


async def test_secrets_are_compared_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def spy(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return a == b

    assert same_secret("ä", "ä")
    assert not same_secret("ä", "a")
    assert not same_secret("\ud800", "")
    monkeypatch.setattr(hmac, "compare_digest", spy)
    assert not same_secret("abc", "abd")
    assert compared == [(b"abc", b"abd")]


# --- the connection itself ------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="it has no users of that kind")
async def test_the_user_at_a_unix_socket(tmp_path: Path) -> None:
    asked: list[int] = []

    async def user(uid: int) -> str:
        asked.append(uid)
        return f"user {uid}"

    server = [uid_identity(user), require_identity()]
    address = f"unix:{tmp_path}/socket"
    async with pair(Knowing(), server=server, address=address) as text:
        for _ in range(2):
            assert (await text.repeat("")).text == f"user {os.getuid()}"
        assert text.connection.peer_uid == os.getuid()
    assert asked == [os.getuid()]
    assert text.connection.peer_uid is None  # it is gone


async def test_a_handler_sees_the_user(tmp_path: Path) -> None:
    class Seeing(Text):
        def repeat(self, text: str, times: int) -> RepeatResult:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
            return RepeatResult(text=str(current_call().peer_uid), length=0)

    async with pair(Seeing(), address=f"unix:{tmp_path}/socket") as text:
        assert (await text.repeat("")).text == str(os.getuid())


async def test_elsewhere_nobody_knows_the_user() -> None:
    def never(uid: int) -> str:
        raise AssertionError

    async with pair(Knowing(), server=[uid_identity(never)]) as text:
        assert text.connection.peer_uid is None
        assert (await text.repeat("")).text == "None"
    async with TextClient.local(Text()) as text:
        assert text.connection.peer_uid is None
    assert peer_uid(None) is None


async def test_a_connection_that_is_being_made_has_no_user(tmp_path: Path) -> None:
    seen: list[int | None] = []

    def factory(connection: Any) -> Text:
        seen.append(connection.peer_uid)
        return Text()

    async with pair(factory, address=f"unix:{tmp_path}/socket") as text:
        await text.repeat("")
    assert seen == [None]


@pytest.mark.parametrize("nobody", [None, False])
async def test_who_is_not_known_stays_nobody(nobody: Any, tmp_path: Path) -> None:
    """A function that says yes or no says no."""
    server = [
        token_identity(lambda token: nobody),
        uid_identity(lambda uid: nobody),
        require_identity(),
    ]
    seen: list[Connection] = []

    def factory(connection: Connection) -> Text:
        seen.append(connection)
        return Text()

    async with pair(factory, server=server, address=f"unix:{tmp_path}/socket") as text:
        with pytest.raises(Unauthenticated, match="not for everybody"):
            await text.repeat("")
        with pytest.raises(Unauthenticated, match="is not good"):
            await text.repeat("", metadata={"authorization": "Bearer x"})
        seen[0].identity = nobody
        with pytest.raises(Unauthenticated, match="not for everybody"):
            await text.repeat("")


async def test_a_user_of_number_zero_is_somebody(tmp_path: Path) -> None:
    server = [uid_identity(lambda uid: 0), require_identity()]
    async with pair(
        Knowing(), server=server, address=f"unix:{tmp_path}/socket"
    ) as text:
        assert (await text.repeat("")).text == "0"


async def test_an_identity_that_is_set_meanwhile_stays(tmp_path: Path) -> None:
    asked, gate = asyncio.Event(), asyncio.Event()

    async def slow(uid: int) -> str:
        asked.set()
        await gate.wait()
        return "found"

    address = f"unix:{tmp_path}/socket"
    connections: list[Any] = []

    def factory(connection: Any) -> Text:
        connections.append(connection)
        return Knowing()

    async with pair(factory, server=[uid_identity(slow)], address=address) as text:
        call = asyncio.ensure_future(text.repeat(""))
        await asked.wait()
        connections[0].identity = "set"
        gate.set()
        assert (await call).text == "set"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@asynccontextmanager
async def over_tls(
    authority: trustme.CA, interceptor: Interceptor, certificate: bool
) -> AsyncGenerator[TextClient]:
    """A call over TLS, whose client may have a certificate or not."""
    accepting = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(accepting)
    authority.configure_trust(accepting)
    accepting.verify_mode = ssl.CERT_OPTIONAL
    connecting = ssl.create_default_context()
    authority.configure_trust(connecting)
    if certificate:
        authority.issue_cert("me@example.org").configure_cert(connecting)
    loop = asyncio.get_running_loop()
    services = Services([Knowing()], [interceptor])

    def end(handlers: Any) -> Any:
        connection = Connection(handlers, limits=Limits())
        ends.append(connection)
        return receiver_for(connection._shell)

    ends: list[Connection] = []
    server = await loop.create_server(
        lambda: end(services.handlers), "127.0.0.1", 0, ssl=accepting
    )
    host, port = server.sockets[0].getsockname()
    await loop.create_connection(
        lambda: end(Services(()).handlers), host, port, ssl=connecting
    )
    try:
        yield TextClient(next(e for e in ends if not e._shell.protocol.handlers))
    finally:
        server.close()
        for connection in ends:
            await connection.aclose()


@pytest.mark.parametrize(
    ("certificate", "who"), [(True, "me@example.org"), (False, None)]
)
async def test_the_certificate_of_a_client(
    authority: trustme.CA, certificate: bool, who: str | None
) -> None:
    def mail(certificate: Mapping[str, Any]) -> str:
        names = dict(certificate["subjectAltName"])
        return str(names["email"])

    around = certificate_identity(mail)
    async with over_tls(authority, around, certificate) as text:
        assert (await text.repeat("")).text == str(who)
        assert (await text.repeat("")).text == str(who)


async def test_without_tls_there_is_no_certificate() -> None:
    def never(certificate: Mapping[str, Any]) -> str:
        raise AssertionError

    async with pair(Knowing(), server=[certificate_identity(never)]) as text:
        assert (await text.repeat("")).text == "None"


# --- misuse ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "interceptor",
    [
        require_identity(),
        token_identity(at_once),
        uid_identity(str),
        certificate_identity(str),
    ],
)
async def test_they_are_for_what_is_served(interceptor: Any) -> None:
    async with pair(client=[interceptor]) as text:
        with pytest.raises(TypeError, match="for what is served, not for a client"):
            await text.repeat("")


def test_the_error_is_one_of_the_runtime() -> None:
    error = Unauthenticated("who are you?")
    assert isinstance(error, RemoteError)
    assert (error.code, str(error)) == ("UNAUTHENTICATED", "who are you?")
