"""Descriptors that go with calls, and that none is left open where they go astray."""

# pyright: reportUnknownMemberType=false
# The services here derive from classes that are compiled while the tests run.

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import (
    ConnectionLost,
    DecodeError,
    EncodeError,
    Handover,
    InternalError,
    InvalidArgument,
    Limits,
    ProtocolError,
    Unavailable,
    connect,
    serve,
)
from ampgen.runtime.descriptors import MAX_AT_ONCE, Attached
from tests.fds import Pipe, none_left
from tests.raw import PATIENCE, box
from tests.runtime.peers import HeldCall
from tests.runtime.services import Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from tests.certificates import Certificates
    from tests.conftest import CompileSchema

pytestmark = pytest.mark.skipif(
    not hasattr(socket, "SCM_RIGHTS"), reason="descriptors need Unix sockets"
)

TEXT = b"what is in the file"
FOUND = "INVALID_ARGUMENT"


@pytest.fixture(scope="module")
def files(compile_schema: CompileSchema) -> Any:
    return compile_schema(Path(__file__).parent / "files.amp")


@pytest.fixture
def path(tmp_path: Path) -> str:
    path = tmp_path / "file"
    path.write_bytes(TEXT)
    return str(path)


def service(files: Any) -> Any:
    class Files(files.FilesServer):  # type: ignore[misc]
        """Closes what it is given; ``hold`` keeps the calls of `Open` waiting."""

        def __init__(self) -> None:
            self.gate = asyncio.Event()
            self.gate.set()
            self.waiting = asyncio.Semaphore(0)
            self.dropped: asyncio.Queue[int] = asyncio.Queue()
            self.make_pair: Callable[[], Any] = self.new_pair

        def adopt(self, file: int, name: str, spare: int | None) -> Any:
            for fd in (file, spare):
                if fd is not None:
                    assert not os.get_inheritable(fd)
            size = os.fstat(file).st_size
            os.close(file)
            if spare is not None:
                os.close(spare)
            return files.AdoptResult(size=size)

        async def open(self, path: str) -> int:
            self.waiting.release()
            await self.gate.wait()
            return Handover(os.open(path, os.O_RDONLY))

        def find(self, path: str) -> int | None:
            return Handover(os.open(path, os.O_RDONLY)) if path else None

        def pair(self) -> Any:
            return self.make_pair()

        def new_pair(self) -> Any:
            one, two = (Handover(os.open(os.devnull, os.O_RDONLY)) for _ in range(2))
            return files.PairResult(one=one, two=two, note="two")

        def print(self, page: str, onto: int) -> Any:
            return files.PrintResult(proof=page.encode(), from_=Handover(onto))

        def drop(self, file: int) -> None:
            self.dropped.put_nowait(os.fstat(file).st_size)
            os.close(file)

    return Files()


def read(fd: int) -> bytes:
    with os.fdopen(fd, "rb") as file:
        return file.read()


# --- calls ----------------------------------------------------------------------------


@pytest.fixture(params=["unix", "local"])
def ends(request: pytest.FixtureRequest, files: Any, tmp_path: Path) -> Any:
    """A client, and the service that it calls."""

    @asynccontextmanager
    async def unix(**options: Any) -> AsyncGenerator[Any]:
        served = service(files)
        address = f"unix:{tmp_path}/socket"
        async with (
            serve(address, served),
            files.FilesClient.connect(address, **options) as client,
        ):
            yield client, served

    @asynccontextmanager
    async def local(**options: Any) -> AsyncGenerator[Any]:
        served = service(files)
        async with files.FilesClient.local(served, **options) as client:
            yield client, served

    return unix if request.param == "unix" else local


async def test_descriptors_go_with_arguments(ends: Any, path: str) -> None:
    with none_left():
        file = os.open(path, os.O_RDONLY)
        async with ends() as (client, served):
            answer = await client.adopt(file, "x")
            assert answer.size == len(TEXT)
            answer = await client.adopt(file, "x", file)
            assert answer.size == len(TEXT)
            await client.drop(file)
            assert await served.dropped.get() == len(TEXT)
        assert read(file) == TEXT  # the caller's own is as it was


async def test_descriptors_come_with_results(ends: Any, path: str) -> None:
    with none_left():
        async with ends() as (client, _served):
            file = await client.open(path)
            assert not os.get_inheritable(file)
            assert read(file) == TEXT
            assert await client.find("") is None
            assert read(await client.find(path)) == TEXT
            pair = await client.pair()
            assert pair.note == "two"
            assert pair.one != pair.two
            os.close(pair.one)
            os.close(pair.two)


async def test_descriptors_go_with_large_values(ends: Any) -> None:
    with none_left():
        async with ends() as (client, _served):
            pipe = Pipe()
            page = "x" * 200_000
            answer = await client.print(page, pipe.fd)
            assert answer.proof == page.encode()
            assert os.fstat(answer.from_).st_ino == os.fstat(pipe.fd).st_ino
            os.close(answer.from_)
            await pipe.closed()


async def test_many_at_once_all_arrive(ends: Any, path: str) -> None:
    """More than are pending at once: each comes with its own box."""
    with none_left():
        file = os.open(path, os.O_RDONLY)
        async with ends(limits=Limits(descriptors=4)) as (client, _served):
            answers = await asyncio.gather(
                *(client.adopt(file, str(n), file) for n in range(300)),
                *(client.adopt(file, "y" * 5000) for _ in range(100)),
            )
            assert {answer.size for answer in answers} == {len(TEXT)}
        os.close(file)


async def test_what_is_handed_over_is_closed_here(ends: Any) -> None:
    with none_left():
        async with ends() as (client, _served):
            for _ in range(2):
                pipe = Pipe()
                await client.adopt(Handover(pipe.give()), "x")
                await pipe.closed()


async def test_what_cannot_be_sent_is_an_error_and_leaves_nothing_open(
    ends: Any,
) -> None:
    with none_left():
        async with ends() as (client, _served):
            pipe = Pipe()
            for arguments, fault in [
                ((pipe.fd, 5), "Adopt: name: expected a str, got int"),
                (("file", "x"), r"Adopt: file: expected a file descriptor \(an int\)"),
                ((True, "x"), r"Adopt: file: expected a file descriptor \(an int\)"),
                ((None, "x"), r"Adopt: file: expected a file descriptor \(an int\)"),
                ((pipe.fd, "x", -1), "Adopt: spare: no descriptor that can be sent"),
                ((pipe.fd, "x", 2**31), "Adopt: spare: no descriptor has so large"),
                ((pipe.fd, "x" * 70_000), "Adopt: name: over 65,535 bytes"),
            ]:
                with pytest.raises(EncodeError, match=fault):
                    await client.adopt(*arguments)
            given = Handover(pipe.give())
            with pytest.raises(EncodeError, match="Adopt: spare: no descriptor"):
                await client.adopt(given, "x", 10**6)
            await pipe.closed()


async def test_a_box_with_descriptors_is_bounded_as_well(ends: Any) -> None:
    with none_left():
        async with ends(limits=Limits(box=100)) as (client, _served):
            pipe = Pipe()
            with pytest.raises(EncodeError, match="a box over 100 bytes"):
                await client.adopt(pipe.fd, "x" * 100)
            await pipe.closed()


async def test_an_answer_that_cannot_be_sent_leaves_nothing_open(
    ends: Any, files: Any
) -> None:
    with none_left():
        async with ends() as (client, served):
            pipe = Pipe()
            served.make_pair = lambda: files.PairResult(
                one=Handover(pipe.give()), two=-1, note=""
            )
            with pytest.raises(InternalError):
                await client.pair()
            await pipe.closed()
            served.make_pair = lambda: "no pair"
            with pytest.raises(InternalError):
                await client.pair()


async def test_over_tcp_there_are_none(files: Any) -> None:
    served, pipe, answered = service(files), Pipe(), Pipe()
    served.make_pair = lambda: files.PairResult(
        one=Handover(answered.give()), two=None, note=""
    )
    async with (
        serve("127.0.0.1:0", served) as server,
        files.FilesClient.connect(server.addresses[0]) as client,
    ):
        with pytest.raises(EncodeError, match=r"Adopt: file: .* Unix socket"):
            await client.adopt(pipe.fd, "x")
        with pytest.raises(EncodeError, match=r"Drop: file: .* Unix socket"):
            await client.drop(Handover(pipe.give()))
        await pipe.closed()
        with pytest.raises(InternalError):
            await client.pair()
        await answered.closed()
        assert await client.find("") is None


async def test_under_tls_there_are_none(
    files: Any, tmp_path: Path, certificates: Certificates
) -> None:
    with none_left():
        address = f"unix:{tmp_path}/socket"
        async with serve(address, service(files), tls=certificates.server_tls()):
            async with files.FilesClient.connect(
                address, tls=certificates.client_tls(), server_hostname="localhost"
            ) as client:
                pipe = Pipe()
                with pytest.raises(EncodeError, match=r"Adopt: file: .* without TLS"):
                    await client.adopt(Handover(pipe.give()), "x")
                await pipe.closed()
                assert await client.find("") is None
            # and those that come beside what is encrypted are closed
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(address.removeprefix("unix:"))
                pipe = Pipe()
                socket.send_fds(sock, [b"\x16\x03\x01"], [pipe.fd])
                await pipe.closed()


def test_what_is_handed_over_has_one_owner() -> None:
    pipe = Pipe()
    given = Handover(pipe.give())
    for copied in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="one owner"):
            copied(given)
    given.close()
    given.close()
    del given
    asyncio.run(pipe.closed())
    with pytest.raises(ValueError, match="invalid literal"):
        Handover("x")  # type: ignore[arg-type]


def test_descriptors_of_one_box_go_out_in_batches() -> None:
    attached = Attached()
    fds = [os.dup(0) for _ in range(MAX_AT_ONCE + 1)]
    with none_left():
        attached.add(5, fds)
        assert attached.next(9) == ([], 5)
        assert attached.sent(5) == []
        assert attached.next(4) == (fds[:MAX_AT_ONCE], 1)
        assert attached.sent(1) == fds[:MAX_AT_ONCE]
        assert attached.next(3) == (fds[MAX_AT_ONCE:], 3)
    attached.close()
    for fd in fds[:MAX_AT_ONCE]:
        os.close(fd)


# --- a peer of another making ---------------------------------------------------------


class Peer:
    """A socket, boxes and descriptors."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._loop = asyncio.get_running_loop()

    def send(self, data: bytes, *fds: int) -> None:
        sent = socket.send_fds(self._socket, [data], fds) if fds else 0
        assert sent in (0, len(data))
        if not fds:
            self._socket.sendall(data)

    async def receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            waiting = self._loop.sock_recv(self._socket, size - len(data))
            piece = await asyncio.wait_for(waiting, PATIENCE)
            if not piece:
                raise EOFError
            data += piece
        return data

    async def box(self) -> dict[bytes, bytes]:
        pairs: dict[bytes, bytes] = {}
        while size := int.from_bytes(await self.receive(2)):
            key = await self.receive(size)
            size = int.from_bytes(await self.receive(2))
            pairs[key] = await self.receive(size) if size else b""
        return pairs


@asynccontextmanager
async def peer_of(
    tmp_path: Path, *services: Any, **options: Any
) -> AsyncGenerator[Peer]:
    """What is connected to a server of ours."""
    path = str(tmp_path / "socket")
    async with serve(f"unix:{path}", *services, **options):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.setblocking(False)
            sock.connect(path)
            yield Peer(sock)


@asynccontextmanager
async def called(
    tmp_path: Path, cls: Any, **options: Any
) -> AsyncGenerator[tuple[Any, Peer]]:
    """A client of ours, and what it is connected to."""
    path = str(tmp_path / "socket")
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        listening.setblocking(False)
        async with cls.connect(f"unix:{path}", **options) as client:
            sock, _ = await loop.sock_accept(listening)
            with sock:
                yield client, Peer(sock)


def adopt(ask: bytes, **arguments: bytes) -> bytes:
    pairs = {key.encode(): value for key, value in arguments.items()}
    return box({b"_command": b"Adopt", b"_ask": ask, b"name": b"x"} | pairs)


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ({"file": b"0", "name": b"\xff"}, b"Adopt: name: not UTF-8 at byte 0"),
        ({"file": b"7"}, b"Adopt: file: no descriptor has come for this ordinal"),
        (
            {"file": b"0", "spare": b"0"},
            b"Adopt: spare: no descriptor has come for this ordinal",
        ),
        ({"file": b"-1"}, b"Adopt: file: the ordinal of a descriptor is written"),
        ({"file": b"9" * 19}, b"Adopt: file: the ordinal of a descriptor is written"),
        (
            {"file": b"x", "spare": b"0"},
            b"Adopt: file: the ordinal of a descriptor is written",
        ),
        ({"spare": b"0"}, b"Adopt: file: required, and missing"),
    ],
)
async def test_bad_arguments_are_refused(
    files: Any, tmp_path: Path, arguments: dict[str, bytes], rule: bytes
) -> None:
    with none_left():
        async with peer_of(tmp_path, service(files)) as peer:
            pipe, good = Pipe(), Pipe()
            peer.send(adopt(b"1", **arguments), pipe.fd)
            answer = await peer.box()
            assert answer[b"_error_code"] == FOUND.encode()
            assert answer[b"_error_description"].startswith(rule)
            # the connection goes on, and with the next one that is forgotten
            peer.send(adopt(b"2", file=b"1"), good.fd)
            assert (await peer.box())[b"_answer"] == b"2"
            await pipe.closed()
            await good.closed()


async def test_descriptors_may_come_ahead_and_byte_by_byte(
    files: Any, tmp_path: Path
) -> None:
    """As Twisted sends them: one byte along with each, as early as it can."""
    with none_left():
        async with peer_of(tmp_path, service(files)) as peer:
            pipes = [Pipe() for _ in range(3)]
            data = adopt(b"1", file=b"0", spare=b"1") + adopt(b"2", file=b"2")
            for at, pipe in enumerate(pipes):
                peer.send(data[at : at + 1], pipe.fd)
            peer.send(data[3:])
            assert (await peer.box())[b"_answer"] == b"1"
            assert (await peer.box())[b"_answer"] == b"2"
            for pipe in pipes:
                await pipe.closed()


async def test_an_ordinal_is_used_once(files: Any, tmp_path: Path) -> None:
    with none_left():
        async with peer_of(tmp_path, service(files)) as peer:
            pipe = Pipe()
            peer.send(adopt(b"1", file=b"0"), pipe.fd)
            assert (await peer.box())[b"_answer"] == b"1"
            peer.send(adopt(b"2", file=b"0"))
            assert (await peer.box())[b"_error_code"] == FOUND.encode()
            await pipe.closed()


@pytest.mark.parametrize(
    "request_",
    [
        {b"_command": b"Nope", b"_ask": b"1", b"file": b"0"},
        {b"_command": b"Nope", b"file": b"0"},
        {b"_command": b"Adopt", b"_ask": b"1", b"file": b"x", b"name": b"x"},
    ],
)
async def test_what_no_box_names_is_closed_with_the_next_one_that_is(
    files: Any, tmp_path: Path, request_: dict[bytes, bytes]
) -> None:
    with none_left():
        async with peer_of(tmp_path, service(files)) as peer:
            lost, found = Pipe(), Pipe()
            peer.send(box(request_), lost.fd)
            peer.send(adopt(b"2", file=b"1"), found.fd)
            await lost.closed()
            await found.closed()


async def test_a_request_that_is_refused_leaves_nothing_open(
    files: Any, tmp_path: Path
) -> None:
    with none_left():
        async with peer_of(tmp_path, service(files)) as peer:
            late, oneway = Pipe(), Pipe()
            peer.send(adopt(b"1", file=b"0", _timeout=b"0"), late.fd)
            assert (await peer.box())[b"_error_code"] == b"DEADLINE_EXCEEDED"
            await late.closed()
            drop = {b"_command": b"Drop", b"file": b"1", b"_timeout": b"0"}
            peer.send(box(drop), oneway.fd)
            await oneway.closed()


async def test_an_ask_that_is_still_being_served_leaves_nothing_open(
    files: Any, tmp_path: Path
) -> None:
    with none_left():
        served = service(files)
        served.gate.clear()
        async with peer_of(tmp_path, served) as peer:
            pipe = Pipe()
            open_ = {b"_command": b"Open", b"_ask": b"1", b"path": b"/dev/null"}
            peer.send(box(open_))
            await served.waiting.acquire()
            peer.send(adopt(b"1", file=b"0"), pipe.fd)
            await pipe.closed()
            served.gate.set()


async def test_the_end_of_the_connection_leaves_nothing_open(
    files: Any, tmp_path: Path
) -> None:
    with none_left():
        pipe = Pipe()
        async with peer_of(tmp_path, service(files)) as peer:
            peer.send(adopt(b"1", file=b"0")[:-1], pipe.fd)
        await pipe.closed()


async def test_nothing_is_kept_after_a_violation(files: Any, tmp_path: Path) -> None:
    with none_left():
        served = service(files)
        served.gate.clear()
        async with peer_of(tmp_path, served) as peer:
            open_ = {b"_command": b"Open", b"_ask": b"1", b"path": b"/dev/null"}
            peer.send(box(open_))
            await served.waiting.acquire()
            before, after = Pipe(), Pipe()
            peer.send(b"\xff\xff", before.fd)
            await before.closed()
            peer.send(b"\0", after.fd)
            await after.closed()
            served.gate.set()
            # what was asked before is answered, descriptor and all
            assert await peer.box() == {b"_answer": b"1", b"result": b"0"}


async def test_too_many_that_no_box_names_end_the_connection(
    files: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with none_left():
        limits = Limits(descriptors=2)
        async with peer_of(tmp_path, service(files), limits=limits) as peer:
            pipes = [Pipe() for _ in range(3)]
            peer.send(b"\0", *(pipe.fd for pipe in pipes))
            for pipe in pipes:
                await pipe.closed()
            with pytest.raises(EOFError):
                await peer.receive(1)
    assert "over 2 descriptors that no box has named" in caplog.text


async def test_who_has_no_use_for_descriptors_keeps_none(tmp_path: Path) -> None:
    with none_left():
        async with peer_of(tmp_path, Text()) as peer:
            pipe = Pipe()
            repeat = {b"_command": b"Repeat", b"_ask": b"1", b"text": b"a"}
            peer.send(box(repeat | {b"times": b"1"}), pipe.fd)
            assert (await peer.box())[b"text"] == b"a"
            await pipe.closed()


class Older:
    """Mixed in: a handler from before `spare`."""

    def adopt(self, file: int, name: str) -> Any:
        os.close(file)
        return self.result(size=len(name))  # type: ignore[attr-defined]


async def test_an_older_handler_is_not_given_what_it_does_not_take(
    files: Any, tmp_path: Path
) -> None:
    class Served(Older, type(service(files))):  # type: ignore[misc]
        result = files.AdoptResult

    with none_left():
        async with peer_of(tmp_path, Served()) as peer:
            file, spare = Pipe(), Pipe()
            peer.send(adopt(b"1", file=b"0", spare=b"1"), file.fd, spare.fd)
            assert await peer.box() == {b"_answer": b"1", b"size": b"1"}
            await file.closed()
            await spare.closed()
            peer.send(adopt(b"2", file=b"2"), (last := Pipe()).fd)
            assert await peer.box() == {b"_answer": b"2", b"size": b"1"}
            await last.closed()


async def test_what_an_interceptor_keeps_from_the_handler_is_closed(
    files: Any, tmp_path: Path
) -> None:
    async def around(call: Any, proceed: Any) -> Any:
        if call.arguments["name"] == "no":
            raise Unavailable
        return await proceed(call)

    class Served(Older, type(service(files))):  # type: ignore[misc]
        result = files.AdoptResult

    with none_left():
        async with peer_of(tmp_path, Served(), interceptors=[around]) as peer:
            pipes = [Pipe() for _ in range(4)]
            fds = [pipe.fd for pipe in pipes]
            peer.send(adopt(b"1", file=b"0", spare=b"1", name=b"no"), *fds[:2])
            assert (await peer.box())[b"_error_code"] == b"UNAVAILABLE"
            # and what an older handler behind it does not take
            peer.send(adopt(b"2", file=b"2", spare=b"3"), *fds[2:])
            assert await peer.box() == {b"_answer": b"2", b"size": b"1"}
            for pipe in pipes:
                await pipe.closed()


async def passing(call: Any, proceed: Any) -> Any:
    return await proceed(call)


@pytest.mark.parametrize("interceptors", [[], [passing]])
@pytest.mark.skipif(
    sys.version_info >= (3, 12), reason="handlers begin at once from Python 3.12 on"
)
async def test_a_handler_that_never_begins_leaves_nothing_open(
    files: Any, tmp_path: Path, interceptors: list[Any]
) -> None:
    class Served(type(service(files))):  # type: ignore[misc]
        async def adopt(self, file: int, name: str, spare: int | None) -> Any:
            raise AssertionError

    with none_left():
        async with peer_of(tmp_path, Served(), interceptors=interceptors) as peer:
            pipe = Pipe()
            cancel = {b"_command": b"_cancel", b"id": b"1"}
            peer.send(adopt(b"1", file=b"0") + box(cancel), pipe.fd)
            assert (await peer.box())[b"_error_code"] == b"CANCELLED"
            await pipe.closed()


async def test_what_a_handler_was_given_is_its_own_when_it_is_cancelled(
    files: Any, tmp_path: Path
) -> None:
    class Served(type(service(files))):  # type: ignore[misc]
        def adopt(self, file: int, name: str, spare: int | None) -> Any:
            os.close(file)
            return asyncio.Event().wait()

    with none_left():
        async with peer_of(tmp_path, Served()) as peer:
            pipe = Pipe()
            cancel = {b"_command": b"_cancel", b"id": b"1"}
            peer.send(adopt(b"1", file=b"0") + box(cancel), pipe.fd)
            assert (await peer.box())[b"_error_code"] == b"CANCELLED"
            await pipe.closed()


# --- answers --------------------------------------------------------------------------


async def test_an_answer_that_does_not_decode_leaves_nothing_open(
    files: Any, tmp_path: Path
) -> None:
    with none_left():
        async with called(tmp_path, files.FilesClient) as (client, peer):
            for ask, one, fault in [
                (b"1", b"0", "Pair: note: required, and missing"),
                (b"2", b"0", "Pair: one: no descriptor has come for this ordinal"),
            ]:
                call = asyncio.ensure_future(client.pair())
                assert (await peer.box())[b"_ask"] == ask
                pipe = Pipe()
                peer.send(box({b"_answer": ask, b"one": one}), pipe.fd)
                with pytest.raises(DecodeError, match=fault):
                    await call
                assert not client.connection.is_closed
                if ask == b"1":
                    await pipe.closed()
        await pipe.closed()


async def test_an_answer_that_nobody_waits_for_leaves_nothing_open(
    files: Any, tmp_path: Path
) -> None:
    with none_left():
        async with called(tmp_path, files.FilesClient) as (client, peer):
            # something else that brings some: so they are not refused on arrival
            waiting = asyncio.ensure_future(client.find("x"))
            await peer.box()
            late = asyncio.ensure_future(client.open("x"))
            await peer.box()
            late.cancel()
            with pytest.raises(asyncio.CancelledError):
                await late
            pipes = [Pipe() for _ in range(3)]
            peer.send(box({b"_answer": b"2", b"result": b"0"}), pipes[0].fd)
            await pipes[0].closed()

            for ask, answer in [(b"3", b"2"), (b"4", b"x")]:
                late = asyncio.ensure_future(client.open("x"))
                await peer.box()
                late.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await late
                peer.send(box({b"_answer": ask, b"result": answer}))
            peer.send(box({b"_answer": b"1", b"result": b"1"}), pipes[1].fd)
            os.close(await waiting)
            await pipes[1].closed()
            # and when nobody is left who could want it
            peer.send(b"\0", pipes[2].fd)
            await pipes[2].closed()


async def test_an_answer_in_the_moment_of_giving_up_leaves_nothing_open(
    files: Any, tmp_path: Path
) -> None:
    with none_left():
        async with called(tmp_path, files.FilesClient) as (client, peer):
            call = asyncio.ensure_future(client.open("x"))
            await peer.box()
            pipe = Pipe()
            # cancelled, but it has not run since
            shell = client.connection._shell
            call.cancel()
            shell.descriptors_received([pipe.give()])
            answer = box({b"_answer": b"1", b"result": b"0"})
            shell.protocol.receive_data(answer)
            with pytest.raises(asyncio.CancelledError):
                await call
            await pipe.closed()


async def test_a_late_error_is_no_answer_with_descriptors(
    files: Any, tmp_path: Path
) -> None:
    with none_left():
        async with called(tmp_path, files.FilesClient) as (client, peer):
            call = asyncio.ensure_future(client.open("x"))
            await peer.box()
            peer.send(
                box(
                    {
                        b"_error": b"1",
                        b"_error_code": FOUND.encode(),
                        b"_error_description": b"no",
                        b"result": b"0",
                    }
                )
            )
            with pytest.raises(InvalidArgument):
                await call


async def test_too_many_answers_to_nothing_end_the_connection(
    files: Any, tmp_path: Path
) -> None:
    with none_left():
        options = {"limits": Limits(descriptors=1)}
        async with called(tmp_path, files.FilesClient, **options) as (client, peer):
            call = asyncio.ensure_future(client.open("x"))
            await peer.box()
            pipes = Pipe(), Pipe()
            peer.send(b"\0", *(pipe.fd for pipe in pipes))
            with pytest.raises(ProtocolError, match="over 1 descriptors"):
                await call
            for pipe in pipes:
                await pipe.closed()


async def test_descriptors_behind_what_closes_the_connection_are_closed(
    files: Any, tmp_path: Path
) -> None:
    """What is queued before them is too much for a peer that does not read."""
    with none_left():
        options = {"limits": Limits(unsent=1)}
        pipe = Pipe()
        commands = {c.name: c for c, _name in files.FilesServer.__ampgen_commands__}
        async with called(tmp_path, files.FilesClient, **options) as (client, _peer):
            calls = [asyncio.ensure_future(client.find("x")) for _ in range(2)]
            await asyncio.sleep(0)
            shell = client.connection._shell
            shell.transport.write(bytes(8 * 1024 * 1024))
            # with calls in flight the next request waits for more to send
            shell.protocol.ask(HeldCall(commands["Find"], None, None), ("",))
            with pytest.raises(ConnectionLost):
                shell.protocol.tell(commands["Drop"], (pipe.fd,))
            for call in calls:
                with pytest.raises(ConnectionLost):
                    await call
        await pipe.closed()


async def test_in_one_process_nothing_is_left_open_either(files: Any) -> None:
    with none_left():
        pipes = [Pipe() for _ in range(4)]
        async with files.FilesClient.local(service(files)) as client:
            transport = client.connection._shell.transport
            transport.send_descriptors([pipes[0].give()])
            transport.close()
            transport.send_descriptors([pipes[1].give()])
        async with files.FilesClient.local(service(files)) as client:
            transport = client.connection._shell.transport
            transport._peer.abort()
            transport.send_descriptors([pipes[2].give()])
            transport.write(b"x")
            transport.send_descriptors([pipes[3].give()])
        for pipe in pipes:
            await pipe.closed()


async def test_connect_serves_descriptors_too(files: Any, tmp_path: Path) -> None:
    """Both ends may pass them, each counts its own."""

    class Calling(type(service(files))):  # type: ignore[misc]
        def __init__(self, connection: Any) -> None:
            super().__init__()
            self.back = files.FilesClient(connection)

        async def open(self, path: str) -> int:
            file = os.open(path, os.O_RDONLY)
            await self.back.adopt(file, "x")
            return Handover(file)

    with none_left():
        address = f"unix:{tmp_path}/socket"
        async with (
            serve(address, Calling),
            connect(address, serve=[service(files)]) as connection,
        ):
            client = files.FilesClient(connection)
            for _ in range(3):
                os.close(await client.open(os.devnull))


async def test_a_server_without_room_leaves_nothing_open(
    files: Any, tmp_path: Path
) -> None:
    served = service(files)
    served.gate.clear()
    with none_left():
        limits = Limits(server_calls=1)
        async with peer_of(tmp_path, served, limits=limits) as peer:
            peer.send(box({b"_ask": b"1", b"_command": b"Open", b"path": b"/dev/null"}))
            await served.waiting.acquire()
            refused, oneway = Pipe(), Pipe()
            peer.send(adopt(b"2", file=b"0"), refused.fd)
            assert (await peer.box())[b"_error_code"] == b"OVERLOADED"
            await refused.closed()
            peer.send(box({b"_command": b"Drop", b"file": b"1"}), oneway.fd)
            await oneway.closed()
            served.gate.set()


async def test_what_is_handed_over_and_closed_by_others_cannot_be_sent(
    ends: Any,
) -> None:
    import fcntl  # not on every system

    with none_left():
        async with ends() as (client, _served):
            pipe = Pipe()
            # of a number that no copy gets
            twice = Handover(fcntl.fcntl(pipe.fd, fcntl.F_DUPFD_CLOEXEC, 500))
            os.close(twice)
            with pytest.raises(EncodeError, match="Adopt: spare: no descriptor that"):
                await client.adopt(pipe.fd, "x", twice)
            await pipe.closed()


async def test_a_descriptor_that_others_close_does_not_hold_up_the_end(
    files: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The copy gets the number that was free; then it is closed, as if it was ours."""
    address = f"unix:{tmp_path}/socket"
    with none_left():
        async with (
            asyncio.timeout(PATIENCE),
            serve(address, service(files)),
            files.FilesClient.connect(address) as client,
        ):
            pipe = Pipe()
            twice = Handover(os.dup(pipe.fd))
            os.close(twice)
            with pytest.raises(ConnectionLost, match="Bad file descriptor"):
                await client.adopt(pipe.fd, "x", twice)
            await pipe.closed()
    assert "in closing descriptor" in caplog.text
