"""How each scalar is written and read: one table, read by the compiler too.

Both directions are strict: what is not exactly the value's type or form is a ``Fault``.
What Twisted writes is read, and no more: ``int()`` and its like take spaces,
underscores and signs that no AMP peer sends, so a form is checked before it is
converted.
"""

# pyright: reportUnnecessaryIsInstance=false
# What programs pass is checked at run time too: not all of them are typed.

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ampgen.runtime.errors import Fault, as_fault, wrong_type
from ampgen.runtime.jsonvalue import decode_json, encode_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Scalar(StrEnum):
    """The scalars of the schema language, by the name they have there."""

    BOOL = "bool"
    INT = "int"
    FLOAT = "float"
    STR = "str"
    BYTES = "bytes"
    DECIMAL = "decimal"
    DATETIME = "datetime"
    DATE = "date"
    DURATION = "duration"
    UUID = "uuid"
    JSON = "json"
    PATH = "path"
    FD = "fd"


def encode_bool(value: bool) -> bytes:
    if value is True:
        return b"True"
    if value is False:
        return b"False"
    raise wrong_type("a bool", value)


def decode_bool(raw: bytes) -> bool:
    if raw == b"True":
        return True
    if raw == b"False":
        return False
    raise Fault("a bool is `True` or `False`")


def encode_int(value: int) -> bytes:
    if type(value) is not int and (
        not isinstance(value, int) or isinstance(value, bool)
    ):
        raise wrong_type("an int", value)
    try:
        return b"%d" % value
    except ValueError as error:
        raise as_fault(error) from None


def decode_int(raw: bytes) -> int:
    if raw.isdigit() or (raw.startswith(b"-") and raw[1:].isdigit()):
        try:
            return int(raw)
        except ValueError as error:
            raise as_fault(error) from None
    raise Fault("an int is written -?[0-9]+")


def encode_float(value: float) -> bytes:
    if type(value) is float:
        return repr(value).encode()
    if isinstance(value, float):
        return float.__repr__(value).encode()
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type("a float", value)
    try:
        return repr(float(value)).encode()
    except OverflowError:
        raise Fault("an int beyond the range of a float") from None


_is_numeral = re.compile(rb"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?").fullmatch
_INFINITE = frozenset((b"inf", b"-inf", b"Infinity", b"-Infinity"))
_NANS = frozenset((b"nan", b"NaN"))


def decode_float(raw: bytes) -> float:
    whole, _point, fraction = raw.partition(b".")
    if (whole.isdigit() and fraction.isdigit()) or _is_numeral(raw):
        value = float(raw)
        if value - value != 0.0:  # infinite, though written as a number
            raise Fault("a number beyond the range of a float")
        return value
    if raw in _INFINITE or raw in _NANS:
        return float(raw)
    raise Fault("a float is written -?digits(.digits)?(e±digits)?, inf, -inf or nan")


def encode_str(value: str) -> bytes:
    try:
        return str.encode(value)
    except TypeError:
        raise wrong_type("a str", value) from None
    except UnicodeEncodeError as error:
        raise as_fault(error) from None


def decode_str(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise as_fault(error) from None


def encode_bytes(value: bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    raise wrong_type("bytes", value)


def decode_bytes(raw: bytes) -> bytes:
    return raw


def encode_decimal(value: Decimal) -> bytes:
    if not isinstance(value, Decimal):
        raise wrong_type("a Decimal", value)
    text = Decimal.__str__(value).encode()
    if value.is_nan() and text != b"NaN":
        raise Fault("a NaN with a sign, a payload or that signals cannot be sent")
    return text


def decode_decimal(raw: bytes) -> Decimal:
    if raw in _INFINITE or raw in _NANS:
        return Decimal(raw.decode())
    if _is_numeral(raw):
        try:
            value = Decimal(raw.decode())
        except InvalidOperation:
            raise Fault("a decimal of too large an exponent") from None
        if value.is_finite():
            return value
        # the application's context does not trap what cannot be represented
        raise Fault("a decimal of too large an exponent")
    raise Fault(
        "a decimal is written -?digits(.digits)?(E±digits)?, Infinity, -Infinity or NaN"
    )


def encode_datetime(value: datetime) -> bytes:
    if not isinstance(value, datetime):
        raise wrong_type("a datetime", value)
    offset = value.utcoffset()
    if offset is None:
        raise Fault("a datetime without an offset: give it a tzinfo")
    if offset.microseconds or offset.seconds % 60:
        raise Fault("the offset of a datetime has to be in whole minutes")
    text = datetime.isoformat(value, timespec="microseconds").encode()
    return text if offset else text[:-6] + b"-00:00"  # Twisted's sign for zero


_DATETIME = re.compile(
    rb"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    rb"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}"
    rb"[+-]([01][0-9]|2[0-3]):[0-5][0-9]"
)


def decode_datetime(raw: bytes) -> datetime:
    if _DATETIME.fullmatch(raw):
        try:
            return datetime.fromisoformat(raw.decode())
        except ValueError:
            raise Fault("a datetime on a day that there is not") from None
    raise Fault("a datetime is written 2026-01-31T23:59:58.000001+01:00")


def encode_date(value: date) -> bytes:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise wrong_type("a date", value)
    return date.isoformat(value).encode()


_DATE = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def decode_date(raw: bytes) -> date:
    if _DATE.fullmatch(raw):
        try:
            return date.fromisoformat(raw.decode())
        except ValueError:
            raise Fault("a day that there is not") from None
    raise Fault("a date is written YYYY-MM-DD")


def encode_duration(value: timedelta) -> bytes:
    if not isinstance(value, timedelta):
        raise wrong_type("a timedelta", value)
    total = (value.days * 86_400 + value.seconds) * 1_000_000 + value.microseconds
    seconds, microseconds = divmod(abs(total), 1_000_000)
    sign = "-" if total < 0 else ""
    fraction = f".{microseconds:06}".rstrip("0") if microseconds else ""
    return f"{sign}{seconds}{fraction}".encode()


_DURATION = re.compile(rb"(-?)([0-9]+)(?:\.([0-9]{1,6}))?")


def decode_duration(raw: bytes) -> timedelta:
    match = _DURATION.fullmatch(raw)
    if match is None:
        raise Fault("a duration is written -?seconds with at most 6 places")
    sign, seconds, fraction = match.groups(b"")
    try:
        value = timedelta(
            seconds=int(seconds), microseconds=int(fraction.ljust(6, b"0"))
        )
        return -value if sign else value
    except (OverflowError, ValueError):
        raise Fault("a duration beyond the range of a timedelta") from None


def encode_uuid(value: UUID) -> bytes:
    if isinstance(value, UUID):
        return str(value).encode()
    raise wrong_type("a UUID", value)


_UUID = re.compile(rb"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def decode_uuid(raw: bytes) -> UUID:
    if _UUID.fullmatch(raw):
        return UUID(raw.decode())
    raise Fault("a uuid is written 8-4-4-4-12 in hexadecimal")


def encode_path(value: str | os.PathLike[str]) -> bytes:
    """The text as it is given: nothing is made absolute, nothing normalised."""
    try:
        return encode_str(os.fspath(value))
    except TypeError:
        raise wrong_type("a str or an os.PathLike", value) from None


def decode_path(raw: bytes) -> Path:
    return Path(decode_str(raw))


def encode_fd(value: int) -> bytes:
    """The ordinal: the connection has put it in the place of the descriptor."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise wrong_type("a file descriptor (an int)", value)
    return b"%d" % value


def decode_fd(raw: bytes) -> int:
    if raw.isdigit() and len(raw) <= 18:
        return int(raw)
    raise Fault("the ordinal of a descriptor is written [0-9]+")


@dataclass(frozen=True, slots=True)
class ScalarRow:
    """``python``: the annotation of what comes back; ``accepts``: of what is taken.

    Both are dotted by module. ``deep``: encode and decode take a depth, as every value
    does that may hold others.
    """

    python: str
    accepts: str
    encode: Callable[..., bytes]
    decode: Callable[..., Any]
    deep: bool = False


SCALARS: Mapping[Scalar, ScalarRow] = MappingProxyType(
    {
        Scalar.BOOL: ScalarRow("bool", "bool", encode_bool, decode_bool),
        Scalar.INT: ScalarRow("int", "int", encode_int, decode_int),
        Scalar.FLOAT: ScalarRow("float", "float", encode_float, decode_float),
        Scalar.STR: ScalarRow("str", "str", encode_str, decode_str),
        Scalar.BYTES: ScalarRow("bytes", "bytes", encode_bytes, decode_bytes),
        Scalar.DECIMAL: ScalarRow(
            "decimal.Decimal", "decimal.Decimal", encode_decimal, decode_decimal
        ),
        Scalar.DATETIME: ScalarRow(
            "datetime.datetime", "datetime.datetime", encode_datetime, decode_datetime
        ),
        Scalar.DATE: ScalarRow(
            "datetime.date", "datetime.date", encode_date, decode_date
        ),
        Scalar.DURATION: ScalarRow(
            "datetime.timedelta", "datetime.timedelta", encode_duration, decode_duration
        ),
        Scalar.UUID: ScalarRow("uuid.UUID", "uuid.UUID", encode_uuid, decode_uuid),
        Scalar.JSON: ScalarRow(
            "ampgen.runtime.Json",
            "ampgen.runtime.Json",
            encode_json,
            decode_json,
            deep=True,
        ),
        Scalar.PATH: ScalarRow(
            "pathlib.Path", "str | os.PathLike[str]", encode_path, decode_path
        ),
        Scalar.FD: ScalarRow("int", "int", encode_fd, decode_fd),
    }
)
