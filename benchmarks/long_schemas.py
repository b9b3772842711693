"""Schemas of any length, the same in the terms of ours and of protobuf."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def amp(lines: int) -> str:
    return _fill("", _amp_block, lines)


def proto(lines: int) -> str:
    return _fill('syntax = "proto3";\npackage long;\n', _proto_block, lines)


def service(commands: int) -> str:
    """One service of so many commands ``Repeat0``, ``Repeat1``, …"""
    body = "\n".join(
        f"    command Repeat{n}(text: str, times: int) -> text: str;"
        for n in range(commands)
    )
    return f"service Wide {{\n{body}\n}}\n"


def _fill(text: str, block: Callable[[int], str], lines: int) -> str:
    for n in count():
        if text.count("\n") >= lines:
            break
        text += block(n)
    return text


def _amp_block(n: int) -> str:
    return f"""\
/// Number {n}.
struct Record{n} {{
    id: int;
    name: str;
    price: float;
    tags: [str];
    parents: [Record{n}];
}}

service Store{n} {{
    command Get{n}(id: int) -> record: Record{n};
    command Put{n}(record: Record{n}, replace: bool) -> (id: int, replaced: bool);
}}

"""


def _proto_block(n: int) -> str:
    return f"""\
// Number {n}.
message Record{n} {{
  int64 id = 1;
  string name = 2;
  double price = 3;
  repeated string tags = 4;
  repeated Record{n} parents = 5;
}}

message Get{n} {{ int64 id = 1; }}
message Put{n} {{ Record{n} record = 1; bool replace = 2; }}
message Put{n}Answer {{ int64 id = 1; bool replaced = 2; }}
service Store{n} {{
  rpc Get(Get{n}) returns (Record{n});
  rpc Put(Put{n}) returns (Put{n}Answer);
}}

"""
