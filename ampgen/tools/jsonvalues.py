"""Values as JSON, and back, as the schema has their types.

Bytes are base64; decimals, uuids, dates, datetimes, paths and enums strings; a duration
its seconds. What a JSON number would not hold for every reader is a string: an int or a
duration of more than 53 bits, ``inf``, ``nan``. A struct is an object by the names of
the schema, a union one of exactly one member, a map one whose keys are text. An
optional field that is absent is left out; ``null`` is read as absent.

Reading raises ``Fault``, which names the place and the rule, and never the value.
"""

from __future__ import annotations

import base64
import json
import math
import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from ampgen.diagnostics.suggest import did_you_mean
from ampgen.model import Enum, ListType, MapType, ScalarType, Struct, Union
from ampgen.runtime.errors import Fault, fault_at, missing
from ampgen.runtime.jsonvalue import decode_json
from ampgen.runtime.values import SCALARS, Scalar, decode_duration, encode_duration
from ampgen.targets.python import names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ampgen.model import Error, Field, Result, Type
    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.memory import Loaded

_SAFE = 2**53
_DEPTH = 256  # of the 64 levels of AMP a union takes two, and json has its own

# Delete and C1; line and paragraph separators; marks, embeddings and isolates of the
# bidirectional algorithm. C0 JSON escapes of itself.
STEERS = "\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
"""What steers a terminal, or turns text round: as a set of a regular expression."""

_steers = re.compile(f"[{STEERS}]")


def parse(text: str | bytes) -> Json:
    """JSON text; strict: no key twice, no number beyond a float. Raises ``Fault``."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    return decode_json(raw, _DEPTH)


class JsonValues:
    """Both directions, for the classes of one loaded schema."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded

    # --- values -> JSON ---------------------------------------------------------------

    def to_json(self, type_: Type, value: Any) -> Json:
        match type_:
            case ScalarType(scalar):
                return scalar_to_json(scalar, value)
            case ListType(item):
                return [self.to_json(item, one) for one in value]
            case MapType(key, inner):
                return {
                    key_text(self.to_json(key, one)): self.to_json(inner, other)
                    for one, other in value.items()
                }
            case Enum():
                return str(value)
            case Struct():
                return self.fields_to_json(type_.fields, value)
            case Union():
                for member in type_.members:
                    if isinstance(value, self._member(type_, member)):
                        return {member.name: self.to_json(member.type, value.value)}
                raise TypeError(f"no member of {type_.name}: {type(value).__name__}")

    def fields_to_json(
        self,
        fields: Sequence[Field],
        holder: Any,
        name: Callable[[Field], str] = names.field_name,
    ) -> dict[str, Json]:
        """The attributes of an object, those that are absent left out."""
        found: dict[str, Json] = {}
        for field in fields:
            value = getattr(holder, name(field))
            if value is not None or not field.optional:
                found[field.name] = self.to_json(field.type, value)
        return found

    def error_to_json(self, error: Error, raised: Any) -> dict[str, Json]:
        """The fields of an error that the schema declares."""
        return self.fields_to_json(error.fields, raised, names.error_field_name)

    def result_to_json(self, result: Result | None, value: Any) -> Json:
        """What a command answers, or an item of the stream that it answers."""
        if result is None:
            return None
        if not result.bare:
            return self.fields_to_json(result.fields, value)
        (field,) = result.fields
        if value is None and field.optional:
            return None
        return self.to_json(field.type, value)

    # --- JSON -> values ---------------------------------------------------------------

    def from_json(self, type_: Type, data: Json) -> Any:
        match type_:
            case ScalarType(scalar):
                return _scalar_from_json(scalar, data)
            case ListType(item):
                if not isinstance(data, list):
                    raise _wrong("an array", data)
                return [
                    self._at(f"[{number}]", item, one)
                    for number, one in enumerate(data)
                ]
            case MapType(key, inner):
                return self._map(key, inner, data)
            case Enum():
                return self._enum(type_, data)
            case Struct():
                made = self._loaded.python(type_.module, names.type_name(type_))
                return made(**self.fields_from_json(type_.fields, data))
            case Union():
                return self._union(type_, data)

    def fields_from_json(
        self,
        fields: Sequence[Field],
        data: Json,
        name: Callable[[Field], str] = names.field_name,
    ) -> dict[str, Any]:
        """An object, as arguments by their names in Python; those absent left out."""
        if not isinstance(data, dict):
            raise _wrong("an object", data)
        known = {field.name: field for field in fields}
        for key in data:
            if key not in known:
                raise Fault(_unknown("field", key, known))
        found: dict[str, Any] = {}
        for field in fields:
            given = data.get(field.name)
            is_null = field.name in data and field.required and _is_json(field.type)
            if given is not None or is_null:
                found[name(field)] = self._at(field.name, field.type, given)
            elif field.required:
                raise fault_at(field.name, missing())
        return found

    def from_text(self, type_: Type, text: str) -> Any:
        """A value as it is typed at a command line: JSON, but that what is a string in
        JSON, or a number, needs no quotes.
        """
        match type_:
            case ScalarType(Scalar.FLOAT | Scalar.DURATION as scalar):
                return SCALARS[scalar].decode(_raw(text))
            case ScalarType(Scalar.BOOL):
                if text not in ("true", "false"):
                    raise Fault("a bool is `true` or `false`")
                return text == "true"
            case ScalarType(Scalar.FD):
                return SCALARS[Scalar.FD].decode(_raw(text))
            case ScalarType(Scalar.JSON) | ListType() | MapType() | Struct() | Union():
                try:
                    data = parse(text)
                except Fault as fault:
                    if _is_json(type_):
                        raise Fault(f"{fault.rule} (a string needs quotes)") from None
                    raise
                return self.from_json(type_, data)
            case _:
                return self.from_json(type_, text)

    def _at(self, key: str, type_: Type, data: Json) -> Any:
        try:
            return self.from_json(type_, data)
        except Fault as fault:
            raise fault_at(key, fault) from None

    def _map(self, key_type: Type, type_: Type, data: Json) -> dict[Any, Any]:
        if not isinstance(data, dict):
            raise _wrong("an object", data)
        found: dict[Any, Any] = {}
        for number, (text, one) in enumerate(data.items()):
            key = self._at(f"[{number}]", key_type, text)
            if key in found:
                raise Fault("a key comes twice", f"[{number}]")
            found[key] = self._at(f"[{number}]", type_, one)
        return found

    def _enum(self, enum: Enum, data: Json) -> Any:
        if not isinstance(data, str):
            raise _wrong("a string", data)
        made = self._loaded.python(enum.module, names.type_name(enum))
        for member in made:
            if member.value == data:
                return member
        if not enum.open:
            values = [member.value for member in enum.members]
            near = did_you_mean(data, values)
            hint = f"did you mean `{near}`?" if near else f"it has {', '.join(values)}"
            raise Fault(f"not a value of {enum.name}; {hint}")
        return _scalar_from_json(Scalar.STR, data)

    def _union(self, union: Union, data: Json) -> Any:
        if not isinstance(data, dict):
            raise _wrong("an object", data)
        if len(data) != 1:
            raise Fault(f"a {union.name} is an object of exactly one member")
        [(name, value)] = data.items()
        known = {member.name: member for member in union.members}
        if name not in known:
            raise Fault(_unknown("member", name, known))
        member = known[name]
        return self._member(union, member)(self._at(name, member.type, value))

    def _member(self, union: Union, member: Field) -> Any:
        return self._loaded.python(union.module, names.member_class(union, member))


# --- scalars --------------------------------------------------------------------------


def scalar_to_json(scalar: Scalar, value: Any) -> Json:
    """A value that a scalar's decoder gives."""
    match scalar:
        case Scalar.INT:
            return str(value) if abs(value) > _SAFE else value
        case Scalar.FLOAT:
            return float(value) if math.isfinite(value) else str(float(value))
        case Scalar.BYTES:
            return base64.b64encode(value).decode()
        case Scalar.DATETIME | Scalar.DATE:
            return cast("date", value).isoformat()
        case Scalar.DURATION:
            return _seconds(value)
        case Scalar.DECIMAL | Scalar.UUID | Scalar.PATH:
            return str(value)
        case Scalar.BOOL | Scalar.STR | Scalar.JSON | Scalar.FD:
            return cast("Json", value)


def _seconds(value: timedelta) -> Json:
    text = encode_duration(value).decode()
    if "." not in text:
        return int(text)
    number = float(text)
    return number if _duration(number) == value else text


def _duration(seconds: float) -> timedelta | None:
    try:
        return timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None


def _scalar_from_json(scalar: Scalar, data: Json) -> Any:
    match scalar:
        case Scalar.JSON:
            return data
        case Scalar.BOOL:
            if not isinstance(data, bool):
                raise _wrong("true or false", data)
            return data
        case Scalar.FLOAT | Scalar.INT | Scalar.FD | Scalar.DURATION:
            return _number(scalar, data)
        case Scalar.DECIMAL if isinstance(data, int) and not isinstance(data, bool):
            return SCALARS[scalar].decode(_raw(str(data)))
        case _:
            if not isinstance(data, str):
                raise _wrong("a string", data)
            return _from_string(scalar, data)


def _number(scalar: Scalar, data: Json) -> Any:
    if isinstance(data, str):
        if scalar is Scalar.FD:
            raise _wrong("an integer", data)
        return SCALARS[scalar].decode(_raw(data))
    if isinstance(data, bool) or not isinstance(data, (int, float)):
        raise _wrong("a number", data)
    if scalar in (Scalar.INT, Scalar.FD):
        if not isinstance(data, int):
            raise Fault("expected an integer, got a number with a fraction")
        return data
    if scalar is Scalar.DURATION:
        value = _duration(data) if isinstance(data, float) else None
        return decode_duration(_raw(str(data))) if value is None else value
    try:
        return float(data)
    except OverflowError:
        raise Fault("an int beyond the range of a float") from None


def _from_string(scalar: Scalar, text: str) -> Any:
    match scalar:
        case Scalar.BYTES:
            try:
                return base64.b64decode(_raw(text), validate=True)
            except ValueError:
                raise Fault("bytes are written in base64") from None
        case Scalar.DATETIME:
            try:
                moment = datetime.fromisoformat(text)
            except ValueError:
                raise Fault(
                    "a datetime is written as in 2026-01-31T23:59:58+01:00"
                ) from None
            if moment.utcoffset() is None:
                raise Fault("a datetime without an offset: end it with `Z` or `+01:00`")
            return moment
        case Scalar.DATE:
            try:
                return date.fromisoformat(text)
            except ValueError:
                raise Fault("a date is written YYYY-MM-DD") from None
        case _:
            return SCALARS[scalar].decode(_raw(text))


def _raw(text: str) -> bytes:
    return SCALARS[Scalar.STR].encode(text)


# --- what is said of mistakes ---------------------------------------------------------


def dumps(data: Json, *, indent: int | None = None, ascii_: bool = False) -> str:
    """JSON text; compact, a line of its own, unless it is indented.

    What would steer a terminal, or turn text round, is written as JSON's escapes.
    """
    separators = None if indent else (",", ":")
    text = json.dumps(
        data,
        ensure_ascii=ascii_,
        allow_nan=False,
        indent=indent,
        separators=separators,
    )
    return _steers.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def key_text(key: Json) -> str:
    """A map's key, as the key of an object."""
    return key if isinstance(key, str) else str(key)


def _is_json(type_: Type) -> bool:
    return isinstance(type_, ScalarType) and type_.scalar is Scalar.JSON


def _unknown(kind: str, name: str, known: Mapping[str, object]) -> str:
    near = did_you_mean(name, known)
    if near:
        hint = f"did you mean `{near}`?"
    else:
        hint = f"there are {', '.join(known)}" if known else "there are none"
    return f"no {kind} `{name}`; {hint}"


def _wrong(expected: str, data: Json) -> Fault:
    kinds = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}
    kinds |= {list: "an array", dict: "an object", type(None): "null"}
    return Fault(f"expected {expected}, got {kinds[type(data)]}")
