"""What the generated classes are, and that calls go through them."""

# Deprecated things are used here on purpose, and handlers take whatever comes.
# pyright: reportDeprecated=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

import copy
import dataclasses
import datetime
import decimal
import importlib
import inspect
import keyword
import math
import pickle
import sys
import typing
import uuid
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import AsyncMock, create_autospec

import pytest

from ampgen import output
from ampgen.pipeline import compile_schemas
from ampgen.runtime import EncodeError, InternalError, Stream
from ampgen.runtime.wire import write_box
from tests.targets.python import hostile
from tests.targets.python.conftest import EDGES, ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.targets.python.conftest import Compiling

sys.path.insert(0, str(ROOT))
try:
    from generated_example import everything as ours
    from generated_example.common import audit, geo
finally:
    sys.path.remove(str(ROOT))

NODE = ours.Node(
    name="a", children=[ours.Node(name="b")], named={"c": ours.Node(name="d")}
)
SCALARS = ours.Scalars(
    truth=True,
    whole=10**400,
    real=0.1,
    text="é\0",
    raw=b"\xff",
    exact=decimal.Decimal("1.50"),
    moment=datetime.datetime(2026, 1, 31, 23, 59, 58, 1, datetime.UTC),
    day=datetime.date(2026, 1, 31),
    span=datetime.timedelta(days=-1, microseconds=1),
    id=uuid.UUID(int=7),
    any={"a": [1, None, {"b": 1.5}]},
    file=Path("a/b"),
)
NESTED = ours.Nested(
    flat=[1, -2],
    deep=[[["a"], []], []],
    points=[geo.Point(x=1.0, y=math.inf)],
    rows=[[geo.Point(x=1.0, y=2.0)], []],
    targets=[
        ours.TargetPath("p"),
        ours.TargetMany([ours.TargetLevel(ours.Level.LOUD)]),
    ],
    anything=[None, 1, "a", [], {}],
    by_name={"b": 1, "a": 2},
    by_number={-1: geo.Point(x=0.0, y=0.0)},
    by_id={uuid.UUID(int=1): ["a"]},
    by_region={ours.Region.EU: {"x": ours.TargetPath("y")}, "mars": {}},
    maps=[{"a": None}, {}],
)
VALUES: list[Any] = [SCALARS, NODE, NESTED, ours.MaybeScalars(), ours.TargetPath("x")]


class Everything(ours.EverythingServer):
    """Answers what it was asked, and keeps it."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def _echo(self, value: Any) -> Any:
        self.seen.append(value)
        return value

    echo_scalars = echo_maybe = echo_defaults = echo_nested = echo_node = _echo
    echo_target = _echo

    def maybe(self, text: str | None) -> str | None:
        self.seen.append(text)
        return text

    def upper(self, text: str) -> str:
        return text.upper()

    def history(self, limit: int) -> list[audit.Entry]:
        return []

    def echo_scalar_arguments(self, *values: Any) -> ours.EchoScalarArgumentsResult:
        names = ours.EchoScalarArgumentsResult.__slots__
        return ours.EchoScalarArgumentsResult(**dict(zip(names, values, strict=True)))

    def arguments(self, *values: Any) -> ours.ArgumentsResult:
        self.seen.append(values)
        return ours.ArgumentsResult(text="t", count=None)

    def sort(self, numbers: list[float], by: dict[str, int]) -> tuple[float, ...]:
        self.seen.append((numbers, by))
        return tuple(sorted(numbers))

    def render(self, page: str, *values: Any) -> ours.RenderResult:
        self.seen.append((page, *values))
        return ours.RenderResult(
            page=page.encode(), node=NODE, target=ours.TargetPath(page), count=None
        )

    def copy(self, text: str | None) -> str | None:
        return text

    async def touch(self, target: ours.Target) -> None:
        self.seen.append(target)

    async def fail(self, how: str) -> None:
        if how == "fatal":
            raise ours.Corrupt("gone")
        raise ours.Rejected(
            "no", reason=how, code_=3, hints=["a"], levels={"x": ours.Level.LOUD}
        )

    def log(self, level: ours.Level, line: str, entry: audit.Entry | None) -> None:
        self.seen.append((level, line, entry))

    def upper_case(
        self, key: str, digit: int | None, lower: str
    ) -> ours.UpperCaseResult:
        return ours.UpperCaseResult(answer=f"{key}{digit}", zebra=lower)

    async def follow(self, file: Path, from_: int) -> AsyncIterator[ours.FollowItem]:
        self.seen.append((file, from_))
        yield ours.FollowItem(line="a")
        yield ours.FollowItem(line="b", at=SCALARS.moment, level=ours.Level.LOUD)
        raise ours.Rejected("no more", reason="the end")

    async def count(self, to: int) -> AsyncIterator[int]:
        for number in range(to):
            yield number

    async def walk(self, root: ours.Node) -> AsyncIterator[ours.Node]:
        yield root
        for child in root.children:
            yield child

    async def store(
        self, name: str, chunks: Stream[bytes], overwrite: bool
    ) -> ours.StoreResult:
        self.seen.append((name, overwrite))
        return ours.StoreResult(size=sum([len(chunk) async for chunk in chunks]))

    async def import_(self, entries: Stream[audit.Entry]) -> None:
        self.seen += [entry async for entry in entries]

    async def translate(
        self, words: Stream[list[str]], to: ours.Region | str
    ) -> AsyncIterator[list[str]]:
        async for some in words:
            yield [f"{word} ({to})" for word in some]

    async def old_upper(self, text: str) -> ours.OldUpperResult:
        await self.watcher.progress(1, 2)
        return ours.OldUpperResult(again=str(await self.watcher.confirm(text)))

    def connect_(self, self_: int, import_: str) -> ours.ConnectResult:
        return ours.ConnectResult(class_=import_, self_=self_)


class Watcher(ours.WatcherServer):
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def progress(self, done: int, total: int) -> None:
        self.seen.append((done, total))

    def confirm(self, question: str) -> bool:
        return question == "sure?"


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_pickle_and_copy(value: Any) -> None:
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(value, protocol)) == value
    assert copy.deepcopy(value) == value
    assert copy.copy(value) == value


@pytest.mark.parametrize("name", ours.__all__)
def test_hints_can_be_asked_for_at_run_time(name: str) -> None:
    made = getattr(ours, name)
    if isinstance(made, type):
        typing.get_type_hints(made)
        for attribute, value in vars(made).items():
            if inspect.isfunction(value) and not attribute.startswith("_"):
                typing.get_type_hints(value)


def test_a_client_has_a_stand_in_for_tests_of_those_who_use_it() -> None:
    client = create_autospec(ours.EverythingClient, instance=True)
    assert isinstance(client.upper, AsyncMock)
    with pytest.raises(TypeError, match="txet"):
        client.upper("x", txet="x")


def test_a_field_is_changed_in_a_copy() -> None:
    assert dataclasses.replace(NODE, name="z").children == NODE.children


def test_structs_are_frozen_slotted_and_keyword_only() -> None:
    with pytest.raises(AttributeError):
        NODE.name = "b"  # type: ignore[misc]
    with pytest.raises(TypeError):
        ours.Node("a")  # type: ignore[call-arg]
    assert not hasattr(NODE, "__dict__")


def test_defaults_are_the_schemas_and_nobodys_else() -> None:
    one, two = ours.Defaults(), ours.Defaults()
    assert (one.truth, one.whole, one.real, one.text) == (
        True,
        -5,
        1e100,
        'it\'s "so"\n',
    )
    assert (one.most, one.least) == (math.inf, -math.inf)
    assert math.isnan(one.none)
    assert (one.level, one.region) == (ours.Level.INFO, ours.Region.EU)
    assert (one.more, one.levels) == (["a", "b"], [ours.Level.DEBUG, ours.Level.LOUD])
    assert (one.grid, one.scores) == ([[1, 2], []], {})
    one.more.append("c")
    one.scores["x"] = 1.0
    assert (two.more, two.scores) == (["a", "b"], {})


def test_sensitive_fields_are_not_shown() -> None:
    author = ours.Author(id=1, name="n", password="hush")
    assert "hush" not in repr(author)
    error = ours.Rejected("no", secret="hush")
    assert "hush" not in f"{error!r} {error}"


def test_errors_pickle_with_their_fields() -> None:
    error = ours.Rejected(
        "no", reason="r", code_=2, hints=["h"], author=ours.Author(id=1, name="n")
    )
    again = pickle.loads(pickle.dumps(error))
    assert isinstance(again, ours.Rejected)
    assert vars(again) == vars(error)
    assert (again.code, again.description, again.code_) == ("REJECTED", "no", 2)


def test_members_that_strings_have_get_an_underscore() -> None:
    assert ours.Level.title_.value == "title"
    assert ours.Level("title") is ours.Level.title_


def test_docs_are_docstrings_with_what_may_be_raised() -> None:
    doc = inspect.getdoc(ours.EverythingClient.arguments) or ""
    assert doc.startswith("Optional and default arguments; a required one behind them")
    assert "    last: Keyword-only in Python." in doc
    assert "Raises:\n    Rejected: Every field of an error is optional" in (
        inspect.getdoc(ours.EverythingClient.fail) or ""
    )
    assert (ours.__doc__ or "").endswith('\\ and """ and a tab and "quotes".\n')


def test_only_what_follows_an_optional_argument_is_keyword_only() -> None:
    parameters = inspect.signature(ours.EverythingClient.arguments).parameters
    by_name = [p.name for p in parameters.values() if p.kind is p.KEYWORD_ONLY]
    assert by_name == ["last", "timeout", "metadata"]
    handler = inspect.signature(ours.EverythingServer.arguments).parameters.values()
    assert all(
        p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD for p in handler
    )
    assert [p.name for p in handler][-2:] == ["last", "timeout_"]


@pytest.mark.parametrize(
    ("method", "value"),
    [
        ("echo_scalars", SCALARS),
        ("echo_maybe", ours.MaybeScalars()),
        (
            "echo_maybe",
            ours.MaybeScalars(truth=False, whole=0, text="", raw=b"", any=0),
        ),
        ("echo_nested", NESTED),
        ("echo_node", NODE),
        ("echo_target", ours.TargetAuthor(ours.Author(id=1, name="x", mail="m"))),
        ("echo_target", ours.TargetMany([])),
        ("maybe", None),
        ("maybe", ""),
    ],
)
async def test_values_go_through_a_call(method: str, value: Any) -> None:
    service = Everything()
    async with ours.EverythingClient.local(service) as client:
        assert await getattr(client, method)(value) == value
    assert service.seen == [value]


async def test_defaults_go_through_a_call() -> None:
    async with ours.EverythingClient.local(Everything()) as client:
        answer = await client.echo_defaults(ours.Defaults(none=0.0))
    assert answer == ours.Defaults(none=0.0)


async def test_arguments_go_by_position_and_by_name() -> None:
    service = Everything()
    async with ours.EverythingClient.local(service) as client:
        await client.arguments("a", last="z")
        await client.arguments(
            "a", 2, ("x",), ours.Level.INFO, (3,), {"s": 1}, last="z"
        )
        with pytest.raises(EncodeError, match="third"):
            await client.arguments("a", third="xyz", last="z")
        with pytest.raises(EncodeError, match="value"):
            await client.echo_node(SCALARS)  # type: ignore[arg-type]
    assert service.seen == [
        ("a", 1, None, ours.Level.LOUD, [1, 2], {}, "z", None),
        ("a", 2, ["x"], ours.Level.INFO, [3], {"s": 1.0}, "z", None),
    ]


async def test_every_other_construct_goes_through_a_call() -> None:
    service, watcher = Everything(), Watcher()
    async with ours.EverythingClient.local(service, watcher=watcher) as client:
        assert await client.sort([2, 1.5]) == [1.5, 2.0]
        assert await client.history() == []
        await client.touch(ours.TargetPath("p"))
        await client.log(ours.Level.LOUD, "x")
        upper = await client.upper_case("k", 1, lower="l")
        assert (upper.answer, upper.zebra) == ("k1", "l")
        assert await client.connect_(1, "c") == ours.ConnectResult(class_="c", self_=1)
        fields = {name: getattr(SCALARS, name) for name in type(SCALARS).__slots__}
        answer = await client.echo_scalar_arguments(**fields)
        assert {name: getattr(answer, name) for name in fields} == fields
        with pytest.warns(DeprecationWarning, match="use Upper"):
            old = await client.old_upper("sure?")
        assert old == ours.OldUpperResult(again="True")
        with pytest.raises(ours.Rejected, match="no") as caught:
            await client.fail("why")
        error = caught.value
        assert (error.reason, error.code_, error.hints) == ("why", 3, ["a"])
        assert (error.levels, error.author) == ({"x": ours.Level.LOUD}, None)
        with pytest.raises(ours.Corrupt, match="gone"):
            await client.fail("fatal")
    assert watcher.seen == [(1, 2)]


async def test_large_values_go_through_a_call() -> None:
    service = Everything()
    page = "é" * 100_000
    async with ours.EverythingClient.local(service) as client:
        with pytest.raises(EncodeError, match=r"target\.path: over 65,535 bytes"):
            await client.touch(ours.TargetPath(page))
        index = {str(number): number for number in range(20_000)}
        parts = [ours.Node(name=name) for name in index]
        with pytest.raises(InternalError):  # what is inside of a value has its limit
            await client.render(page, any=None)
        answer = await client.render("a", 1, "", parts, index, any=[page])
        assert answer.page == b"a"
        assert service.seen.pop() == ("a", 1, "", parts, index, [page])
        assert await client.copy(page) == page
        assert await client.copy() is None


async def test_streams_go_through_calls() -> None:
    service = Everything()
    async with ours.EverythingClient.local(service) as client:
        lines: list[ours.FollowItem] = []

        async def follow() -> None:
            async for line in client.follow("a/b", 7):
                lines.append(line)  # noqa: PERF401  # what came before the error counts

        with pytest.raises(ours.Rejected) as caught:
            await follow()
        assert lines == [
            ours.FollowItem(line="a"),
            ours.FollowItem(line="b", at=SCALARS.moment, level=ours.Level.LOUD),
        ]
        assert caught.value.reason == "the end"
        assert [number async for number in client.count(3)] == [0, 1, 2]
        assert [node async for node in client.walk(NODE)] == [NODE, *NODE.children]
        stored = await client.store("x", (b"ab", b"", b"c"), overwrite=True)
        assert stored == ours.StoreResult(size=3)
        entry = audit.Entry(at=SCALARS.moment, who="me")
        await client.import_([entry])
        words = client.translate([("a", "b"), ()], to="mars")
        assert [some async for some in words] == [["a (mars)", "b (mars)"], []]
    assert service.seen == [(Path("a/b"), 7), ("x", True), entry]


async def test_a_handler_of_before_an_optional_argument_is_called_without_it() -> None:
    class Older(Everything):
        def sort(self, numbers: list[float]) -> tuple[float, ...]:  # type: ignore[override]
            return tuple(numbers)

    async with ours.EverythingClient.local(Older()) as client:
        assert await client.sort([2]) == [2.0]
        assert await client.sort([2], {"new": 1}) == [2.0]


async def test_an_answer_of_another_class_does_not_leave_the_server() -> None:
    class Wrong(Everything):
        def connect_(self, self_: int, import_: str) -> Any:
            return ours.OldUpperResult(again="x")

    async with ours.EverythingClient.local(Wrong()) as client:
        with pytest.raises(InternalError):
            await client.connect_(1, "c")


def test_a_handler_that_is_missing_is_noticed_when_the_object_is_made() -> None:
    class Half(ours.WatcherServer):
        def progress(self, done: int, total: int) -> None: ...

    with pytest.raises(TypeError, match="confirm"):
        Half()  # type: ignore[abstract]


def test_services_are_real_subclasses_in_the_declared_order() -> None:
    assert ours.RootClient.__bases__ == (ours.OperatorClient, ours.JanitorClient)
    assert ours.RootServer.__bases__ == (ours.OperatorServer, ours.JanitorServer)
    assert issubclass(ours.EverythingServer, audit.AuditedServer)


def test_using_deprecated_classes_warns_nobody_at_run_time() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours.Writer(name="x")


def test_a_schema_of_classes_declared_after_their_use_is_made(load: Compiling) -> None:
    module = load(
        "service B extends A { command Two(); } service A { command One(); }"
        "struct S { e: E = X; t: [T] = []; u: U?; } struct T { s: S?; } enum E { X; }"
        "union U { s: S; }"
    )
    assert module.S().e is module.E.X
    assert issubclass(module.BClient, module.AClient)


def test_a_value_that_goes_on_in_another_key_is_refused_not_cut(
    load: Compiling,
) -> None:
    module = load(
        'struct One { a: str; b: str; } struct Two { a: str; @wire("a.2") b: str; }'
        "service S { command Put(one: One?, two: Two?, text: str?); }"
    )
    [(put, _name)] = module.SServer.__ampgen_commands__
    full, pieces = b"x" * 65_535, {b"a": b"x" * 65_535, b"a.2": b"x"}
    one, two = module.One(a="x" * 65_535, b=""), module.Two(a="x" * 65_535, b="x")

    def refused(box: dict[bytes, bytes]) -> str:
        with pytest.raises(ValueError, match="over 65,535 bytes: ") as raised:
            put.read_arguments(write_box(box), 0, 64)
        return str(raised.value)

    assert module._read_One(write_box({b"a": full, b"b": b""}), 0, 64)[0] == one
    with pytest.raises(ValueError, match=r"a: over 65,535 .* `a\.2` holds the rest"):
        module._read_One(write_box({**pieces, b"b": b""}), 0, 64)
    assert module._read_Two(write_box(pieces), 0, 64)[0] == two
    backwards = write_box({b"a.2": b"x"})[:-2] + write_box({b"a": full})
    assert module._read_Two(backwards, 0, 64)[0] == two
    assert refused({b"text": full, b"text.2": b""}).startswith("text: ")
    unknown = {b"later": full, b"later.2": b"x", b"text": b"y", b"text.2": b""}
    assert put.read_arguments(write_box(unknown), 0, 64)[0] == (None, None, "y")


class Text(str):
    """It and the next two say of themselves what is not so."""

    __slots__ = ()

    def encode(self, *_args: str) -> bytes:
        return b"7"


class Whole(int):
    def __repr__(self) -> str:
        return "7"

    def __index__(self) -> int:
        return 7


class Real(float):
    def __repr__(self) -> str:
        return "7"


HELD = "a secret"


ALIKE: list[tuple[str, Any, bytes | str]] = [
    ("i", Whole(-5), b"-5"),
    ("i", True, "expected an int, got bool"),
    ("i", 1.0, "expected an int, got float"),
    ("i", HELD, "expected an int, got str"),
    ("i", 10**5000, "an int of too many digits"),
    ("f", Real(2.5), b"2.5"),
    ("f", Whole(2), b"2.0"),
    ("f", True, "expected a float, got bool"),
    ("f", HELD, "expected a float, got str"),
    ("f", 10**400, "an int beyond the range of a float"),
    ("s", Text("é"), "é".encode()),
    ("s", ours.Region.EU, b"eu"),
    ("s", HELD.encode(), "expected a str, got bytes"),
    ("s", HELD + "\ud800", "a lone surrogate at 8"),
    ("s", None, "expected a str, got NoneType"),
    ("s", "x" * 256, b"x" * 256),
    ("s", HELD * 8192, "over 65,535 bytes, the most that a value holds: this one has"),
]


def test_what_is_only_like_a_value_is_written_as_one_or_refused_in_so_many_words(
    load: Compiling,
) -> None:
    module = load(
        "struct f1 { i: int; f: float; s: str; } service S {"  # as a local is called
        "command Put(i: int, f: float, s: str);"
        "command Put_in(one: f1) -> (i: int, f: float, s: str); }"
    )
    (put, _), (put_in, _) = module.SServer.__ampgen_commands__
    for key, value, written in ALIKE:
        values: dict[str, Any] = {"i": 1, "f": 1.5, "s": "a", key: value}
        one, result = module.f1(**values), module.PutInResult(**values)
        writes: list[tuple[str, Callable[..., bytes], object]] = [
            ("", put.write_request, tuple(values.values())),
            ("", put_in.write_answer, result),
            ("one.", put_in.write_request, (one,)),
        ]
        for where, write, given in writes:
            if isinstance(written, bytes):
                pair = write_box({key.encode(): written})[:-2]
                assert pair in write(b"", given, 64)
                continue
            with pytest.raises(ValueError, match=f"^{where}{key}: {written}") as caught:
                write(b"", given, 64)
            assert HELD not in str(caught.value)


@pytest.mark.parametrize(
    "raw", [b"+1", b" 1", b"1_0", "²".encode(), b"", b"-", b"1" * 5000]
)
def test_what_is_only_like_a_number_is_not_read(load: Compiling, raw: bytes) -> None:
    module = load("service S { command Put(i: int?) -> (i: int); }")
    [(put, _name)] = module.SServer.__ampgen_commands__
    for read in (put.read_arguments, put.read_answer):
        with pytest.raises(ValueError, match=r"^i: an int (is written|of too many)"):
            read(write_box({b"i": raw}), 0, 64)


def test_an_empty_schema_makes_an_empty_module(load: Compiling) -> None:
    assert load("").__all__ == []


async def test_a_schema_of_hostile_names_is_made_and_called(load: Compiling) -> None:
    module = load(hostile.schema(), "hostile.amp")
    server: Any = module.ServiceServer
    abstract: list[str] = sorted(server.__abstractmethods__)
    methods = [name for name in abstract if not name.startswith("echo_")]
    echoes = [name for name in abstract if name.startswith("echo_")]
    results: dict[str, Any] = {
        name.removesuffix("Result").lower(): getattr(module, name)
        for name in module.__all__
        if name.endswith("Result")
    }
    assert len(methods) == len(results) >= 80

    def answer(name: str) -> Any:
        made = results[name.replace("_", "")]
        first: str = made.__slots__[0]

        def handler(_: Any, *given: Any) -> Any:
            return made(**{first: given[0], "other": given[1]})

        return handler

    def echo(_: Any, value: Any) -> Any:
        return value

    handlers: dict[str, Any] = {name: answer(name) for name in methods}
    handlers |= dict.fromkeys(echoes, echo)
    service = type("Service", (server,), handlers)()
    async with module.ServiceClient.local(service) as client:
        for name in methods:
            parameters = list(inspect.signature(getattr(client, name)).parameters)
            values = {"self_": "s", "list": module.list.super, parameters[0]: 7}
            got: Any = await getattr(client, name)(
                **{p: values[p] for p in parameters if p in values}
            )
            assert getattr(got, got.__slots__[0]) == 7
        for name in echoes:
            kind, _, number = name.removeprefix("echo_").partition("_")
            cls = getattr(module, _python(hostile.kinds()[kind][int(number)]))
            assert await getattr(client, name)(_values(module, kind, cls)) == _values(
                module, kind, cls
            )


async def test_modules_of_hostile_names_work_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled = compile_schemas(EDGES)
    assert compiled.files is not None, compiled.diagnostics
    output.write(tmp_path / "edges", compiled.files)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    importlib.invalidate_caches()
    here: Any = importlib.import_module("edges.typing")
    a: Any = importlib.import_module("edges.ampgen")
    deep: Any = importlib.import_module("edges.sub.class_.deep.dataclasses")
    words: Any = importlib.import_module("edges.dep.annotations")
    text: Any = importlib.import_module("edges.dep.self")
    seen: list[Any] = []

    class Both(here.BothServer):  # type: ignore[misc]  # whatever a module holds
        def do(self, *values: Any) -> Any:
            seen.append(values)
            return [{a.Color.RED: a.UO("mars")}]

        def list(self, annotations: Any) -> Any:
            return annotations

        async def call(self, field: Any) -> Any:
            answer = await self.dataclass.dataclass(field)
            return deep.Self(x=1, y=answer.dataclass.value)

        async def a(self) -> Any: ...

    class Dataclass(deep.DataclassServer):  # type: ignore[misc]
        def dataclass(self, dataclass: Any) -> Any:
            return deep.DataclassResult(dataclass=text.OnlyOnly(dataclass.y))

    one = here.OptionalW({uuid.UUID(int=1): {-1: [{"x": here.OptionalX(a.UU([]))}]}})
    hidden = text.class_(r="hush", y=["hush"])
    assert repr(hidden) == "class_()"
    async with here.BothClient.local(Both(), dataclass=Dataclass()) as client:
        assert await client.do(one, p="a/b") == [{a.Color.RED: a.UO("mars")}]
        assert await client.call(deep.Self(x=0, y=hidden)) == deep.Self(x=1, y=hidden)
        words_ = here.annotations(x=words.tuple(), y=[words.tuple(str=["a"])])
        assert await client.list(words_) == words_
    z, y = a.Open.Z, a.Open.Y
    assert seen == [(one, [], a.Color.RED, [z], [[z], [y]], Path("a/b"))]
    assert (a.E().u, a.E().t, here.List.__slots__[-1]) == ([[z], []], [z, y], "oo")


def _python(name: str) -> str:
    return f"{name}_" if name in keyword.kwlist else name


def _values(module: Any, kind: str, cls: Any) -> list[Any]:
    if kind == "enum":
        return list(cls)
    if kind == "struct":
        return [
            cls(
                **{
                    cls.__slots__[0]: 1,
                    "dict": module.dict(list=module.list.int, int=1, dict={}),
                }
            )
        ]
    members = getattr(cls, "__args__", (cls,))
    return [
        member(value)
        for member, value in zip(members, (1, module.list.str, []), strict=True)
    ]
