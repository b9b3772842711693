"""Strategies: every value that each scalar can have."""

from __future__ import annotations

from datetime import timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from ampgen.runtime.values import Scalar

texts = st.text(st.characters(codec="utf-8"), max_size=40)
offsets = st.integers(-1439, 1439).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)
# A decimal's digits and its exponent, both kept on the wire; and the two infinities.
signs = st.sampled_from((0, 1))
digits = st.lists(st.integers(0, 9), min_size=1, max_size=40).map(tuple)
decimals = st.builds(
    Decimal, st.tuples(signs, digits, st.integers(-2000, 2000))
) | st.sampled_from((Decimal("Infinity"), Decimal("-Infinity")))
finite = st.floats(allow_nan=False, allow_infinity=False)
jsons: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | texts,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=8,
)

# No nan, here and above: it does not equal itself. The vectors have it.
SCALARS: dict[Scalar, st.SearchStrategy[Any]] = {
    Scalar.BOOL: st.booleans(),
    Scalar.INT: st.integers() | st.integers(-(10**400), 10**400),
    Scalar.FLOAT: st.floats(allow_nan=False),
    Scalar.STR: texts,
    Scalar.BYTES: st.binary(max_size=80),
    Scalar.DECIMAL: decimals,
    # A fold tells which of two; at a fixed offset there is but one.
    Scalar.DATETIME: st.datetimes(timezones=offsets).map(lambda at: at.replace(fold=0)),
    Scalar.DATE: st.dates(),
    Scalar.FD: st.integers(0, 10**18 - 1),
    Scalar.DURATION: st.timedeltas(),
    Scalar.UUID: st.uuids(),
    Scalar.JSON: jsons,
    Scalar.PATH: texts.map(Path),
}
