"""Fixing any schema: nothing gets worse, nothing is left to do, and a sound schema
means on the wire what it meant.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ampgen.analysis import analyse
from ampgen.check import check_schemas
from ampgen.fix import Fixed, fix_schemas
from ampgen.language.printer.tokens import tokenise
from ampgen.model import (
    Enum,
    ListType,
    ListValue,
    MapType,
    MemberValue,
    Service,
    Struct,
    Union,
)
from ampgen.source import StandardInput
from tests.properties.schemas import schemas

if TYPE_CHECKING:
    from ampgen.model import Default, Field, Type

UNHURRIED = settings(
    suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    max_examples=50,
)
PIECES = (";", ",", "{", "}", "(", "?", "-", "'a'", "# b\n", "strng", "large", "@c")


def given_as(text: str) -> StandardInput:
    return StandardInput("a.amp", text.encode())


def fixed(text: str, *, unsafe: bool) -> tuple[str, Fixed]:
    made = fix_schemas([given_as(text)], unsafe=unsafe)
    return (made.changes[0].after if made.changes else text), made


def errors(text: str) -> Counter[tuple[str, str]]:
    found = check_schemas([given_as(text)])
    return Counter((one.rule.code, one.message) for one in found if one.is_error)


# --- what peers see of a schema -------------------------------------------------------


def on_the_wire(text: str) -> Any:
    """Every command by its name there, without any name that stays at home."""
    schema, found = analyse([given_as(text)])
    assert schema is not None
    assert not any(one.is_error for one in found)
    return {
        command.wire: (
            _box(command.arguments),
            None if command.result is None else _box(command.result.fields),
            command.result is not None and command.result.stream,
            sorted((one.code, _box(one.fields)) for one in command.errors),
            (command.oneway, command.timeout, command.idempotent, command.reserved),
        )
        for declared in schema.roots[0].declarations
        if isinstance(declared, Service)
        for command in declared.commands
    }


def _box(fields: tuple[Field, ...], around: tuple[Type, ...] = ()) -> Any:
    return [
        (
            one.key,
            _type(one.type, around),
            (one.optional, one.large, one.stream, one.sensitive),
            _default(one.default),
        )
        for one in fields
    ]


def _type(type_: Type, around: tuple[Type, ...]) -> Any:
    match type_:
        case ListType(item):
            return "list", _type(item, around)
        case MapType(key, value):
            return "map", _type(key, around), _type(value, around)
        case Enum():
            return "enum", [one.value for one in type_.members]
        case Struct() | Union() if type_ in around:
            return "again", around.index(type_)
        case Struct():
            return "struct", _box(type_.fields, (*around, type_)), type_.reserved
        case Union():
            return "union", _box(type_.members, (*around, type_)), type_.reserved
        case _:
            return type_.scalar


def _default(default: Default | None) -> Any:
    match default:
        case MemberValue(member):
            return member.value
        case ListValue(items):
            return [_default(item) for item in items]
        case _:
            return repr(default)


# --- the properties -------------------------------------------------------------------

DECORATED = st.sampled_from(
    [
        "{}",
        "// ampgen: allow AMP0808 (no)\n{}",
        "/// a\n\n\n{}",
        "type unused_one = [int];\n{}",
        "{}error notGood {{ whyNot: [badName_]? ; }} enum badName_ {{ a; B; }}"
        "service other {{ command go(x_Y: badName_ = a) -> out: [badName_]"
        " raises notGood; }}",
    ]
)


@UNHURRIED
@given(schemas(), DECORATED, st.booleans())
def test_a_sound_schema_means_the_same_on_the_wire(
    schema: Any, decorated: str, unsafe: bool
) -> None:
    text = decorated.replace("{}", "\0").replace("{{", "{").replace("}}", "}")
    text = text.replace("\0", schema.text())
    only = {"AMP0801", "AMP0802", "AMP0803", "AMP0805", "AMP0806", "AMP0808"}
    made = fix_schemas([given_as(text)], unsafe=unsafe, only=only if unsafe else ())
    after = made.changes[0].after if made.changes else text
    assert on_the_wire(after) == on_the_wire(text)
    left = [one for one in made.left if one.rule.code in only and one.fix is not None]
    assert not unsafe or left == list(made.refused) == []


@st.composite
def broken(draw: st.DrawFn) -> str:
    """A schema of which some pieces are missing, twice there, or others."""
    pieces = [token.text for token in tokenise(draw(schemas()).text())]
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(pieces) - 1))
        kind = draw(st.sampled_from(("none", "twice", "other", "typo")))
        match kind:
            case "none":
                pieces[at] = ""
            case "twice":
                pieces[at] += f" {pieces[at]}"
            case "other":
                pieces[at] = draw(st.sampled_from(PIECES))
            case _:
                pieces[at] = pieces[at][:-2] + pieces[at][-1:]
    space = draw(st.sampled_from([" ", "\n"]))
    return space.join(pieces)


@UNHURRIED
@given(broken(), st.booleans())
def test_a_broken_schema_gets_no_worse_and_is_then_done(
    text: str, unsafe: bool
) -> None:
    after, made = fixed(text, unsafe=unsafe)
    assert not errors(after) - errors(text)
    assert bool(made.changes) == bool(made.done)
    told = (*made.done, *made.left_before)
    assert {one.primary.span.source.text for one in told if one.primary} <= {text}
    again, nothing = fixed(after, unsafe=unsafe)
    assert again == after
    assert not nothing.done
