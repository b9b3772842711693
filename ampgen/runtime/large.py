"""Values over 65,535 bytes: one value under several keys of one box.

Other AMP programs call it *BigString*. The first 65,535 bytes stand under the key of
the value, ``page``, the others piece by piece under ``page.2``, ``page.3``, …: none is
missing, all but the last are full. How long a value may be in all is the protocol's to
say, which counts the bytes of a box before anything here sees them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.runtime.errors import Fault, fault_at, too_long
from ampgen.runtime.wire import MAX_VALUE, SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping


class LargeBox:
    """A box that is being written, of which some values may be large.

    It costs one copy of what it holds, in ``write``: pieces are views until then.
    """

    __slots__ = ("_pairs", "_split")

    def __init__(self) -> None:
        self._pairs: dict[bytes, bytes | memoryview] = {}
        self._split = False

    def put(self, key: bytes, value: bytes) -> None:
        if len(value) > MAX_VALUE:
            raise too_long(len(value))
        self._pairs[key] = value

    def put_large(self, key: bytes, value: bytes) -> None:
        if len(value) <= MAX_VALUE:
            self._pairs[key] = value
            return
        self._split = True
        whole = memoryview(value)
        self._pairs[key] = whole[:MAX_VALUE]
        for number, at in enumerate(range(MAX_VALUE, len(value), MAX_VALUE), 2):
            self._pairs[b"%b.%d" % (key, number)] = whole[at : at + MAX_VALUE]

    def write(self, head: bytes) -> bytes:
        """The whole box: ``head`` has its keys that start with ``_``, ready-made.

        Sorted, as every box; but where a value is in pieces the ``_`` keys come first.
        They tell the other end what the box is, and so how long it may become.
        """
        parts: list[bytes | memoryview] = []
        headed = self._split
        if headed:
            parts.append(head)
        for key in sorted(self._pairs):
            if not headed and key > b"_":
                headed = True
                parts.append(head)
            value = self._pairs[key]
            parts += (SIZE[len(key)], key, SIZE[len(value)], value)
        if not headed:
            parts.append(head)
        parts.append(b"\x00\x00")
        return b"".join(parts)


def get_large(box: Mapping[bytes, bytes], key: bytes, *declared: bytes) -> bytes | None:
    """The value of a `large` key, put together of its pieces, if it is there.

    ``declared`` are other keys of the box that only look like a piece of this one, such
    as ``page.1``. A ``Fault`` says which piece is missing, too short, or none.
    """
    prefix = key + b"."
    numbers = {
        name.removeprefix(prefix)
        for name in box
        if name.startswith(prefix) and name not in declared
    }
    numbers = {number for number in numbers if number.isdigit()}
    first = box.get(key)
    if not numbers:
        return first
    try:
        return _join(box, key, numbers, first)
    except Fault as fault:
        raise fault_at(key.decode(), fault) from None


def _join(
    box: Mapping[bytes, bytes], key: bytes, numbers: set[bytes], first: bytes | None
) -> bytes:
    name = key.decode()
    for digits in numbers:
        if digits.startswith(b"0") or digits == b"1":
            what = f"`{name}.{digits.decode()}` is no piece of it"
            raise Fault(f"{what}: they are numbered 2, 3, and so on")
    if first is None:
        raise Fault("there are pieces of it, and the first one is missing")
    pieces = [first]
    for number in range(2, len(numbers) + 2):
        piece = box.get(b"%b.%d" % (key, number))
        if piece is None:
            raise Fault(f"its piece `{name}.{number}` is missing")
        if len(pieces[-1]) < MAX_VALUE:
            what = f"its piece {number - 1} has {len(pieces[-1]):,} bytes"
            raise Fault(f"{what}: all but the last have {MAX_VALUE:,}")
        pieces.append(piece)
    if not pieces[-1]:
        raise Fault(f"its last piece `{name}.{len(pieces)}` is empty")
    return b"".join(pieces)
