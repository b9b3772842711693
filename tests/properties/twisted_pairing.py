"""A trial between two Twisted programs, both of what `--target twisted` makes.

They are real ends of Twisted's, joined in memory; no reactor is needed for that.
"""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.protocols import amp
from twisted.python.failure import Failure

from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.errors import CommandError, RemoteError
from ampgen.targets.python.commands import in_request, stream_argument
from ampgen.targets.python.names import field_name, member_class
from ampgen.targets.twisted import names
from ampgen.tools.pairing.judging import Course
from ampgen.tools.pairing.meaning import Box, Boxes, Items, Meaning, Text, meaning
from ampgen.tools.pairing.trials import Raises, Returns, Yields, commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ampgen.model import Command, Field, Result, Service, Type
    from ampgen.tools.pairing.trials import Trial

PLENTY = 1000  # items, as credit


# --- values ---------------------------------------------------------------------------


def theirs(type_: Type, value: Any) -> Any:
    """A value of our generated code, as a Twisted program has it."""
    match type_:
        case ListType(item):
            return [theirs(item, one) for one in value]
        case MapType(_, inner):
            return {key: theirs(inner, one) for key, one in value.items()}
        case Struct():
            held = {one.name: getattr(value, field_name(one)) for one in type_.fields}
            return objects(type_.fields, held)
        case Union():
            [member] = [
                one
                for one in type_.members
                if member_class(type_, one) == type(value).__name__
            ]
            return {names.key(member.key): theirs(member.type, value.value)}
        case _:
            return value


def objects(fields: Iterable[Field], held: Mapping[str, Any]) -> dict[str, Any]:
    """Values by their names in the schema; what is not there is ``None``."""
    return {
        names.key(one.key): (
            None if (value := held.get(one.name)) is None else theirs(one.type, value)
        )
        for one in fields
    }


def said(type_: Type, value: Any) -> Meaning:
    """What a value says that a Twisted program has read."""
    match type_:
        case ScalarType():
            return meaning(type_, value)
        case Enum():
            text = getattr(value, "value", value)
            return Text(text.encode(), any(one.value == text for one in type_.members))
        case ListType(Struct() | Union() as item):
            return Boxes(tuple(said_box(item, one) for one in value))
        case ListType(item):
            return Items(tuple(said(item, one) for one in value))
        case MapType(key, inner):
            return Boxes(
                tuple(
                    Box({"key": said(key, one), "value": said(inner, other)})
                    for one, other in value.items()
                )
            )
        case Struct() | Union():
            return Boxes((said_box(type_, value),))


def said_box(type_: Struct | Union, value: Mapping[str, Any]) -> Box:
    fields = type_.fields if isinstance(type_, Struct) else type_.members
    return said_fields(fields, value)


def said_fields(fields: Iterable[Field], held: Mapping[str, Any]) -> Box:
    fields = tuple(fields)
    pairs = {
        one.key: said(one.type, value)
        for one in fields
        if (value := held.get(names.key(one.key))) is not None
        or (one.required and names.key(one.key) in held)
    }
    return Box(pairs, {one.key: one for one in fields})


def returned(result: Result, value: Any) -> dict[str, Any]:
    """What a handler of ours returns, or an item, as one of Twisted's does."""
    if result.bare:
        return objects(result.fields, {result.fields[0].name: value})
    held = {one.name: getattr(value, field_name(one)) for one in result.fields}
    return objects(result.fields, held)


# --- both ends ------------------------------------------------------------------------


class End(amp.AMP):
    """Answers what it has been told to; keeps what it writes."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[bytes, tuple[Any, Any]] = {}
        self.wire = StringTransport()
        self.makeConnection(self.wire)

    def locateResponder(self, name: bytes) -> Any:  # noqa: N802
        if name not in self.answers:
            return None
        command, answer = self.answers[name]
        return self._wrapWithSerialization(answer, command)

    @property
    def is_closed(self) -> bool:
        return bool(self.wire.disconnecting)


def taken(end: End) -> list[Any]:
    """The boxes that it has written since the last time."""
    data: bytes = end.wire.value()
    end.wire.clear()
    return list(amp.parseString(data))


class Twisted:
    """The Twisted module of one version of a schema."""

    def __init__(self, module: Any) -> None:
        self.module = module

    def command(self, service: Service, command: Command) -> Any:
        namespace = getattr(self.module, names.namespace(service))
        return getattr(namespace, names.command_class(command))


class Call:
    """One trial: caller and implementer, each by its own version's classes."""

    def __init__(
        self,
        trial: Trial,
        caller: Twisted,
        calls: Service,
        implementer: Twisted,
        serves: Service | None,
    ) -> None:
        self.course = Course()
        self._trial = trial
        self._caller, self._calls = caller, calls
        self._implementer, self._serves = implementer, serves
        self.here, self.there = End(), End()
        self.request = b""
        self._done = False

    def run(self) -> Course:
        if self._serves is not None:
            for command in commands(self._serves).values():
                self._serve(self._serves, command)
        self._expect_items()
        self._call()
        self.request = self.here.wire.value()
        self._pump()
        self.course.closed = self.here.is_closed or self.there.is_closed
        if not self._done and not self._trial.caller.oneway:
            assert self.course.closed, "no answer, and the connection lives"
            self.course.error = self.course.error or RemoteError("closed")
        for end in (self.here, self.there):
            end.connectionLost(Failure(ConnectionDone()))
        return self.course

    def _pump(self) -> None:
        """Box by box: who closes reads nothing any more, and what it wrote arrives."""
        waiting: list[tuple[End, bytes]] = []
        while True:
            for end, other in ((self.here, self.there), (self.there, self.here)):
                waiting += [(other, box.serialize()) for box in taken(end)]
            if not waiting:
                return
            end, data = waiting.pop(0)
            if not end.is_closed:
                end.dataReceived(data)

    # --- the implementer --------------------------------------------------------------

    def _serve(self, service: Service, command: Command) -> None:
        made = self._implementer.command(service, command)
        result = command.result
        streams = result is not None and result.stream
        sent = stream_argument(command)
        done: Deferred[Any] = Deferred()
        ids: dict[str, Any] = {}

        def answer(**given: Any) -> Any:
            own = {key: given.pop(key) for key in list(given) if key.startswith("_")}
            self.course.arguments = said_fields(in_request(command), given)
            stream = own.get("_stream")
            ids["_stream"] = {} if stream is None else {"_stream": stream}
            if sent is not None:
                self.there.callRemote(made.SendCredit, _stream=stream, _credit=PLENTY)
                return done
            return end()

        def end() -> Any:
            outcome = self._trial.outcome
            if isinstance(outcome, Raises):
                raise getattr(self._implementer.module, outcome.declared.name)(
                    "as declared"
                )
            if isinstance(outcome, Yields) and result is not None:
                for item in outcome.values:
                    self.there.callRemote(
                        made.Item, **ids["_stream"], **returned(result, item)
                    )
                return ids["_stream"]
            if isinstance(outcome, Returns) and result is not None and not streams:
                return {**returned(result, outcome.value), **ids["_stream"]}
            return ids["_stream"]

        self.there.answers[made.commandName] = (made, answer)
        if sent is not None:

            def item(_stream: bytes, item: Any) -> Any:
                self.course.items.append(said_fields(_as_item(sent), {"item": item}))
                return {}

            def over(**_given: Any) -> Any:
                try:
                    done.callback(end())
                except Exception as error:
                    done.errback(error)
                return {}

            self.there.answers[made.Send.commandName] = (made.Send, item)
            self.there.answers[made.SendEnd.commandName] = (made.SendEnd, over)

    # --- the caller -------------------------------------------------------------------

    def _expect_items(self) -> None:
        command = self._trial.caller
        made = self._caller.command(self._calls, command)
        result = command.result
        sent = stream_argument(command)
        if result is not None and result.stream:

            def item(_stream: bytes, **given: Any) -> Any:
                self.course.result.append(said_fields(result.fields, given))
                return {}

            self.here.answers[made.Item.commandName] = (made.Item, item)
        if sent is not None:

            def credit(**_given: Any) -> Any:
                for value in self._trial.asked.items:
                    self.here.callRemote(
                        made.Send, _stream=b"1", item=theirs(sent.type, value)
                    )
                self.here.callRemote(made.SendEnd, _stream=b"1")
                return {}

            self.here.answers[made.SendCredit.commandName] = (made.SendCredit, credit)

    def _call(self) -> None:
        command = self._trial.caller
        made = self._caller.command(self._calls, command)
        given = objects(in_request(command), self._trial.asked.given)
        for name, _argument in made.arguments:
            if name == b"_stream":
                given["_stream"] = b"1"
            if name == b"_credit":
                given["_credit"] = PLENTY
        deferred = self.here.callRemote(made, **given)
        if deferred is not None:
            deferred.addCallbacks(self._answered, self._failed)

    def _answered(self, answer: dict[str, Any]) -> None:
        self._done = True
        result = self._trial.caller.result
        if result is None:
            self.course.result.append(Box({}, {}))
        elif not result.stream:
            self.course.result.append(said_fields(result.fields, answer))

    def _failed(self, failure: Any) -> None:
        self._done = True
        self.course.error = self._error(failure.value)

    def _error(self, error: Any) -> Exception:
        """As our own end would have it, as far as Twisted tells."""
        outcome = self._trial.outcome
        if isinstance(outcome, Raises) and self.course.arguments is not None:
            code = outcome.declared.code
            made: Any = self._caller.command(self._calls, self._trial.caller)
            if made.allErrors.get(type(error), b"").decode() == code:
                return _coded(code)
            if isinstance(error, amp.UnknownRemoteError) and not self.there.is_closed:
                return RemoteError("as declared", code=code)
            if isinstance(error, amp.UnknownRemoteError) and outcome.declared.fatal:
                return RemoteError("as declared", code=code)
        failed: Exception = error
        return failed


def _as_item(field: Field) -> tuple[Field, ...]:
    return (replace(field, name="item", key="item"),)


def _coded(code: str) -> CommandError:
    error = CommandError("as declared")
    error.code = code
    return error
