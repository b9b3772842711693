"""Values of another type than before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from ampgen.compat.finding import Comparison, Found
from ampgen.compat.outcomes import SAFE, Kind, Outcome, quoted
from ampgen.compat.python import passes
from ampgen.compat.rules.fields import noun, type_of
from ampgen.compat.versions import Box
from ampgen.diagnostics import Label, Rule
from ampgen.model import (
    Enum,
    ListType,
    MapType,
    ScalarType,
    Struct,
    Union,
)
from ampgen.runtime.values import Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ampgen.compat.finding import Search
    from ampgen.compat.verdicts import Source
    from ampgen.compat.versions import BoxPair, Versions
    from ampgen.model import Field, Type

_Differs: TypeAlias = "Callable[[Type, Type], bool]"


def _changed(is_meant: _Differs) -> Search:
    """``is_meant`` is asked about the inmost types that differ."""

    def search(versions: Versions) -> Iterator[Found]:
        for pair in versions.boxes:
            for fields in pair.fields:
                if fields.both is None:
                    continue
                old, new = fields.both
                if versions.is_same(old.type, new.type):
                    continue
                if is_meant(*_inmost(versions, old.type, new.type)):
                    yield _found(versions, pair, old, new)

    return search


def _inmost(versions: Versions, old: Type, new: Type) -> tuple[Type, Type]:
    match old, new:
        case ListType(), ListType():
            return _inmost(versions, old.item, new.item)
        case MapType(), MapType() if versions.is_same(old.key, new.key):
            return _inmost(versions, old.value, new.value)
        case MapType(), MapType():
            return old.key, new.key
        case _:
            return old, new


def _found(versions: Versions, pair: BoxPair, old: Field, new: Field) -> Found:
    was, is_ = _written(old, new)
    return Found(
        f"{noun(pair, new)} is `{is_}` now, and was `{was}`",
        Label(new.type_span, f"`{is_}` now"),
        Label(old.type_span, f"was `{was}`"),
        tuple(pair.uses),
        _read(versions, old, new),
        _read(versions, new, old),
        _source(versions, pair, old.type, new.type),
        "add one of the new type beside it, roll both ends out, then remove this one",
    )


def _read(versions: Versions, sent: Field, wanted: Field) -> Outcome:
    kind = versions.readings.read(sent.type, wanted.type)
    own = versions.own_readings.read(sent.type, wanted.type)
    worse = "a Twisted program as {reader}" if own is not kind else "{reader}"
    outcome = _outcome(kind, sent, wanted, worse)
    return replace(outcome, in_errors=_outcome(own, sent, wanted, "{reader}"))


def _outcome(kind: Kind, sent: Field, wanted: Field, reader: str) -> Outcome:
    name = quoted(wanted.name)
    was, read = map(quoted, _written(sent, wanted))
    match kind:
        case Kind.UNDECODED:
            fits = _fits(sent.type, wanted.type)
            why = f"{name} is sent as {was}, and read as {read}"
            return Outcome(kind, f"{why} ({fits})" if fits else why)
        case Kind.WRONG:
            words = (
                f"{name} of {{sender}}'s {{command}}, which is {was}, is read as "
                f"{read} by {reader}: where that does not fail it is another value, "
                "and nobody notices"
            )
            return Outcome(kind, words)
        case Kind.IGNORED:
            words = f"{{reader}} does not know all that {{sender}} says in {name}"
            return Outcome(kind, words)
        case _:
            return SAFE


_FIT_BY_VALUE = frozenset(
    (
        (Scalar.FLOAT, Scalar.JSON),
        (Scalar.DECIMAL, Scalar.JSON),
        (Scalar.FLOAT, Scalar.DURATION),
        (Scalar.DECIMAL, Scalar.DURATION),
        (Scalar.DECIMAL, Scalar.INT),
        (Scalar.DURATION, Scalar.INT),
        (Scalar.BYTES, Scalar.STR),
        (Scalar.BYTES, Scalar.PATH),
    )
)


def _fits(sent: Type, wanted: Type) -> str | None:
    """When it does decode."""
    match sent, wanted:
        case ListType(Struct() | Union()), (Struct() | Union()):
            return "which it can be if there is exactly one"
        case MapType(), (Struct() | Union()):
            return "which it can be if there is exactly one"
        case ScalarType(Scalar.STR | Scalar.PATH | Scalar.JSON), (
            ScalarType() | Enum()
        ):
            return "which it can be by chance"
        case ScalarType(one), ScalarType(other) if (one, other) in _FIT_BY_VALUE:
            return "which not every value can be"
        case _:
            return None


def _source(
    versions: Versions, pair: BoxPair, old: Type, new: Type
) -> tuple[Source, Source]:
    """Those who give a value give one of the old type; those who get one expect it."""
    is_same = versions.is_same
    gives = passes(old, new, is_same, is_given=True)
    gets = passes(new, old, lambda one, other: is_same(other, one), is_given=False)
    if pair.box in (Box.ARGUMENTS, Box.SENT):
        return gives, gets
    if pair.box is Box.RESULT:
        return gets, gives
    both = max(gives, gets)
    return both, both


def _is_text(old: Type, new: Type) -> bool:
    return isinstance(old, ScalarType | Enum) and isinstance(new, ScalarType | Enum)


def _is_one_to_many(old: Type, new: Type) -> bool:
    match old, new:
        case ((Struct() | Union()), ListType(Struct() | Union())):
            return True
        case ListType(Struct() | Union()), (Struct() | Union()):
            return True
        case _:
            return False


def _is_other(old: Type, new: Type) -> bool:
    return not _is_text(old, new) and not _is_one_to_many(old, new)


def _written(one: Field, other: Field) -> tuple[str, str]:
    """Their types as the schemas have them, or, where these words are the same, as they
    differ: by what they stand for, or by the files of that.
    """
    both = _words(one), _words(other)
    if both[0] == both[1]:
        both = _meant(one.type), _meant(other.type)
    if both[0] == both[1]:
        both = _meant(one.type, placed=True), _meant(other.type, placed=True)
    return both


def _words(field: Field) -> str:
    """Without those before the type itself."""
    words = type_of(field).split()
    while words and words[0] in ("stream", "large"):
        del words[0]
    return " ".join(words).removesuffix("?")


def _meant(type_: Type, *, placed: bool = False) -> str:
    match type_:
        case ScalarType(scalar):
            return scalar.value
        case ListType(item):
            return f"[{_meant(item, placed=placed)}]"
        case MapType(key, value):
            by = _meant(key, placed=placed)
            return f"{{{by}: {_meant(value, placed=placed)}}}"
        case Enum() | Struct() | Union():
            name = f"{type(type_).__name__.lower()} {type_.name}"
            return f"{name} of {type_.module.source.path}" if placed else name


MANY = Comparison(
    Rule(
        "AMP1046",
        "list made of a struct, or a struct of a list",
        """\
A struct alone is on the wire what a list of one is. So a reader of the list takes it; a
reader of the one takes a list only if there is exactly one in it.

    command Add(author: Author);                         // before
    command Add(author: [Author]);                       // after

What is sent before and read after is safe. The other way round it is safe as long as
nobody sends none, or more than one.
""",
    ),
    _changed(_is_one_to_many),
)

SHAPE = Comparison(
    Rule(
        "AMP1047",
        "form of a value changed",
        """\
Scalars, lists, structs and maps are not written alike, and nothing on the wire says
which of them it is. A reader of another form may fail, or take what it reads for a
value that nobody has sent: any bytes are a `bytes`, most are a `str`, and an empty text
is an empty list. Twisted reads a list that is cut short as if it ended there.

    command Look() -> (name: str);                       // before
    command Look() -> (name: [str]);                     // after

Use another key, and remove the first when nobody reads it any more:

    command Look() -> (name: str, names: [str] = []);
""",
    ),
    _changed(_is_other),
)

SCALAR = Comparison(
    Rule(
        "AMP1049",
        "scalar of another type",
        """\
A scalar is a text on the wire, and a reader of another type takes it if it has the
form. All are read as `bytes`; all but `bytes` as `str`, `path` and open enums; an `int`
as `float`, `decimal`, `json` and `duration`; `float` and `decimal` as one another, as
`duration` or `json` if the value allows it; a `duration` as `decimal`, `float`, `json`,
and as `int` if it is whole. Nothing else is safe, though a text may have the form by
chance. Numbers have to be within the range of what reads them.

    command Wait(seconds: int);                          // before
    command Wait(seconds: float);                        // after

Here a new server understands old clients, so the server goes first: a new client's
`0.5` is no `int` to an old server.
""",
    ),
    _changed(_is_text),
)
