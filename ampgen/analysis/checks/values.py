"""What travels as a value and names something: enum values, codes, command names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.analysis.checks.keys import quoted
from ampgen.analysis.defaults import MAX_VALUE_LENGTH
from ampgen.analysis.rules import wire as rule

if TYPE_CHECKING:
    from ampgen.analysis.draft import BoundCommand, Draft
    from ampgen.analysis.findings import Findings
    from ampgen.language import tree
    from ampgen.source import Span

# By these a peer says that it does not know the command, or what went wrong in it.
_PROTOCOL_CODES = frozenset({"UNKNOWN", "UNHANDLED"})


def check_enum_values(draft: Draft, findings: Findings) -> None:
    for enum in draft.enums:
        first: dict[str, Span] = {}
        for node, member in enum.members:
            span = node.name.span if node.value is None else node.value.span
            if not _is_encodable(member.value, "the value", span, findings):
                continue
            earlier = first.setdefault(member.value, span)
            if earlier is not span:
                findings.add(
                    rule.DUPLICATE_VALUE,
                    f"two members of `{enum.node.name.text}` have the value "
                    f"{quoted(member.value)}",
                    span,
                    "used again here",
                    related=[(earlier, "first used here")],
                    help="a member without a value has its name as the value"
                    if node.value is None or member.value == earlier.text
                    else "give it another value",
                )


def check_error_codes(draft: Draft, findings: Findings) -> None:
    for node, error in draft.errors:
        span = _code_span(node)
        if not error.code:
            message, label = "an error code is empty", "a code is never empty"
        elif error.code in _PROTOCOL_CODES:
            message = f"`{error.code}` cannot be the code of a declared error"
            label = (
                "a peer sends it for a failure that is not declared"
                if error.code == "UNKNOWN"
                else "a peer sends it for a command that it does not have"
            )
        else:
            _is_encodable(error.code, "the code", span, findings)
            continue
        findings.add(
            rule.BAD_CODE,
            message,
            span,
            label,
            help=f'name another code: `error {node.name.text} "…"`',
        )


def check_command_names(draft: Draft, findings: Findings) -> None:
    """The wire name of each command; whether it is its own, see `inheritance`."""
    for service in draft.services:
        for bound in service.commands:
            if not bound.duplicate:
                _check_command_name(bound, findings)


def _check_command_name(bound: BoundCommand, findings: Findings) -> None:
    wire = bound.command.wire
    span = command_span(bound)
    pinned = bound.annotated.wire is not None
    if not wire:
        message, label = (
            "a command's wire name is empty",
            "it has one character at least",
        )
    elif not wire.isascii():
        message, label = (
            f"wire name {quoted(wire)} is not ASCII",
            "wire names are ASCII",
        )
    elif wire.startswith("_"):
        if not pinned:
            return  # the name itself is refused
        message = f"wire name {quoted(wire)} starts with `_`"
        label = "such names are the protocol's own"
    elif "._" in wire:
        message = f"wire name {quoted(wire)} holds `._`"
        label = "such names belong to streams, as in `Tail._item`"
    elif wire == "StartTLS":
        message = "`StartTLS` is AMP's own command"
        label = "Twisted answers it itself"
    else:
        _is_encodable(wire, "the wire name", span, findings)
        return
    findings.add(
        rule.BAD_COMMAND,
        message,
        span,
        label,
        help=None if pinned else 'pin another wire name with `@wire("…")`',
    )


def check_raised_codes(draft: Draft, findings: Findings) -> None:
    for service in draft.services:
        for bound in service.commands:
            first: dict[str, tuple[tree.QualifiedName, str]] = {}
            for name, error in bound.errors:
                earlier, earlier_name = first.setdefault(error.code, (name, name.text))
                if earlier is not name:
                    findings.add(
                        rule.DUPLICATE_CODE,
                        f"`{earlier_name}` and `{name.text}` have one code, "
                        f"{quoted(error.code)}",
                        name.span,
                        "the caller could not tell them apart",
                        related=[(earlier.span, "raised here, too")],
                        help="give one of them another code, or raise only one",
                    )


def command_span(bound: BoundCommand) -> Span:
    """The place of a command's wire name."""
    wire = bound.annotated.wire
    return bound.node.name.span if wire is None else wire.span


def _code_span(node: tree.ErrorDeclaration) -> Span:
    return node.name.span if node.code is None else node.code.span


def _is_encodable(text: str, what: str, span: Span, findings: Findings) -> bool:
    size = len(text.encode())
    if size <= MAX_VALUE_LENGTH:
        return True
    findings.add(
        rule.NOT_ENCODABLE,
        f"{what} takes {size:,} bytes on the wire",
        span,
        f"it may take {MAX_VALUE_LENGTH:,}",
        help="shorten it",
    )
    return False
