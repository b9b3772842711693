"""A bank and a customer, who talk for a moment: `bank.pcap` is a capture of it."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import ampgen
from ampgen.runtime import RemoteError, serve

bank: Any = ampgen.load(Path(__file__).with_name("bank.amp"))


class Bank(bank.BankServer):  # type: ignore[misc]
    def __init__(self) -> None:
        self.booked = [
            bank.Booking(day=date(2026, 1, 30), amount=Decimal("250.00")),
            bank.Booking(day=date(2026, 1, 31), amount=Decimal("-19.90")),
        ]

    async def pay(self, card: Any, amount: Decimal, to: str) -> Any:
        balance = sum((one.amount for one in self.booked), Decimal(0))
        if not card.pin or amount > balance:
            raise bank.NotCovered(f"not enough for {to}", balance=balance)
        if not await self.customer.confirm(amount, "739-201"):
            raise bank.NotCovered("not confirmed")
        self.booked.append(bank.Booking(day=date(2026, 2, 1), amount=-amount))
        return bank.PayResult(balance=balance - amount)

    async def bookings(self, from_: date | None) -> Any:
        for one in self.booked:
            if from_ is None or one.day >= from_:
                yield one


class Customer(bank.CustomerServer):  # type: ignore[misc]
    async def confirm(self, amount: Decimal, code: str) -> bool:
        return amount < 100 and bool(code)


async def main(listen: str, connect: str) -> None:
    async with (
        serve(listen, lambda _connection: Bank()),
        bank.BankClient.connect(connect, customer=Customer()) as client,
    ):
        card = bank.Card(number="4929 1234", pin="0815")
        await client.pay(card, Decimal("12.50"), "Bakery", timeout=5)
        with suppress(RemoteError):
            await client.pay(card, Decimal(9000), "Boats & Sons")
        async with client.bookings(date(2026, 1, 31)) as bookings:
            async for _one in bookings:
                pass


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[-1]))
