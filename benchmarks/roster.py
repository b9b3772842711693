"""Whom we measure: one row each. A row's module has a class ``Served``: its ``Peer``.

The modules are imported by name, in the process that needs them: each needs packages
that the others do without, and one that is missing must not stop the rest.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.contract import Peer

CALLS = frozenset(("seq", "p16", "p64", "p256", "l1", "l16", "c1000"))
ALL = CALLS | {"stream"}
SMALL = frozenset(("seq", "p16", "p64", "p256"))
ONE_CONNECTION = CALLS - {"c1000"}
LISTS = frozenset(("l1", "l16"))
ONE_AT_A_TIME = frozenset(("seq", "l1"))


@dataclass(frozen=True, slots=True)
class Row:
    """``workloads``: those that it can do; ``options``: of ``Served``."""

    module: str
    workloads: frozenset[str]
    options: dict[str, str] = field(default_factory=dict[str, str])
    latency: bool = False  # also measured at a fixed rate
    idle: bool = False  # also measured with idle connections


_UVLOOP = {"loop": "uvloop"}
_PLAIN = {"handlers": "plain"}

BEFORE = "ampgen, before"
"""The same row with another checkout's ampgen, where one is named."""

PEERS: dict[str, Row] = {
    "ampgen": Row("generated", ALL, latency=True, idle=True),
    "ampgen, plain handlers": Row("generated", ALL, _PLAIN),
    "ampgen, uvloop": Row("generated", ALL, _UVLOOP, latency=True),
    "ampgen, uvloop, plain handlers": Row("generated", ALL, _UVLOOP | _PLAIN),
    "Twisted AMP": Row("twisted_amp", CALLS, latency=True, idle=True),
    "grpc.aio": Row("grpc_aio", ALL, latency=True),
    "grpc.aio, messages unread": Row("grpc_aio", LISTS, {"records": "handed on"}),
    "grpclib": Row("grpclib_asyncio", ONE_CONNECTION),
    "thriftpy2": Row("thrift", ONE_AT_A_TIME),
    "pycapnp": Row("capnproto", ONE_CONNECTION),
    "floor": Row("floor", SMALL, idle=True),
    BEFORE: Row("generated", ALL),
}

OURS = "ampgen"
"""The row that the targets speak of: ``async def`` handlers, asyncio's own loop."""


def load(name: str) -> Peer:
    row = PEERS[name]
    module = importlib.import_module(f"benchmarks.peers.{row.module}")
    peer: Peer = module.Served(**row.options)
    return peer
