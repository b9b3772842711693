"""Files of examples: what they say, and what is said of those that are wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.model import Service
from ampgen.tools.memory import load_schemas
from ampgen.tools.mock.examplefiles import ExamplesError, read_examples
from ampgen.tools.mock.examples import Raised

if TYPE_CHECKING:
    from ampgen.tools.mock.examples import Example, Examples

LOADED = load_schemas([Path(__file__).with_name("mocked.amp")])
DESK = next(
    one
    for one in LOADED.schema.roots[0].declarations
    if isinstance(one, Service) and one.name == "Desk"
)
COMMANDS = {command.name: command for command in DESK.all_commands()}
FOUND = {"name": "a", "level": "high", "price": "1.50", "token": "t"}


def read(folder: Path, content: Any, name: str = "x.json") -> Examples:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
    return read_examples(path, LOADED, [DESK])


def find(examples: Examples, command: str, **arguments: Any) -> Example | None:
    fields = [one.name for one in COMMANDS[command].arguments if not one.stream]
    given = dict.fromkeys(fields) | arguments
    return examples.find(COMMANDS[command], given)


def test_the_first_example_that_fits_is_taken(tmp_path: Path) -> None:
    made: Any = LOADED.modules[LOADED.schema.roots[0]]
    examples = read(
        tmp_path,
        {
            "Desk.Find": [
                {"arguments": {"name": "a", "level": "low"}, "result": FOUND},
                {"arguments": {"limit": None, "name": "b"}, "error": "REFUSED"},
                {"arguments": {"limit": 7}, "error": {"name": "Broken"}},
            ],
            "List": [{"items": [{"level": "low", "number": 1}], "error": "Refused"}],
            "Desk.Ping": [{"result": "a"}],
            "Nothing": [{"arguments": {"text": "a"}}, {"error": "OVERLOADED"}],
            "Log": [{}],
        },
    )
    low, high = made.Level.LOW, made.Level.HIGH
    one = find(examples, "Find", name="a", level=low, limit=7)
    assert one is not None
    assert one.result == FOUND
    other = find(examples, "Find", name="a", level=high, limit=7)
    assert other is not None
    assert other.error == Raised("Broken", "", 1)
    third = find(examples, "Find", name="b", level=high)
    assert third is not None
    assert third.error == Raised("REFUSED", "", 0)
    assert find(examples, "Find", name="c", level=low, limit=8) is None
    streamed = find(examples, "List")
    assert streamed is not None
    assert streamed.items == ({"level": "low", "number": 1},)
    assert streamed.error == Raised("REFUSED", "", 0)
    inherited = find(examples, "Ping")
    assert inherited is not None
    assert inherited.result == "a"
    nothing = find(examples, "Nothing", text="b")
    assert nothing is not None
    assert nothing.error == Raised("OVERLOADED", "")
    assert find(examples, "Render", page="a") is None


def test_the_same_in_toml(tmp_path: Path) -> None:
    text = """
        [["Desk.Find"]]
        arguments = {name = "ä"}
        result = {name = "a", level = "high", price = "1.5", token = "t", note = "n"}

        [["Desk.Find"]]
        error = {code = "REFUSED", description = "no", fields = {limit = 3}}

        [["Desk.List"]]
        items = [{level = "low", number = 1}, {level = "high", number = 2}]
    """
    examples = read(tmp_path, text, "x.toml")
    one = find(examples, "Find", name="ä")
    assert one is not None
    assert isinstance(one.result, dict)
    assert Decimal(str(one.result["price"])) == Decimal("1.5")
    other = find(examples, "Find", name="b")
    assert other is not None
    assert other.error == Raised("REFUSED", "no", 0, {"limit": 3})
    streamed = find(examples, "List")
    assert streamed is not None
    assert len(streamed.items) == 2


def test_values_that_json_does_not_have(tmp_path: Path) -> None:
    schema = tmp_path / "a.amp"
    schema.write_text(
        "service A { command B(at: datetime, day: date) -> (at: datetime, x: float); }"
    )
    loaded = load_schemas([schema])
    [service] = loaded.schema.roots[0].declarations
    assert isinstance(service, Service)
    text = """
        [["A.B"]]
        arguments = {at = 2026-01-31T23:59:58Z, day = 2026-01-31}
        result = {at = 2026-01-31T23:59:58+01:00, x = nan}
    """
    (tmp_path / "x.toml").write_text(text)
    read_examples(tmp_path / "x.toml", loaded, [service])


BAD: list[tuple[object, str]] = [
    ([], "expected an object, of commands"),
    ({"Desk.Fnd": []}, "no command `Desk.Fnd`; did you mean `Desk.Find`?"),
    ({"Events.Confirm": []}, "no command `Events.Confirm`; "),
    ({"Find": {}}, "Find: expected an array of examples"),
    ({"Find": [1]}, "Find[0]: expected an object"),
    ({"Find": [{"resutl": {}}]}, "Find[0]: no key `resutl`; did you mean `result`?"),
    (
        {"Find": [{}]},
        "Find[0]: nothing is said to come of it: give `result` or an `error`",
    ),
    ({"List": [{}]}, "List[0]: nothing is said to come of it: give `items` or an"),
    ({"List": [{"result": 1}]}, "List[0]: List answers a stream: give `items`"),
    ({"Find": [{"items": []}]}, "Find[0]: Find answers no stream: give a `result`"),
    (
        {"Find": [{"result": FOUND}, {"result": FOUND, "error": "REFUSED"}]},
        "Find[1]: a call has a `result` or an `error`: give one of them",
    ),
    ({"Log": [{"error": "REFUSED"}]}, "Log[0]: Log is oneway"),
    (
        {"Find": [{"arguments": {"nme": 1}, "result": FOUND}]},
        "Find[0].arguments: no key `nme`; did you mean `name`?",
    ),
    (
        {"Find": [{"arguments": {"name": 1}, "result": FOUND}]},
        "Find[0].arguments.name: expected a string, got a number",
    ),
    (
        {"Find": [{"arguments": {"name": None}, "result": FOUND}]},
        "Find[0].arguments.name: expected a string, got null",
    ),
    (
        {"Sum": [{"arguments": {"numbers": []}, "result": 1}]},
        "Sum[0].arguments.numbers: a stream: examples are not chosen by its items",
    ),
    (
        {"Open": [{"arguments": {"log": 1}, "result": {"size": 1}}]},
        "Open[0].arguments.log: a descriptor: examples are not chosen by it",
    ),
    (
        {"Find": [{"result": {**FOUND, "price": True}}]},
        "Find[0].result.price: expected a string, got a boolean",
    ),
    (
        {"Find": [{"result": {**FOUND, "level": "hihg"}}]},
        "Find[0].result.level: not a value of Level; did you mean `high`?",
    ),
    (
        {"Find": [{"result": {**FOUND, "name": "x" * 65_536}}]},
        "Find[0].result.name: over 65,535 bytes, the most that a value holds",
    ),
    ({"Find": [{"result": {}}]}, "Find[0].result.name: required, and missing"),
    ({"Nothing": [{"result": 1}]}, "Nothing[0].result: Nothing answers nothing"),
    ({"Ping": [{"result": 1}]}, "Ping[0].result: expected a string, got a number"),
    ({"Ping": [{"result": "x" * 65_536}]}, "Ping[0].result: over 65,535 bytes"),
    ({"List": [{"items": {}}]}, "List[0].items: expected an array"),
    (
        {"List": [{"items": [{"level": "low", "number": 1}, {"level": "low"}]}]},
        "List[0].items[1].number: required, and missing",
    ),
    (
        {"Names": [{"items": ["a", "x" * 65_536]}]},
        "Names[0].items[1]: over 65,535 bytes",
    ),
    (
        {"Find": [{"error": "REFUSE"}]},
        "Find[0].error: no error of Find `REFUSE`; did you mean `REFUSED`?",
    ),
    ({"Ping": [{"error": "NOPE"}]}, "no error of Ping `NOPE`; there are INVALID_ARG"),
    ({"Ping": [{"error": {}}]}, "Ping[0].error: which error? Give its `code`, or its"),
    ({"Ping": [{"error": 1}]}, "Ping[0].error: expected an object"),
    (
        {"Find": [{"error": {"code": "REFUSED", "name": "Refused"}}]},
        "Find[0].error: which error?",
    ),
    (
        {"Find": [{"error": {"code": "REFUSED", "description": 1}}]},
        "Find[0].error: `code`, `name` and `description` are strings",
    ),
    (
        {"Find": [{"error": {"code": "REFUSED", "fields": {"limt": 1}}}]},
        "Find[0].error.fields: no field `limt`; did you mean `limit`?",
    ),
    (
        {"Find": [{"error": {"code": "REFUSED", "fields": {"why": "x" * 65_536}}}]},
        "Find[0].error.fields.why: over 65,535 bytes",
    ),
    (
        {"Find": [{"error": {"code": "OVERLOADED", "fields": {"a": 1}}}]},
        "Find[0].error.fields: OVERLOADED has no fields",
    ),
]


@pytest.mark.parametrize(("content", "said"), BAD)
def test_what_does_not_fit_the_schema(
    content: object, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ExamplesError) as raised:
        read(tmp_path, content)
    [reason] = raised.value.reasons
    assert reason.startswith(f"{tmp_path / 'x.json'}: ")
    assert said in reason


def test_every_mistake_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExamplesError) as raised:
        read(tmp_path, {"Nope": [], "Find": [{}, {"result": FOUND}, {"x": 1}]})
    assert len(raised.value.reasons) == 3


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.json", b'{\n  "a": [1,]}', "not JSON: "),
        ("x.json", b'{\n  "a": nope}', "(line 2, column 8)"),
        ("x.json", b'{"a": "', "Unterminated string starting (line 1, column 7)"),
        ("x.json", b'{"a": 1, "a": 2}', "a JSON object has one key twice"),
        ("x.json", b"\xff", "not UTF-8 at byte 0"),
        ("x.toml", b"a = ", "not TOML: Invalid value (at"),
        ("x.toml", b"a = '\xff'", "not UTF-8 at byte 5"),
        ("x.toml", b"a = " + b"[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_such_file(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ExamplesError) as raised:
        read(tmp_path, content, name)
    [reason] = raised.value.reasons
    assert said in reason


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ExamplesError) as raised:
        read_examples(tmp_path / "no.json", LOADED, [DESK])
    assert raised.value.reasons == (
        f"{tmp_path / 'no.json'}: No such file or directory",
    )
