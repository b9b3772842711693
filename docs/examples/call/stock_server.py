"""A server of the schema beside it, loaded without files; it tells its schema."""

import asyncio
import difflib
import sys
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import ampgen
from ampgen.runtime import serve

stock: Any = ampgen.load(Path(__file__).with_name("stock.amp"))


class Stock(stock.StockServer):  # type: ignore[misc]
    def __init__(self) -> None:
        flour = stock.Item(name="flour", amount=Decimal("12.50"), unit=stock.Unit.KILO)
        self.items: dict[str, Any] = {"flour": flour}

    def find(self, name: str) -> Any:
        if name not in self.items:
            near = difflib.get_close_matches(name, self.items)
            raise stock.NoSuchItem(f"there is no {name}", near=near)
        return self.items[name]

    def add(self, item: Any) -> None:
        self.items[item.name] = item

    async def list(self, unit: Any) -> AsyncIterator[Any]:
        for item in self.items.values():
            if unit in (None, item.unit):
                yield item

    async def deliver(self, items: AsyncIterator[Any]) -> int:
        count = 0
        async for item in items:
            self.items[item.name] = item
            count += 1
        return count


async def main(address: str) -> None:
    async with serve(address, Stock(), reflect=True) as server:
        print(f"serving on {server.addresses[0]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
