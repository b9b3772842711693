"""One end of a connection: any pieces come to the same, and garbage costs nothing."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampgen.runtime.calls import Call
from ampgen.runtime.protocol import State
from ampgen.runtime.wire import write_box
from tests.properties.shell import Shell, pieces

if TYPE_CHECKING:
    from tests.conftest import CompileSchema

SCHEMA = """
struct Item { id: int; names: [str]; next: Item?; }
error Refused "REFUSED" { limit: int?; }
fatal error Broken "BROKEN";
service Any {
    command Echo(item: Item, Upper: int?, note: json?) -> (item: Item, Upper: int?);
    command Fail(how: str) raises Refused, Broken;
    oneway command Log(line: str);
}
"""


def service(module: Any) -> Any:
    class Service(module.AnyServer):  # type: ignore[misc]
        def echo(self, item: Any, upper: int | None, note: Any, /) -> Any:
            return module.EchoResult(item=item, Upper=upper)

        def fail(self, how: str) -> None:
            errors = {"refused": module.Refused(how, limit=3)}
            raise errors.get(how) or (module.Broken if how == "broken" else OSError)

        def log(self, line: str) -> None:
            if line == "fail":
                raise OSError

    return Service()


@pytest.fixture(scope="module")
def module(compile_schema: CompileSchema) -> Any:
    return compile_schema(SCHEMA)


ITEM = b"\0\2id\0\0015\0\5names\0\4\0\2ab\0\0"
VALUES: dict[bytes, st.SearchStrategy[bytes]] = {
    b"_ask": st.sampled_from((b"", b"1", b"2", b"ff", b"\0", b"x" * 300)),
    b"_answer": st.sampled_from((b"1", b"2")),
    b"_error": st.sampled_from((b"1", b"2")),
    b"_error_code": st.just(b"REFUSED"),
    b"_error_description": st.just(b"\xff"),
    b"_command": st.sampled_from((b"Echo", b"Fail", b"Log", b"Nope", b"", b"\xff")),
    b"item": st.sampled_from((ITEM, ITEM[:-1], ITEM + b"\0", b"")),
    b"Upper": st.sampled_from((b"1", b"+1", b"")),
    b"note": st.sampled_from((b"null", b"[" * 100, b"{}")),
    b"how": st.sampled_from((b"refused", b"broken", b"surprise", b"\xff")),
    b"line": st.sampled_from((b"fail", b"x", b"\xff")),
    b"_later": st.just(b""),
}
ANY_BOX = st.fixed_dictionaries({}, optional=VALUES)
REQUEST = st.fixed_dictionaries(
    {key: VALUES[key] for key in (b"_ask", b"_command")},
    optional={
        key: VALUES[key] for key in (b"item", b"Upper", b"note", b"how", b"line")
    },
)
ANSWER = st.fixed_dictionaries(
    {b"_answer": VALUES[b"_answer"], b"item": VALUES[b"item"]},
    optional={key: VALUES[key] for key in (b"Upper", b"_later")},
)
ERROR = st.fixed_dictionaries(
    {b"_error": VALUES[b"_error"]},
    optional={
        b"_error_code": st.sampled_from((b"REFUSED", b"UNKNOWN", b"OTHER", b"\xff")),
        b"_error_description": VALUES[b"_error_description"],
        b"limit": VALUES[b"Upper"],
    },
)
GOOD = st.sampled_from(
    [
        {b"_command": b"Echo", b"item": ITEM, b"Upper": b"1"},
        {b"_command": b"Echo", b"item": ITEM, b"note": b"null", b"unknown": b""},
        {b"_command": b"Fail", b"how": b"refused"},
        {b"_command": b"Fail", b"how": b"surprise"},
        {b"_command": b"Log", b"line": b"fail"},
        {b"_command": b"Nope"},
    ]
)


def shuffled_box(box: dict[bytes, bytes]) -> st.SearchStrategy[bytes]:
    """A box with its keys in any order, as some peer may write it."""

    def written(pairs: list[tuple[bytes, bytes]]) -> bytes:
        sized = [write_box(dict([pair]))[:-2] for pair in pairs]
        return b"".join(sized) + b"\0\0"

    return st.permutations(list(box.items())).map(written)


conversations = st.lists(
    (REQUEST | ANY_BOX).flatmap(shuffled_box) | GOOD.flatmap(shuffled_box), max_size=6
).map(b"".join)


@given(written=conversations, data=st.data())
def test_any_pieces_give_the_same_answers(
    written: bytes, data: st.DataObject, module: Any
) -> None:
    whole, split = Shell(service(module)), Shell(service(module))
    whole.protocol.receive_data(written)
    places = data.draw(st.lists(st.integers(0, len(written)), max_size=20))
    for piece in pieces(written, places):
        split.protocol.receive_data(piece)
    assert split.sent() == whole.sent()
    assert split.protocol.state == whole.protocol.state


class NotedCall(Call):
    """Keeps how it ended."""

    __slots__ = ("outcome",)

    def __init__(self, command: Any) -> None:
        self.command = command
        self.deadline = self.seconds = self.metadata = None
        self.outcome: Any = None

    def answered(self, result: Any) -> None:
        self.outcome = ("result", result)

    def failed(self, error: BaseException) -> None:
        self.outcome = (type(error), str(error))


@given(
    written=st.lists(
        st.one_of([box.flatmap(shuffled_box) for box in (ANSWER, ERROR, ANY_BOX)]),
        max_size=4,
    ).map(b"".join),
    data=st.data(),
)
def test_any_pieces_give_our_calls_the_same_outcomes(
    written: bytes, data: st.DataObject, module: Any
) -> None:
    [echo] = [
        command
        for command, name in module.AnyServer.__ampgen_commands__
        if name == "echo"
    ]
    item = module.Item(id=1, names=["a"])

    def outcomes(places: list[int]) -> list[Any]:
        protocol = Shell(service(module)).protocol
        calls = [NotedCall(echo), NotedCall(echo)]
        for call in calls:
            protocol.ask(call, (item, None, None))
        protocol.data_to_send()
        for piece in pieces(written, places):
            protocol.receive_data(piece)
        return [*(call.outcome for call in calls), protocol.state]

    places = data.draw(st.lists(st.integers(0, len(written)), max_size=20))
    assert outcomes(places) == outcomes([])


@given(requests=st.lists(GOOD, max_size=8), data=st.data())
def test_good_requests_are_all_answered_in_any_order_of_keys(
    requests: list[dict[bytes, bytes]], data: st.DataObject, module: Any
) -> None:
    straight, shuffled = Shell(service(module)), Shell(service(module))
    for number, request in enumerate(requests):
        asked = request | {b"_ask": b"%x" % number}
        straight.protocol.receive_data(write_box(asked))
        shuffled.protocol.receive_data(data.draw(shuffled_box(asked)))
    answers = straight.sent()
    assert shuffled.sent() == answers
    for number in range(len(requests)):
        assert write_box({b"x": b"%x" % number})[3:-2] in answers
    assert straight.protocol.state is State.OPEN


@given(noise=st.binary(max_size=3000), before=conversations)
def test_garbage_never_breaks_the_machine(
    noise: bytes, before: bytes, module: Any
) -> None:
    shell = Shell(service(module))
    shell.protocol.receive_data(before)
    shell.protocol.receive_data(noise)
    shell.protocol.receive_data(noise)
    shell.protocol.receive_eof()
    shell.sent()
    shell.protocol.connection_lost("it is over")
    assert shell.protocol.state is State.CLOSED
    assert shell.protocol.in_flight == 0


def test_garbage_without_end_costs_no_memory(module: Any) -> None:
    """Whatever comes behind a violation is neither read nor kept."""
    shell = Shell(service(module))
    noise = bytes(range(256)) * 256
    tracemalloc.start()
    try:
        for _ in range(200):
            shell.protocol.receive_data(noise)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert shell.finishes == 1
    assert peak < 1 << 20


def test_a_box_without_end_costs_no_more_than_its_bound(module: Any) -> None:
    shell = Shell(service(module))
    pair = b"\0\1k\xff\xff" + b"x" * 65535
    tracemalloc.start()
    try:
        for _ in range(200):
            shell.protocol.receive_data(pair)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert shell.finishes == 1
    assert peak < 4 << 20
