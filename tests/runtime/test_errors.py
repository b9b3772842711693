"""The tree of errors: what derives from what, what they say, and that they pickle."""

from __future__ import annotations

import copy
import pickle
from collections import UserList
from typing import TYPE_CHECKING

import pytest

from ampgen.runtime import errors
from ampgen.runtime.composites import encode_list
from ampgen.runtime.errors import (
    AmpError,
    ConnectionLost,
    DeadlineExceeded,
    DecodeError,
    EncodeError,
    Fault,
    InvalidArgument,
    ProtocolError,
    RemoteError,
    fault_at,
    missing,
    too_deep,
    unknown_member,
    wrong_type,
)
from ampgen.runtime.values import encode_bytes
from tests.runtime.made.text import TooLong

if TYPE_CHECKING:
    from collections.abc import Iterator


def samples() -> list[AmpError]:
    return [
        RemoteError("broken", code="ODD"),
        TooLong("120 characters", limit=100),
        *(error("said so") for error in errors.RUNTIME_ERRORS.values()),
        EncodeError("Repeat", "text", "too long"),
        DecodeError("Repeat", "", "no box"),
        ConnectionLost("gone", sent=True),
        ProtocolError("garbage"),
    ]


@pytest.mark.parametrize("error", samples(), ids=lambda e: type(e).__name__)
def test_every_error_pickles_and_copies_with_all_that_it_carries(
    error: AmpError,
) -> None:
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(twin) is type(error)
        assert twin.args == error.args
        assert vars(twin) == vars(error)
        assert str(twin) == str(error)


@pytest.mark.parametrize(
    ("error", "standard"),
    [
        (InvalidArgument, ValueError),
        (DeadlineExceeded, TimeoutError),
        (EncodeError, ValueError),
        (ConnectionLost, ConnectionError),
        (ProtocolError, ConnectionLost),
        (TooLong, RemoteError),
    ],
)
def test_errors_are_what_python_programs_catch(
    error: type[Exception], standard: type[Exception]
) -> None:
    assert issubclass(error, standard)
    assert issubclass(error, AmpError)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RemoteError("broken", code="ODD"), "ODD: broken"),
        (RemoteError("broken"), "broken"),
        (TooLong("120 characters", limit=100), "120 characters"),
        (EncodeError("Repeat", "items[3].id", "wrong"), "Repeat: items[3].id: wrong"),
        (EncodeError("Repeat", "", "wrong"), "Repeat: wrong"),
        (Fault("wrong", "items[3]"), "items[3]: wrong"),
        (Fault("wrong"), "wrong"),
    ],
)
def test_what_errors_say(error: Exception, text: str) -> None:
    assert str(error) == text


def test_the_code_of_an_error_is_on_the_class_and_of_an_unknown_one_on_the_object() -> (
    None
):
    assert TooLong.code == TooLong().code == "TOO_LONG"
    assert RemoteError("x", code="ODD").code == "ODD"
    assert InvalidArgument("x").code == "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (["price"], "price"),
        (["price", "[3]", "items"], "items[3].price"),
        (["[1]", "[0]", "rows"], "rows[0][1]"),
        (["a", "b", "c"], "c.b.a"),
    ],
)
def test_a_path_grows_from_the_inside_out(keys: list[str], path: str) -> None:
    fault: Exception = missing()
    for key in keys:
        fault = fault_at(key, fault)
    assert isinstance(fault, Fault)
    assert fault.path == path
    assert fault.rule == missing().rule


def test_a_foreign_exception_loses_its_message_which_may_hold_the_value() -> None:
    assert "secret" not in str(fault_at("key", ValueError("secret")))
    assert "ValueError" in str(fault_at("key", ValueError("secret")))


def test_the_rules_name_types_and_limits() -> None:
    assert str(wrong_type("an int", "secret")) == "expected an int, got str"
    assert str(unknown_member("author", "path")) == (
        "the member is none of author, path"
    )
    assert str(too_deep()) == "nested too deep"


def test_only_a_value_that_is_too_long_is_called_so() -> None:
    """A program's own sequence may raise what the table of lengths does."""

    class Odd(UserList[bytes]):
        def __iter__(self) -> Iterator[bytes]:
            yield b"x" * 65_535
            raise IndexError("secret")

    with pytest.raises(Fault) as caught:
        encode_list(Odd(), encode_bytes, 1)
    assert str(caught.value) == "[1]: the value is not of its type (IndexError)"
    with pytest.raises(Fault, match=r"over 65,535 bytes.*: this one has 65,536"):
        encode_list([b"x" * 65_536], encode_bytes, 1)
    never_raised = fault_at("key", IndexError("secret"))
    assert str(never_raised) == "key: the value is not of its type (IndexError)"
