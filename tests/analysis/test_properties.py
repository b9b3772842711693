"""Whatever is written, analysis says what is wrong with it and never fails itself."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ampgen.analysis import StandardInput, analyse

NAMES = ["A", "B", "C", "_D", "a.A", "x.B", "int", "str", "fd", "json", "stream"]
WORDS = """
struct enum union error service command oneway open fatal type import as extends calls
raises reserved large true false inf nan -> { } ( ) [ ] ; : , = ? @ @wire( @timeout(
@x.y "" "a" "a.2" "_a" 1 -2 1.5 2s /// //! /*
"""
TOKENS = [*WORDS.split(), *NAMES]

names = st.sampled_from(["A", "B", "C", "D", "_E"])
keys = st.sampled_from(["a", "b", "c", "_d"])


def types(depth: int = 2) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(NAMES)
    if depth == 0:
        return leaves
    inner = types(depth - 1)
    return st.one_of(
        leaves,
        inner.map("[{}]".format),
        st.tuples(inner, inner).map(lambda pair: f"{{{pair[0]}: {pair[1]}}}"),
        inner.map("{}?".format),
        st.tuples(st.sampled_from(["large", "stream"]), inner).map(" ".join),
    )


defaults = st.sampled_from(
    ["", "", " = 1", ' = "a"', " = []", " = [a]", " = {}", " = a"]
)
notes = st.sampled_from(
    ["", "", "", '@wire("a") ', "@timeout(2s) ", "@sensitive ", "@idempotent ", "@x.y "]
)
fields = st.tuples(notes, keys, types(), defaults).map(
    lambda parts: "{}{}: {}{}".format(*parts)
)
reserved = st.sampled_from(['reserved "a"', 'reserved "b", "a.2"'])
members = st.lists(st.one_of(fields, fields, reserved), max_size=4)
block = members.map(lambda found: " ".join(f"{member};" for member in found))
listed = members.map(", ".join)
enum_block = st.lists(keys, max_size=3).map(lambda f: " ".join(f"{m};" for m in f))


def clause(word: str) -> st.SearchStrategy[str]:
    return st.lists(names, max_size=2).map(
        lambda found: f" {word} {', '.join(found)}" if found else ""
    )


result = st.one_of(
    st.just(""),
    listed.map(" -> ({})".format),
    types().map(" -> {}".format),
    types().map(" -> a: {}".format),
)
command = st.tuples(
    notes,
    st.sampled_from(["", "oneway "]),
    names,
    listed,
    result,
    clause("raises"),
).map(lambda parts: "{}{}command {}({}){}{};".format(*parts))
service = st.tuples(
    names,
    clause("extends"),
    clause("calls"),
    st.lists(command, max_size=3).map(" ".join),
).map(lambda parts: "service {}{}{} {{ {} }}".format(*parts))
declaration = st.one_of(
    st.tuples(names, block).map(lambda p: "struct {} {{ {} }}".format(*p)),
    st.tuples(names, block).map(lambda p: "union {} {{ {} }}".format(*p)),
    st.tuples(names, block).map(lambda p: "error {} {{ {} }}".format(*p)),
    st.tuples(names, enum_block).map(lambda p: "enum {} {{ {} }}".format(*p)),
    st.tuples(names, types()).map(lambda p: "type {} = {};".format(*p)),
    service,
)
schemas = st.lists(declaration, max_size=6).map("\n".join)


def check(text: str) -> None:
    _, diagnostics = analyse([StandardInput("a.amp", text.encode())])
    for found in diagnostics:
        labels = [*found.related, *([found.primary] if found.primary else [])]
        for label in labels:
            assert 0 <= label.span.start <= label.span.end <= len(text)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=60).map(" ".join))
def test_no_run_of_tokens_breaks_analysis(text: str) -> None:
    check(text)


@settings(max_examples=200, deadline=None)
@given(schemas)
def test_no_schema_breaks_analysis(text: str) -> None:
    check(text)


@settings(max_examples=50, deadline=None)
@given(schemas)
def test_diagnostics_are_the_same_each_time(text: str) -> None:
    given_ = [StandardInput("a.amp", text.encode())]
    first = [(d.rule.code, d.message, d.help) for d in analyse(given_)[1]]
    assert first == [(d.rule.code, d.message, d.help) for d in analyse(given_)[1]]
