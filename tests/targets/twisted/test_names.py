"""What names of Twisted's own stand in the way, asked of Twisted itself."""

# Twisted's AMP has next to no annotations, and this file is mostly calls of it.
# mypy: disable-error-code="no-untyped-call"
# pyright: basic
from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest
from twisted.internet.defer import maybeDeferred
from twisted.protocols import amp

from ampgen.targets.twisted import names

if TYPE_CHECKING:
    from tests.conftest import CompileSchema


@pytest.mark.parametrize(
    "key", [*amp.PYTHON_KEYWORDS, "a-b", "From", "print-it", "None", "async", "x.2"]
)
def test_a_key_is_called_as_twisted_calls_it(key: str) -> None:
    assert names.key(key) == amp._wireNameToPythonIdentifier(key.encode())


def test_no_method_takes_the_place_of_one_that_an_amp_has() -> None:
    end = amp.AMP()
    own = {*dir(end), *vars(end)}
    small = {name for name in own if name == name.lower() and name[0] != "_"}
    assert small <= names.METHODS


def test_what_cannot_be_passed_is_what_twisted_has_parameters_for() -> None:
    passing = (amp.AMP.callRemote, amp.Command.__init__, maybeDeferred)
    parameters = {
        name
        for function in passing
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    }
    assert parameters == names.UNPASSABLE


def test_a_program_may_mix_the_class_with_an_amp(compile_schema: CompileSchema) -> None:
    commands = " ".join(f"command {name}();" for name in sorted(names.METHODS))
    made: Any = compile_schema(f"service Odd {{ {commands} }}", "twisted")
    both = type("Both", (made.OddServer, amp.AMP), {})
    end = both()
    assert end.state == amp.AMP().state
    assert callable(end.state_)
    assert end.locateResponder(b"state") is not None
