"""What a generated module asks of the runtime."""

# pyright: reportDeprecated=false

from __future__ import annotations

import inspect
import warnings
from typing import Any

import pytest

from ampgen.runtime import compatible
from ampgen.runtime.command import DEFAULT
from ampgen.runtime.compatible import deprecated, require_runtime


@pytest.mark.parametrize(
    ("ours", "wanted", "fits"),
    [
        ("0.1.0", "0.1", True),
        ("0.2.0.dev1", "0.1", True),
        ("0.1.0", "0.2", False),
        ("1.0.0", "0.9", False),
        ("1.0.0", "2.0", False),
    ],
)
def test_a_runtime_fits_code_of_its_major_version_that_is_not_newer(
    ours: str, wanted: str, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compatible, "__version__", ours)
    if fits:
        require_runtime(wanted, "pkg.text")
        return
    with pytest.raises(ImportError, match="compile the schema again") as caught:
        require_runtime(wanted, "pkg.text")
    assert caught.value.name == "pkg.text"
    assert f"ampgen-idl>={wanted},<" in str(caught.value)


def test_the_default_shows_as_its_name_in_signatures() -> None:
    assert repr(DEFAULT) == "DEFAULT"


class Client:
    @deprecated("use new")
    async def old(self, value: int) -> int:
        """Doc."""
        return value

    @deprecated("use new")
    def plain(self, value: int) -> int:
        return value


@deprecated("use Other", category=None)
class Struct:
    pass


async def test_a_deprecated_method_warns_at_the_line_that_calls_it() -> None:
    client: Any = Client()
    for call in (client.old, client.plain):
        with pytest.warns(DeprecationWarning, match="use new") as caught:
            value = call(3)
        assert caught[0].filename == __file__
        assert (await value if inspect.isawaitable(value) else value) == 3


def test_a_deprecated_method_keeps_what_it_is() -> None:
    old: Any = Client.old
    assert old.__doc__ == "Doc."
    assert old.__deprecated__ == "use new"
    if hasattr(inspect, "markcoroutinefunction"):
        assert inspect.iscoroutinefunction(old)


def test_a_deprecated_class_does_not_warn_at_run_time() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        struct: Any = Struct()
    assert struct.__deprecated__ == "use Other"
