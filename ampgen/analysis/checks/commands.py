"""What a command cannot be at the same time: oneway, streaming, bounded in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.analysis.rules import notes as annotation_rule
from ampgen.analysis.rules import shape as rule
from ampgen.diagnostics.fixes import removing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.analysis.draft import BoundCommand, Draft
    from ampgen.analysis.findings import Findings
    from ampgen.source import Span


def check_oneway(draft: Draft, findings: Findings) -> None:
    for bound in _commands(draft):
        if not bound.node.oneway:
            continue
        name = bound.node.name.text
        for what, span, why in _waits(bound):
            findings.add(
                rule.ONEWAY,
                f"oneway command `{name}` has {what}",
                span,
                why,
                help="leave it out, or the word `oneway`",
            )


def _waits(bound: BoundCommand) -> Iterator[tuple[str, Span, str]]:
    """What of a command needs an answer, where, and why."""
    node = bound.node
    if node.arrow is not None:
        yield "a result", node.arrow, "nothing is answered"
    if node.raises_span is not None:
        yield "errors", node.raises_span, "no error is sent back"
    for span in bound.argument_streams:
        yield "a stream", span, "a stream ends with the answer"
    places = bound.annotated.places
    if "timeout" in places:
        yield "a deadline", places["timeout"], "no answer is waited for"
    if "idempotent" in places:
        yield "`@idempotent`", places["idempotent"], "nobody learns that it failed"


def check_streams(draft: Draft, findings: Findings) -> None:
    for bound in _commands(draft):
        for span in bound.argument_streams[1:]:
            findings.add(
                rule.STREAM_ARGUMENTS,
                f"command `{bound.node.name.text}` has more than one stream argument",
                span,
                "one more stream here",
                related=[(bound.argument_streams[0], "the first one is here")],
                help="make one stream of a union or a struct of both",
            )


def check_timeouts(draft: Draft, findings: Findings) -> None:
    for bound in _commands(draft):
        span = bound.annotated.places.get("timeout")
        streams = [*bound.argument_streams]
        if bound.result_stream is not None:
            streams.append(bound.result_stream)
        if span is None or not streams or bound.node.oneway:
            continue
        findings.add(
            annotation_rule.TIMEOUT_STREAM,
            f"`@timeout` on `{bound.node.name.text}`, which streams",
            span,
            "a stream lasts as long as it has items",
            related=[(streams[0], "it streams here")],
            help="leave it out; a caller may give `timeout=` for the whole of a call",
            fix=removing(span),
        )


def _commands(draft: Draft) -> Iterator[BoundCommand]:
    for service in draft.services:
        yield from service.commands
