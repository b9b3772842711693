"""Two directions without times: nothing is answered before it is asked."""

from __future__ import annotations

from ampgen.runtime.wire import write_box
from ampgen.tools.seeing.conversation import Conversation
from ampgen.tools.seeing.interleave import interleave
from ampgen.tools.seeing.seen import Kind, SeenBox, SeenBytes, Side

CLIENT, SERVER = Side


def ask(tag: bytes, name: bytes = b"Do", **keys: bytes) -> bytes:
    more = {key.encode(): value for key, value in keys.items()}
    return write_box({b"_command": name, b"_ask": tag, **more})


def answer(tag: bytes, **keys: bytes) -> bytes:
    return write_box(
        {b"_answer": tag, **{key.encode(): value for key, value in keys.items()}}
    )


def tell(name: bytes, stream: bytes) -> bytes:
    return write_box({b"_command": name, b"_stream": stream})


def order(client: bytes, server: bytes) -> list[str]:
    found = list(interleave(Conversation(), {CLIENT: client, SERVER: server}))
    assert not any(one.fault for one in found)
    return [
        f"{one.sender[0]} {one.kind} {(one.tag or one.stream or b'').decode()}"
        for one in found
        if isinstance(one, SeenBox)
    ]


def test_answers_come_right_behind_what_they_answer() -> None:
    client = ask(b"1") + ask(b"2") + ask(b"3")
    server = answer(b"2") + answer(b"1")
    assert order(client, server) == [
        "c ask 1",
        "c ask 2",
        "s answer 2",
        "s answer 1",
        "c ask 3",
    ]


def test_both_ends_ask() -> None:
    client = ask(b"1") + answer(b"1") + ask(b"2")
    server = ask(b"1") + answer(b"1") + answer(b"2")
    assert order(client, server) == [
        "c ask 1",
        "s ask 1",
        "c answer 1",
        "s answer 1",
        "c ask 2",
        "s answer 2",
    ]


def test_boxes_of_a_stream_stay_with_its_call() -> None:
    client = ask(b"9") + ask(b"1", b"Tail", _stream=b"s") + tell(b"Tail._credit", b"s")
    server = tell(b"Tail._item", b"s") + answer(b"9") + answer(b"1", _stream=b"s")
    assert order(client, server) == [
        "c ask 9",
        "c ask 1",
        "s item s",
        "c credit s",
        "s answer 9",
        "s answer 1",
    ]


def test_what_was_never_asked_ends_nothing() -> None:
    found = list(
        interleave(
            Conversation(), {CLIENT: answer(b"8") + ask(b"1"), SERVER: answer(b"7")}
        )
    )
    boxes = [one for one in found if isinstance(one, SeenBox)]
    assert [one.kind for one in boxes] == [Kind.ANSWER, Kind.ASK, Kind.ANSWER]
    assert [one.fault for one in boxes] == [True, False, True]


def test_bytes_that_are_no_boxes_have_their_place() -> None:
    found = list(
        interleave(
            Conversation(), {CLIENT: ask(b"1") + b"hello, you!", SERVER: answer(b"1")}
        )
    )
    assert [type(one) for one in found] == [SeenBox, SeenBox, SeenBytes, SeenBytes]
