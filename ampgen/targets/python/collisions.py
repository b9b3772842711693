"""Names that would collide in the generated Python: refused, both places named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.diagnostics import Diagnostic, Label
from ampgen.frozen import frozen
from ampgen.model import Command, Enum, Error, Field, Service, Struct, Union
from ampgen.source import Span
from ampgen.targets.python import names, rules
from ampgen.targets.python.linearise import linearise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ampgen.diagnostics import Rule
    from ampgen.model import Module, Schema


@frozen
class Claim:
    """Something that wants a name in Python; ``what`` is it in the reader's words."""

    name: str
    what: str
    span: Span
    thing: Command | Service | object


def collisions(schema: Schema) -> Iterator[Diagnostic]:
    for module in schema.modules:
        yield from _clashes(rules.SAME_CLASS, "class", _classes(module))
        for declaration in module.declarations:
            match declaration:
                case Enum():
                    yield from _clashes(
                        rules.SAME_MEMBER, "member", _members(declaration)
                    )
                case Struct():
                    yield from _fields("field", declaration.fields, names.field_name)
                case Error():
                    yield from _fields(
                        "field", declaration.fields, names.error_field_name
                    )
                case Service():
                    yield from _service(declaration)
                case _:  # a union's members are classes; an alias has no name in Python
                    pass
    yield from _exports(schema)
    yield from _modules(schema)


# --- inside a class -------------------------------------------------------------------


def _members(enum: Enum) -> Iterator[Claim]:
    for member in enum.members:
        yield Claim(
            names.member_name(member.name),
            f"the member `{member.name}`",
            member.span,
            member,
        )


def _fields(
    kind: str, fields: Iterable[Field], name: Callable[[Field], str]
) -> Iterator[Diagnostic]:
    claims = (Claim(name(f), f"the {kind} `{f.name}`", f.span, f) for f in fields)
    yield from _clashes(rules.SAME_FIELD, kind, claims)


def _service(service: Service) -> Iterator[Diagnostic]:
    for command in service.commands:
        yield from _fields("argument", command.arguments, names.argument_name)
        if command.result is not None and not command.result.bare:
            yield from _fields("result", command.result.fields, names.field_name)
    if linearise(service) is None:
        if all(linearise(base) is not None for base in service.extends):
            yield _no_base_order(service)
        return
    first: dict[str, Claim] = {}
    for claim in _methods(service):
        earlier = first.setdefault(claim.name, claim)
        if earlier.thing is claim.thing or _reported_elsewhere(service, earlier, claim):
            continue
        both_commands = isinstance(earlier.thing, Command) and isinstance(
            claim.thing, Command
        )
        rule = rules.SAME_METHOD if both_commands else rules.CALLED_SERVICE
        yield _clash(rule, "method" if both_commands else "attribute", earlier, claim)


def _methods(service: Service) -> Iterator[Claim]:
    """What the classes of a service have, inherited things first."""
    lineage = tuple(service.lineage())[::-1]
    for ancestor in lineage:
        for called in ancestor.calls:
            what = f"the called service `{called.name}`"
            yield Claim(names.called_name(called), what, called.span, called)
    for ancestor in lineage:
        for command in ancestor.commands:
            what = f"the command `{command.name}`"
            yield Claim(names.method_name(command), what, command.span, command)


def _reported_elsewhere(service: Service, one: Claim, other: Claim) -> bool:
    """Do they meet in a base already, or collide as classes of one module?"""
    both = {id(one.thing), id(other.thing)}
    for base in service.extends:
        if both <= {id(thing) for thing in (*base.all_commands(), *base.all_calls())}:
            return True
    match one.thing, other.thing:
        case Service() as first, Service() as second:
            same_class = names.client_class(first) == names.client_class(second)
            return same_class and first.module is second.module
        case _:
            return False


def _no_base_order(service: Service) -> Diagnostic:
    bases = ", ".join(f"`{base.name}`" for base in service.extends)
    return Diagnostic(
        rules.NO_BASE_ORDER,
        f"Python has no order for the services that `{service.name}` extends: {bases}",
        Label(service.span, "they disagree on which of them comes first"),
        tuple(
            Label(base.span, f"`{base.name}` is declared here")
            for base in service.extends
        ),
        help="name the more special service first, or leave out what another brings",
    )


# --- in a module, and in the package --------------------------------------------------


def _classes(module: Module) -> Iterator[Claim]:
    for declaration in module.declarations:
        match declaration:
            case Enum() | Struct() | Error():
                kind = type(declaration).__name__.lower()
                what = f"the {kind} `{declaration.name}`"
                yield Claim(
                    names.type_name(declaration), what, declaration.span, declaration
                )
            case Union():
                what = f"the union `{declaration.name}`"
                yield Claim(
                    names.type_name(declaration), what, declaration.span, declaration
                )
                for member in declaration.members:
                    what = (
                        f"the member `{member.name}` of the union `{declaration.name}`"
                    )
                    name = names.member_class(declaration, member)
                    yield Claim(name, what, member.span, member)
            case Service():
                yield from _service_classes(declaration)
            case _:
                pass


def _service_classes(service: Service) -> Iterator[Claim]:
    for name in (names.client_class, names.blocking_class, names.server_class):
        what = f"the service `{service.name}`"
        yield Claim(name(service), what, service.span, service)
    for command in service.commands:
        if command.result is not None and not command.result.bare:
            each = "an item" if command.result.stream else "the result"
            what = f"{each} of `{service.name}.{command.name}`"
            yield Claim(names.result_class(command), what, command.span, command)


def _exports(schema: Schema) -> Iterator[Diagnostic]:
    modules = {names.module_path(module.path)[0]: module for module in schema.modules}
    first: dict[str, tuple[Claim, Module]] = {}
    reported: set[tuple[int, int]] = set()  # two services share a client and a server
    for module in schema.roots:
        for claim in _classes(module):
            earlier, home = first.setdefault(claim.name, (claim, module))
            pair = (id(earlier.thing), id(claim.thing))
            if home is not module:
                if pair not in reported:
                    reported.add(pair)
                    yield _clash(rules.SAME_EXPORT, "export", earlier, claim)
            elif claim.name in modules and earlier is claim:
                yield _hides(claim, modules[claim.name])


def _modules(schema: Schema) -> Iterator[Diagnostic]:
    """Paths that differ in the schema, and not in Python: `class` and `class_`."""
    first: dict[tuple[str, ...], tuple[tuple[str, ...], Module, str]] = {}
    for module in schema.modules:
        for length in range(len(module.path), 0, -1):
            path = module.path[:length]
            kind = "module" if path == module.path else "package"
            here = (path, module, kind)
            earlier = first.setdefault(names.module_path(path), here)
            if (earlier[0], earlier[2]) != (path, kind):
                yield _one_module(earlier[1], module, names.module_path(path))


def _one_module(first: Module, second: Module, path: tuple[str, ...]) -> Diagnostic:
    return Diagnostic(
        rules.SAME_MODULE,
        f"`{first.source.path}` and `{second.source.path}` would both be "
        f"`{'.'.join(path)}` in Python",
        Label(Span(second.source, 0, 0), "the file that begins here"),
        (Label(Span(first.source, 0, 0), "and this one"),),
        help="rename one of them",
    )


def _hides(claim: Claim, module: Module) -> Diagnostic:
    path = "/".join(module.path)
    return Diagnostic(
        rules.SHADOWED_MODULE,
        f"{claim.what} would hide the generated module of `{path}.amp`",
        Label(claim.span, f"the package would offer this as `{claim.name}`"),
        help="rename one of the two",
    )


# --- reports --------------------------------------------------------------------------


def _clashes(rule: Rule, kind: str, claims: Iterable[Claim]) -> Iterator[Diagnostic]:
    first: dict[str, Claim] = {}
    reported: set[tuple[int, int]] = set()  # two services share a client and a server
    for claim in claims:
        earlier = first.setdefault(claim.name, claim)
        pair = (id(earlier.thing), id(claim.thing))
        if earlier.thing is not claim.thing and pair not in reported:
            reported.add(pair)
            yield _clash(
                rule, kind, *sorted((earlier, claim), key=lambda c: c.span.start)
            )


def _clash(rule: Rule, kind: str, first: Claim, second: Claim) -> Diagnostic:
    would_be = f"`{first.name}` in Python"
    if kind in ("class", "method", "attribute"):
        would_be = f"the {kind} `{first.name}`"
    return Diagnostic(
        rule,
        f"{first.what} and {second.what} would both be {would_be}",
        Label(second.span, f"this would be `{first.name}`"),
        (Label(first.span, "and so would this"),),
        help=_way_out(kind, first, second),
    )


def _way_out(kind: str, first: Claim, second: Claim) -> str:
    for claim in (second, first):
        if isinstance(claim.thing, Command):
            name, pin = claim.thing.name, f'@wire("{claim.thing.wire}")'
            return f"rename the command `{name}`; {pin} keeps its name on the wire"
    if isinstance(second.thing, Field) and kind in ("field", "argument", "result"):
        return f'rename one; @wire("{second.thing.key}") keeps its key on the wire'
    return "rename one of the two"
