"""A customer who knows what came later, and gets along without it."""

import asyncio
import sys
from datetime import UTC, datetime
from decimal import Decimal

from ampgen.runtime import UnknownCommand
from printlater.printing import (
    ApproveResult,
    CustomerServer,
    NoSuchJob,
    Page,
    ShopClient,
    State,
)


class Customer(CustomerServer):
    """A customer of the print shop."""

    def approve(self, price: Decimal) -> ApproveResult:
        print(f"asked for {price}")
        return ApproveResult(yes=price < 5)


async def main(address: str) -> None:
    customer = Customer()
    async with ShopClient.connect(address, customer=customer, timeout=5.0) as shop:
        await shop.sign_in("Zoë", b"sesame")

        due = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
        done = await shop.submit([Page(text="Menü", copies=12)], due, urgent=True)
        print(f"job {done.job} for {done.price}")

        await shop.remark("I am in a hurry")
        seen = await shop.look(done.job)
        waiting = "waiting" if seen.state is State.WAITING else "not waiting"
        print(f"{waiting}: {', '.join(seen.texts)}; before it: {seen.before}")
        try:
            await shop.look(7)
        except NoSuchJob as error:
            print(f"NoSuchJob: {error}; jobs: {error.jobs}")

        try:
            async with shop.follow(done.job) as copies:
                async for copy in copies:
                    print(f"copy {copy.number} of {copy.text}")
                    if copy.number == 2:
                        break
        except UnknownCommand:
            print("this shop cannot be followed")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
