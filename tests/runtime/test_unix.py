"""The transport for Unix sockets, with a protocol that only notes what it is told."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import errno
import gc
import os
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime import connect, serve, unix
from ampgen.runtime.unix import UnixTransport, connect_unix, listen_unix
from tests.fds import Pipe, none_left, scarce
from tests.raw import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not hasattr(socket, "AF_UNIX"), reason="this system has no Unix sockets"
)

BIG = 1024 * 1024


class Notes(asyncio.Protocol):
    """``keep``: what it answers when the peer has ended."""

    def __init__(self, *, keep: bool = True) -> None:
        self.keep = keep
        self.data = b""
        self.fds: list[int] = []
        self.lost: asyncio.Future[BaseException | None] = (
            asyncio.get_running_loop().create_future()
        )
        self.happened = asyncio.Event()
        self.paused = self.ended = False
        self.fail: BaseException | None = None

    def data_received(self, data: bytes) -> None:
        if self.fail is not None:
            raise self.fail
        self.data += data
        self.happened.set()

    def descriptors_received(self, fds: list[int]) -> None:
        self.fds += fds

    def eof_received(self) -> bool:
        self.ended = True
        self.happened.set()
        return self.keep

    def pause_writing(self) -> None:
        self.paused = True

    def resume_writing(self) -> None:
        self.paused = False
        self.happened.set()

    def connection_lost(self, exc: BaseException | None) -> None:
        self.lost.set_result(exc)

    async def happens(self) -> None:
        await asyncio.wait_for(self.happened.wait(), PATIENCE)
        self.happened.clear()

    async def ends(self) -> BaseException | None:
        return await asyncio.wait_for(self.lost, PATIENCE)


class Pair:
    def __init__(self, **options: Any) -> None:
        self.ours, self.peer = socket.socketpair(socket.AF_UNIX)
        self.ours.setblocking(False)
        self.peer.setblocking(False)
        self.notes = Notes(**options)
        self.transport = UnixTransport(self.ours, self.notes)

    async def receive(self, size: int) -> bytes:
        loop = asyncio.get_running_loop()
        data = bytearray()
        while len(data) < size:
            piece = await asyncio.wait_for(
                loop.sock_recv(self.peer, size - len(data)), PATIENCE
            )
            if not piece:
                break
            data += piece
        return bytes(data)


@pytest.fixture
async def pair() -> Any:
    with none_left():
        pair = Pair()
        yield pair
        pair.peer.close()
        pair.transport.abort()
        await pair.notes.ends()


# --- in -------------------------------------------------------------------------------


async def test_bytes_come_in(pair: Pair) -> None:
    pair.peer.send(b"abc")
    await pair.notes.happens()
    assert pair.notes.data == b"abc"


async def test_nothing_comes_in_while_reading_is_paused(pair: Pair) -> None:
    assert pair.transport.is_reading()
    pair.transport.pause_reading()
    pair.transport.pause_reading()
    assert not pair.transport.is_reading()
    pair.peer.send(b"abc")
    for _ in range(3):  # turns of the loop in which it could have been read
        await asyncio.sleep(0)
    assert not pair.notes.happened.is_set()
    pair.transport.resume_reading()
    pair.transport.resume_reading()
    await pair.notes.happens()
    assert pair.notes.data == b"abc"


async def test_a_peer_that_has_ended_may_still_be_written_to(pair: Pair) -> None:
    pair.peer.shutdown(socket.SHUT_WR)
    await pair.notes.happens()
    assert pair.notes.ended
    assert not pair.transport.is_reading()
    pair.transport.resume_reading()
    assert not pair.transport.is_reading()
    pair.transport.write(b"abc")
    assert await pair.receive(3) == b"abc"


async def test_a_protocol_that_does_not_stay_ends_with_its_peer() -> None:
    with none_left():
        pair = Pair(keep=False)
        pair.peer.shutdown(socket.SHUT_WR)
        assert await pair.notes.ends() is None
        assert pair.transport.is_closing()
        pair.peer.close()


async def test_a_protocol_that_fails_loses_its_connection(pair: Pair) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: told.append(context)
    )
    pair.notes.fail = LookupError("a mistake")
    pair.peer.send(b"abc")
    assert await pair.notes.ends() is pair.notes.fail
    assert [context["exception"] for context in told] == [pair.notes.fail]
    assert told[0]["transport"] is pair.transport


@pytest.mark.parametrize("stop", [SystemExit, KeyboardInterrupt])
def test_what_stops_the_program_goes_through(stop: type[BaseException]) -> None:
    def run() -> None:
        async def main() -> None:
            pair = Pair()
            kept.append(pair)
            pair.notes.fail = stop()
            pair.peer.send(b"abc")
            await pair.notes.ends()

        with asyncio.Runner() as runner:
            with pytest.raises(stop):
                runner.run(main())
            kept[0].transport.abort()
            kept[0].peer.close()

            async def end() -> None:
                await asyncio.sleep(0)

            runner.run(end())

    kept: list[Pair] = []
    run()


async def test_a_spurious_readiness_is_nothing(pair: Pair) -> None:
    pair.transport._read()
    assert not pair.notes.data


async def test_a_socket_that_fails_ends_the_connection(pair: Pair) -> None:
    pair.transport.write(b"x")
    pair.peer.close()  # with bytes that it has not read
    error = await pair.notes.ends()
    assert isinstance(error, ConnectionResetError)


# --- out ------------------------------------------------------------------------------


async def test_what_the_system_does_not_take_leaves_later(pair: Pair) -> None:
    transport, notes = pair.transport, pair.notes
    data = os.urandom(BIG)
    transport.write(data)
    unsent = transport.get_write_buffer_size()
    assert 0 < unsent < BIG
    assert notes.paused
    transport.write(b"and")
    transport.writelines([b"", b" more"])
    assert transport.get_write_buffer_size() == unsent + 8
    assert await pair.receive(BIG + 8) == data + b"and more"
    await notes.happens()
    assert not notes.paused
    assert transport.get_write_buffer_size() == 0


async def test_a_socket_that_is_full_takes_it_later(pair: Pair) -> None:
    before = 0
    with suppress(BlockingIOError):
        while True:
            before += pair.ours.send(bytes(1000))
    pair.transport.write(b"abc")
    assert pair.transport.get_write_buffer_size() == 3
    assert (await pair.receive(before + 3))[-3:] == b"abc"


async def test_nothing_is_written_without_bytes(pair: Pair) -> None:
    pair.transport.write(b"")
    pair.transport.write(b"x")
    assert await pair.receive(1) == b"x"


async def test_the_limits_of_the_buffer(pair: Pair) -> None:
    transport = pair.transport
    assert transport.get_write_buffer_limits() == (16 * 1024, 64 * 1024)
    transport.set_write_buffer_limits(high=100)
    assert transport.get_write_buffer_limits() == (25, 100)
    transport.set_write_buffer_limits(low=100)
    assert transport.get_write_buffer_limits() == (100, 400)
    with pytest.raises(ValueError, match=r"high \(1\) must be >= low \(2\)"):
        transport.set_write_buffer_limits(high=1, low=2)
    transport.set_write_buffer_limits(high=BIG)
    transport.write(bytes(BIG))
    assert not pair.notes.paused


@pytest.mark.parametrize("size", [1, BIG])
async def test_half_close(pair: Pair, size: int) -> None:
    transport = pair.transport
    assert transport.can_write_eof()
    transport.write(bytes(size))
    transport.write_eof()
    transport.write_eof()
    with pytest.raises(RuntimeError, match="after write_eof"):
        transport.write(b"x")
    assert await pair.receive(size + 1) == bytes(size)
    pair.peer.send(b"abc")
    while pair.notes.data != b"abc":
        await pair.notes.happens()


@pytest.mark.parametrize("size", [1, BIG])
async def test_closing_sends_what_there_is(pair: Pair, size: int) -> None:
    transport = pair.transport
    transport.write(bytes(size))
    transport.close()
    transport.close()
    assert transport.is_closing()
    transport.write(b"x")
    transport.write_eof()
    transport.resume_reading()
    assert not transport.is_reading()
    assert await pair.receive(size + 1) == bytes(size)
    assert await pair.notes.ends() is None


async def test_aborting_sends_nothing_more(pair: Pair) -> None:
    pair.transport.write(bytes(BIG))
    pair.transport.abort()
    pair.transport.abort()
    assert await pair.notes.ends() is None
    assert len(await pair.receive(BIG)) < BIG


async def test_a_peer_that_is_gone_is_noticed_in_writing(pair: Pair) -> None:
    pair.transport.pause_reading()
    pair.peer.close()
    pair.transport.write(b"x")
    assert isinstance(await pair.notes.ends(), BrokenPipeError)


async def test_a_peer_that_goes_while_bytes_wait(pair: Pair) -> None:
    pair.transport.pause_reading()
    pair.transport.write(bytes(BIG))
    pair.peer.close()
    assert isinstance(await pair.notes.ends(), ConnectionError)


async def test_a_half_close_that_comes_too_late_is_no_error(pair: Pair) -> None:
    pair.transport.pause_reading()
    pair.peer.close()
    pair.transport.write_eof()
    pair.transport.resume_reading()
    await pair.notes.happens()


# --- descriptors ----------------------------------------------------------------------


async def test_descriptors_go_beside_the_next_byte(pair: Pair) -> None:
    pair.transport.write(b"before")
    pipes = [Pipe() for _ in range(2)]
    for pipe in pipes:
        pair.transport.send_descriptors([pipe.give()])
        pair.transport.write(b"beside")
    data, fds, _flags, _address = socket.recv_fds(pair.peer, 100, 2)
    # Linux gives the bytes before along, never those behind
    assert (data, len(fds)) == (b"beforebeside", 1)
    data, more, _flags, _address = socket.recv_fds(pair.peer, 100, 2)
    assert (data, len(more)) == (b"beside", 1)
    for fd in [*fds, *more]:
        os.close(fd)
    for pipe in pipes:
        await pipe.closed()


async def test_descriptors_wait_in_their_place(pair: Pair) -> None:
    transport = pair.transport
    pipes = [Pipe() for _ in range(100)]
    transport.write(bytes(BIG))
    for number, pipe in enumerate(pipes):
        transport.send_descriptors([pipe.give()])
        transport.write(b"%2d" % number)
    transport.write(bytes(BIG))
    loop = asyncio.get_running_loop()
    data, received = bytearray(), list[int]()
    while len(data) < 2 * BIG + 200:
        readable = loop.create_future()
        loop.add_reader(pair.peer, readable.set_result, None)
        await asyncio.wait_for(readable, PATIENCE)
        loop.remove_reader(pair.peer)
        piece, fds, _flags, _address = socket.recv_fds(pair.peer, 65536, 4)
        data += piece
        received += fds
        assert len(received) >= (len(data) - BIG) // 2 or len(received) == 100
    assert data[BIG:-BIG] == b"".join(b"%2d" % number for number in range(100))
    for pipe, fd in zip(pipes, received, strict=True):
        os.close(fd)
        await pipe.closed()


async def test_many_descriptors_that_wait_are_much_to_write(pair: Pair) -> None:
    transport, notes = pair.transport, pair.notes
    transport.set_write_buffer_limits(high=2 * BIG)
    transport.write(bytes(BIG))
    pipe = Pipe()
    for _ in range(64):
        transport.send_descriptors([os.dup(pipe.fd)])
        transport.write(b"x")
    assert not notes.paused
    transport.send_descriptors([os.dup(pipe.fd)])
    transport.write(b"x")
    assert notes.paused
    await pair.receive(BIG + 65)  # and throw away what is beside it
    await notes.happens()
    assert not notes.paused
    await pipe.closed()


@pytest.mark.parametrize("how", ["close", "abort", "write_eof"])
async def test_descriptors_without_a_byte_are_closed(pair: Pair, how: str) -> None:
    before, after = Pipe(), Pipe()
    pair.transport.send_descriptors([before.give()])
    getattr(pair.transport, how)()
    pair.transport.send_descriptors([after.give()])
    await after.closed()
    if how == "write_eof":
        pair.transport.abort()
    await before.closed()


async def test_descriptors_come_before_their_bytes(pair: Pair) -> None:
    pipes = [Pipe() for _ in range(3)]
    socket.send_fds(pair.peer, [b"abc"], [pipe.fd for pipe in pipes])
    await pair.notes.happens()
    assert len(pair.notes.fds) == 3
    assert not any(map(os.get_inheritable, pair.notes.fds))
    for pipe, fd in zip(pipes, pair.notes.fds, strict=True):
        os.close(fd)
        await pipe.closed()


async def test_a_system_that_cannot_keep_them_from_children_at_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unix, "_CLOEXEC", 0)
    pipe = Pipe()
    socket.send_fds(pair.peer, [b"abc"], [pipe.fd])
    await pair.notes.happens()
    [fd] = pair.notes.fds
    assert not os.get_inheritable(fd)
    os.close(fd)
    await pipe.closed()


async def test_descriptors_that_are_lost_end_the_connection(pair: Pair) -> None:
    """There is no number left for one: the system drops it, and says so."""
    pipe = Pipe()
    socket.send_fds(pair.peer, [b"abc"], [pipe.fd] * 3)
    with scarce(1):
        error = await pair.notes.ends()
    assert isinstance(error, OSError)
    assert "descriptors were lost" in str(error)
    assert not pair.notes.data
    for fd in pair.notes.fds:
        os.close(fd)
    await pipe.closed()


@pytest.mark.skipif(not hasattr(socket, "SO_PASSCRED"), reason="Linux")
async def test_what_else_comes_beside_the_bytes_is_not_looked_at(pair: Pair) -> None:
    sock = pair.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    pair.peer.send(b"abc")
    await pair.notes.happens()
    assert (pair.notes.data, pair.notes.fds) == (b"abc", [])


# --- what there is to know ------------------------------------------------------------


async def test_what_is_known_of_a_connection(tmp_path: Path) -> None:
    with none_left():
        path = str(tmp_path / "socket")
        accepted: list[Notes] = []

        def accept() -> Notes:
            accepted.append(Notes(keep=False))
            return accepted[-1]

        listener = listen_unix(path, accept)
        notes = Notes()
        transport = await connect_unix(path, lambda: notes)
        assert transport.get_extra_info("peername") == path
        assert transport.get_extra_info("sockname") == ""
        assert transport.get_extra_info("socket").family == socket.AF_UNIX
        assert transport.get_extra_info("cipher", "none") == "none"
        assert transport.get_protocol() is notes
        later = Notes()
        transport.set_protocol(later)
        transport.close()
        assert await later.ends() is None
        assert transport.get_extra_info("sockname", "gone") == "gone"
        assert await accepted[0].ends() is None
        listener.close()
        listener.close()


def forget(pair: Pair) -> None:
    pair.transport.pause_reading()  # else the loop has it
    del pair.transport
    gc.collect()


async def test_a_transport_that_is_forgotten_is_told_of_and_leaves_nothing() -> None:
    with none_left():
        pair, other = Pair(), Pair()
        pipe = Pipe()
        pair.transport.send_descriptors([pipe.give()])
        for one in (pair, other):
            with pytest.warns(ResourceWarning, match="unclosed transport"):
                forget(one)
            one.peer.close()
        await pipe.closed()


# --- connecting and accepting ---------------------------------------------------------


async def test_a_server_that_is_behind_is_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with none_left(), socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(0)
        listening.setblocking(False)
        first = socket.socket(socket.AF_UNIX)
        first.connect(path)
        notes = Notes()
        connecting = asyncio.ensure_future(connect_unix(path, lambda: notes))
        done, _ = await asyncio.wait([connecting], timeout=0.03)
        assert not done
        listening.accept()[0].close()
        transport = await asyncio.wait_for(connecting, PATIENCE)
        transport.close()
        await notes.ends()
        first.close()


async def test_no_socket_is_left_where_nobody_listens(tmp_path: Path) -> None:
    with none_left():
        with pytest.raises(FileNotFoundError):
            await connect_unix(str(tmp_path / "nothing"), Notes)
        with pytest.raises(FileNotFoundError) as raised:
            listen_unix(str(tmp_path / "no" / "folder"), Notes)
        assert raised.value.filename == str(tmp_path / "no" / "folder")


async def test_accepting_rests_while_there_are_no_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(unix, "_REST", 0.01)
    path = str(tmp_path / "socket")
    accepted = asyncio.Event()
    made: list[Notes] = []

    def accept() -> Notes:
        made.append(Notes(keep=False))
        accepted.set()
        return made[-1]

    with none_left():
        listener = listen_unix(path, accept)
        clients = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        clients[0].connect(path)
        with scarce(0):
            listener._accept()
        assert "no connection is accepted for a while" in caplog.text
        await asyncio.wait_for(accepted.wait(), PATIENCE)
        clients[1].connect(path)
        with scarce(0):
            listener._accept()
        listener.close()  # while it rests
        for client in clients:
            client.close()
        await made[0].ends()
        assert len(made) == 1


async def test_one_who_connects_again_and_again_does_not_hold_up_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unix, "_BACKLOG", 2)
    path = str(tmp_path / "socket")
    made: list[Notes] = []

    def accept() -> Notes:
        made.append(Notes(keep=False))
        return made[-1]

    with none_left():
        listener = listen_unix(path, accept)
        clients = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for client in clients:
            client.connect(path)
        listener._accept()
        assert len(made) == 2
        listener._accept()
        for client in clients:
            client.close()
        for notes in made:
            await notes.ends()
        assert len(made) == 3
        listener.close()


async def test_a_listening_socket_that_fails_says_so(tmp_path: Path) -> None:
    listener = listen_unix(str(tmp_path / "socket"), Notes)
    listener.close()
    with pytest.raises(OSError, match="Bad file") as raised:
        listener._accept()
    assert raised.value.errno == errno.EBADF


async def test_a_path_that_is_too_long_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / ("x" * 120))
    said = rf"too long: '{path}'"
    with none_left():
        with pytest.raises(OSError, match=said) as connecting:
            await connect(f"unix:{path}")
        with pytest.raises(OSError, match=said):
            async with serve(f"unix:{path}"):
                raise AssertionError
        with pytest.raises(OSError, match=said):
            listen_unix(path, Notes)
    assert connecting.value.errno == errno.ENAMETOOLONG
