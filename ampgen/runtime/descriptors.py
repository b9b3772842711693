"""File descriptors beside the boxes of one connection, as Twisted's ``Descriptor``.

In the box stands an ordinal: each end counts from 0 what it sends. The descriptor
itself comes by ``SCM_RIGHTS``, in the order of the ordinals, and at the latest with the
last byte of its box.

Whoever sends keeps his own descriptor, a copy goes out. Whoever is given one closes it;
what nobody can be given (its call was given up, the box does not decode, no box names
it) is closed here.
"""

from __future__ import annotations

import dataclasses
import logging
import os
from collections import deque
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from ampgen.runtime.errors import FAULTS, Fault, as_fault, fault_at, wrong_type
from ampgen.runtime.values import decode_fd
from ampgen.runtime.wire import check_size

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from ampgen.runtime.calls import Call
    from ampgen.runtime.command import AnyCommand, Handler
    from ampgen.runtime.wire import Limits

logger = logging.getLogger("ampgen")

P = TypeVar("P")  # the place of a descriptor among arguments, or in a result

MAX_AT_ONCE = 64  # that go out in one message; Linux takes 253

NO_WAY = (
    "a descriptor travels over a Unix socket without TLS alone: connect to `unix:PATH`"
)


class Handover(int):
    """A descriptor that its owner gives away: it is closed when this object goes.

    That is as soon as a copy of it has been queued, or could not be: a handler returns
    ``Handover(os.open(...))``, and a caller may pass one. It has to be the only owner.
    """

    _open = False

    def __init__(self, _fd: int) -> None:
        super().__init__()
        self._open = True

    def __reduce__(self) -> NoReturn:
        raise TypeError("a descriptor that is handed over has one owner: no copies")

    def close(self) -> None:
        """Close it now; once is enough."""
        if self._open:
            self._open = False
            os.close(self)

    def __del__(self) -> None:
        self.close()


class Descriptors:
    """What one connection has sent, and what it has received and nobody has yet."""

    __slots__ = ("_limit", "_received", "_waiting", "sent")

    def __init__(self, limit: int) -> None:
        self.sent = 0
        self._received = 0
        self._waiting: dict[int, int] = {}  # by ordinal
        self._limit = limit

    def arrive(self, fds: Iterable[int]) -> bool:
        """Keep them until a box names them. False where there are too many."""
        for fd in fds:
            self._waiting[self._received] = fd
            self._received += 1
        return len(self._waiting) <= self._limit

    def discard(self, fds: list[int]) -> None:
        """Nobody can want these; they are counted nevertheless."""
        self._received += len(fds)
        close_all(fds)

    def claim(self, box: dict[bytes, bytes], keys: Iterable[bytes]) -> list[int]:
        """Put the descriptors in the place of the ordinals in ``box``; return them.

        A ``Fault`` for an ordinal that is none; then none of them is left open.
        """
        claimed: dict[bytes, int] = {}
        fault: Fault | None = None
        last = -1
        for key in keys:
            if key in box:
                try:
                    ordinal = decode_fd(box[key])
                    if ordinal not in self._waiting:
                        raise Fault("no descriptor has come for this ordinal")
                except Fault as wrong:
                    fault = fault or fault_at(key.decode(), wrong)
                else:
                    claimed[key] = self._waiting.pop(ordinal)
                    last = max(last, ordinal)
        self._forget(last)
        fds = list(claimed.values())
        if fault is not None:
            close_all(fds)
            raise fault
        for key, fd in claimed.items():
            box[key] = b"%d" % fd
        return fds

    def _forget(self, last: int) -> None:
        """Boxes come in the order of their ordinals: the earlier ones are nobody's."""
        earlier = [ordinal for ordinal in self._waiting if ordinal < last]
        close_all(self._waiting.pop(ordinal) for ordinal in earlier)

    def close(self) -> None:
        """No further box will be read."""
        close_all(self._waiting.values())
        self._waiting.clear()


class Copies:
    """Copies of the descriptors that go with one box; closed if it comes to nothing.

    ``first`` is the ordinal of the first one; ``carried``: can the connection do it?
    """

    __slots__ = ("_carried", "_first", "_handed_over", "fds")

    def __init__(self, first: int, *, carried: bool) -> None:
        self._first = first
        self._carried = carried
        self.fds: list[int] = []
        self._handed_over: list[Handover] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if error is not None:
            close_all(self.fds)
        for fd in self._handed_over:
            with suppress(OSError):  # somebody else has closed it: none of ours
                fd.close()

    def of_arguments(self, command: AnyCommand, arguments: Any) -> tuple[Any, ...]:
        """The arguments with ordinals in the place of descriptors."""
        ordinals = self._copy(
            {position: arguments[position] for _key, position in command.argument_fds},
            command.argument_fds,
        )
        return tuple(
            ordinals.get(position, value) for position, value in enumerate(arguments)
        )

    def of_result(self, command: AnyCommand, result: Any) -> Any:
        """The result with ordinals in the place of descriptors."""
        ordinals = self._copy(
            {
                field: getattr(result, field) if field else result
                for _key, field in command.result_fds
            },
            command.result_fds,
        )
        if "" in ordinals:
            return ordinals[""]
        return dataclasses.replace(result, **ordinals) if ordinals else result

    def _copy(
        self, given: dict[P, Any], places: Iterable[tuple[bytes, P]]
    ) -> dict[P, int]:
        """The ordinals of those that there are, by their places."""
        self._handed_over += (fd for fd in given.values() if isinstance(fd, Handover))
        return {
            place: self._copy_of(key, given[place])
            for key, place in places
            if given[place] is not None
        }

    def _copy_of(self, key: bytes, fd: Any) -> int:
        """Its ordinal."""
        try:
            if not isinstance(fd, int) or isinstance(fd, bool):
                raise wrong_type("a file descriptor (an int)", fd)
            if not self._carried:
                raise Fault(NO_WAY)
            try:
                self.fds.append(os.dup(fd))
            except OverflowError:
                raise Fault("no descriptor has so large a number") from None
            except OSError as error:
                raise Fault(
                    f"no descriptor that can be sent: {error.strerror}"
                ) from None
        except FAULTS as fault:
            raise fault_at(key.decode(), as_fault(fault)) from None
        return self._first + len(self.fds) - 1


class Attached:
    """Descriptors that wait to be sent, each beside a certain one of the unsent bytes.

    ``len`` of it: in how many batches.
    """

    __slots__ = ("_batches", "_gone")

    def __init__(self) -> None:
        self._batches: deque[tuple[int, list[int]]] = deque()
        self._gone = 0  # bytes; the places of the batches count from the same start

    def __len__(self) -> int:
        return len(self._batches)

    def add(self, position: int, fds: list[int]) -> None:
        """Beside the byte at ``position``, and those behind it if there are many."""
        for at in range(0, len(fds), MAX_AT_ONCE):
            batch = fds[at : at + MAX_AT_ONCE]
            place = self._gone + position + at // MAX_AT_ONCE
            self._batches.append((place, batch))

    def next(self, unsent: int) -> tuple[list[int], int]:
        """What goes beside the first byte, and how many bytes may go along with it."""
        places = [place - self._gone for place, _fds in islice(self._batches, 2)]
        ahead = [place for place in places if place]
        fds = [] if places[0] else self._batches[0][1]
        return fds, min([*ahead, unsent])

    def sent(self, count: int) -> list[int]:
        """So many bytes are sent: those that have gone with them."""
        fds: list[int] = []
        if self._batches[0][0] == self._gone:
            fds = self._batches.popleft()[1]
        self._gone += count
        return fds

    def close(self) -> None:
        for _at, fds in self._batches:
            close_all(fds)
        self._batches.clear()


def close_all(fds: Iterable[int]) -> None:
    """One that the system complains of does not keep the others open.

    It may be one that the program has closed, or a file that could not be written.
    """
    for fd in fds:
        try:
            os.close(fd)
        except OSError as error:
            logger.warning("in closing descriptor %d: %s", fd, error.strerror)


def fds_of_arguments(
    command: AnyCommand, arguments: tuple[Any, ...], start: int = 0
) -> list[int]:
    """The descriptors among them, from the argument ``start`` on."""
    return [
        arguments[position]
        for _key, position in command.argument_fds
        if position >= start and arguments[position] is not None
    ]


def takes_descriptors(handlers: Iterable[Handler], calls: Iterable[Call]) -> bool:
    """Is there anybody here whom one could be for?"""
    return any(handler.command.argument_fds for handler in handlers) or any(
        call.command.result_fds for call in calls
    )


def write_beside(
    command: AnyCommand,
    head: bytes,
    value: Any,
    first: int,
    limits: Limits,
    *,
    carried: bool,
    answer: bool,
) -> tuple[bytes, list[int]]:
    """A box, the answer or the request, and copies of the descriptors that go with it.

    ``first`` and ``carried``: see ``Copies``. A ``Fault`` for what cannot be sent.
    """
    inner = command.inner
    with Copies(first, carried=carried) as copies:
        if answer:
            value = copies.of_result(command, value)
            data = inner.write_answer(head, value, limits.depth)
            large = command.large_results
        else:
            value = copies.of_arguments(command, value)
            data = inner.write_request(head, value, limits.depth)
            large = command.large_arguments
        if len(data) > min(limits.box, limits.large):
            check_size(data, limits, large)
    return data, copies.fds
