"""How a box is printed: for people, and as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ampgen.tools.seeing.asjson import seen_to_json
from ampgen.tools.seeing.astext import TextPrinter, duration
from ampgen.tools.seeing.seen import (
    Blame,
    Break,
    Kind,
    Opaque,
    SeenBox,
    SeenBytes,
    Side,
)


def a_box(**options: Any) -> SeenBox:
    given: dict[str, Any] = {"sender": Side.CLIENT, "at": None, "offset": 0, "size": 9}
    given |= {"kind": Kind.ASK, "box": {}, "command": "Do", "tag": b"1", **options}
    return SeenBox(**given)


def lines(seen: SeenBox | SeenBytes, **options: Any) -> list[str]:
    given: dict[str, Any] = {"timed": False, "schema": True, **options}
    return list(TextPrinter(**given).lines(seen))


def test_a_line_has_what_there_is_in_columns() -> None:
    printer = TextPrinter(timed=True, schema=True)
    asked = a_box(at=5.0, service="Bank", fields={"n": 1, "s": "x"})
    answer = a_box(
        sender=Side.SERVER, at=5.0625, kind=Kind.ANSWER, elapsed=0.0625, tag=b"ff"
    )
    [first] = printer.lines(asked, connection=3)
    [second] = printer.lines(answer, connection=3)
    assert (
        first == '#3      0.000000 > ask    1    Bank.Do                    n=1 s="x"'
    )
    assert second == "#3      0.062500 < answer ff   Do                 62.5 ms"


def test_what_no_schema_knows_is_a_length_unless_it_is_wanted() -> None:
    seen = a_box(
        fields={"bad": Opaque(b"12x"), "pin": Opaque(b"0815", hidden=True)},
        others={"new": Opaque(b"v\x1b"), "code": Opaque(b"77", hidden=True)},
        metadata={"authorization": "Bearer x", "traceparent": "00-a"},
    )
    [line] = lines(seen)
    assert line == (
        "> ask    1    Do               bad=<3 bytes, not decoded>"
        " pin=[hidden, 4 bytes] ?new=<2 bytes> ?code=[hidden, 2 bytes]"
        ' (authorization=<8 bytes>, traceparent="00-a")'
    )
    [line] = lines(seen, raw=True, schema=False)
    assert line == (
        "> ask    1    Do               bad=b'12x' pin=[hidden, 4 bytes]"
        " new=b'v\\x1b' code=[hidden, 2 bytes]"
        ' (authorization="Bearer x", traceparent="00-a")'
    )


def test_what_is_hidden_is_told_from_text_that_says_so() -> None:
    seen = a_box(fields={"a": "[hidden]", "b": "[hidden]"}, hidden=("a",))
    assert lines(seen) == ['> ask    1    Do               a=[hidden] b="[hidden]"']


def test_long_values_are_cut_unless_all_is_wanted() -> None:
    seen = a_box(fields={"s": "ä" * 500}, kind=Kind.ERROR, description="d" * 90)
    [line] = lines(seen)
    assert f'"{"d" * 71}…(92 bytes)' in line
    assert line.endswith(f's="{"ä" * 71}…(1,002 bytes)')
    [line] = lines(seen, full=True)
    assert line.endswith(f's="{"ä" * 500}"')
    [line] = lines(a_box(others={"n": Opaque(bytes(50))}), raw=True)
    assert line.endswith("\\x…(50 bytes)")


@pytest.mark.parametrize(
    "evil", ["\x1b[2J", "a\nb", "\r", "\x9b31m", "\u202e", "\u2028", "\ud800"]
)
def test_nothing_that_a_peer_sends_steers_a_terminal(evil: str) -> None:
    seen = a_box(
        command=evil,
        tag=evil.encode("utf-8", "surrogatepass"),
        code=evil,
        description=evil,
        fields={"f": evil, evil: [evil]},
        others={evil: Opaque(b"\x1b")},
        extras={"understands": [evil]},
        metadata={"m": evil.replace("\ud800", "")},
        blames=(Blame(1, evil, evil),),
        notes=(evil,),
    )
    for raw in (False, True):
        for line in lines(seen, raw=raw, full=True):
            assert line.isprintable()
    bytes_ = SeenBytes(
        sender=Side.CLIENT,
        at=None,
        offset=0,
        size=0,
        why=Break.LOST,
        rule=evil,
        key=evil,
        start=b"\x1b",
    )
    assert all(line.isprintable() for line in lines(bytes_, raw=True))


def test_faults_and_notes_stand_below() -> None:
    seen = a_box(
        blames=(Blame(1234, "a[0]", "no"), Blame(5, "", "none")), notes=("odd",)
    )
    assert lines(seen)[1:] == [
        "    fault: offset 1,234, key `a[0]`: no",
        "    fault: offset 5: none",
        "    note: odd",
    ]


def test_colours_stand_around_and_change_no_letter() -> None:
    seen = a_box(
        kind=Kind.ERROR,
        code="X",
        description="",
        at=1.0,
        blames=(Blame(1, "", "no"),),
        fields={"a": "[hidden]"},
        hidden=("a",),
        extras={"credit": 5},
    )
    plain = lines(seen, timed=True)
    coloured = lines(seen, timed=True, colour=True)
    for code in ("0", "2", "31", "1;31", "36", "32"):
        coloured = [line.replace(f"\x1b[{code}m", "") for line in coloured]
    assert coloured == plain


def test_bytes_that_are_no_boxes() -> None:
    seen = SeenBytes(
        sender=Side.SERVER,
        at=2.0,
        offset=10,
        size=0,
        why=Break.LOST,
        rule="no box",
        fault=True,
        start=b"GET",
    )
    assert lines(seen) == ["< fault: offset 10: no box; nothing behind it is looked at"]
    assert lines(seen, raw=True)[0].endswith("; it begins b'GET'")
    assert seen_to_json(seen, connection=2) == {
        "connection": 2,
        "time": 2.0,
        "from": "server",
        "offset": 10,
        "size": 0,
        "kind": "bytes",
        "why": "lost",
        "rule": "no box",
        "fault": True,
    }


def test_json_has_all_of_it() -> None:
    seen = a_box(
        at=1.5,
        service="S",
        stream=b"7",
        code="X",
        description="d",
        elapsed=0.1234567,
        fields={"n": 1, "bad": Opaque(b"xy"), "p": "[hidden]"},
        hidden=("p",),
        others={"new": Opaque(b"\xff"), "old": Opaque(b"s", hidden=True)},
        extras={"timeout": 2.5},
        metadata={"a": "b"},
        blames=(Blame(3, "bad", "no"),),
        notes=("odd",),
    )
    expected: dict[str, Any] = {
        "time": 1.5,
        "from": "client",
        "offset": 0,
        "size": 9,
        "kind": "ask",
        "tag": "1",
        "stream": "7",
        "command": "Do",
        "service": "S",
        "code": "X",
        "description": "d",
        "fields": {"n": 1, "p": "[hidden]"},
        "undecoded": {"bad": {"bytes": 2}},
        "unknown": {"new": {"bytes": 1}, "old": {"bytes": 1}},
        "hidden": ["p"],
        "timeout": 2.5,
        "metadata": {"a": {"bytes": 1}},
        "elapsed": 0.123457,
        "faults": [{"offset": 3, "key": "bad", "rule": "no"}],
        "notes": ["odd"],
    }
    assert seen_to_json(seen) == expected
    expected["undecoded"]["bad"]["base64"] = "eHk="
    expected["unknown"]["new"]["base64"] = "/w=="
    expected["metadata"] = {"a": "b"}
    shown = seen_to_json(seen, raw=True)
    assert shown == expected
    json.dumps(shown)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 µs"), (0.0000123, "12 µs"), (0.0009996, "1 ms"), (0.0123456, "12.3 ms"),
        (0.9996, "0.9996 s"),
        (61.2345, "61.23 s"), (86400, "86,400 s"), (-0.5, "-500 ms"),
    ],
)  # fmt: skip
def test_times_are_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text
