"""The codecs that are compared: one row each.

A list of records has to become the bytes that a peer would send, and again objects that
a program can read. Protobuf's and msgpack's are in C: they show what native code wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.roster import OURS

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

    from benchmarks.peers.messages import program_records, read, write

    objects = program_records(records)
    return Codec(
        expected=objects,
        encode=lambda: write(objects).SerializeToString(),
        decode=lambda data: read(bench_pb2.Records.FromString(data)),
    )


def _msgpack(records: Sequence[Plain]) -> Codec:
    import msgpack

    dicts = [record.as_dict() for record in records]
    return Codec(
        expected=dicts,
        encode=lambda: msgpack.packb(dicts),
        decode=msgpack.unpackb,
    )


TWISTED = "Twisted AMP"

CODECS: dict[str, Callable[[Sequence[Plain]], Codec]] = {
    OURS: _generated,
    TWISTED: _twisted,
    "protobuf (C), from objects to objects": _protobuf,
    "msgpack (C), dicts": _msgpack,
}
