"""A state machine without a connection: bytes in, bytes out."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ampgen.runtime.protocol import AmpProtocol
from ampgen.runtime.services import handlers_of
from ampgen.runtime.wire import Limits

if TYPE_CHECKING:
    from ampgen.runtime.serving import Serving


class Shell:
    """Answers at once, and keeps what it is told to do."""

    def __init__(self, service: Any) -> None:
        self.finishes = 0
        self.protocol = AmpProtocol(self, limits=Limits())
        self.protocol.handlers = handlers_of([service])

    def serve(self, serving: Serving, arguments: Any) -> None:
        try:
            result = serving.handler.method(*arguments)
        except Exception as error:
            self.protocol.fail(serving, error)
        else:
            self.protocol.answer(serving, result)

    def queued(self) -> None:
        pass

    @property
    def carries_descriptors(self) -> bool:
        return False

    def send_descriptors(self, fds: list[int]) -> None:
        raise AssertionError

    def ending(self) -> None:
        pass

    def finished(self) -> None:
        self.finishes += 1

    def sent(self) -> bytes:
        return self.protocol.data_to_send()


def pieces(data: bytes, places: list[int]) -> list[bytes]:
    cuts = [0, *sorted(places), len(data)]
    return [data[start:stop] for start, stop in pairwise(cuts)]
