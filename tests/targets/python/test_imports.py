"""What a generated module imports is what its code names."""

from __future__ import annotations

import pytest

from ampgen.targets.python.imports import used


@pytest.mark.parametrize(
    "code",
    [
        *("_read_box", "x = _read_box(data)", "(_read_box,)", "-_read_box"),
        *('"" _read_box', "b'' _read_box", '"\\"" _read_box', '"""\n"\n""" _read_box'),
        *("# it's\n_read_box", "a__b _read_box", "a_b_read_box _read_box"),
        '\'"""\' _read_box \'"""\'',
    ],
)
def test_a_private_name_of_the_code_is_imported(code: str) -> None:
    assert used(code) == {"_read_box"}


@pytest.mark.parametrize(
    "code",
    [
        *("read_box", "a_read_box", "__read_box", "a__read_box", "_a_read_box"),
        *("_read_boxes", "_read", "_1_read_box", "é_read_box"),
        *('"_read_box"', "'_read_box'", '"""\n_read_box\n"""', "# _read_box"),
        *('"\\"_read_box"', "'\"_read_box'", '\'"""_read_box\''),
    ],
)
def test_what_only_looks_like_one_is_not(code: str) -> None:
    assert used(code) == frozenset()
