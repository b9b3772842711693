"""Makers of frozen records."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, fields

import pytest

from ampgen.runtime.records import maker


@dataclass(frozen=True, slots=True, kw_only=True)
class Awkward:
    cls: int
    self: str
    draft: list[int]
    record: None = None
    make: str = repr("default")


@dataclass(frozen=True, slots=True, kw_only=True)
class Empty:
    pass


def test_what_is_made_is_what_the_class_makes() -> None:
    made = maker(Awkward)(1, "a", [2], None, "b")
    expected = Awkward(cls=1, self="a", draft=[2], make="b")
    assert type(made) is Awkward
    assert (made, repr(made)) == (expected, repr(expected))
    assert pickle.loads(pickle.dumps(made)) == copy.copy(made) == expected
    assert maker(Empty)() == Empty()


def test_what_is_made_is_frozen() -> None:
    made = maker(Awkward)(1, "a", [2], None, "b")
    for field in fields(Awkward):
        with pytest.raises(FrozenInstanceError):
            setattr(made, field.name, 3)
    assert not hasattr(made, "__dict__")
