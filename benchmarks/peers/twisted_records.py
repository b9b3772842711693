"""The records in the terms of Twisted's AMP; needs no reactor."""

from __future__ import annotations

from twisted.protocols.amp import AmpList, Float, Integer, ListOf, Unicode

RECORDS = AmpList(
    [
        (b"id", Integer()),
        (b"name", Unicode()),
        (b"price", Float()),
        (b"tags", ListOf(Unicode())),
    ]
)
