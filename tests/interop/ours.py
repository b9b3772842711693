"""Our end of the conversations: services of ``interop.amp``."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any


def echo(service: type, name: str, result: Any) -> Any:
    """A handler that answers what it was asked, and keeps it."""
    names = list(inspect.signature(getattr(service, name)).parameters)[1:]

    def handle(self: Any, *given: Any) -> Any:
        arguments = dict(zip(names, given, strict=True))
        self.seen.append(arguments)
        return result(**arguments)

    return handle


def interop_service(interop: Any) -> Any:
    """Our `Interop`, to be served on one connection or several."""

    class Service(interop.InteropServer):  # type: ignore[misc]
        def __init__(self) -> None:
            self.seen: list[dict[str, Any]] = []
            self.waiting: dict[int, asyncio.Future[None]] = {}
            self.full = asyncio.Event()
            self.full_at = 0

        for _name in ("scalars", "optionals", "defaults", "lists", "structs", "maps"):
            locals()[_name] = echo(
                interop.InteropServer,
                _name,
                getattr(interop, f"{_name.title()}Result"),
            )

        def renamed(self, count: int, upper: str, /) -> Any:
            self.seen.append({"count": count, "Upper": upper})
            return interop.RenamedResult(end=count, Upper=upper)

        def fail(self, how: str) -> Any:
            raise {
                "refused": interop.Refused(
                    "no, thanks: ä€", limit=5, colour=interop.Colour.RED, spare=[1]
                ),
                "missing": interop.NotFound("nowhere"),
                "corrupt": interop.Corrupt("for good", at=3),
            }.get(how, ValueError("a secret"))

        def large(self, size: int) -> bytes:
            return b"x" * size

        def unserved(self) -> None:
            self.seen.append({})

        def log(self, line: str) -> None:
            self.seen.append({"line": line})
            if line == "fail":
                raise ValueError("a secret")

        def logged(self) -> list[str]:
            return [call["line"] for call in self.seen]

        async def wait(self, number: int) -> Any:
            self.waiting[number] = asyncio.get_running_loop().create_future()
            if len(self.waiting) == self.full_at:
                self.full.set()
            await self.waiting[number]
            return interop.WaitResult(number=number)

        async def call_back(self, text: str) -> Any:
            await self.events.notice(text)
            answer = await self.events.question(text)
            return interop.CallBackResult(answer=answer.answer)

        def expect(self, calls: int) -> None:
            """`full` is to be set once so many calls of `wait` are there."""
            self.full_at = calls
            if len(self.waiting) == calls:
                self.full.set()

        def release(self, *numbers: int) -> None:
            """Answer those calls of `wait`, in that order."""
            for number in numbers:
                self.waiting[number].set_result(None)

    return Service()


def events_service(interop: Any) -> Any:
    class Service(interop.EventsServer):  # type: ignore[misc]
        def __init__(self) -> None:
            self.notices: list[str] = []

        def question(self, text: str) -> Any:
            if text == "refuse":
                raise interop.Refused("the client says no", limit=1)
            return interop.QuestionResult(answer=text.upper())

        def notice(self, text: str) -> None:
            self.notices.append(text)

    return Service()
