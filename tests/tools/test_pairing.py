"""Two versions, run against each other: what is said of a change is what happens."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from ampgen.analysis import analyse
from ampgen.compat import compare
from ampgen.compat.changes import Part
from ampgen.compat.verdicts import Peers, Rollout, Wire
from ampgen.model import Service
from ampgen.tools.memory import SchemaError, load_schema
from ampgen.tools.pairing import observe
from ampgen.tools.pairing.places import Nearness
from ampgen.tools.pairing.places import nearness as nearness_of
from ampgen.tools.pairing.proof import lines, prove
from tests.cases.golden import folders
from tests.compat.changed import schema

if TYPE_CHECKING:
    from pathlib import Path

    from ampgen.tools.memory import Loaded
    from ampgen.tools.pairing import Observation

ORDERS = (Rollout.SERVER_FIRST, Rollout.CLIENT_FIRST)
HISTORY = "AMP1058"  # what once was reserved: of that no end knows


def read(path: Path) -> Loaded:
    found, _ = analyse([path])
    assert found is not None
    return load_schema(found)


def run(old: str, new: str) -> list[Observation]:
    return observe(load_schema(schema(old)), load_schema(schema(new)))


def found(
    observed: list[Observation], order: Rollout, peers: Peers = Peers.AMPGEN
) -> set[tuple[Part, Wire]]:
    return {
        (finding.part, finding.wire)
        for one in observed
        if one.setting.order is order
        for finding in one.among(peers)
    }


# --- the fixtures of `ampgen breaking` ------------------------------------------------


@pytest.mark.parametrize("case", folders("breaking"), ids=lambda case: case.name)
def test_what_is_said_of_a_fixture_is_what_happens(case: Path) -> None:
    old, new = read(case / "old.amp"), read(case / "new.amp")
    observed = observe(old, new)
    for peers in Peers:
        changes = [
            change
            for change in compare(old.schema, new.schema, peers)
            if change.rule.code != HISTORY
        ]
        for order in ORDERS:
            said = {change.verdict.wire(order) for change in changes}
            seen = {one.wire(peers) for one in observed if one.setting.order is order}
            assert max(seen, default=Wire.SAFE) is max(said, default=Wire.SAFE)
        for proof in prove(old, new, changes, peers=peers):
            by_order = {
                Rollout.SERVER_FIRST: proof.change.server_first,
                Rollout.CLIENT_FIRST: proof.change.client_first,
            }
            effect = by_order[proof.order]
            assert effect is not None
            assert effect.wire in [finding.wire for finding in proof.findings]


# --- one pairing ----------------------------------------------------------------------


def test_each_version_calls_the_other() -> None:
    observed = run(
        "service S { command C(a: int) -> int; }",
        "service S { command C(a: int, b: str) -> int; }",
    )
    assert found(observed, Rollout.SERVER_FIRST) == {(Part.ARGUMENT, Wire.FAILS)}
    assert found(observed, Rollout.CLIENT_FIRST) == {(Part.ARGUMENT, Wire.IGNORED)}
    twisted = found(observed, Rollout.SERVER_FIRST, Peers.TWISTED)
    assert (Part.ARGUMENT, Wire.DROPS) in twisted
    refused = next(one for one in observed if one.setting.order is ORDERS[0])
    [request] = refused.sent
    [answer] = refused.came
    assert request.pairs[b"_command"] == b"C"
    assert request.pairs[b"a"] == b"7"
    assert answer.pairs[b"_error_code"] == b"INVALID_ARGUMENT"
    assert len(request.data) > sum(map(len, request.pairs.values()))


def test_what_a_server_calls_on_its_clients_goes_the_other_way() -> None:
    observed = run(
        "service E { oneway command N(); } service S calls E { command C(); }",
        "service E { oneway command N(a: int); } service S calls E { command C(); }",
    )
    assert found(observed, Rollout.SERVER_FIRST) == {(Part.ARGUMENT, Wire.IGNORED)}
    assert found(observed, Rollout.CLIENT_FIRST) == {(Part.ARGUMENT, Wire.IGNORED)}
    assert found(observed, Rollout.CLIENT_FIRST, Peers.TWISTED) == {
        (Part.ARGUMENT, Wire.IGNORED),
        (Part.ARGUMENT, Wire.DROPS),
    }
    assert found(observed, Rollout.SERVER_FIRST, Peers.TWISTED) == {
        (Part.ARGUMENT, Wire.IGNORED)
    }


def test_a_fatal_error_that_the_caller_does_not_know_ends_the_connection() -> None:
    observed = run(
        "error E; service S { command C() raises E; }",
        "fatal error E; service S { command C() raises E; }",
    )
    assert found(observed, Rollout.SERVER_FIRST) == {(Part.ERROR, Wire.DROPS)}
    assert found(observed, Rollout.CLIENT_FIRST) == set()


def test_a_call_that_nobody_would_answer_is_seen_to_hang() -> None:
    observed = run(
        "service S { command C(a: int) -> stream int; }",
        "service S { command C(a: stream int) -> stream int; }",
    )
    told = {
        finding.told
        for one in observed
        if one.setting.order is Rollout.SERVER_FIRST
        for finding in one.findings
    }
    assert "TimeoutError: no answer comes, and none will" in told


@pytest.mark.parametrize(
    ("old", "new", "order"),
    [
        ("a: [int]", "a: str", Rollout.CLIENT_FIRST),  # a text that is a list's bytes
        ("a: [int]", "a: str", Rollout.SERVER_FIRST),
        ("a: P", "a: [str]", Rollout.CLIENT_FIRST),
        ("a: P", "a: bytes", Rollout.CLIENT_FIRST),
        ("a: {str: int}", "a: str", Rollout.CLIENT_FIRST),
        ("a: [Level]", "a: Level", Rollout.CLIENT_FIRST),
    ],
)
def test_a_value_that_reads_as_another_type_is_found(
    old: str, new: str, order: Rollout
) -> None:
    rest = "struct P { x: str; } open enum Level { LOW; }"
    observed = run(
        f"{rest} service S {{ command C({old}); }}",
        f"{rest} service S {{ command C({new}); }}",
    )
    assert (Part.ARGUMENT, Wire.WRONG) in found(observed, order)


def test_what_is_the_same_is_safe_whatever_the_value() -> None:
    text = """
        struct P { a: float; b: decimal?; c: json?; d: [P]; e: {uuid: duration} = {}; }
        union U { p: P; q: path; r: [datetime]; }
        error E { why: U?; }
        fatal error F;
        service Back { command N(u: [U]) -> stream (u: U) raises E; }
        service S calls Back {
            command C(u: U, page: large str, s: stream bytes) -> (u: [U]?) raises E, F;
            oneway command D(day: date = 1);
        }
    """.replace(" = 1", "")
    observed = run(text, text)
    assert {one.trial.caller.name for one in observed} == {"N", "C", "D"}
    assert all(one.wire() is Wire.SAFE for one in observed)
    assert sum(len(box.data) > 70_000 for one in observed for box in one.sent) == 2


def test_values_have_room_in_a_box_however_they_nest() -> None:
    text = """
        struct A { a: [[json]]; b: {str: [str]}; c: [{int: bytes}]; }
        union B { a: [A]; b: {str: [A]}; c: [[A]]; }
        struct C { a: [B]; b: {str: [[B]]}; c: [A]; d: C?; }
        service S { command C(a: [C], b: {int: C}) -> [[C]]; }
    """
    observed = run(text, text)
    assert len(observed) > 50
    assert all(one.course.error is None for one in observed)
    observed = run(text, text.replace("c: [A];", "c: [A]; e: int;"))
    assert (Part.RESULT, Wire.FAILS) in found(observed, Rollout.CLIENT_FIRST)


def test_a_value_that_cannot_be_sent_says_nothing() -> None:
    deep = " ".join(f"struct A{at} {{ a: A{at + 1}; }}" for at in range(70))
    command = "command C(a: A0); command D() -> (a: A0); command E(a: A60);"
    text = f"{deep} struct A70 {{ a: int; }} service S {{ {command} }}"
    observed = run(text, text)  # 64 levels are the most
    assert {one.trial.caller.name for one in observed} == {"E"}
    assert all(one.course.error is None for one in observed)


def test_only_what_is_asked_for_is_called() -> None:
    text = "service S { command C(); command D(); oneway command E(); }"
    old, new = load_schema(schema(text)), load_schema(schema(text))
    [service] = [
        one for one in new.schema.roots[0].declarations if isinstance(one, Service)
    ]
    observed = observe(old, new, service.commands[1:2])
    assert [one.trial.caller.name for one in observed] == ["D", "D"]
    assert observe(old, new, ()) == []


def test_the_log_is_as_it_was() -> None:
    logger = logging.getLogger("ampgen")
    before = list(logger.handlers), logger.propagate, logger.level
    run("service S { command C(); }", "service S { command C(a: int); }")
    assert (list(logger.handlers), logger.propagate, logger.level) == before


# --- what is shown --------------------------------------------------------------------


def shown(old: str, new: str) -> list[str]:
    one, other = load_schema(schema(old)), load_schema(schema(new))
    changes = compare(one.schema, other.schema)
    return [line for proof in prove(one, other, changes) for line in lines(proof)]


def test_a_stream_is_shown_with_its_items_and_what_comes_of_them() -> None:
    text = "error E; service S { command C(a: int) -> stream int raises E; }"
    told = shown(text, text.replace("stream int", "stream date"))
    assert told[0] == "server first: an old client calls a new server"
    assert told[1] == '  S.C {"a":7}'
    assert '  the server yields ["2026-01-31"]' in told
    assert "  DecodeError: C: item: an int is written -?[0-9]+" in told
    assert sum(line.startswith("  answer, ") for line in told) >= 2


def test_an_error_is_shown_with_its_fields() -> None:
    text = 'error E "E" { limit: int?; } service S { command C() raises E; }'
    told = shown(text, text.replace('"E"', '"NEW"'))
    assert '  the server raises E {"limit":7}' in told
    assert "  the caller does not know the code: RemoteError: NEW: as declared" in told


def test_who_calls_whom_is_told_of_what_is_called_back() -> None:
    text = "service E { command N(); } service S calls E { command C(); }"
    told = shown(text, text.replace("N()", "N(a: int)"))
    assert told[0] == "server first: a new server calls an old client"
    assert "  the client returns nothing" in told


def test_long_values_and_long_boxes_are_cut() -> None:
    text = "service S { command C(a: str); }"
    told = shown(text, text.replace("a: str", "a: large str"))
    assert any("… (70,0" in line and len(line) < 400 for line in told)
    assert "    …" in told


def test_a_change_that_no_call_shows_is_said_to_be_one() -> None:
    text = "service S { command C(a: fd); }"
    assert shown(text, "service S { }") == [
        "server first: not shown, by none of the calls that were tried"
    ]


def test_a_schema_that_has_no_code_in_python_is_not_run() -> None:
    with pytest.raises(SchemaError, match="would both be"):
        load_schema(schema("struct SClient { } service S { }"))


def test_a_oneway_call_is_shown_with_its_own_boxes_and_why_it_was_dropped() -> None:
    text = "service S { oneway command C(a: int, b: str, c: str); }"
    observed = run(text, text.replace("b: str, c: str", "b: date, c: date"))
    refused = [one for one in observed if one.course.arguments is None]
    assert len(refused) > 10
    for one in refused:
        assert [box.pairs[b"_command"] for box in one.sent] == [b"C"]
        assert one.came == ()
        assert one.course.refused.startswith("C: ")
    taken = next(one for one in run(text, text) if one.course.arguments is not None)
    assert len(taken.sent) == 1
    assert taken.came == ()


def test_a_call_that_another_change_breaks_proves_nothing() -> None:
    text = """
        enum Level { LOW; HIGH; }
        service S { command C(first: int, @wire("level.1") level: Level, last: bool?); }
    """
    new = text.replace("first: int", "first: date").replace("HIGH;", "HIGH; MAX;")
    told = "\n".join(shown(text, new))
    assert "InvalidArgument (INVALID_ARGUMENT): C: first: a date is written" in told
    # no call gets so far that its level is read
    assert told.count("client first: not shown, by none of the calls") == 1
    assert "none of Level's" not in told


def test_each_of_several_changes_is_shown_by_a_call_of_its_own() -> None:
    # of both together Twisted tells of the one, and our own end of the other
    text = 'service S { command C(a: int, @wire("p.1") p: int?, b: int?); }'
    told = shown(text, text.replace("int?", "date?"))
    assert [line for line in told if line.startswith("  S.C")] == [
        '  S.C {"a":7,"p":7}',
        '  S.C {"a":7,"p":"2026-01-31"}',
        '  S.C {"a":7,"b":7}',
        '  S.C {"a":7,"b":"2026-01-31"}',
    ]
    for key in ("p.1", "b"):
        refused = f"InvalidArgument (INVALID_ARGUMENT): C: {key}: an int is written"
        assert sum(refused in line for line in told) == 1


def test_what_has_changed_is_shown_among_any_number_of_other_fields() -> None:
    fields = " ".join(f"f{number}: str?;" for number in range(60))
    text = f"""
        enum Level {{ LOW; HIGH; }}
        struct Wide {{ {fields} level: Level?; }}
        service S {{ command C(many: {{str: [Wide]}}) -> [Wide]; }}
    """
    told = shown(text, text.replace("HIGH;", "HIGH; MAX;"))
    assert any("none of Level's LOW, HIGH" in line for line in told)
    assert not any("not shown" in line for line in told)


def test_a_command_is_tried_once_however_many_services_have_it() -> None:
    text = "service A { command C(); } service B extends A { } service D extends B { }"
    assert len(run(text, text)) == 2
    alone = "service A { command C(); } service B { } service D extends B { }"
    observed = run(text, alone)
    assert (Part.COMMAND, Wire.FAILS) in found(observed, Rollout.SERVER_FIRST)


@pytest.mark.parametrize(
    ("path", "nearness"),
    [
        ("", Nearness.NEAR),
        ("p.1", Nearness.NEAR),
        ("p.1[3].price", Nearness.SAME),
        ("p.1[3][2].price.unit", Nearness.SAME),
        ("p.1.name", Nearness.NEAR),
        ("p.1[3].prices", Nearness.NEAR),
        ("p", Nearness.OTHER),
        ("p.11", Nearness.OTHER),
        ("q.price", Nearness.OTHER),
    ],
)
def test_a_path_is_held_against_the_place_of_a_change(
    path: str, nearness: Nearness
) -> None:
    assert nearness_of(path, [("p.1", "price")]) is nearness
    assert nearness_of(path, []) is Nearness.NEAR


def test_no_call_fails_because_it_takes_its_time_here() -> None:
    text = "service S { @timeout(1ms) command C(timeout: int) -> large str; }"
    observed = run(text, text)
    assert observed
    assert not any(b"_timeout" in box.pairs for one in observed for box in one.sent)
    assert all(one.wire() is Wire.SAFE for one in observed)
