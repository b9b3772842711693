"""Which handler answers which command."""

from __future__ import annotations

from typing import Any

import pytest

from ampgen.runtime.services import Server, Services, handlers_of
from tests.runtime.made.text import EventsServer, RepeatResult, TextServer
from tests.runtime.services import COMMANDS, Events, Text


class More(Text):
    """A service that is implemented in two steps."""


class Older(Text):
    """Written before `times` was added."""

    async def repeat(self, text: str) -> RepeatResult:  # type: ignore[override]
        return RepeatResult(text=text, length=len(text))


class Any_(Text):  # noqa: N801
    async def repeat(self, *arguments: Any) -> RepeatResult:  # pyright: ignore[reportIncompatibleMethodOverride]
        return RepeatResult(text=arguments[0], length=len(arguments))


class Short(Text):
    async def repeat(self) -> RepeatResult:  # type: ignore[override]
        return RepeatResult(text="", length=0)


def test_all_commands_of_a_class_and_its_bases_are_found() -> None:
    class Both(Text, Events):
        pass

    assert set(handlers_of([Both()])) == {
        *(b"Repeat", b"Items", b"Stop", b"Log"),
        *(b"Progress", b"Confirm"),
    }
    assert set(handlers_of([More()])) == {b"Repeat", b"Items", b"Stop", b"Log"}


def test_a_command_that_a_class_has_twice_is_that_of_the_nearest_class() -> None:
    class Redone(Text):
        __ampgen_commands__ = ((COMMANDS[b"Stop"], "halt"),)

        def halt(self) -> None:
            pass

    service = Redone()
    handlers = handlers_of([service])
    assert handlers[b"Stop"].method == service.halt
    assert handlers[b"Repeat"].method == service.repeat


def test_a_service_that_misses_a_handler_cannot_be_made() -> None:
    class Half(TextServer):
        pass

    class HalfEvents(EventsServer):
        pass

    classes: list[Any] = [Half, HalfEvents]
    for cls in classes:
        with pytest.raises(TypeError, match="abstract"):
            cls()


@pytest.mark.parametrize(("service", "count"), [(Text, 2), (Older, 1), (Any_, 2)])
def test_an_older_handler_is_called_without_the_last_arguments(
    service: type[Text], count: int
) -> None:
    assert handlers_of([service()])[b"Repeat"].count == count


def test_a_handler_whose_parameters_python_cannot_tell_gets_them_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cannot_tell(_method: object) -> None:
        raise ValueError

    monkeypatch.setattr("inspect.signature", cannot_tell)
    assert handlers_of([Text()])[b"Repeat"].count == 2


def test_a_handler_that_does_not_take_a_required_argument_is_refused() -> None:
    with pytest.raises(TypeError, match=r"Short.repeat takes 0 of the 2 arguments"):
        handlers_of([Short()])


def test_two_services_that_would_answer_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two services would answer 'Repeat': More"):
        Services([Text(), More()])
    same = Text()
    with pytest.raises(ValueError, match="two services"):
        Services([same, same])


def test_factories_are_called_for_each_connection() -> None:
    seen: list[object] = []

    def factory(connection: object) -> Server:
        seen.append(connection)
        return Text()

    services = Services([Events(), factory])
    assert set(services.handlers("one")) >= {b"Repeat", b"Confirm"}
    assert services.handlers("one") is not services.handlers("two")
    assert seen == ["one", "one", "two"]


def test_without_factories_all_connections_share_the_handlers() -> None:
    services = Services([Text()])
    assert services.handlers("one") is services.handlers("two")


def test_factories_that_clash_are_refused_when_they_are_called() -> None:
    services = Services([Text(), lambda _connection: More()])
    with pytest.raises(ValueError, match="two services"):
        services.handlers("one")


def test_what_is_no_service_is_refused() -> None:
    nothing: Any = 3
    with pytest.raises(TypeError, match="not a int"):
        Services([nothing])

    def wrong(_connection: object) -> Any:
        return 3

    with pytest.raises(TypeError, match="made a int, not a service"):
        Services([wrong]).handlers("one")
