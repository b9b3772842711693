"""A server that nobody has written: it answers, and tells of what it was asked."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from ampgen.model import ScalarType
from ampgen.runtime import ConnectionLost, RemoteError, current_call
from ampgen.runtime.values import Scalar
from ampgen.tools.hiding import hide_fields, hide_result
from ampgen.tools.jsonvalues import JsonValues
from ampgen.tools.mock.standin import result_from_json

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.memory import Loaded
    from ampgen.tools.mock.callingback import CallingBack
    from ampgen.tools.mock.outcomes import Outcome, Outcomes
    from ampgen.tools.mock.standin import Asked

_DESCRIPTOR = ScalarType(Scalar.FD)


@dataclass(frozen=True, slots=True)
class Told:
    """What has happened: of the call with this number, by this peer.

    ``what`` is ready for JSON, with what is sensitive hidden. A call is told of once it
    is answered, with its ``arguments``. One that streams is when it comes, then item by
    item (``received``, ``sent``), then at its end. An end is the ``answer``, the
    ``error`` (code, description, fields), or how it has ``ended`` without one. Of a
    oneway command there are ``arguments`` alone. A call the other way round has
    ``called_back``, its arguments, and an end.
    """

    call: int
    time: datetime
    peer: str
    command: str
    what: Mapping[str, Json] = field(default_factory=dict[str, "Json"])

    def to_json(self) -> dict[str, Json]:
        return {
            "call": self.call,
            "time": self.time.isoformat(timespec="milliseconds"),
            "peer": self.peer,
            "command": self.command,
            **self.what,
        }


Tell: TypeAlias = "Callable[[Told], None]"


class Mock:
    """``answer`` is for :func:`ampgen.tools.mock.standin.stand_ins`.

    ``delay``: seconds before each answer, and before each item. ``calling_back``: what
    to call while a call is served. ``tell`` hears of all that happens.
    """

    def __init__(
        self,
        loaded: Loaded,
        outcomes: Outcomes,
        tell: Tell,
        *,
        delay: float = 0.0,
        calling_back: CallingBack | None = None,
    ) -> None:
        self.loaded = loaded
        self.values = JsonValues(loaded)
        self.outcomes = outcomes
        self.tell = tell
        self.delay = delay
        self.calling_back = calling_back
        self._calls = 0

    async def answer(self, asked: Asked) -> Any:
        call = _Call(self, asked)
        if self.calling_back is not None:
            try:
                await self._call_back(self.calling_back, asked)
            except asyncio.CancelledError:
                call.given_up()
                raise
        result = asked.command.result
        if result is not None and result.stream:
            return call.stream()
        return await call.once()

    def refused(self, peer: str, command: str, error: RemoteError) -> None:
        """Tell of a request that no handler has been called for."""
        told: Json = {"code": error.code, "description": error.description}
        self.tell(Told(self.count(), _now(), peer, command, {"error": told}))

    async def _call_back(self, calling: CallingBack, asked: Asked) -> None:
        turn = calling.next_of(asked.service)
        if turn is not None:
            _number, called, command = turn
            connection = current_call().connection
            told = await calling.call(connection, *turn)
            peer, name = connection.peer_address, f"{called.name}.{command.name}"
            self.tell(Told(self.count(), _now(), peer, name, told))

    def count(self) -> int:
        """The number of the next call."""
        self._calls += 1
        return self._calls


class _Call:
    """One call, from its arrival to its end."""

    def __init__(self, mock: Mock, asked: Asked) -> None:
        self._mock = mock
        self._asked = asked
        self._number = mock.count()
        self._peer = current_call().peer_address
        self._untold: dict[str, Json] = {}
        fields = asked.command.arguments
        by_name = {field.name: field for field in fields}
        given = {
            name: mock.values.to_json(by_name[name].type, value)
            for name, value in asked.arguments.items()
            if value is not None or not by_name[name].optional
        }
        shown = hide_fields(fields, given)
        descriptors = [field.name for field in fields if field.type == _DESCRIPTOR]
        for name in descriptors:
            if given.pop(name, None) is not None:
                os.close(asked.arguments[name])
        self._given = given
        result = asked.command.result
        if asked.items is not None or (result is not None and result.stream):
            self._tell({"arguments": shown})
        else:
            self._untold = {"arguments": shown}

    # --- the ways to answer -----------------------------------------------------------

    async def once(self) -> Any:
        """The one answer, behind all that the caller sends."""
        try:
            async with aclosing(self._received()) as received:
                async for _ in received:
                    pass
            await asyncio.sleep(self._mock.delay)
            outcome = self._outcome()
            self._raise(outcome)
        except asyncio.CancelledError:
            self.given_up()
            raise
        value = self._value(outcome.result)
        if self._asked.command.oneway:
            self._tell({})
        else:
            self._tell({"answer": self._shown(value)})
        return value

    async def stream(self) -> AsyncGenerator[Any]:
        """Items, of which some outcomes have one for each that the caller sends."""
        try:
            outcome = self._outcome()
            items = iter(outcome.items)
            async with aclosing(self._received()) as received:
                async for _ in received:
                    if outcome.paired:
                        yield await self._item(next(items))
            if not outcome.paired:
                for data in items:
                    yield await self._item(data)
            self._raise(outcome)
        except (asyncio.CancelledError, GeneratorExit):
            self.given_up()
            raise
        self._tell({"answer": None})

    async def _received(self) -> AsyncGenerator[None]:
        """One turn for each item that the caller sends."""
        if self._asked.items is None:
            return
        [field] = [field for field in self._asked.command.arguments if field.stream]
        try:
            async for item in self._asked.items:
                data = self._mock.values.to_json(field.type, item)
                shown = hide_fields((field,), {field.name: data})[field.name]
                self._tell({"received": shown})
                yield
        except (RemoteError, ConnectionLost) as error:
            self._tell({"ended": f"what the caller sends: {error}"})
            raise

    async def _item(self, data: Json) -> Any:
        await asyncio.sleep(self._mock.delay)
        value = self._value(data)
        self._tell({"sent": self._shown(value)})
        return value

    def given_up(self) -> None:
        self._tell({"ended": "the caller waits no longer"})

    # --- what comes of it -------------------------------------------------------------

    def _outcome(self) -> Outcome:
        return self._mock.outcomes.of(self._asked, self._given)

    def _value(self, data: Json) -> Any:
        mock = self._mock
        return result_from_json(mock.loaded, mock.values, self._asked.command, data)

    def _shown(self, value: Any) -> Json:
        result = self._asked.command.result
        return hide_result(result, self._mock.values.result_to_json(result, value))

    def _raise(self, outcome: Outcome) -> None:
        raised = outcome.error
        if raised is None:
            return
        mock, command = self._mock, self._asked.command
        error = raised.made(mock.loaded, mock.values, command)
        told: dict[str, Json] = {"code": error.code, "description": raised.description}
        if raised.number is not None:
            declared = command.errors[raised.number]
            fields = mock.values.error_to_json(declared, error)
            told["fields"] = hide_fields(declared.fields, fields)
        self._tell({"error": told})
        raise error

    def _tell(self, what: dict[str, Json]) -> None:
        told = {**self._untold, **what}
        self._untold = {}
        name = self._asked.name
        self._mock.tell(Told(self._number, _now(), self._peer, name, told))


def _now() -> datetime:
    return datetime.now().astimezone()
