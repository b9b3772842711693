"""Between protobuf's messages and a program's own objects.

A message is a view of C memory: handing it on unread costs nearly nothing, and is not
what programs do. ``READ`` makes objects of what comes, and messages of what goes, as
the other peers do of themselves; ``HANDED_ON`` is the other extreme.
"""

from __future__ import annotations

from dataclasses import dataclass

import bench_pb2


@dataclass(frozen=True, slots=True)
class Record:
    id: int
    name: str
    price: float
    tags: list[str]


def program_records(records):
    return [Record(r.id, r.name, r.price, list(r.tags)) for r in records]


def write(records):
    return bench_pb2.Records(
        records=[
            bench_pb2.Record(id=r.id, name=r.name, price=r.price, tags=r.tags)
            for r in records
        ]
    )


def read(message):
    return [Record(r.id, r.name, r.price, list(r.tags)) for r in message.records]


def as_message(records):
    return records if isinstance(records, bench_pb2.Records) else write(records)


def unread(message):
    return message


READ = (write, read)
HANDED_ON = (as_message, unread)
