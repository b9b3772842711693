"""Makers of frozen records."""

from __future__ import annotations

import copy
import inspect
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any, get_type_hints

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    id: int
    tags: list[str] = field(default_factory=list[str])
    name: str = "x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Plain):
    more: int = 3


def test_the_quicker_init_takes_what_the_old_one_took() -> None:
    old = inspect.signature(Plain), get_type_hints(Plain.__init__)
    maker(Plain)
    assert (inspect.signature(Plain), get_type_hints(Plain.__init__)) == old
    one, other = Plain(id=1), Plain(id=1)
    assert one == other == replace(Plain(id=2), id=1)
    assert one.tags is not other.tags
    assert Plain(id=1, tags=[], name="x") == one
    assert Made(id=1, more=4) == Made(id=1, tags=[], name="x", more=4)

    class Own(Plain):
        def __init__(self, number: int) -> None:
            super().__init__(id=number, name="own")

    assert (Own(7).id, Own(7).tags, Own(7).name) == (7, [], "own")


@pytest.mark.parametrize(
    ("arguments", "named", "what"),
    [
        ((), {}, "missing 1 required keyword-only argument: 'id'"),
        ((1,), {}, "takes 1 positional argument but 2 were given"),
        ((), {"id": 1, "new": 2}, "got an unexpected keyword argument 'new'"),
    ],
)
def test_the_quicker_init_refuses_the_rest_in_the_same_words(
    arguments: tuple[int, ...], named: dict[str, int], what: str
) -> None:
    cls: Any = Plain
    maker(cls)
    with pytest.raises(TypeError, match=rf"Plain\.__init__\(\) {what}"):
        cls(*arguments, **named)


def test_what_is_made_is_frozen() -> None:
    made = maker(Awkward)(1, "a", [2], None, "b")
    for each in fields(Awkward):
        with pytest.raises(FrozenInstanceError):
            setattr(made, each.name, 3)
    assert not hasattr(made, "__dict__")
