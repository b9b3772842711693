"""How names are made: the rules of `python-api.md`, case by case."""

from __future__ import annotations

import enum
import keyword

import pytest

from ampgen.targets.python import names
from ampgen.targets.python.ordering import dunder_all


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Repeat", "repeat"),
        ("OldRepeat", "old_repeat"),
        ("HTTPGet", "http_get"),
        ("GetHTTP", "get_http"),
        ("Get2FA", "get2_fa"),
        ("Get2fa", "get2fa"),
        ("X", "x"),
        ("already_snake", "already_snake"),
        ("Foo_Bar", "foo_bar"),
        ("ABC", "abc"),
        ("aB", "a_b"),
    ],
)
def test_snake_case(name: str, expected: str) -> None:
    assert names.snake_case(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Repeat", "Repeat"),
        ("old_repeat", "OldRepeat"),
        ("oldRepeat", "OldRepeat"),
        ("HTTP_get", "HTTPGet"),
        ("a__b_", "AB"),
        ("a_1", "A1"),
    ],
)
def test_cap_words(name: str, expected: str) -> None:
    assert names.cap_words(name) == expected


def test_a_keyword_gets_an_underscore_and_a_builtin_does_not() -> None:
    assert [names.legal(word) for word in keyword.kwlist] == [
        f"{word}_" for word in keyword.kwlist
    ]
    assert names.legal("list") == "list"
    assert names.legal("match") == "match"


def test_every_attribute_of_a_string_enum_is_kept_off_its_members() -> None:
    attributes = {name for name in dir(enum.StrEnum("Any", "A")) if name[0] != "_"}
    assert (attributes - {"A"}) | {"name", "value", "mro"} <= names.STR_ENUM_ATTRIBUTES


def test_the_order_of_all_is_ruffs() -> None:
    assert dunder_all(["b", "a10", "a9", "Zed", "Alpha", "MAX", "X", "A1", "A10"]) == [
        "A1",
        "A10",
        "MAX",
        "Alpha",
        "X",
        "Zed",
        "a9",
        "a10",
        "b",
    ]
