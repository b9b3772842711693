"""Comments that silence a rule at one place.

    // ampgen: allow AMP0807 (the server is rolled out first)
    oneway command Log(line: str);

A comment names the codes that it silences, and covers the line on which it stands; one
that has its line for itself covers the next line instead on which something is
declared, behind further comments, docs and annotations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ampgen.diagnostics import Diagnostic, Label, Rule, Severity
from ampgen.diagnostics.fixes import Edit, Fix, removing, writing
from ampgen.diagnostics.suggest import did_you_mean
from ampgen.language.trivia import scan
from ampgen.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ampgen.source import Source

IDLE_COMMENT = Rule(
    "AMP0813",
    "comment that silences nothing",
    """\
A comment that silences a rule names its code, and stands on the line of what the rule
reports, or on a line of its own before it. One that names nothing known, or a rule that
has nothing to report there, only misleads readers: it may be left over, or misspelt.

    // ampgen: allow AMP0870 (the server is rolled out first)
    oneway command Log(line: str);

Mend the code, or remove the comment:

    // ampgen: allow AMP0807 (the server is rolled out first)
    oneway command Log(line: str);

Whether an enum travels in answers, say, may be for other files to tell: check the
schemas together that use one another before a comment goes.

Errors of the compiler cannot be silenced. A rule that is `off` in pyproject.toml still
counts as silenced.
""",
    Severity.WARNING,
)

EXAMPLE = "// ampgen: allow AMP0807 (why)"

_COMMENT = re.compile(r"(?://|/\*)\s*ampgen:\s*(?P<verb>\w*)(?P<rest>[^(*]*)")
_WORD = re.compile(r"[^\s,]+")
_CODE = re.compile(r"AMP\d+", re.IGNORECASE)
_ANNOTATION = re.compile(r'@[\w.]+\s*(\((?:"(?:\\.|[^"\\])*"|[^")])*\))?')
_SPACE = re.compile(r"\s*")


@dataclass(slots=True)
class Allowance:
    """One code in one comment, and the line that it covers."""

    code: str
    span: Span
    comment: Span
    line: int
    used: bool = False


@dataclass(slots=True)
class Allowances:
    """The comments of a schema's files; ``settable`` are the rules they may name.

    ``errors`` are the rules that nothing silences.
    """

    settable: Mapping[str, Rule]
    errors: Mapping[str, Rule]
    _files: dict[Source, list[Allowance]] = field(
        default_factory=dict["Source", "list[Allowance]"]
    )
    _faults: list[Diagnostic] = field(default_factory=list["Diagnostic"])

    def silence(self, found: Diagnostic, inside: Span | None) -> bool:
        """Does a comment say that this is meant?"""
        silenced = False
        places = [inside] if inside else []
        if found.primary is not None:
            places.append(found.primary.span)
        for span in places:
            line = span.source.position(span.start)[0]
            for allowance in self._of(span.source):
                if allowance.code == found.rule.code and allowance.line == line:
                    silenced = allowance.used = True
        return silenced

    def idle(self, source: Source) -> Iterator[Diagnostic]:
        """The comments of a file that have silenced nothing so far."""
        for allowance in self._of(source):
            if not allowance.used:
                yield Diagnostic(
                    IDLE_COMMENT,
                    f"nothing to silence: there is no {allowance.code} here",
                    Label(allowance.span, f"it is about line {allowance.line}"),
                    help="remove it, or move it before the line that is reported",
                    fix=_without(allowance),
                )
        yield from (
            fault
            for fault in self._faults
            if fault.primary is not None and fault.primary.span.source is source
        )

    def _of(self, source: Source) -> list[Allowance]:
        if source not in self._files:
            self._files[source] = list(self._read(source))
        return self._files[source]

    def _read(self, source: Source) -> Iterator[Allowance]:
        ends = {start: end for end, start in scan(source).comment_starts.items()}
        for start, end in sorted(ends.items()):
            match = _COMMENT.match(source.text, start, end)
            if match is None:
                continue
            codes = [
                (word[0], Span(source, word.start(), word.end()))
                for word in _WORD.finditer(source.text, *match.span("rest"))
            ]
            span = Span(source, start, end)
            names_code = any(_CODE.fullmatch(code) for code, _ in codes)
            if match["verb"] != "allow":
                if names_code:
                    self._fault(span, "a comment for ampgen that it does not know")
                continue
            if not names_code:
                self._fault(span, "a comment that silences no rule: it names no code")
                continue
            line = _covered_line(source, ends, start)
            for code, place in codes:
                if code in self.settable:
                    yield Allowance(code, place, span, line)
                elif _CODE.fullmatch(code):
                    self._refuse(code, place)
                else:
                    self._fault(
                        place,
                        f"`{code}` is the code of no rule",
                        help_=f"put a reason in brackets: `{EXAMPLE}`",
                    )
                    break

    def _refuse(self, code: str, place: Span) -> None:
        if code in self.errors:
            self._fault(
                place,
                f"{code} cannot be silenced",
                f"{self.errors[code].title}: an error of the compiler",
                "remove the comment, and mend what is reported",
            )
            return
        near = did_you_mean(code, self.settable)
        help_ = f"did you mean {near}?" if near else f"write `{EXAMPLE}`"
        fix = writing(place, near) if near else None
        message = f"there is no rule `{code}` to silence"
        self._fault(place, message, help_=help_, fix=fix)

    def _fault(
        self,
        span: Span,
        message: str,
        label: str = "",
        help_: str | None = None,
        fix: Fix | None = None,
    ) -> None:
        help_ = help_ or f"write `{EXAMPLE}`, with the code of the rule"
        self._faults.append(
            Diagnostic(IDLE_COMMENT, message, Label(span, label), (), help_, fix)
        )


def _without(allowance: Allowance) -> Fix:
    """The code goes; the comment, too, if it names no other."""
    comment, code = allowance.comment, allowance.span
    match = _COMMENT.match(comment.text)
    words = _WORD.findall(match["rest"]) if match else []
    if len([word for word in words if _CODE.fullmatch(word)]) < 2:
        return removing(comment, "the comment")
    text, end = comment.source.text, code.end
    while text[end] in ", \t":
        end += 1
    start = code.start
    if end == code.end or text[end] in "(*":  # it is the last: the comma before it goes
        start, end = len(text[:start].rstrip(", \t")), code.end
    edit = Edit(Span(code.source, start, end), "")
    return Fix(f"remove `{allowance.code}`", (edit,))


def _covered_line(source: Source, ends: Mapping[int, int], start: int) -> int:
    """The line of the comment, or of what is declared behind it."""
    line, column = source.position(start)
    if source.text[start - column + 1 : start].strip():
        return line
    at = start
    while True:
        if at in ends:
            at = ends[at]
        elif annotation := _ANNOTATION.match(source.text, at):
            at = annotation.end()
        elif space := _SPACE.match(source.text, at):
            if space.end() == at:
                break
            at = space.end()
    return source.position(at)[0]
