"""The compiler's values are as frozen dataclasses are, but for what takes long."""

from __future__ import annotations

from dataclasses import dataclass, field
from unittest import mock

import pytest

from ampgen.frozen import frozen


@frozen
class Place:
    line: int
    column: int = 1


@frozen
class Other:
    line: int
    column: int = 1


@frozen
class Lines:
    found: list[int] = field(default_factory=list[int])


@dataclass(frozen=True, slots=True)
class Usual:
    line: int
    text: str


@frozen
class Ours:
    line: int
    text: str


def test_values_are_equal_if_all_of_their_fields_are() -> None:
    assert Place(1, 2) == Place(1, 2)
    assert Place(1) != Place(1, 2)
    assert len({Place(1), Place(1, 1), Place(2, 1)}) == 2


def test_values_of_two_classes_are_never_equal() -> None:
    others: list[object] = [Other(1, 2), (1, 2)]
    assert Place(1, 2) not in others
    assert Place(1, 2) == mock.ANY  # which is asked, too


def test_a_value_is_shown_as_it_is_made() -> None:
    assert repr(Place(1)) == "Place(line=1, column=1)"
    assert repr(Ours(1, "a")) == repr(Usual(1, "a")).replace("Usual", "Ours")


def test_each_value_has_defaults_of_its_own() -> None:
    Lines().found.append(1)
    assert Lines().found == []


def test_a_value_has_slots_and_is_matched_by_position() -> None:
    with pytest.raises(AttributeError):
        object.__setattr__(Place(1), "path", "")
    match Place(1, 2):
        case Place(line, column):
            assert (line, column) == (1, 2)
