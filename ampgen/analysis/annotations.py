"""What each annotation means: where it may stand, and what it takes, in one table."""

from __future__ import annotations

import math
from dataclasses import field
from enum import Enum
from typing import TYPE_CHECKING

from ampgen import model
from ampgen.analysis.rules import notes as rule
from ampgen.diagnostics.fixes import removing, writing
from ampgen.frozen import frozen
from ampgen.language import tree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.analysis.findings import Findings
    from ampgen.diagnostics.fixes import Fix
    from ampgen.source import Span


class Place(Enum):
    """What an annotation stands on, as messages call it."""

    ALIAS = "an alias"
    ENUM = "an enum"
    ENUM_MEMBER = "an enum's member"
    STRUCT = "a struct"
    UNION = "a union"
    UNION_MEMBER = "a union's member"
    ERROR = "an error"
    FIELD = "a field"
    SERVICE = "a service"
    COMMAND = "a command"
    ARGUMENT = "an argument"
    STREAM_ARGUMENT = "a stream argument"
    RESULT = "a result"


@frozen
class Known:
    """``takes`` is the class of its only argument, ``None`` for no argument at all."""

    places: frozenset[Place]
    takes: type[tree.StringLiteral | tree.DurationLiteral] | None
    usage: str
    stands_on: str


_VALUES = frozenset({Place.FIELD, Place.ARGUMENT, Place.STREAM_ARGUMENT, Place.RESULT})

ANNOTATIONS = {
    "wire": Known(
        frozenset({Place.COMMAND, Place.FIELD, Place.ARGUMENT, Place.RESULT}),
        tree.StringLiteral,
        '@wire("key")',
        "a command, a field, an argument or a result in parentheses",
    ),
    "deprecated": Known(
        frozenset(Place), tree.StringLiteral, '@deprecated("why")', "anything"
    ),
    "timeout": Known(
        frozenset({Place.COMMAND}), tree.DurationLiteral, "@timeout(2s)", "a command"
    ),
    "idempotent": Known(frozenset({Place.COMMAND}), None, "@idempotent", "a command"),
    "sensitive": Known(_VALUES, None, "@sensitive", "a field, an argument or a result"),
}

_LEFT_OUT = "leave it out:"
_INSTEAD = {
    ("wire", Place.ERROR): 'write the code behind the name: `error Name "CODE"`',
    ("wire", Place.ENUM_MEMBER): 'write the value behind the name: `NAME = "value"`',
    ("wire", Place.STREAM_ARGUMENT): f"{_LEFT_OUT} the name of a stream argument is "
    "not on the wire",
    ("wire", Place.UNION_MEMBER): f"{_LEFT_OUT} a member's name is its key",
}


@frozen
class Annotated:
    """What the annotations in one place say. ``places`` are those of the known ones."""

    notes: model.Notes
    wire: tree.StringLiteral | None = None
    timeout: float | None = None
    idempotent: bool = False
    sensitive: bool = False
    places: dict[str, Span] = field(default_factory=dict[str, "Span"])


def read_annotations(
    annotations: Sequence[tree.Annotation],
    doc: tree.Doc | None,
    place: Place,
    findings: Findings,
) -> Annotated:
    text = None if doc is None else doc.text
    if not annotations:
        return Annotated(model.Notes(text))
    good: dict[str, tree.Annotation] = {}
    first: dict[str, tree.Annotation] = {}
    extras: list[model.Extra] = []
    for annotation in annotations:
        name = annotation.name.text
        head, *rest = annotation.name.parts
        if head.text == "x" and rest:
            extras.append(_extra(annotation, rest))
        elif name not in ANNOTATIONS:
            _refuse_unknown(annotation, findings)
        elif (earlier := first.setdefault(name, annotation)) is not annotation:
            findings.add(
                rule.REPEATED,
                f"`@{name}` is given twice",
                annotation.span,
                "given again here",
                related=[(earlier.span, "first given here")],
                help="keep one of them",
                fix=removing(annotation.span, safe=True)
                if annotation.span.text == earlier.span.text
                else None,
            )
        elif _check_use(annotation, place, findings):
            good[name] = annotation
    timeout = _only_argument(good.get("timeout"))
    return Annotated(
        notes=model.Notes(
            doc=text,
            deprecated=_string(good.get("deprecated")),
            extras=tuple(extras),
        ),
        wire=_string_literal(good.get("wire")),
        timeout=timeout.seconds if isinstance(timeout, tree.DurationLiteral) else None,
        idempotent="idempotent" in good,
        sensitive="sensitive" in good,
        places={name: annotation.span for name, annotation in good.items()},
    )


def _refuse_unknown(annotation: tree.Annotation, findings: Findings) -> None:
    name = annotation.name.text
    nearest = findings.nearest(name, ANNOTATIONS)
    meant: str | None
    if name == "x":
        help_, meant = "name it: `@x.name(…)` is handed to templates", None
    elif name.startswith("X."):
        meant = f"x{name[1:]}"
        help_ = f"did you mean `@{meant}`?"
    elif nearest is not None:
        help_, meant = f"did you mean `{ANNOTATIONS[nearest].usage}`?", nearest
    else:
        meant = f"x.{name}"
        help_ = f"an annotation of your own is written `@{meant}`"
    findings.add(
        rule.UNKNOWN,
        f"unknown annotation `@{name}`",
        annotation.name.span,
        "the language has no such annotation",
        help=help_,
        fix=None if meant is None else writing(annotation.name.span, meant),
    )


def _check_use(annotation: tree.Annotation, place: Place, findings: Findings) -> bool:
    """Refuse a known annotation in the wrong place or with the wrong argument."""
    name = annotation.name.text
    known = ANNOTATIONS[name]
    if place not in known.places:
        help_ = _INSTEAD.get((name, place))
        idle = help_ is not None and help_.startswith(_LEFT_OUT)
        findings.add(
            rule.WRONG_PLACE,
            f"`@{name}` does not stand on {place.value}",
            annotation.span,
            f"it stands on {known.stands_on}",
            help=help_,
            fix=removing(annotation.span) if idle else None,
        )
        return False
    problem = _wrong_argument(annotation, known)
    if problem is None:
        return True
    span, label, help_, fix = problem
    findings.add(
        rule.WRONG_ARGUMENT,
        f"wrong argument of `@{name}`",
        span,
        label,
        help=help_,
        fix=fix,
    )
    return False


def _wrong_argument(
    annotation: tree.Annotation, known: Known
) -> tuple[Span, str, str, Fix | None] | None:
    """Where, what is wrong, and how to mend it."""
    arguments = annotation.arguments
    usage = f"write `{known.usage}`"
    fix: Fix | None
    if known.takes is None:
        label, fix = "it takes no argument", writing(annotation.span, known.usage)
        return (annotation.span, label, usage, fix) if arguments else None
    wanted = "one string" if known.takes is tree.StringLiteral else "one duration"
    if len(arguments) != 1:
        return annotation.span, f"it takes {wanted}", usage, None
    (argument,) = arguments
    if not isinstance(argument, known.takes):
        fix = None
        if known.takes is tree.StringLiteral and isinstance(argument, tree.NameLiteral):
            quoted = f'"{argument.name.text}"'
            usage, fix = (
                f"put it in quotes: `{quoted}`",
                writing(argument.span, quoted, safe=True),
            )
        if known.takes is tree.DurationLiteral and isinstance(
            argument, tree.IntLiteral
        ):
            usage = f"say in what: `{argument.span.text}s`, `{argument.span.text}ms`"
        return argument.span, f"it takes {wanted}", usage, fix
    if isinstance(argument, tree.DurationLiteral) and not (
        argument.seconds > 0 and math.isfinite(argument.seconds)
    ):
        return argument.span, "a deadline is above zero, and finite", usage, None
    return None


def _extra(annotation: tree.Annotation, rest: Sequence[tree.Name]) -> model.Extra:
    return model.Extra(
        ".".join(part.text for part in rest),
        tuple(_plain(argument) for argument in annotation.arguments),
    )


def _plain(literal: tree.Literal) -> model.ExtraValue:
    match literal:
        case tree.NameLiteral():
            return literal.name.text
        case tree.DurationLiteral():
            return literal.seconds
        case tree.ListLiteral():
            return tuple(_plain(item) for item in literal.items)
        case tree.MapLiteral():
            return model.EmptyMap()
        case _:
            return literal.value


def _only_argument(annotation: tree.Annotation | None) -> tree.Literal | None:
    return None if annotation is None else annotation.arguments[0]


def _string_literal(annotation: tree.Annotation | None) -> tree.StringLiteral | None:
    argument = _only_argument(annotation)
    return argument if isinstance(argument, tree.StringLiteral) else None


def _string(annotation: tree.Annotation | None) -> str | None:
    literal = _string_literal(annotation)
    return None if literal is None else literal.value
