"""A server and a client behind interceptors."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from ampgen.runtime import serve
from tests.runtime.made.text import TextClient
from tests.runtime.services import Text

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from ampgen.runtime import Interceptor


@asynccontextmanager
async def pair(
    service: Any = None,
    *,
    server: Sequence[Interceptor] = (),
    client: Sequence[Interceptor] = (),
    address: str = "127.0.0.1:0",
    **options: Any,
) -> AsyncGenerator[TextClient]:
    async with (
        serve(address, service or Text(), interceptors=server) as listener,
        TextClient.connect(
            listener.addresses[0], interceptors=client, **options
        ) as text,
    ):
        yield text
