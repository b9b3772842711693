"""`ampgen describe`: of a file, and of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ampgen.cli import run
from tests.cli.test_call import SCHEMA, Capture, Done, desk, here, served

if TYPE_CHECKING:
    from pathlib import Path

COMMAND = (
    "/// Repeat a text.\n"
    "command Repeat(text: str, times: int = 1, from: str?)"
    " -> (text: str, from: str?) raises TooLong;\n"
)
NAMED = """
error TooLong "TOO_LONG" {
    limit: int?;
    at: Point?;
}

struct Point {
    x: int;
    label: str?;
}
"""


async def test_all_that_is_declared(capsys: Capture) -> None:
    text = desk.__ampgen_schema__.text
    assert await here(capsys, "describe", SCHEMA) == Done(0, text, "")
    async with served(reflect=True) as address:
        assert await here(capsys, "describe", address) == Done(0, text, "")


async def test_a_service_and_a_command(capsys: Capture) -> None:
    async with served(reflect=True) as address:
        for place in (SCHEMA, address):
            done = await here(capsys, "describe", place, "Basic")
            assert done.out == (
                "/// What every desk answers.\n"
                "service Basic {\n    command Ping() -> str;\n}\n"
            )
            done = await here(capsys, "describe", place, "Desk.Repeat")
            assert done == Done(0, COMMAND + NAMED, "")
            done = await here(capsys, "describe", place, "Desk.Ping")  # inherited
            assert done == Done(0, "command Ping() -> str;\n", "")


async def test_docs_do_not_steer_a_terminal(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "a.amp"
    text = "/// ä€\t\u00a0 \x1b[2J \x9b2J \u202e\nservice A {\n    command B();\n}\n"
    path.write_text(text, encoding="utf-8")
    shown = text.replace("\x1b", r"\x1b").replace("\x9b", r"\x9b")
    shown = shown.replace("\u202e", r"\u202e")
    assert await here(capsys, "describe", str(path)) == Done(0, shown, "")


def test_a_command_comes_with_every_type_that_it_names_once(
    capsys: Capture, tmp_path: Path
) -> None:
    path = tmp_path / "a.amp"
    path.write_text(
        'enum Key { A = "a"; }\nstruct Leaf { x: int; }\n'
        "struct Node { more: [Node]; leaf: Leaf; }\nstruct Unused { x: int; }\n"
        "union Any { node: Node; leaf: Leaf; }\ntype Names = {Key: Any};\n"
        "type Unread = int;\n"
        "service S { command C(names: Names, leaf: Leaf) -> stream Node; }\n"
    )
    assert run(["describe", str(path), "S.C"]) == 0
    blocks = capsys.readouterr().out.split("\n\n")
    assert [block.split("(")[0].split(" {")[0] for block in blocks] == [
        "command C",
        "type Names =",
        "enum Key",
        "union Any",
        "struct Node",
        "struct Leaf",
    ]


def test_aliases_are_told_wherever_they_are_written(
    capsys: Capture, tmp_path: Path
) -> None:
    (tmp_path / "base.amp").write_text("type Id = int;\ntype Ids = [Id];\n")
    path = tmp_path / "a.amp"
    path.write_text(
        'import "base.amp";\n/// Metres.\ntype Length = float;\ntype Id = uuid;\n'
        "struct Box { size: [Length]; }\n"
        "error Full { of: base.Ids?; by: base.Id?; }\nunion Which { id: Id; }\n"
        "service S { command One(box: Box) -> {str: Length} raises Full;\n"
        "command Two(x: stream Which) -> (a: Length, b: Id); }\n"
    )

    def described(name: str) -> list[str]:
        assert run(["describe", str(path), name]) == 0
        return capsys.readouterr().out.split("\n\n")[1:]

    length = "/// Metres.\ntype Length = float;"
    assert [one.split(" {")[0].rstrip() for one in described("One")] == [
        length,
        "struct Box",
        "error Full",
        "type Ids = [Id];",
        "type Id = int;",
    ]
    first, second, *rest = described("Two")
    assert (first, second) == (length, "type Id = uuid;")
    assert [one.split(" {")[0] for one in rest] == ["union Which"]


def test_annotations_and_imports(capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "base.amp").write_text("service Base { command Ping(); }\n")
    (tmp_path / "a.amp").write_text(
        'import "base.amp";\n'
        '/// Docs.\n@deprecated("no") service Own extends base.Base {\n'
        "/// More.\n@timeout(2s) @idempotent command Get(); }\n"
    )
    described = ["describe", str(tmp_path / "a.amp"), "-I", str(tmp_path / "b")]
    assert run([*described, "Own.Get"]) == 0
    assert capsys.readouterr().out == (
        "/// More.\n@timeout(2s) @idempotent\ncommand Get();\n"
    )
    assert run([*described, "Own"]) == 0
    assert capsys.readouterr().out.startswith('/// Docs.\n@deprecated("no")\nservice')
    assert run([*described, "Base.Ping"]) == 0
    assert capsys.readouterr().out == "command Ping();\n"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Dask", "no service or command `Dask`; did you mean `Desk`?"),
        ("Desk.Pong", "no command in Desk `Pong`; did you mean `Ping`?"),
        ("Dask.Ping", "no service `Dask`; did you mean `Desk`?"),
    ],
)
def test_a_name_that_is_not_declared(name: str, said: str, capsys: Capture) -> None:
    assert run(["describe", SCHEMA, name]) == 2
    assert said in capsys.readouterr().err


async def test_a_server_that_does_not_tell(capsys: Capture) -> None:
    async with served() as address:
        done = await here(capsys, "describe", address)
    assert (done.status, done.out) == (1, "")
    assert "does not tell its schemas" in done.err
