from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ampgen.language.literals import Duration, decode_string, read_number


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ('""', ""),
        ('"a b"', "a b"),
        (r'"\n\t\r\\\""', '\n\t\r\\"'),
        (r'"\u{20AC}\u{0}\u{10FFFF}\u{1f600}"', "€\0\U0010ffff😀"),
        (r'"\\u{20AC}"', r"\u{20AC}"),
        (r'"\\\\n"', r"\\n"),
        ('"ü€😀"', "ü€😀"),
    ],
)
def test_strings(raw: str, value: str) -> None:
    assert decode_string(raw) == (value, ())


@pytest.mark.parametrize(
    ("raw", "code", "place"),
    [
        (r'"a\q"', "AMP0110", r"\q"),
        (r'"a\u"', "AMP0110", r"\u"),
        (r'"a\u20AC"', "AMP0110", r"\u20AC"),
        (r'"a\u{}"', "AMP0110", r"\u{}"),
        (r'"a\u{12"', "AMP0110", r"\u{12"),
        (r'"a\u{0000041}"', "AMP0110", r"\u{0000041}"),
        (r'"a\u{xy}b"', "AMP0110", r"\u{xy}"),
        (r'"a\u{D800}"', "AMP0111", r"\u{D800}"),
        (r'"a\u{dfff}"', "AMP0111", r"\u{dfff}"),
        (r'"a\u{110000}"', "AMP0111", r"\u{110000}"),
        ('"a\\\'"', "AMP0110", "\\'"),
    ],
)
def test_a_wrong_escape_is_reported_at_its_place(
    raw: str, code: str, place: str
) -> None:
    value, (fault,) = decode_string(raw)
    assert fault.rule.code == code
    assert raw[fault.start : fault.end] == place
    assert value.startswith("a\N{REPLACEMENT CHARACTER}")


@given(st.text())
def test_a_string_that_is_escaped_is_decoded_again(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    escaped = "".join(f"\\u{{{ord(character):X}}}" for character in text)
    assert decode_string(f'"{escaped}"') == (text, ())


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("0", 0),
        ("-0", 0),
        ("-12", -12),
        ("9" * 4300, int("9" * 4300)),
        ("1.5", 1.5),
        ("-0.0", -0.0),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        ("6.02e+23", 6.02e23),
        ("-inf", -math.inf),
        ("500ms", Duration(0.5)),
        ("2s", Duration(2.0)),
        ("1m", Duration(60.0)),
        ("1.5s", Duration(1.5)),
    ],
)
def test_numbers(raw: str, value: object) -> None:
    actual, fault = read_number(raw)
    assert fault is None
    assert (type(actual), actual) == (type(value), value)


@pytest.mark.parametrize(
    ("raw", "code", "help_text"),
    [
        ("1_000", "AMP0112", "write `1000`"),
        ("-1_0.5", "AMP0112", "write `-10.5`"),
        ("007", "AMP0112", "it is `7`"),
        ("-00", "AMP0112", "it is `-0`"),
        ("0x1F", "AMP0112", "write `31`"),
        ("0b12", "AMP0112", "decimal"),
        ("1.", "AMP0112", "both sides"),
        ("1.e5", "AMP0112", "both sides"),
        ("1.2.3", "AMP0112", "numbers look like"),
        ("1e", "AMP0112", "a name begins with a letter"),
        ("2h", "AMP0112", "`ms`, `s` or `m`"),
        ("-2s", "AMP0112", "no sign"),
        ("٣", "AMP0112", "numbers look like"),
        ("1e999", "AMP0113", "`inf`"),
        ("-1e999", "AMP0113", "`inf`"),
    ],
)
def test_a_wrong_number_is_reported_with_the_way_to_mend_it(
    raw: str, code: str, help_text: str
) -> None:
    _value, fault = read_number(raw)
    assert fault is not None
    assert fault.rule.code == code
    assert fault.help is not None
    assert help_text in fault.help


def test_an_integer_beyond_the_limit_is_not_converted() -> None:
    value, fault = read_number("-" + "9" * 4301)
    assert value == 0
    assert fault is not None
    assert "4300" in fault.message
    assert "4301" in fault.message


@given(st.from_regex(r"-?[0-9](?:[eE][+-](?=[0-9])|[\w.])*", fullmatch=True))
def test_any_text_that_is_lexed_as_a_number_is_read_or_refused(raw: str) -> None:
    value, _fault = read_number(raw)
    assert isinstance(value, int | float | Duration)
