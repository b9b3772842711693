"""The shop, on asyncio."""

import asyncio
import sys
from datetime import datetime
from decimal import Decimal

from ampgen.runtime import Connection, serve
from printpkg.printing import (
    LookResult,
    NoSuchJob,
    Page,
    ShopServer,
    SubmitResult,
    TooDear,
    WrongKey,
)


class Shop(ShopServer):
    """A print shop: one of these for each connection."""

    def __init__(self, connection: Connection, jobs: list[list[Page]]) -> None:
        self.name = "somebody"
        self.jobs = jobs
        connection.add_close_callback(self.left)

    def sign_in(self, name: str, key: bytes) -> None:
        if key != b"sesame":
            raise WrongKey(f"{name} has another key")
        self.name = name

    async def submit(self, pages: list[Page], due: datetime | None) -> SubmitResult:
        price = sum(page.copies for page in pages) * Decimal("0.10")
        answer = await self.customer.approve(price)
        if not answer.yes:
            raise TooDear(f"it would have been {price}")
        self.jobs.append(pages)
        print(f"{self.name} wants it {due:%d.%m.%Y}" if due else "no hurry")
        return SubmitResult(job=len(self.jobs), price=price)

    def look(self, job: int) -> LookResult:
        if not 1 <= job <= len(self.jobs):
            raise NoSuchJob(f"there are {len(self.jobs)}")
        texts = [page.text for page in self.jobs[job - 1]]
        return LookResult(state=b"waiting", texts=texts)

    def remark(self, text: str) -> None:
        print(f"{self.name} says: {text}")

    def left(self, _connection: Connection) -> None:
        print(f"{self.name} has left", flush=True)


async def main(address: str) -> None:
    jobs: list[list[Page]] = []
    async with serve(address, lambda connection: Shop(connection, jobs)) as server:
        print(f"serving on {server.addresses[0]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
