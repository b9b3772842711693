"""Files and imports: what is found where, and what is one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ampgen.analysis import StandardInput, analyse
from tests.analysis.schemas import accepted, said, write

POINT = "struct Point { x: int; }\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_file_reached_twice_is_one_module(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.amp": 'import "b.amp";\nimport "c.amp";\nstruct A { b: b.B; c: c.C; }',
            "b.amp": 'import "common/geo.amp";\nstruct B { at: geo.Point; }',
            "c.amp": 'import "./common/../common/geo.amp";\n'
            "struct C { at: geo.Point; }",
            "common/geo.amp": POINT,
        },
    )
    schema = accepted(*analyse([Path("a.amp"), Path("./b.amp")]))
    assert [module.path for module in schema.modules] == [
        ("common", "geo"),
        ("b",),
        ("c",),
        ("a",),
    ]
    assert [module.path for module in schema.roots] == [("a",), ("b",)]


def test_a_symbolic_link_is_the_file_it_points_to(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.amp": 'import "geo.amp";\nimport "b.amp";\n'
            "struct A { at: geo.Point; b: b.B; }",
            "b.amp": 'import "linked.amp" as l;\nstruct B { at: l.Point; }',
            "geo.amp": POINT,
        },
    )
    Path("linked.amp").symlink_to("geo.amp")
    schema = accepted(*analyse([Path("a.amp")]))
    assert [module.path for module in schema.modules] == [("geo",), ("b",), ("a",)]


def test_a_file_beside_the_importing_one_wins_over_the_include_folders(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        {
            "app/a.amp": 'import "geo.amp";\nimport "only.amp";\n'
            "struct A { at: geo.Here; o: only.First; }",
            "app/geo.amp": "struct Here { x: int; }",
            "one/geo.amp": "struct There { x: int; }",
            "one/only.amp": "struct First { x: int; }",
            "two/only.amp": "struct Second { x: int; }",
        },
    )
    files, include = [Path("app/a.amp")], [Path("one"), Path("two")]
    accepted(*analyse(files, include))


def test_the_same_stem_in_two_folders_makes_two_modules(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.amp": 'import "x/geo.amp" as one;\nimport "y/geo.amp" as two;\n'
            "struct A { one: one.Point; two: two.Point; }",
            "x/geo.amp": POINT,
            "y/geo.amp": POINT,
        },
    )
    schema = accepted(*analyse([Path("a.amp")]))
    assert [m.path for m in schema.modules] == [("x", "geo"), ("y", "geo"), ("a",)]


def test_standard_input_stands_in_the_working_directory(tmp_path: Path) -> None:
    write(tmp_path, {"common/geo.amp": POINT})
    text = b'import "common/geo.amp";\nstruct A { at: geo.Point; me: Piont; }'
    _, diagnostics = analyse([StandardInput("a.amp", text)])
    assert said(diagnostics) == ["a.amp:2:31: AMP0204 unknown type `Piont`"]
    schema = accepted(
        *analyse([StandardInput("a.amp", text.replace(b"Piont", b"int"))])
    )
    assert [m.path for m in schema.modules] == [("common", "geo"), ("a",)]


def test_standard_input_that_is_not_utf_8_is_refused() -> None:
    _, diagnostics = analyse([StandardInput("a.amp", b"\n\n// \xff")])
    assert said(diagnostics) == [
        "-: AMP0201 cannot read `a.amp`: it is not UTF-8: byte 0xff in line 3"
    ]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("x" * 300 + ".amp", "file name too long"),
        ("a\\u{0}b.amp", "not a path that this system can have"),
        ("loop.amp", "too many levels of symbolic links"),
    ],
)
def test_a_path_that_cannot_be_is_refused(
    tmp_path: Path, path: str, reason: str
) -> None:
    Path("loop.amp").symlink_to("loop.amp")
    write(tmp_path, {"a.amp": f'import "{path}" as it;\n'})
    _, diagnostics = analyse([Path("a.amp")])
    (diagnostic,) = diagnostics
    assert diagnostic.rule.code == "AMP0201"
    assert diagnostic.primary is not None
    assert diagnostic.primary.text == reason


def test_a_missing_file_tells_every_folder_that_was_tried(tmp_path: Path) -> None:
    write(tmp_path, {"app/a.amp": 'import "geo.amp";\n'})
    Path("one").mkdir()
    _, diagnostics = analyse([Path("app/a.amp")], [Path("one"), tmp_path / "two"])
    (diagnostic,) = diagnostics
    assert diagnostic.primary is not None
    assert diagnostic.primary.text == "not found in `app`, nor in `one`, nor in `two`"


@pytest.mark.parametrize(
    ("named", "include", "paths"),
    [
        (["a/x.amp"], [], [("x",)]),
        (["a/x.amp", "a/b/y.amp"], [], [("x",), ("b", "y")]),
        (["a/b/y.amp", "c/z.amp"], [], [("a", "b", "y"), ("c", "z")]),
        (["a/x.amp", "a/b/y.amp"], ["."], [("a", "x"), ("a", "b", "y")]),
        (["a/x.amp", "a/b/y.amp"], [".", "a/b", "a"], [("x",), ("y",)]),
        (["a/b/y.amp", "c/z.amp"], ["c"], [("a", "b", "y"), ("z",)]),
    ],
)
def test_a_module_path_starts_at_the_longest_root(
    tmp_path: Path, named: list[str], include: list[str], paths: list[tuple[str, ...]]
) -> None:
    write(tmp_path, {"a/x.amp": POINT, "a/b/y.amp": POINT, "c/z.amp": POINT})
    files, folders = [Path(name) for name in named], [Path(name) for name in include]
    schema = accepted(*analyse(files, folders))
    assert [module.path for module in schema.roots] == paths


def test_a_missing_file_does_not_move_the_others(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a/x.amp": 'import "../b/y.amp";\nstruct X { y: y.Point; }',
            "b/y.amp": POINT,
        },
    )
    _, diagnostics = analyse([Path("a/x.amp"), Path("b/missing.amp")])
    assert said(diagnostics) == ["-: AMP0201 cannot read `b/missing.amp`: no such file"]


def test_paths_are_shown_relative_to_the_working_directory(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a/x.amp": 'import "../b/y.amp";\nstruct X { y: y.Y; }',
            "b/y.amp": "struct Y {}",
        },
    )
    schema = accepted(*analyse([tmp_path / "a" / "x.amp"], [tmp_path]))
    assert [module.source.path for module in schema.modules] == ["b/y.amp", "a/x.amp"]
