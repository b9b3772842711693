"""The protocol without a socket: a host that keeps what it is asked."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from ampgen.runtime.calls import Call
from ampgen.runtime.command import Handler, raw_command
from ampgen.runtime.protocol import AmpProtocol
from ampgen.runtime.services import handlers_of
from ampgen.runtime.wire import Limits, read_box, write_box
from tests.runtime.services import Text

if TYPE_CHECKING:
    from ampgen.runtime.serving import Serving

Box = dict[bytes, bytes]


class Host:
    """Keeps requests until the test answers them, unless ``answer`` does so at once."""

    def __init__(self, *, limits: Limits | None = None, fallback: bool = False) -> None:
        self.requests: list[tuple[Serving, Any]] = []
        self.inline = False
        self.is_ending = False
        self.is_finished = False
        self.protocol = AmpProtocol(
            self,
            limits=limits or Limits(),
            fallback=self.fallback if fallback else None,
        )
        self.protocol.greets = False  # what a test sees is plain AMP
        self.protocol.handlers = handlers_of([Text()])

    def fallback(self, name: bytes) -> Handler:
        return Handler(raw_command(name), dict, 1)

    def serve(self, serving: Serving, arguments: Any) -> None:
        self.requests.append((serving, arguments))
        if self.inline:
            self.protocol.answer(serving, None)

    def queued(self) -> None:
        pass

    @property
    def carries_descriptors(self) -> bool:
        return False

    def send_descriptors(self, fds: list[int]) -> None:
        raise AssertionError

    def ending(self) -> None:
        assert not self.is_ending
        self.is_ending = True

    def finished(self) -> None:
        assert not self.is_finished
        assert not self.protocol.in_flight
        self.is_finished = True

    # --- what tests do ----------------------------------------------------------------

    def receive(self, *boxes: Box) -> None:
        self.protocol.receive_data(b"".join(map(write_box, boxes)))

    def sent(self) -> list[Box]:
        """The boxes that have been queued since the last time."""
        data = self.protocol.data_to_send()
        boxes: list[Box] = []
        at = 0
        while at < len(data):
            box, at = read_box(data, at)
            boxes.append(box)
        return boxes

    def ask(
        self,
        command: Any,
        *arguments: Any,
        deadline: float | None = None,
        seconds: float | None = None,
    ) -> Future[Any]:
        call = HeldCall(command, deadline, seconds)
        self.protocol.ask(call, arguments, seconds)
        return call.waiter


class HeldCall(Call):
    """A call that nobody awaits."""

    __slots__ = ("waiter",)

    def __init__(
        self, command: Any, deadline: float | None, seconds: float | None
    ) -> None:
        self.command = command
        self.deadline = deadline
        self.seconds = seconds
        self.metadata = None
        self.waiter: Future[Any] = Future()

    def answered(self, result: Any) -> None:
        if not self.waiter.done():
            self.waiter.set_result(result)

    def failed(self, error: BaseException) -> None:
        if not self.waiter.done():
            self.waiter.set_exception(error)


def request(command: bytes, ask: bytes | None = b"1", **arguments: bytes) -> Box:
    box = {b"_command": command} | {k.encode(): v for k, v in arguments.items()}
    return box if ask is None else box | {b"_ask": ask}
