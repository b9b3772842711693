"""Connect to whichever address of a name answers first: RFC 8305, Happy Eyeballs.

asyncio has it too, but not on every loop, and cancelled at the wrong moment it loses a
socket.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

# as `getaddrinfo` has it: family, type, protocol, name, address
Info: TypeAlias = tuple[Any, Any, int, str, tuple[Any, ...]]

HEAD_START = 0.25  # seconds that each address has before the next is tried, too


async def addresses_of(host: str, port: int) -> list[Info]:
    """The addresses of a name, families in turn; of a numeric address none.

    Raises ``OSError`` where the name has none.
    """
    if _is_numeric(host):
        return []
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    families: dict[Any, list[Info]] = {}
    for info in found:
        families.setdefault(info[0], []).append(info)
    rounds = itertools.zip_longest(*families.values())
    return [info for round_ in rounds for info in round_ if info is not None]


def _is_numeric(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])  # without its scope
        except (OSError, ValueError):
            continue
        return True
    return False


async def race(name: str, addresses: Sequence[Info]) -> socket.socket:
    """A socket that is connected to one of the addresses of ``name``.

    Raises ``OSError`` that says what each address said.
    """
    running: list[asyncio.Task[socket.socket]] = []
    failures: list[tuple[str, OSError]] = []
    following = iter(addresses)
    winner: asyncio.Task[socket.socket] | None = None
    try:
        while True:
            info = next(following, None)
            if info is not None:
                running.append(asyncio.create_task(_connect(info)))
            pending = [task for task in running if not task.done()]
            if not pending:
                break
            wait = None if info is None else HEAD_START
            done, _pending = await asyncio.wait(
                pending, timeout=wait, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                failure = task.exception()
                if failure is None:
                    winner = task
                    return task.result()
                if not isinstance(failure, OSError):
                    raise failure
                at = addresses[running.index(task)][4][0]
                failures.append((str(at), failure))
    finally:
        # nothing is awaited here: to be cancelled meanwhile would lose the winner
        for task in running:
            if task is not winner:
                task.cancel()
                task.add_done_callback(_close)
    raise all_failed(f"no address of {name} can be connected to", failures)


def _close(late: asyncio.Task[socket.socket]) -> None:
    """The socket is not wanted any more, if there is one."""
    if not late.cancelled() and late.exception() is None:
        late.result().close()


async def _connect(info: Info) -> socket.socket:
    family, kind, protocol, _name, address = info
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def all_failed(what: str, failures: Sequence[tuple[object, OSError]]) -> OSError:
    """One error for several, of their kind if they are of one."""
    errors = [failure for _where, failure in failures]
    if len(errors) == 1:
        return errors[0]
    reasons = "; ".join(f"{where}: {failure}" for where, failure in failures)
    message = f"{what}: {reasons}"
    if all(isinstance(error, TimeoutError) for error in errors):
        return TimeoutError(message)
    numbers = {error.errno for error in errors}
    number = numbers.pop()
    if numbers or number is None:
        return OSError(message)
    return OSError(number, message)
