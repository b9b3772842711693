"""The weather service, with ampgen."""

import asyncio
import sys

from ampgen.runtime import serve
from weatherpkg.weather import AskResult, NoSuchPlace, ReportResult, WeatherServer


class Weather(WeatherServer):
    def __init__(self) -> None:
        self.reports: dict[str, float] = {}

    async def report(self, place: str, degrees: float, photo: bytes) -> ReportResult:
        answer = await self.station.calibrate(-0.5)
        if answer.done:
            degrees -= 0.5
        self.reports[place] = degrees
        return ReportResult(reports=len(self.reports), thumbnail=photo[:2])

    def ask(self, place: str) -> AskResult:
        if place not in self.reports:
            raise NoSuchPlace(f"nobody reports from {place}")
        return AskResult(degrees=self.reports[place], rain=False, says="schön")


async def main(address: str) -> None:
    async with serve(address, Weather()) as server:
        print(f"serving on {server.addresses[0]}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
