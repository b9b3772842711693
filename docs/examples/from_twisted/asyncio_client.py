"""A customer, on asyncio."""

import asyncio
import sys
from datetime import UTC, datetime
from decimal import Decimal

from printpkg.printing import (
    ApproveResult,
    CustomerServer,
    NoSuchJob,
    Page,
    ShopClient,
    TooDear,
    WrongKey,
)


class Customer(CustomerServer):
    """A customer of the print shop."""

    def approve(self, price: Decimal) -> ApproveResult:
        print(f"asked for {price}")
        return ApproveResult(yes=price < 5)


async def main(address: str) -> None:
    async with ShopClient.connect(address, customer=Customer()) as shop:
        await shop.sign_in("Zoë", b"sesame")

        menu = Page(text="Menü", copies=12)
        due = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
        done = await shop.submit([menu], due)
        print(f"job {done.job} for {done.price}")

        poster = Page(text="Poster", copies=500)
        try:
            await shop.submit([menu, poster])
        except TooDear as error:
            print(f"TooDear: {error}")

        await shop.remark("the last menu was crooked")
        seen = await shop.look(done.job)
        print(f"{seen.state.decode()}: {', '.join(seen.texts)}")
        try:
            await shop.look(7)
        except NoSuchJob as error:
            print(f"NoSuchJob: {error}")
        try:
            await shop.sign_in("Eve", b"please")
        except WrongKey as error:
            print(f"WrongKey: {error}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
