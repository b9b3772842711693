"""What a schema comes to: every name bound, every default a value."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import pytest

from ampgen import model
from ampgen.analysis import analyse
from ampgen.runtime.values import Scalar
from tests.analysis.schemas import accepted, module_of

Declared = TypeVar("Declared", bound=model.Declaration)

EVERYTHING = Path(__file__).parents[1] / "language" / "everything.amp"


def named(module: model.Module, name: str, kind: type[Declared]) -> Declared:
    (found,) = [d for d in module.declarations if d.name == name]
    assert isinstance(found, kind)
    return found


def test_the_example_of_the_language_is_accepted() -> None:
    schema = accepted(*analyse([EVERYTHING]))
    (root,) = schema.roots
    assert [m.path for m in root.imports] == [("common", "geo"), ("audit",)]
    assert root.doc is not None

    text = named(root, "Text", model.Service)
    assert text.calls == (named(root, "TextEvents", model.Service),)
    commands = {command.name: command for command in text.commands}
    repeat = commands["Repeat"]
    assert [error.code for error in repeat.errors] == ["TOO_LONG", "CORRUPT"]
    assert [error.fatal for error in repeat.errors] == [False, True]
    assert repeat.arguments[1].default == model.Value(1)
    assert repeat.notes.doc is not None
    assert repeat.result is not None
    assert not repeat.result.bare
    assert [field.key for field in repeat.result.fields] == ["text", "length"]

    assert _bare(commands["Upper"]).key == "result"
    assert _bare(commands["Author"]).key == "author"
    assert commands["Touch"].result is None
    assert commands["Log"].oneway
    assert commands["Tail"].result is not None
    assert commands["Tail"].result.stream
    assert commands["Upload"].arguments[1].stream
    assert commands["Render"].arguments[0].large
    assert _bare(commands["Render"]).large

    old = commands["OldRepeat"]
    assert (old.wire, old.timeout, old.idempotent) == ("old-repeat", 2.0, True)
    assert old.notes.deprecated == "use Repeat"
    assert [field.key for field in old.arguments] == ["text", "how-many"]

    admin = named(root, "Admin", model.Service)
    assert [c.name for c in admin.all_commands()][:2] == ["Stop", "Repeat"]
    assert admin.all_calls() == text.calls


def _bare(command: model.Command) -> model.Field:
    assert command.result is not None
    assert command.result.bare
    (field,) = command.result.fields
    return field


def test_aliases_are_seen_through(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        "struct Town { at: Places; id: Id; }\n"
        "type Places = {Id: [Place]}; type Place = Point; type Id = int;\n"
        "struct Point { x: int; }",
    )
    at, id_ = named(module, "Town", model.Struct).fields
    point = named(module, "Point", model.Struct)
    integer = model.ScalarType(Scalar.INT)
    assert at.type == model.MapType(integer, model.ListType(point))
    assert id_.type == integer
    assert named(module, "Id", model.Alias).type == integer


def test_names_lead_into_the_imported_module(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        'import "geo.amp" as g;\nstruct Point { at: g.Point; }',
        geo="struct Point { x: int; }",
    )
    (at,) = named(module, "Point", model.Struct).fields
    assert isinstance(at.type, model.Struct)
    assert at.type.module is module.imports[0]


def test_structs_are_recursive_through_lists_maps_and_optionals(tmp_path: Path) -> None:
    module = module_of(
        tmp_path, "struct Node { next: Node?; all: [Node]; by: {str: Node}; }"
    )
    node = named(module, "Node", model.Struct)
    following, all_, by = node.fields
    assert following.type is node
    assert following.optional
    assert all_.type == model.ListType(node)
    assert by.type == model.MapType(model.ScalarType(Scalar.STR), node)


@pytest.mark.parametrize(
    ("written", "default"),
    [
        ("bool = true", model.Value(True)),
        ("int = -3", model.Value(-3)),
        ("float = 1.5", model.Value(1.5)),
        ("float = 2", model.Value(2.0)),
        ("float = -inf", model.Value(float("-inf"))),
        ('str = "a\\n"', model.Value("a\n")),
        ("[int] = []", model.ListValue(())),
        ("[date] = []", model.ListValue(())),
        ("[float] = [1, 2.5]", model.ListValue((model.Value(1.0), model.Value(2.5)))),
        ("[[int]] = [[1], []]", model.ListValue(
            (model.ListValue((model.Value(1),)), model.ListValue(()))
        )),
        ("[{str: int}] = [{}]", model.ListValue((model.EmptyMap(),))),
        ("{str: int} = {}", model.EmptyMap()),
    ],
)  # fmt: skip
def test_a_default_is_a_value_of_exactly_its_type(
    tmp_path: Path, written: str, default: model.Default
) -> None:
    module = module_of(tmp_path, f"struct S {{ field: {written}; }}")
    (field,) = named(module, "S", model.Struct).fields
    assert field.default == default
    assert not field.required
    if isinstance(default, model.Value) and isinstance(field.default, model.Value):
        assert type(field.default.value) is type(default.value)


def test_the_default_of_an_enum_is_its_member(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        "struct S { level: L = LOUD; all: [L] = [LOUD, LOW]; }\n"
        'type L = Level; open enum Level { LOW = "low"; LOUD; }',
    )
    level = named(module, "Level", model.Enum)
    low, loud = level.members
    assert (low.value, loud.value) == ("low", "LOUD")
    first, second = named(module, "S", model.Struct).fields
    assert first.default == model.MemberValue(loud)
    assert second.default == model.ListValue(
        (model.MemberValue(loud), model.MemberValue(low))
    )


def test_free_annotations_are_handed_on_untouched(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        '@x.owner("me", 1, 2.5, true, [LOW, 2s], {}) @x.a.b @x.owner struct S {}',
    )
    assert named(module, "S", model.Struct).notes.extras == (
        model.Extra("owner", ("me", 1, 2.5, True, ("LOW", 2.0), model.EmptyMap())),
        model.Extra("a.b", ()),
        model.Extra("owner", ()),
    )


def test_sensitive_and_reserved_reach_the_model(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        'struct S { @sensitive a: int; reserved "b", "c"; reserved "d"; }\n'
        'service T { reserved "Old"; command Go(reserved "x", @sensitive y: int)\n'
        '    -> (reserved "z", @sensitive w: int); }',
    )
    struct = named(module, "S", model.Struct)
    assert struct.fields[0].sensitive
    assert struct.reserved == ("b", "c", "d")
    service = named(module, "T", model.Service)
    (go,) = service.commands
    assert go.result is not None
    assert (service.reserved, go.reserved, go.result.reserved) == (
        ("Old",),
        ("x",),
        ("z",),
    )
    assert go.arguments[0].sensitive
    assert go.result.fields[0].sensitive


def test_a_diamond_of_services_has_each_command_once(tmp_path: Path) -> None:
    module = module_of(
        tmp_path,
        "service A { command One(); } service B extends A { command Two(); }\n"
        "service C extends A { command Three(); } service D extends B, C {}",
    )
    commands = named(module, "D", model.Service).all_commands()
    assert [command.name for command in commands] == ["Two", "Three", "One"]


def test_a_chain_of_a_thousand_needs_no_deep_stack(tmp_path: Path) -> None:
    lines = ["struct S0 {} type T0 = int; service V0 {}"]
    lines += [
        f"struct S{n} {{ s: S{n - 1}; t: T{n - 1}; }} type T{n} = T{n - 1};\n"
        f"service V{n} extends V{n - 1} {{}}"
        for n in range(1, 1000)
    ]
    module = module_of(tmp_path, "\n".join(reversed(lines)))
    assert named(module, "T999", model.Alias).type == model.ScalarType(Scalar.INT)
