"""How each scalar and list is written and read: one table, read by the compiler too."""

from __future__ import annotations

from enum import StrEnum


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
