"""What a server tells of its schemas, and what a client makes of that."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ampgen.pipeline import compile_schemas
from ampgen.runtime import (
    ConnectionLost,
    DecodeError,
    InterceptedCall,
    Proceed,
    Schemas,
    Server,
    UnknownCommand,
    connect,
    intercepted,
    serve,
)
from ampgen.runtime.reflection import SCHEMA, SchemaSource, schema_handler
from ampgen.runtime.services import Services
from generated_example import everything
from tests.raw import PATIENCE, box, client_of, listen, server_of
from tests.runtime.made.text import EventsClient
from tests.runtime.services import Events, Text

ROOT = Path(__file__).parents[2]


def declares(name: str, source: SchemaSource | None) -> Server:
    """A service of that name and schema, without commands."""
    known = None if source is None else (name, source)
    service: Server = type(name, (Server,), {"__ampgen_service__": known})()
    return service


def told(*services: Server) -> Schemas:
    schemas: Schemas = schema_handler(services).method()
    return schemas


async def test_a_server_tells_its_schemas() -> None:
    async with (
        serve("127.0.0.1:0", Text(), lambda _: Events(), reflect=True) as server,
        connect(server.addresses[0]) as connection,
    ):
        schemas = await connection.schemas(timeout=PATIENCE)
        assert list(schemas) == ["text.amp"]
        assert "command Repeat(text: str" in schemas["text.amp"]
        assert schemas.services == [("Text", "text.amp"), ("Events", "text.amp")]


async def test_a_service_behind_interceptors_is_told_too() -> None:
    async def around(call: InterceptedCall, proceed: Proceed) -> object:
        return await proceed(call)

    service = intercepted(intercepted(Text(), [around]), [around])
    async with (
        serve("127.0.0.1:0", service, reflect=True) as server,
        connect(server.addresses[0]) as connection,
    ):
        schemas = await connection.schemas(timeout=PATIENCE)
        assert schemas.services == [("Text", "text.amp")]


async def test_a_connection_that_lasts_asks_as_well() -> None:
    async with (
        serve("127.0.0.1:0", Text(), reflect=True) as server,
        connect(server.addresses[0], reconnect=True) as connection,
    ):
        assert list(await connection.schemas(timeout=PATIENCE)) == ["text.amp"]


@pytest.mark.parametrize("reflect", [True, False])
async def test_one_that_serves_nothing_else(reflect: bool) -> None:
    async with (
        serve("127.0.0.1:0", reflect=reflect) as server,
        connect(server.addresses[0]) as connection,
    ):
        if reflect:
            assert await connection.schemas() == {}
        else:
            with pytest.raises(UnknownCommand, match=r"does not tell.*reflect=True"):
                await connection.schemas()
        assert not connection.is_closed


def test_off_costs_nothing() -> None:
    assert SCHEMA.wire not in Services([Text()]).handlers(None)
    assert SCHEMA.wire not in Services([Text(), lambda _: Events()]).handlers(None)


def test_what_is_told_compiles_to_the_same(tmp_path: Path) -> None:
    class Root(everything.RootServer):
        pass

    Root.__abstractmethods__ = frozenset()
    schemas = told(Root())  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]
    assert sorted(schemas) == ["common/audit.amp", "common/geo.amp", "everything.amp"]
    assert sorted(schemas.services) == [
        ("Audited", "common/audit.amp"),
        *((name, "everything.amp") for name in ("Everything", "Janitor")),
        *((name, "everything.amp") for name in ("Operator", "Root")),
    ]
    for path, text in schemas.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    compiled = compile_schemas([tmp_path / "everything.amp"])
    assert compiled.files is not None
    made = (ROOT / "generated_example/everything.py").read_text(encoding="utf-8")
    assert compiled.files["everything.py"] == made


def test_imports_are_found_where_they_are_told(tmp_path: Path) -> None:
    for name, text in {
        "vendor/units.amp": "type Metre = float;",
        "own/api/text.amp": 'import "units.amp"; import "../../own/a/b.amp";'
        " service S { command C(a: units.Metre, b: b.B); }",
        "own/a/b.amp": 'import "units.amp" as u; struct B { a: u.Metre; }',
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    include = [tmp_path / "own", tmp_path / "vendor"]
    compiled = compile_schemas([tmp_path / "own/api/text.amp"], include)
    assert compiled.files is not None
    text = compiled.files["api/text.py"]
    assert 'import "../units.amp";\nimport "../a/b.amp";' in text
    assert 'import "../units.amp" as u;' in compiled.files["a/b.py"]


def test_two_schemas_of_one_path() -> None:
    first = SchemaSource("geo.amp", "one")
    again = SchemaSource("geo.amp", "one")
    other = SchemaSource("geo.amp", "other")
    service = declares("A", SchemaSource("a.amp", "a", (first,)))
    schemas = told(
        service,
        service,
        declares("B", SchemaSource("b.amp", "b", (again,))),
        declares("C", SchemaSource("c.amp", "c", (other, other))),
        declares("D", SchemaSource("d.amp", "d", (SchemaSource("geo.amp", "third"),))),
        declares("Unknown", None),
    )
    assert schemas == {
        "a.amp": "a",
        "geo.amp": "one",
        "b.amp": "b",
        "other2/c.amp": "c",
        "other2/geo.amp": "other",
        "other3/d.amp": "d",
        "other3/geo.amp": "third",
    }
    assert schemas.services == [
        ("A", "a.amp"),
        ("B", "b.amp"),
        ("C", "other2/c.amp"),
        ("D", "other3/d.amp"),
    ]


@pytest.mark.parametrize("size", [0, 65_534, 65_535, 65_536, 131_070, 3_000_000])
async def test_schemas_may_be_longer_than_a_value(size: int) -> None:
    long = SchemaSource("long.amp", "é" + "x" * (size - 2))
    many = SchemaSource(
        "many.amp",
        "",
        tuple(SchemaSource(f"s{at}.amp", "y" * 1000) for at in range(100)),
    )
    service = declares("Long", SchemaSource("all.amp", "all", (long, many)))
    async with (
        serve("127.0.0.1:0", service, reflect=True) as server,
        connect(server.addresses[0]) as connection,
    ):
        schemas = await connection.schemas(timeout=PATIENCE)
        assert schemas == told(service)
        assert schemas["long.amp"] == long.text


async def test_other_keys_of_the_request_do_not_matter() -> None:
    async with server_of(Text(), reflect=True) as peer:
        await peer.send(box({b"_command": b"_schema", b"_ask": b"1", b"more": b""}))
        answer = await peer.receive_box()
    assert answer.keys() == {b"_answer", b"schemas", b"services"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({b"services": b""}, "schemas: required, and missing"),
        ({b"schemas": b""}, "services: required, and missing"),
        (
            {b"schemas": box({b"path": b"a.amp"}), b"services": b""},
            "schemas[0].source: required, and missing",
        ),
        (
            {b"schemas": box({b"path": b"\xff", b"source": b""}), b"services": b""},
            "schemas[0].path: not UTF-8",
        ),
        (
            {
                b"schemas": box({b"path": b"", b"source": b"x" * 65_000})[:-9],
                b"services": b"",
            },
            "schemas[0]: a box is cut short",
        ),
    ],
)
async def test_an_answer_that_is_none(answer: dict[bytes, bytes], reason: str) -> None:
    async with listen() as listener, connect(listener.address) as connection:
        peer = await listener.accept()
        call = asyncio.create_task(connection.schemas(timeout=PATIENCE))
        asked = await peer.receive_box()
        assert asked.items() >= {(b"_command", b"_schema")}
        await peer.send(box({b"_answer": asked[b"_ask"], **answer}))
        with pytest.raises(DecodeError) as caught:
            await call
    assert str(caught.value).startswith(f"_schema: {reason}")


async def test_the_connection_may_end_meanwhile() -> None:
    async with client_of(EventsClient) as (client, peer):
        call = asyncio.create_task(client.connection.schemas())
        await peer.receive_box()
        await peer.close()
        with pytest.raises(ConnectionLost):
            await call
