"""A schema whose every name is a keyword, a builtin, or one of generated code's."""

from __future__ import annotations

import builtins
import keyword
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# ruff: noqa: SIM905

# What a generated module imports, names or reserves, beside keywords and builtins.
OWN = """
    abc Address ampgen annotations Any args arguments asyncio at Awaitable bind box
    builtins capitalize Client ClassVar clear close cls code collections Command
    CommandError connect connection copy count data dataclass dataclasses datetime
    decode DEFAULT depth description encode end enum Enum errno error FAULTS fault
    fault_at field frozen header items k1 key kw_only limits local List mro n1 name
    options os Path pathlib r1 raw read_box record result runtime self Self send serve
    server Server service Service SIZE slots start strenum StrEnum stubs timedelta
    timeout title typing TypeAlias uuid v1 value values version wire with_traceback
    aclose add_note metadata connect_blocking connect_timeout encode_int decode_list
    encode_list interceptors missing get_large LargeBox put put_large
""".split()
SCHEMA_WORDS = """
    bool int float str bytes decimal datetime date duration uuid path json fd
    stream large raises true false
""".split()
TAKEN = "connect local aclose close connection timeout metadata self".split()
HOT = "tuple property super object type len isinstance IndexError print id".split()


def names() -> list[str]:
    """Any of these may name a field, a member, an argument, a command."""
    found = {*keyword.kwlist, *keyword.softkwlist, *dir(builtins), *OWN, *SCHEMA_WORDS}
    return sorted(name for name in found if not name.startswith("_"))


def kinds() -> dict[str, list[str]]:
    """The names of types, and which of them is what: the language keeps some words to
    itself there."""
    found: dict[str, list[str]] = {"struct": [], "enum": [], "union": [], "error": []}
    types = sorted({*keyword.kwlist, *OWN, *HOT} - set(SCHEMA_WORDS))
    for at, name in enumerate(types):
        found[("struct", "enum", "union", "error")[at % 4]].append(name)
    return found


def methods() -> list[str]:
    """Names whose methods and results are distinct."""
    seen: dict[str, str] = {}
    for name in [*keyword.kwlist[3::3], *OWN[::2], *HOT, *SCHEMA_WORDS[::3], *TAKEN]:
        seen.setdefault(name.lower().replace("_", ""), name)
    return list(seen.values())


def schema() -> str:
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    every = names()
    yield f"enum list {{ {' '.join(f'{name};' for name in every)} }}"
    yield "struct dict { list: list; int: int; dict: {str: dict}; }"
    found = kinds()
    for name in found["struct"]:
        yield (
            f"struct {name} {{ {name}: int; list: list = super; dict: dict?;"
            " int_: [int] = [1]; bytes_: [bytes] = [];"
            f" str_: {{str: {name}}} = {{}}; }}"
        )
    for name in found["enum"]:
        yield f"{'open ' if len(name) % 2 else ''}enum {name} {{ {name}; other; }}"
    for name in found["union"]:
        yield f"union {name} {{ {name}: int; list: list; dict: [dict]; }}"
    for name in found["error"]:
        yield (
            f'error {name} {{ {name}: int?; list: list?; str_: str = "";'
            " int_: [int] = [1]; }"
        )
    for at in range(0, len(every), 40):
        kind = _field_kinds()
        fields = " ".join(f"{name}: {next(kind)};" for name in every[at : at + 40])
        yield f"struct Fields{at // 40} {{ {fields} }}"
    yield "service service_ {"
    for at, name in enumerate(methods()):
        others = _others(name, self="str", list="list = super", timeout="[str] = []")
        error = found["error"][at % len(found["error"])]
        kind_of = "int" if at % 3 else "large json"
        yield (
            f"    command {name}({name}: {kind_of}, {others})"
            f" -> ({name}: {kind_of}, other: str)"
            f" raises {error};"
        )
    for kind_ in ("struct", "enum", "union"):
        for at, name in enumerate(found[kind_]):
            if at % 3:
                continue
            yield f"    command Echo_{kind_}_{at}(value: [{name}]) -> [{name}];"
    yield "}"


def _others(name: str, **fields: str) -> str:
    return ", ".join(f"{key}: {kind}" for key, kind in fields.items() if key != name)


def _field_kinds() -> Iterator[str]:
    while True:
        yield from ("int", "str", "bytes?", "[int]", "{str: bytes}", "float = 1.5")
        yield from ("bool", "dict?", "json?", "path", "[[str]] = []", "list", "decimal")
