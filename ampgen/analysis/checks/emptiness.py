"""An enum, a union or a parenthesised result with nothing in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ampgen.analysis.rules import shape as rule
from ampgen.diagnostics.fixes import removing
from ampgen.language import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ampgen.analysis.draft import Draft
    from ampgen.analysis.findings import Findings
    from ampgen.diagnostics.fixes import Fix
    from ampgen.source import Span


def check_emptiness(draft: Draft, findings: Findings) -> None:
    for scope in draft.scopes:
        for node, _ in scope.bound:
            if scope.file.is_damaged(node.span):
                continue  # what it holds may be what could not be parsed
            for message, span, help_, fix in _empty(node):
                label = "nothing in it"
                findings.add(rule.EMPTY, message, span, label, help=help_, fix=fix)


_Found: TypeAlias = "tuple[str, Span, str, Fix | None]"


def _empty(node: tree.Declaration) -> Iterator[_Found]:
    match node:
        case (
            tree.EnumDeclaration(incomplete=True)
            | tree.UnionDeclaration(incomplete=True)
        ):
            pass
        case tree.EnumDeclaration(members=()):
            name = node.name
            yield f"enum `{name.text}` has no members", name.span, "give it one", None
        case tree.UnionDeclaration() if not _fields(node.members):
            name = node.name
            yield f"union `{name.text}` has no members", name.span, "give it one", None
        case tree.ServiceDeclaration():
            for command in node.members:
                if isinstance(command, tree.CommandDeclaration):
                    yield from _empty_result(command)
        case _:
            pass


def _empty_result(command: tree.CommandDeclaration) -> Iterator[_Found]:
    result, arrow = command.result, command.arrow
    if isinstance(result, tree.ResultList) and not _fields(result.members):
        help_, fix = "say what an item holds", None
        if result.stream is None:
            help_ = (
                "leave out the arrow: the answer carries nothing, and is still awaited"
            )
            if arrow is not None and not result.members:
                whole = type(arrow)(arrow.source, arrow.start, result.span.end)
                fix = removing(whole, safe=True)
        message = f"the result of command `{command.name.text}` is empty"
        yield message, result.span, help_, fix


def _fields(members: tuple[tree.Field | tree.Reserved, ...]) -> list[tree.Field]:
    return [member for member in members if isinstance(member, tree.Field)]
