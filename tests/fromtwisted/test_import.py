"""What Twisted programs declare, as schemas."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ampgen import model, output
from ampgen.analysis import StandardInput, analyse
from ampgen.fromtwisted import Problem, import_schema
from ampgen.language.printer import canonical
from ampgen.pipeline import compile_schemas
from ampgen.targets.python.docstrings import prose
from tests.targets.python import hostile
from tests.targets.python.conftest import ROOT, SCHEMAS

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
LANGUAGE = ROOT / "tests" / "language" / "everything.amp"
SHOP = "tests.fromtwisted.shop"


def on_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    importlib.invalidate_caches()


def imported(*named: str, **options: Any) -> str:
    """The schema, which compiles, and is in its canonical form."""
    text, _ = import_schema(named, **options)
    compiled = compile_schemas([StandardInput("imported.amp", text.encode())])
    assert compiled.files is not None, compiled.diagnostics
    assert canonical(text) == text
    return text


# --- programs -------------------------------------------------------------------------


def test_a_module_with_all_there_is() -> None:
    text, notes = import_schema([SHOP])
    said = text + "".join(f"// note: {note}\n" for note in notes)
    expected = HERE / "shop.txt"
    assert said == expected.read_text(encoding="utf-8")
    assert imported(SHOP) == text


def test_names_may_be_kept() -> None:
    text = imported(SHOP, keep_names=True)
    assert "articleName: str" in text
    assert "command buy_later(" in text


def test_types_that_only_the_program_knows_are_told() -> None:
    types = {f"{SHOP}.Money": "decimal", f"{SHOP}.Shouted": "large str"}
    text, notes = import_schema([f"{SHOP}:Buy"], types=types)
    assert "total: decimal," in text
    assert "many: large [str]?" not in text  # it is the items that would be large
    assert "many: [str]?" in text
    assert not any("has become" in note for note in notes)


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("Till", ["service Till {"]),
        ("Manager", ["service Till {", "service Manager extends Till {"]),
        ("Customer", ["service Customer {"]),
        ("Ask", ["service Shop {"]),
        ("SOME", ["service Some {"]),
        ("TABLE", ["service Table {"]),
    ],
)
def test_what_is_named_is_taken(name: str, services: list[str]) -> None:
    lines = imported(f"{SHOP}:{name}").splitlines()
    assert [line for line in lines if line.startswith("service")] == services


def test_a_locator_that_is_there_is_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = importlib.import_module(SHOP)
    monkeypatch.setattr(shop, "made", shop.Customer(), raising=False)
    assert "service Customer {" in imported(f"{SHOP}:made")


def test_a_module_may_be_named_as_an_attribute() -> None:
    assert imported("tests.fromtwisted:shop") == imported(SHOP).split("\n\n", 1)[1]


def test_the_service_may_be_named() -> None:
    assert "service Store {" in imported(f"{SHOP}:SOME", service="Store")
    assert "service Store {" in imported(f"{SHOP}:Ask", service="Store")


def test_several_are_one_schema() -> None:
    text = imported(f"{SHOP}:Till", f"{SHOP}:Customer")
    assert text.count("struct Price") == 1
    assert '@wire("Ask")\n    command CustomerAsk() -> (text: str);' in text


def test_what_ships_with_twisted() -> None:
    here = "twisted.trial._dist"
    text = imported(f"{here}.workercommands", f"{here}.managercommands")
    assert (
        '    /// Run a test.\n    command Run(@wire("testCase") test_case: str) '
        "-> (success: bool);\n"
    ) in text
    manager = text.split("service Managercommands {")[1]
    assert manager.count("command ") == 7
    text = imported(f"{here}.worker")
    assert "service WorkerProtocol {" in text
    assert 'command StreamOpen() -> (@wire("streamId") stream_id: int);' in text


def test_ampoule() -> None:
    text, notes = import_schema(["ampoule.commands"])
    assert text == (
        "service Commands {\n"
        "    // In Twisted, the connection ends after its answer.\n"
        "    command Shutdown();\n"
        "\n"
        "    command Ping() -> (response: bytes);\n"
        "\n"
        "    command Echo(data: bytes) -> (response: bytes);\n"
        "}\n"
    )
    assert len(notes) == 1
    # the child's half of the pool
    assert "service AMPChild {" in imported("ampoule.child")


def test_streams_that_a_program_declares_by_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_path(ROOT / "docs" / "examples" / "streams", monkeypatch)
    text, notes = import_schema(["twisted_archive"])
    assert notes == ()
    assert text == (
        "//! A Twisted program that takes part in streams, with nothing but its own "
        "AMP.\n"
        "\n"
        "service TwistedArchive {\n"
        "    command Upload(name: str, items: stream bytes) -> (size: int);\n"
        "\n"
        "    command Tail(name: str) -> stream (number: int, line: str);\n"
        "}\n"
    )


STREAMS = """
from twisted.protocols import amp

STREAM = (b"_stream", amp.String())
class Tail(amp.Command):
    arguments = [STREAM, (b"_credit", amp.Integer())]
class Put(amp.Command):
    arguments = [STREAM]
class Send(amp.Command):
    commandName = b"Put._send"
    arguments = [STREAM, (b"other", amp.String())]
class Lost(amp.Command):
    commandName = b"Lost._item"
"""


def test_streams_without_their_parts_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half_streams.py").write_text(STREAMS)
    on_path(tmp_path, monkeypatch)
    text, notes = import_schema(["half_streams"])
    assert "command" not in text
    told = "\n".join(notes)
    assert "half_streams.Tail: left out: it streams, and there is no `Tail._" in told
    assert "half_streams.Put: left out: what it streams is not under the one" in told
    assert "half_streams.Lost: left out: its name `Lost._item` belongs to" in told


# --- what cannot be imported ----------------------------------------------------------

BROKEN = {
    "syntax": "def",
    "fails": "import json\njson.loads('nothing')\n",
    "leaves": "raise SystemExit('no')",
    "needs": "import nothing_of_the_kind\n",
    "empty": "from twisted.protocols import amp\nfrom twisted.protocols.amp import *\n",
}


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("no_such_module", "there is no module `no_such_module`; `--path DIR`"),
        ("tests.no_such_module", "there is no module `tests.no_such_module`"),
        ("no_such.module", "there is no module `no_such`"),
        ("calculator.py/x", "`calculator.py/x` is not the name of a module"),
        ("", "`` is not the name of a module"),
        ("syntax", "importing `syntax` failed: File"),
        ("fails", r"importing `fails` failed: json.*fails.py:2|json/decoder.py"),
        ("leaves", "importing `leaves` failed: SystemExit: no"),
        ("needs", "`needs` needs `nothing_of_the_kind`, which is not there"),
        ("empty", "`empty` has no Command classes"),
        ("empty:Nothing", "`empty` has no `Nothing`; it has no commands"),
        (f"{SHOP}:Bui", "has no `Bui`; did you mean `Buy`?"),
        (f"{SHOP}:buylater", "has no `buylater`; did you mean `buy_later`?"),
        (f"{SHOP}:Elsewhere", "has no `Elsewhere`; it has `Buy`, .* and others"),
        (f"{SHOP}:NOTHING", "NOTHING` is empty"),
        (f"{SHOP}:NUMBERS", "NUMBERS` holds 1, which is no Command class"),
        (f"{SHOP}:__name__", "should be a Command, a list of them, or a class that"),
        (f"{SHOP}:Money", "should be a Command, a list of them, or a class that"),
        (f"{SHOP}:Buy.commandName.nothing", "has no `Buy.commandName.nothing`"),
    ],
)
def test_a_problem_is_told(
    named: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in BROKEN.items():
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
    on_path(tmp_path, monkeypatch)
    with pytest.raises(Problem, match=told):
        import_schema([named])


# --- there and back -------------------------------------------------------------------


@pytest.mark.parametrize(
    "schemas",
    [
        *([path] for path in SCHEMAS),
        [LANGUAGE],
        [StandardInput("names.amp", hostile.schema().encode())],
    ],
    ids=lambda schemas: Path(str(getattr(schemas[0], "name", schemas[0]))).stem,
)
def test_what_was_made_of_a_schema_gives_it_back(
    schemas: list[Path | StandardInput], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = compile_schemas(schemas, target="twisted")
    assert compiled.files is not None
    package = f"back_{tmp_path.name}"
    output.write(tmp_path / package, compiled.files)
    on_path(tmp_path, monkeypatch)
    [schema], _ = [analyse(schemas)[0]], None
    assert schema is not None
    [root] = schema.roots
    module = ".".join((package, *root.path))
    text, notes = import_schema([module], keep_names=True)
    assert notes == ()
    again, found = analyse([StandardInput("again.amp", text.encode())])
    assert again is not None
    assert found == ()
    before, after = described(schema), described(again)
    reached = {name for name in before if name in after}
    assert {name: before[name] for name in reached} == after
    services = (d.name for m in schema.modules for d in m.declarations)
    used = {d.name for d in root.declarations if isinstance(d, model.Service)}
    assert used <= after.keys() & set(services)
    # its package alone, which has nothing but what it takes from its modules
    text, notes = import_schema([package], keep_names=True)
    assert notes == ()
    whole, found = analyse([StandardInput("whole.amp", text.encode())])
    assert whole is not None
    assert found == ()
    assert described(whole) == after


def described(schema: model.Schema) -> dict[str, Any]:
    """All that comes back: not the fields of errors, nor the docs of fields, nor
    annotations but `@wire`, nor `reserved`, nor names beside `@wire`; a bare result has
    its key, and the stream of arguments comes last.
    """
    found: dict[str, Any] = {}
    for module in schema.modules:
        for declaration in module.declarations:
            match declaration:
                case model.Enum():
                    members = [(one.name, one.value) for one in declaration.members]
                    found[declaration.name] = declaration.open, members
                case model.Struct():
                    found[declaration.name] = [*map(_field, declaration.fields)]
                case model.Union():
                    found[declaration.name] = [*map(_field, declaration.members)]
                case model.Error():
                    found[declaration.name] = declaration.code, declaration.fatal
                case model.Service():
                    found[declaration.name] = [*_service(declaration)]
                case _:
                    continue
            if _has_docs(declaration):
                doc = prose(declaration.notes.doc, declaration.notes.deprecated)
                found[declaration.name] = doc.expandtabs(4), found[declaration.name]
    return found


def _has_docs(declaration: Any) -> bool:
    """A box whose keys cannot be attributes has no docstring in Twisted."""
    return not isinstance(declaration, model.Struct | model.Union)


def _service(service: model.Service) -> Iterator[Any]:
    yield [base.name for base in service.extends], [one.name for one in service.calls]
    for command in service.commands:
        arguments = [one for one in command.arguments if not one.stream]
        sent = [one for one in command.arguments if one.stream]
        result = command.result
        yield (
            command.name,
            command.wire,
            command.oneway,
            [*map(_field, arguments)],
            [(_type(one.type), one.large) for one in sent],
            None if result is None else (result.stream, [*map(_field, result.fields)]),
            [error.code for error in command.errors],
        )


def _field(field: model.Field) -> Any:
    default = _default(field.default)
    optional, large = field.optional, field.large
    return field.key, _type(field.type), optional, default, large


def _default(default: model.Default | None) -> Any:
    match default:
        case model.MemberValue(member):
            return member.value
        case model.ListValue(items):
            return [*map(_default, items)]
        case _:
            return repr(default)  # nan is nan


def _type(type_: model.Type) -> Any:
    match type_:
        case model.ScalarType(scalar):
            return str(scalar)
        case model.ListType(item):
            return [_type(item)]
        case model.MapType(key, value):
            return {"key": _type(key), "value": _type(value)}
        case _:
            return type_.name
