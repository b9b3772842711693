"""Logs, traces and metrics of calls, printed as they would be sent elsewhere."""

import asyncio
import logging
import sys
from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    SimpleSpanProcessor,
    SpanExporter,
    SpanExportResult,
)
from prometheus_client import CollectorRegistry, generate_latest

from ampgen.runtime import Interceptor, serve
from ampgen.runtime.interceptors import LogCalls
from ampgen.runtime.interceptors.otel import Tracing
from ampgen.runtime.interceptors.prometheus import Metrics
from textpkg.repeat import RepeaterClient, RepeaterServer, RepeatResult, TooLong


class Repeater(RepeaterServer):
    def repeat(self, text: str, times: int) -> RepeatResult:
        if times > 100:
            raise TooLong(limit=100)
        return RepeatResult(text=text * times)


class Printer(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        for span in spans:
            below = "" if span.parent is None else ", below another"
            print(f"span {span.name} {span.kind.name}{below}")
        return SpanExportResult.SUCCESS


async def main() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        logging.Formatter("%(levelname)s %(side)s %(command)s %(code)s %(arguments)s")
    )
    logger = logging.getLogger("ampgen.calls")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Printer()))

    registry = CollectorRegistry()
    around: list[Interceptor] = [Tracing(provider), LogCalls(), Metrics(registry)]
    async with (
        serve("127.0.0.1:0", Repeater(), interceptors=around) as server,
        RepeaterClient.connect(server.addresses[0], interceptors=around) as repeater,
    ):
        await repeater.repeat("abc", times=3)
        try:
            await repeater.repeat("abc", times=1000)
        except TooLong as error:
            print(f"the limit is {error.limit}")

    for line in generate_latest(registry).decode().splitlines():
        if line.startswith("amp_calls_completed_total"):
            print(line)


if __name__ == "__main__":
    asyncio.run(main())
