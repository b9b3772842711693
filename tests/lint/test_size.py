"""What is said to fit into a value fits, and no more."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from ampgen.analysis import StandardInput
from ampgen.check import check_schemas
from ampgen.lint.size import BOUNDED
from ampgen.runtime import EncodeError
from ampgen.runtime.values import SCALARS, Scalar

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import CompileSchema

LONGEST: dict[Scalar, list[Any]] = {
    Scalar.BOOL: [True, False],
    Scalar.FLOAT: [-1.7976931348623157e308, -2.2250738585072014e-308, -1.5, 1e22],
    Scalar.DATETIME: [
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=-23))),
    ],
    Scalar.DATE: [date.min, date.max],
    Scalar.DURATION: [
        timedelta.max,
        timedelta.min,
        timedelta.min + timedelta(microseconds=1),
    ],
    Scalar.UUID: [UUID(int=0), UUID(int=2**128 - 1)],
}

SCHEMA = f"""
struct Sample {{
    id: uuid; at: datetime; value: float; valid: bool; side: Side; one: Choice;
}}
enum Side {{ LEFT = "left"; RIGHT = "right"; }}
enum Long {{ LONG = "{"ä" * 100}"; }}
union Choice {{ short: bool; a_long_name: duration; }}
service Samples {{
    command Put(samples: [Sample]);
    command Tag(tags: [Long]);
    command Name(names: {{uuid: Sample}});
}}
"""


@pytest.mark.parametrize("scalar", BOUNDED)
def test_the_longest_of_a_scalar_is_as_long_as_is_said(scalar: Scalar) -> None:
    lengths = [len(SCALARS[scalar].encode(value)) for value in LONGEST[scalar]]
    assert max(lengths) == BOUNDED[scalar]


async def test_as_many_elements_fit_as_is_said_and_no_more(
    compile_schema: CompileSchema, tmp_path: Path
) -> None:
    path = tmp_path / "samples.amp"
    path.write_text(SCHEMA, encoding="utf-8")
    made = compile_schema(path)
    said = {
        match[2]: int(match[1])
        for one in check_schemas([path])
        if (match := re.match(r"(\d+) elements of `(\w+)`", one.message))
    }

    class Samples(made.SamplesServer):  # type: ignore[name-defined,misc]
        def put(self, samples: list[Any]) -> None: ...
        def tag(self, tags: list[Any]) -> None: ...
        def name(self, names: dict[UUID, Any]) -> None: ...

    sample = made.Sample(
        id=UUID(int=0),
        at=datetime.max.replace(tzinfo=UTC),
        value=-1.7976931348623157e308,
        valid=False,
        side=made.Side.RIGHT,
        one=made.ChoiceALongName(timedelta.min + timedelta(microseconds=1)),
    )
    async with made.SamplesClient.local(Samples()) as client:
        for key, call, element in (
            ("samples", client.put, sample),
            ("tags", client.tag, made.Long.LONG),
        ):
            await call([element] * said[key])
            with pytest.raises(EncodeError, match=key):
                await call([element] * (said[key] + 1))
        names = {UUID(int=number): sample for number in range(said["names"] + 1)}
        with pytest.raises(EncodeError, match="names"):
            await client.name(names)
        del names[UUID(int=0)]
        await client.name(names)


def test_what_nests_very_deep_is_reckoned() -> None:
    structs = [f"struct S{n} {{ next: S{n + 1}?; }}" for n in range(1000)]
    last = "struct S1000 { all: [[S0]]; }"
    service = "service A { command B(a: [S0]); }"
    text = "\n".join([*structs, last, service])
    found = check_schemas([StandardInput("a.amp", text.encode())])
    assert any("`all` fit" in one.message for one in found)
