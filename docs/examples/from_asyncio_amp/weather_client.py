"""The station, with ampgen."""

import asyncio
import sys

from weatherpkg.weather import (
    CalibrateResult,
    NoSuchPlace,
    StationServer,
    WeatherClient,
)


class Station(StationServer):
    def calibrate(self, offset: float) -> CalibrateResult:
        print(f"off by {offset}")
        return CalibrateResult(done=True)


async def main(address: str) -> None:
    async with WeatherClient.connect(address, station=Station()) as weather:
        answer = await weather.report("Zürich", 11.5, photo=b"\xff\xd8\xff")
        print(f"{answer.reports} reports; thumbnail: {answer.thumbnail!r}")
        seen = await weather.ask("Zürich")
        print(f"{seen.degrees} degrees, {seen.says}, rain: {seen.rain}")
        try:
            await weather.ask("Atlantis")
        except NoSuchPlace as error:
            print(f"NoSuchPlace: {error}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
