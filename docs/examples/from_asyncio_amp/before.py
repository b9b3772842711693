# mypy: ignore-errors
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false
# ruff: noqa: RUF012
"""A weather service, and a station that reports to it: with asyncio-amp."""

import asyncio

import asyncio_amp
from asyncio_amp import Boolean, Bytes, Float, Integer, String


class NoSuchPlace(Exception):
    pass


class Report(asyncio_amp.Command):
    arguments = [("place", String()), ("degrees", Float()), ("photo", Bytes())]
    response = [("reports", Integer()), ("thumbnail", Bytes())]


class Ask(asyncio_amp.Command):
    arguments = [("place", String())]
    response = [("degrees", Float()), ("rain", Boolean()), ("says", String())]
    errors = {"NoSuchPlace": NoSuchPlace}


class Calibrate(asyncio_amp.Command):
    arguments = [("offset", Float())]
    response = [("done", Boolean())]


class Weather(asyncio_amp.AMPProtocol):
    reports = {}

    @Report.responder
    def report(self, place, degrees, photo):
        answer = yield from self.call_remote(Calibrate, offset=-0.5)
        if answer["done"]:
            degrees -= 0.5
        self.reports[place] = degrees
        return {"reports": len(self.reports), "thumbnail": photo[:2]}

    @Ask.responder
    def ask(self, place):
        if place not in self.reports:
            raise NoSuchPlace(f"nobody reports from {place}")
        return {"degrees": self.reports[place], "rain": False, "says": "schön"}


class Station(asyncio_amp.AMPProtocol):
    @Calibrate.responder
    def calibrate(self, offset):
        print(f"off by {offset}")
        return {"done": True}


@asyncio.coroutine
def run(weather):
    photo = b"\xff\xd8\xff"
    answer = yield from weather.call_remote(
        Report, place="Zürich", degrees=11.5, photo=photo
    )
    print(f"{answer['reports']} reports; thumbnail: {answer['thumbnail']}")
    seen = yield from weather.call_remote(Ask, place="Zürich")
    print(f"{seen['degrees']} degrees, {seen['says']}, rain: {seen['rain']}")
    try:
        yield from weather.call_remote(Ask, place="Atlantis")
    except NoSuchPlace as error:
        print(f"NoSuchPlace: {error}")


def serve(host, port):
    loop = asyncio.get_event_loop()
    loop.run_until_complete(loop.create_server(Weather, host, port))
    loop.run_forever()


def report(host, port):
    loop = asyncio.get_event_loop()
    connecting = loop.create_connection(Station, host, port)
    _, weather = loop.run_until_complete(connecting)
    loop.run_until_complete(run(weather))
