"""Values as a log may have them."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import pathlib
import uuid
from collections import UserList, deque
from dataclasses import dataclass, field
from typing import Any

import pytest

from ampgen.runtime.redaction import redact


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    name: str
    password: str = field(repr=False)


class Colour(enum.StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (True, True),
        (3, 3),
        (1.5, 1.5),
        ("text", "text"),
        (Colour.RED, "red"),
        (b"secret", "<6 bytes>"),
        (bytearray(b"secret"), "<6 bytes>"),
        (memoryview(b"secret"), "<6 bytes>"),
        (deque([1]), [1]),
        (decimal.Decimal("1.50"), "1.50"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (datetime.timedelta(seconds=90), "0:01:30"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (pathlib.Path("a/b"), "a/b"),
        ([1, (2, 3)], [1, [2, 3]]),
        (UserList([1]), [1]),
        ({"a": b"bc", 3: None}, {"a": "<2 bytes>", "3": None}),
        (Login(name="me", password="hush"), {"name": "me", "password": "[hidden]"}),
        (
            {"all": [Login(name="me", password="hush")]},
            {"all": [{"name": "me", "password": "[hidden]"}]},
        ),
        (Login, "<type>"),
        (iter(()), "<tuple_iterator>"),
    ],
)
def test_plain_values_without_secrets(value: object, plain: object) -> None:
    assert redact(value) == plain
    assert type(redact(value)) is type(plain)
    json.dumps(redact(value))


def test_what_is_long_is_cut() -> None:
    assert redact("x" * 200) == "x" * 200
    assert redact("x" * 1201) == "x" * 200 + "… 1,001 more"
    assert redact(list(range(1030))) == [*range(20), "… 1,010 more"]
    many = redact({str(n): n for n in range(25)})
    assert many == {**{str(n): n for n in range(20)}, "…": "5 more"}
    assert redact(10**9999) == "<int of 33,216 bits>"


def in_list(value: object) -> object:
    return [value]


def in_dict(value: object) -> object:
    return {"a": value}


@pytest.mark.parametrize("wrap", [in_list, in_dict])
def test_what_is_deep_is_cut(wrap: Any) -> None:
    value: object = "end"
    for _ in range(10_000):
        value = wrap(value)
    assert "…" in json.dumps(redact(value), ensure_ascii=False)
    deep: object = "end"
    for _ in range(3):
        deep = wrap(deep)
    assert redact(deep) == deep


def test_a_deep_record_is_cut() -> None:
    value: object = Login(name="me", password="hush")
    for _ in range(6):
        value = [value]
    assert redact(value) == [[[[[["{…}"]]]]]]
