"""The codecs that are compared: one row each.

A list of records has to become the bytes that a peer would send, and again objects that
a program can read. Protobuf's and msgpack's are in C: they show what native code wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.values import Plain


@dataclass(frozen=True, slots=True)
class Codec:
    """``expected``: what ``decode`` has to give back."""

    expected: Any
    encode: Callable[[], bytes]
    decode: Callable[[bytes], Any]


def _generated(records: Sequence[Plain]) -> Codec:
    from bench_amp import bench

    from benchmarks.peers.generated import native

    command = bench._ECHO
    result = bench.EchoResult(records=native(records))
    return Codec(
        expected=result,
        encode=lambda: command.write_answer(b"", result, 64),
        decode=lambda data: command.read_answer(data, 0, 64)[0],
    )


def _twisted(records: Sequence[Plain]) -> Codec:
    from benchmarks.peers.twisted_records import RECORDS

    dicts = [record.as_dict() for record in records]
    return Codec(
        expected=dicts,
        encode=lambda: RECORDS.toStringProto(dicts, None),
        decode=lambda data: RECORDS.fromStringProto(data, None),
    )


def _protobuf(records: Sequence[Plain]) -> Codec:
    import bench_pb2

    message = bench_pb2.Records(records=[record.as_dict() for record in records])

    def decode(data: bytes) -> list[Any]:
        found = bench_pb2.Records.FromString(data)
        return [(r.id, r.name, r.price, list(r.tags)) for r in found.records]

    return Codec(
        expected=[(r.id, r.name, r.price, list(r.tags)) for r in records],
        encode=message.SerializeToString,
        decode=decode,
    )


def _msgpack(records: Sequence[Plain]) -> Codec:
    import msgpack

    dicts = [record.as_dict() for record in records]
    return Codec(
        expected=dicts,
        encode=lambda: msgpack.packb(dicts),
        decode=msgpack.unpackb,
    )


OURS = "ampgen"
TWISTED = "Twisted AMP"

CODECS: dict[str, Callable[[Sequence[Plain]], Codec]] = {
    OURS: _generated,
    TWISTED: _twisted,
    "protobuf (C), every field read": _protobuf,
    "msgpack (C), dicts": _msgpack,
}
