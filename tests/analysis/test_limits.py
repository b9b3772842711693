"""Limits whose schemas are too long to keep: the last that passes, and one more."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from ampgen.analysis import analyse
from tests.analysis.schemas import accepted, refusals, write

if TYPE_CHECKING:
    from pathlib import Path

FULL = "x" * 65535
HALF = "x" * 32764  # two of them, with two bytes of length each, make 65532


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ('enum Level {{ LOW = "{}"; }}', "1:20"),
        ('error Bad "{}";', "1:11"),
        ('struct S {{ text: str = "{}"; }}', "1:24"),
        ('struct S {{ texts: [str] = ["{}"]; }}', "1:28"),
        ('service S {{ @wire("{}") command Go(); }}', "1:19"),
    ],
)
def test_a_value_is_65535_bytes_at_most(
    tmp_path: Path, schema: str, place: str
) -> None:
    good = schema.format(FULL[:-2] if "[str]" in schema else FULL)
    assert refusals(tmp_path, good) == []
    assert refusals(tmp_path, schema.format(FULL + "x")) == [f"{place} AMP0310"]
    in_utf_8 = refusals(tmp_path, schema.format("é" * 32768))
    assert in_utf_8 == [f"{place} {'AMP0305' if '@wire' in schema else 'AMP0310'}"]


def test_a_list_counts_the_length_of_each_element(tmp_path: Path) -> None:
    schema = 'struct S {{ texts: [str] = ["{}", "{}"]; }}'
    assert refusals(tmp_path, schema.format(HALF, HALF + "xxx")) == []
    assert refusals(tmp_path, schema.format(HALF, HALF + "xxxx")) == ["1:27 AMP0310"]


def test_a_large_default_has_no_such_limit(tmp_path: Path) -> None:
    schema = f'service S {{ command Go(text: large str = "{FULL}x"); }}'
    assert refusals(tmp_path, schema) == []


@pytest.mark.parametrize(
    ("schema", "limit"),
    [
        ('struct S {{ @wire("{}") a: int; }}', 255),
        ("struct S {{ {}: int; }}", 255),
        ('service S {{ command Go(@wire("{}") a: large str); }}', 250),
    ],
)
def test_the_length_of_a_key_is_bounded(
    tmp_path: Path, schema: str, limit: int
) -> None:
    assert refusals(tmp_path, schema.format("k" * limit)) == []
    (refused,) = refusals(tmp_path, schema.format("k" * (limit + 1)))
    assert refused.endswith("AMP0302")


def test_time_grows_with_the_length_alone(tmp_path: Path) -> None:
    lines: list[str] = ["enum Level { " + " ".join(f"L{n};" for n in range(50)) + " }"]
    for n in range(500):
        fields = [f"    f{m}: [S{(7 * n + m) % 500}]?;" for m in range(8)]
        lines += [f"struct S{n} {{", *fields, "    level: Level = L3;", "}"]
    write(tmp_path, {"schema.amp": "\n".join(lines)})
    started = time.perf_counter()
    accepted(*analyse([tmp_path / "schema.amp"]))
    assert time.perf_counter() - started < 5  # 0.3 s or so; a square would take minutes


def test_a_thousand_wrong_names_get_a_few_hints(tmp_path: Path) -> None:
    lines = [f"struct Struct{n} {{ next: Strukt{n}; }}" for n in range(1000, 2000)]
    write(tmp_path, {"schema.amp": "\n".join(lines)})
    _, diagnostics = analyse([tmp_path / "schema.amp"])
    assert len(diagnostics) == 1000
    assert diagnostics[0].help == "did you mean `Struct1000`?"
    assert diagnostics[-1].help is None
