"""What `ampgen.runtime` offers, and that it loads no more than is asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from ampgen import runtime


def imported() -> dict[str, str]:
    """What type checkers are told: name -> the module that it is imported from."""
    tree = ast.parse(Path(runtime.__file__).read_text(encoding="utf-8"))
    return {
        alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module is not None
        for alias in node.names
        if node.module.startswith("ampgen.")
    }


@pytest.mark.parametrize("name", runtime.__all__)
def test_a_name_is_what_type_checkers_take_it_for(name: str) -> None:
    assert getattr(runtime, name) is getattr(import_module(imported()[name]), name)


def test_every_name_is_offered_and_listed() -> None:
    assert set(runtime.__all__) == set(imported())
    assert set(runtime.__all__) <= set(dir(runtime))


def test_another_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match=r"'ampgen\.runtime' has no attribute 'x'"):
        # The comments hold that it is none for type checkers either.
        _ = runtime.x  # type: ignore[attr-defined]  # pyright: ignore[reportUnknownMemberType, reportAttributeAccessIssue]


@pytest.mark.parametrize("module", ["ampgen.runtime.values", "ampgen.pipeline"])
def test_values_are_read_without_asyncio(module: str) -> None:
    code = f"import sys, {module}; print('asyncio' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout == "False\n"
