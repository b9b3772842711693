"""`ampgen.load`: generated code without files."""

from __future__ import annotations

import inspect
import pickle
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, get_type_hints

import pytest

import ampgen
from ampgen.tools.memory import load_texts

if TYPE_CHECKING:
    from types import ModuleType

SCHEMAS = Path(__file__).parents[2] / "schemas"


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


async def test_a_schema_is_a_module_that_can_be_called_at_once(tmp_path: Path) -> None:
    (tmp_path / "text.amp").write_text(
        "error TooLong { limit: int?; }\n"
        "service Text { command Upper(text: str) -> str raises TooLong; }\n"
    )
    text = ampgen.load(tmp_path / "text.amp")

    def upper(_self: object, text_: str) -> str:
        if len(text_) > 3:
            raise text.TooLong("no", limit=3)
        return text_.upper()

    service = type("Text", (text.TextServer,), {"upper": upper})()
    async with text.TextClient.local(service) as client:
        assert await client.upper("abc") == "ABC"
        with pytest.raises(text.TooLong) as raised:
            await client.upper("abcd")
    assert raised.value.limit == 3
    assert files_in(tmp_path) == ["text.amp"]


def test_imports_are_found_beside_it_and_in_the_folders_named(tmp_path: Path) -> None:
    (tmp_path / "vendor" / "far").mkdir(parents=True)
    (tmp_path / "own" / "sub").mkdir(parents=True)
    (tmp_path / "vendor" / "far" / "geo.amp").write_text("struct Point { x: int; }\n")
    (tmp_path / "own" / "sub" / "near.amp").write_text("struct Near { y: int; }\n")
    (tmp_path / "own" / "map.amp").write_text(
        'import "far/geo.amp";\nimport "sub/near.amp";\n'
        "struct Map { at: geo.Point; near: near.Near; }\n"
    )
    made = ampgen.load(str(tmp_path / "own" / "map.amp"), [tmp_path / "vendor"])
    hints = get_type_hints(made.Map)
    assert [one.__name__ for one in hints.values()] == ["Point", "Near"]
    assert hints["at"](x=1) == hints["at"](x=1)


def test_all_that_the_language_has_loads() -> None:
    made = ampgen.load(SCHEMAS / "everything.amp", include=[SCHEMAS])
    assert {"Node", "EverythingClient", "EverythingServer"} <= set(made.__all__)
    assert made.__doc__ is not None


def test_loading_twice_makes_two_modules() -> None:
    first, second = (ampgen.load(SCHEMAS / "repeat.amp") for _ in "ab")
    assert first is not second
    one, other = first.RepeatResult(text="a"), second.RepeatResult(text="a")
    assert one != other
    for value in (one, other):  # each as its own class, in this process
        assert pickle.loads(pickle.dumps(value)) == value


def test_tracebacks_and_help_show_the_generated_code() -> None:
    made: ModuleType = ampgen.load(SCHEMAS / "repeat.amp")
    assert "async def repeat(" in inspect.getsource(made.RepeaterClient.repeat)
    command = made.RepeaterServer.__ampgen_commands__[0][0]
    with pytest.raises(ValueError, match="text: expected a str") as raised:
        command.write_request(command.head, (1, 1), 64)
    shown = "".join(traceback.format_exception(raised.value))
    assert "raise _fault_at(key, fault) from None" in shown


def test_a_bad_schema_is_an_exception_that_has_the_diagnostics(tmp_path: Path) -> None:
    path = tmp_path / "bad.amp"
    path.write_text("struct A { x: Piont; }\nstruct Point { y: intt; }\n")
    with pytest.raises(ampgen.SchemaError) as raised:
        ampgen.load(path)
    assert [one.rule.code for one in raised.value.diagnostics] == ["AMP0204"] * 2
    text = str(raised.value)
    assert "bad.amp:1:15" in text
    assert "did you mean `Point`?" in text


def test_a_file_that_is_missing_is_a_bad_schema(tmp_path: Path) -> None:
    with pytest.raises(ampgen.SchemaError, match=r"nope\.amp`: no such file"):
        ampgen.load(tmp_path / "nope.amp")


def test_texts_import_one_another_and_never_look_at_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.amp").write_text("struct Here { x: int; }\n")
    texts = {
        "a/main.amp": 'import "../b/other.amp";\nstruct Main { at: other.Other; }\n',
        "b/other.amp": "struct Other { x: int; }\n",
    }
    loaded = load_texts(texts, ["a/main.amp"])
    assert [module.path for module in loaded.schema.modules] == [
        ("b", "other"),
        ("a", "main"),
    ]
    with pytest.raises(ampgen.SchemaError, match=r"no file `\.\./here\.amp`"):
        load_texts({"a/x.amp": 'import "../here.amp";\n'}, ["a/x.amp"])
