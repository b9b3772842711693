"""Requests that no handler is asked: about a call, a stream, or the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.runtime.answers import CANCELLED
from ampgen.runtime.errors import InvalidArgument
from ampgen.runtime.streams import SUFFIXES, head_of
from ampgen.runtime.wire import SIZE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ampgen.runtime.extras import Extras
    from ampgen.runtime.serving import Serving
    from ampgen.runtime.streams import Port


def control(
    name: bytes,
    box: dict[bytes, bytes],
    extras: Extras,
    serving: Mapping[bytes, Serving],
    streams: Mapping[bytes, Port],
) -> bool:
    """Do what a request wants; ``False`` if it is none of these.

    ``serving``: the requests that are being served, by their ``_ask`` with its length.
    ``streams``: those that are open. Whoever asks for an answer gets one without
    values. Raises ``InvalidArgument`` for what goes back to the peer.
    """
    if name == b"_ping":  # a sign of life, however much there is to do
        return True
    if name == b"_cancel":
        _cancel(box, serving)
        return True
    if extras.stream is not None and name.endswith(SUFFIXES):
        # one that is unknown, or over, may still have boxes on the way
        port = streams.get(head_of(name, extras.stream))
        if port is not None:
            port.take(name, box, extras)
        return True
    return False


def _cancel(box: Mapping[bytes, bytes], serving: Mapping[bytes, Serving]) -> None:
    """The peer has no use any more for the answer to ``id``."""
    ask = box.get(b"id")
    if ask is None:
        raise InvalidArgument("_cancel: `id`: required, and missing")
    cancelled = serving.get(SIZE[len(ask)] + ask)
    if cancelled is not None:
        cancelled.cancel(CANCELLED)
