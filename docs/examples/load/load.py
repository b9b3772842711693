"""A schema as a module, without files."""

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import ampgen

SCHEMA = """
error TooLong { limit: int?; }
service Text { command Upper(text: str) -> str raises TooLong; }
"""


def load(schema: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "text.amp")
        path.write_text(schema)
        return ampgen.load(path)


text: Any = load(SCHEMA)


class Text(text.TextServer):  # type: ignore[misc]
    def upper(self, given: str) -> str:
        if len(given) > 10:
            raise text.TooLong("no", limit=10)
        return given.upper()


async def main() -> None:
    async with text.TextClient.local(Text()) as client:
        print(await client.upper("abc"))
        try:
            await client.upper("a" * 11)
        except text.TooLong as error:
            print(f"at most {error.limit}")

    try:
        load(SCHEMA.replace("TooLong;", "TooLang;"))
    except ampgen.SchemaError as error:
        print([diagnostic.message for diagnostic in error.diagnostics])


if __name__ == "__main__":
    asyncio.run(main())
