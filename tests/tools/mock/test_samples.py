"""Sample values: of the right types, the same everywhere, and of every kind in time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from ampgen.model import Error, Field, Module, Service
from ampgen.runtime.values import Scalar
from ampgen.tools.jsonvalues import JsonValues, dumps
from ampgen.tools.memory import Loaded, load_schemas, load_texts
from ampgen.tools.mock.chance import Chance
from ampgen.tools.mock.plausible import scalar
from ampgen.tools.mock.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.model import Command
    from ampgen.runtime.jsonvalue import Json

ROOT = Path(__file__).parents[3]

SCHEMA = """
enum Level { LOW = "low"; MID = "mid"; HIGH = "high"; TOP = "top"; }
struct Node { name: str; children: [Node] = []; named: {str: Node}; next: Node?; }
union Shape { level: Level; dot: int; many: [Shape]; inner: Inner; }
struct Inner { shape: Shape?; size: int; }
struct Author { name: str; email: str; born: date?; }
error NoSuchItem "NO" { near: [str] = []; level: Level?; }
service S {
    command Many(level: Level, shape: Shape, flag: bool, some: int?, list: [Level],
                 other: int = 7, named: {Level: int}) -> node: Node raises NoSuchItem;
    command Deep(node: Node, shapes: {int: [[Shape]]}) -> [[[[[[[[int]]]]]]]];
    command Render(page: large str, raw: large bytes, any: large json) -> str;
    command Send(chunks: stream [int]) -> stream (author: Author, port: int);
    command Open(path: path, file: fd) -> (file: fd, spare: fd?, size: int);
    command Plausible(author: Author, url: str, created: datetime, latitude: float,
                      host_name: str, tags: [str], times: int, file_names: [str],
                      owner: str, token: bytes) -> nick_name: str;
    command GetEmail() -> str;
}
"""


def service(loaded: Loaded) -> Service:
    module = loaded.schema.roots[0]
    [found] = [one for one in module.declarations if isinstance(one, Service)]
    return found


def commands(loaded: Loaded) -> dict[str, Command]:
    return {command.name: command for command in service(loaded).commands}


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_texts({"a.amp": SCHEMA}, ["a.amp"])


def everything(samples: Samples, modules: tuple[Module, ...]) -> Iterator[Any]:
    """Samples of all that a schema declares."""
    for module in modules:
        for one in module.declarations:
            if isinstance(one, Error):
                yield one.name, samples.error(one, 5), samples.description(one, 5)
            if isinstance(one, Service):
                for command in one.commands:
                    yield command.name, samples.arguments(command, 5)
                    yield samples.result(command, 5)
                    if any(field.stream for field in command.arguments):
                        yield samples.sent(command, 5)


PRINTED = """
import hashlib, pathlib, sys
from tests.tools.mock.test_samples import everything, Samples
from ampgen.tools.memory import load_schemas
from ampgen.tools.jsonvalues import dumps
loaded = load_schemas([pathlib.Path(sys.argv[1])])
text = dumps(list(everything(Samples("seed"), loaded.schema.modules)))
print(hashlib.sha256(text.encode()).hexdigest())
"""


def test_samples_are_the_same_in_every_process() -> None:
    schema = str(ROOT / "schemas" / "everything.amp")
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRINTED, schema],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(digests) == 1


def test_another_seed_makes_others(loaded: Loaded) -> None:
    modules = loaded.schema.modules
    one, other = (dumps(list(everything(Samples(n), modules))) for n in (1, 2))
    assert one != other
    assert one == dumps(list(everything(Samples(1), modules)))


def test_what_a_schema_gets_leaves_the_rest_as_it_was(loaded: Loaded) -> None:
    newer = SCHEMA.replace("born: date?;", "fax: str?; born: date?; id: int;")
    newer = newer.replace("command Deep(", "command Added(x: int);\n    command Deep(")
    grown = commands(load_texts({"a.amp": newer}, ["a.amp"]))
    for name, command in commands(loaded).items():
        for number in range(20):
            old = Samples(3).arguments(command, number)
            new = Samples(3).arguments(grown[name], number)
            author = new.get("author")
            if isinstance(author, dict):
                author.pop("fax", None)
                del author["id"]
            assert old == new


def of(fields: tuple[Field, ...], data: Json, values: JsonValues) -> None:
    """Read what is there as the schema has it: `Fault` if it is not so."""
    assert isinstance(data, dict)
    values.fields_from_json([field for field in fields if field.name in data], data)


@pytest.mark.parametrize("name", ["everything", "archive", "chat", "worker"])
def test_samples_are_of_the_right_types(name: str) -> None:
    loaded = load_schemas([ROOT / "schemas" / f"{name}.amp"])
    values, samples = JsonValues(loaded), Samples()
    for module in loaded.schema.modules:
        for one in module.declarations:
            if isinstance(one, Error):
                of(one.fields, samples.error(one), values)
            for command in one.commands if isinstance(one, Service) else ():
                for number in range(30):
                    given = samples.arguments(command, number)
                    for field in command.arguments:
                        plain = not field.stream and field.type.__class__
                        if field.name in given:
                            assert plain
                            values.from_json(field.type, given[field.name])
                    result, made = command.result, samples.result(command, number)
                    if result is None or not result.bare:
                        of(() if result is None else result.fields, made or {}, values)
                    elif made is not None:
                        values.from_json(result.fields[0].type, made)


def test_all_that_may_be_comes_in_time(loaded: Loaded) -> None:
    command = commands(loaded)["Many"]
    seen: dict[str, set[str]] = {}
    for number in range(64):
        given = Samples().arguments(command, number)
        for field in command.arguments:
            value = given.get(field.name, "absent")
            kinds = seen.setdefault(field.name, set())
            match field.name, value:
                case "shape", dict():
                    [(member, inner)] = value.items()
                    kinds.add(member)
                    if member == "level":
                        kinds.add(str(inner))
                case (("list" | "named"), (list() | dict())):
                    kinds.add(str(len(value)))
                    kinds.update(str(one) for one in value)
                case _:
                    kinds.add("there" if isinstance(value, int) else str(value))
    levels = {"low", "mid", "high", "top"}
    assert seen["level"] == levels
    assert seen["shape"] == {"level", "dot", "many", "inner", *levels}
    assert seen["list"] == seen["named"] == {"0", "1", "2", "3", *levels}
    assert seen["some"] == seen["other"] == {"there", "absent"}
    flags = {str(Samples().arguments(command, number)["flag"]) for number in range(20)}
    assert flags == {"True", "False"}
    error = command.errors[0]
    assert {str(Samples().error(error, n).get("level")) for n in range(16)} == {
        *levels,
        "None",
    }


def test_recursion_ends_and_what_is_long_is_large_alone(loaded: Loaded) -> None:
    known = commands(loaded)
    for number in range(100):
        for name, command in known.items():
            text = dumps(Samples().arguments(command, number))
            if name != "Render":
                assert len(text) < 20_000
            assert len(re.findall(r'"next"|"children"', text)) < 60
            assert len(dumps(Samples().result(command, number))) < 20_000
    sizes = [
        len(str(Samples().arguments(known["Render"], number)["page"]))
        for number in range(4)
    ]
    assert min(sizes) < 1000
    assert max(sizes) > 2 * 65_535


def test_no_descriptor_is_made_up(loaded: Loaded) -> None:
    command = commands(loaded)["Open"]
    assert list(Samples().arguments(command)) == ["path"]
    made = Samples().result(command)
    assert isinstance(made, dict)
    assert list(made) == ["size"]
    with pytest.raises(ValueError, match="descriptor"):
        scalar(Scalar.FD, Chance(), "file")


def test_values_look_like_what_they_are_called(loaded: Loaded) -> None:
    known = commands(loaded)
    for number in range(30):
        found: Any = Samples().arguments(known["Plausible"], number)
        assert re.fullmatch(r"\w+ \w+", found["author"]["name"])
        assert re.fullmatch(r"\w+@example\.(com|net|org)", found["author"]["email"])
        assert "1950" <= found["author"].get("born", "1950") < "2005"
        assert re.match(r"https://\w+\.example\.", found["url"])
        assert "2024" <= found["created"] < "2026"
        assert found["created"].endswith("+00:00")
        assert -90 <= found["latitude"] <= 90
        assert ".example." in found["host_name"]
        assert all(tag.isalpha() for tag in found["tags"])
        assert 1 <= found["times"] <= 50
        assert all("." in name for name in found["file_names"])
        assert " " in found["owner"]
        item: Any = Samples().result(known["Send"], number)
        assert 1024 <= item["port"] <= 65535
        assert str(Samples().result(known["Plausible"], number)).islower()
        assert "@" in cast("str", Samples().result(known["GetEmail"], number))
