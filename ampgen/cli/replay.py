"""``ampgen replay``: say again to a server what a client has said."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
from typing import TYPE_CHECKING, Any

import click

from ampgen.cli.contract import Failure
from ampgen.cli.dialling import Dialling, dialling
from ampgen.cli.seen import printing

if TYPE_CHECKING:
    from ampgen.cli.passing import Lines, Text
    from ampgen.tools.recordings.reader import Recording
    from ampgen.tools.recordings.replayed import Outcome, Terms
    from ampgen.tools.seeing.seen import Seen

EPILOG = """\
Example: record, and ask the same of a new version of the server:

\b
    ampgen proxy 127.0.0.1:8001 127.0.0.1:8000 text.amp --record calls.jsonl
    ampgen replay calls.jsonl 127.0.0.1:9000 --fast --check
"""


@click.command("replay", epilog=EPILOG)
@click.argument("recording", type=click.Path(exists=True, dir_okay=False))
@click.argument("address")
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="How many times as fast as it was recorded.",
)
@click.option("--fast", is_flag=True, help="As fast as the answers come.")
@click.option(
    "--check", is_flag=True, help="Print what is different from the recording, alone."
)
@printing
@dialling
def COMMAND(  # noqa: N802 - what the table of verbs looks for
    recording: str,
    address: str,
    speed: float | None,
    fast: bool,
    check: bool,
    raw: bool,
    full: bool,
    format_: str,
    **options: Any,
) -> int:
    """Send what the clients in RECORDING have sent, in the same order, to the server at
    ADDRESS.

    RECORDING is a file that `ampgen proxy --record` has written. Nothing is sent before
    what had come by then has come again, but that --timeout (10 s) ends each wait. What
    the server asks is answered as it was. With --check its answers are compared, too.
    The status is 1 if something did not come, could not be sent, or is different.
    """
    if fast and speed is not None:
        raise click.UsageError("--fast and --speed: one of them")
    if math.isinf(speed or 1.0) or math.isnan(speed or 1.0):
        raise click.UsageError("--speed is a number; --fast is as fast as can be")
    dial = Dialling(**options)
    upstream = dial.upstream(address)
    logging.getLogger("ampgen").addHandler(logging.NullHandler())  # it is all told
    gc.enable()  # this may go on for long
    from ampgen.cli.passing import display
    from ampgen.tools.proxy.upstream import NotConnected
    from ampgen.tools.recordings.reader import Recording, RecordingError, load_recorded
    from ampgen.tools.recordings.replayed import Terms

    pace = math.inf if fast else speed or 1.0
    try:
        with open(recording, "rb") as lines:
            source = Recording(lines)
            by = load_recorded(source.header)
            shown = display(format_, schema=by is not None, raw=raw, full=full)
            audience = _Audience(shown, quiet=check)
            terms = Terms(by, upstream, audience, upstream.timeout, check)
            status = asyncio.run(_run(source, terms, shown, pace))
    except RecordingError as error:
        raise Failure(f"{recording}: {error}") from None
    except NotConnected as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"{recording}: {error.strerror}") from None
    if source.cut:
        click.echo("note: the last line of the recording is not whole", err=True)
    return status


async def _run(
    recording: Recording, terms: Terms, shown: Text | Lines, speed: float
) -> int:
    from ampgen.tools.recordings.replaying import replay

    loop = asyncio.get_running_loop()
    running = asyncio.ensure_future(replay(recording.events(), terms, speed))
    broken: list[OSError] = []

    def cannot_print(error: OSError) -> None:
        broken.append(error)
        running.cancel()

    try:
        with shown.unhurried(lambda why: loop.call_soon_threadsafe(cannot_print, why)):
            await running
    except asyncio.CancelledError:
        if not broken:
            raise
        if not isinstance(broken[0], BrokenPipeError):  # a reader may have had enough
            what = f"cannot write the output: {broken[0].strerror}"
            raise Failure(what) from None
        return 1
    click.echo(_summary(terms.outcome), err=True)
    return 0 if terms.outcome.good else 1


class _Audience:
    """``quiet``: what is said is not printed, but only what is not as it was."""

    def __init__(self, shown: Text | Lines, *, quiet: bool) -> None:
        self._shown = shown
        self._quiet = quiet

    def seen(self, number: int, seen: Seen) -> None:
        if not self._quiet:
            self._shown.see(number, seen)

    def differs(self, number: int, what: str) -> None:
        self._shown.say(number, "different", what)

    def unsent(self, number: int, what: str) -> None:
        self._shown.say(number, "not sent", what)


def _summary(outcome: Outcome) -> str:
    from ampgen.cli.passing import many

    parts = [
        many(outcome.connections, "connection"),
        f"{many(outcome.sent, 'box', 'boxes')} sent",
        f"{many(outcome.received, 'box', 'boxes')} came",
    ]
    if outcome.stand_ins:
        values = many(outcome.stand_ins, "value")
        parts.append(f"{values} sent in the place of what was hidden")
    if outcome.unsent:
        parts.append(f"{outcome.unsent:,} not sent")
    parts.append(many(outcome.differences, "difference"))
    return ", ".join(parts)
