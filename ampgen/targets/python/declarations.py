"""Plans of what a schema declares beside services: enums, structs, unions, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.targets.python import names, types
from ampgen.targets.python.docstrings import Section, docstring, prose
from ampgen.targets.python.layout import (
    Either,
    Group,
    Part,
    Run,
    call,
    either,
    fits,
    statement,
    string,
    subscript,
)
from ampgen.targets.python.plan import (
    Alias,
    Choice,
    Class,
    Enumeration,
    Member,
    Structure,
)
from ampgen.targets.python.records import default, mutable, pair_literal, raw_literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ampgen.model import Enum, Field, Notes, Struct, Union
    from ampgen.targets.python.codecs import Codecs
    from ampgen.targets.python.records import Records
    from ampgen.targets.python.scope import Scope

DATACLASS = "@_dataclass(frozen=True, slots=True, kw_only=True)"


def class_header(
    name: str, bases: tuple[str, ...], notes: Notes, *decorators: str
) -> str:
    """A deprecated class is for type checkers to report: no warning at run time."""
    lines = list(decorators)
    if notes.deprecated is not None:
        reason = string(notes.deprecated)
        lines.insert(0, statement("@", call("_deprecated", reason, "category=None")))
    group = (Group("(", bases, ")"),) if bases else ()
    lines.append(statement(f"class {name}", *group, ":"))
    return "\n".join(lines)


def function_header(
    name: str,
    parameters: Sequence[Part],
    returns: Part,
    *,
    indent: int = 0,
    prefix: str = "def",
    stub: bool = False,
) -> str:
    """``stub``: the body is the dots behind the colon."""
    group = Group("(", tuple(parameters), ")")
    colon = ": ..." if stub else ":"
    return statement(f"{prefix} {name}", group, " -> ", returns, colon, indent=indent)


def described(
    fields: Iterable[Field], name: Callable[[Field], str]
) -> tuple[tuple[str, str], ...]:
    """Each field that has a doc or, as no decorator can tell it, a deprecation."""
    docs = ((name(f), prose(f.notes.doc, f.notes.deprecated)) for f in fields)
    return tuple((name, doc) for name, doc in docs if doc)


def an(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


class Declarations:
    """Plans the declarations of one module."""

    def __init__(self, scope: Scope, codecs: Codecs, records: Records) -> None:
        self._scope = scope
        self._codecs = codecs
        self._records = records

    # --- enums ------------------------------------------------------------------------

    def enum_class(self, enum: Enum) -> Class:
        members = tuple(
            statement(f"{names.member_name(m.name)} = {string(m.value)}", indent=1)
            for m in enum.members
        )
        docs = (
            (names.member_name(m.name), prose(m.notes.doc, m.notes.deprecated))
            for m in enum.members
        )
        entries = tuple((member, doc) for member, doc in docs if doc)
        name = names.type_name(enum)
        return Class(
            class_header(name, ("_StrEnum",), enum.notes),
            docstring(
                enum.notes.doc or "",
                [Section("Members", entries)],
                indent=1,
                title=f"The values of {name}.",
            ),
            members,
        )

    def enumeration(self, enum: Enum) -> Enumeration:
        kind = "open" if enum.open else "closed"
        name = names.type_name(enum)
        encode = self._scope.reference("encode", enum)
        decode = self._scope.reference("decode", enum)
        return Enumeration(
            statement(f"{encode} = ", call(f"_{kind}_enum_encoder", name)),
            statement(f"{decode} = ", call(f"_{kind}_enum_decoder", name)),
        )

    # --- structs and results ----------------------------------------------------------

    def dataclass(
        self, name: str, fields: Sequence[Field], notes: Notes, title: str = ""
    ) -> Class:
        attributes = Section("Attributes", described(fields, names.field_name))
        return Class(
            class_header(name, (), notes, DATACLASS),
            docstring(
                notes.doc or "",
                [attributes],
                indent=1,
                title=title or f"{name}.",
                always=bool(title),
            ),
            tuple(self._dataclass_field(field) for field in fields) or ("    pass",),
        )

    def _dataclass_field(self, field: Field) -> str:
        scope = self._scope
        left: Part = Run(
            f"{names.field_name(field)}: ", types.given_field(scope, field)
        )
        options: list[Part] = []
        right: Part | None = None
        if field.optional:
            right = Either(("None",))  # in parentheses where it is too long for a line
        elif field.default is not None:
            right = default(scope, field.default, field, mutable=True)
            if mutable(field):
                factory: Part = Run("lambda: ", right)
                if right in ("[]", "{}"):
                    empty = types.given(scope, field.type)
                    lazily = types.names_class_of(field.type, scope.module)
                    factory = Run("lambda: ", empty, "()") if lazily else empty
                options.append(Run("default_factory=", factory))
                right = None
        if field.sensitive:
            options.append("repr=False")
        if options:
            if right is not None:
                options.insert(0, f"default={right}")
            right = call("_field", *options)
            if field.optional and not fits(left, " = _field(", indent=1):
                right = Either((right,))  # as a whole on a line of its own
        return statement(left, *(() if right is None else (" = ", right)), indent=1)

    def structure(self, struct: Struct) -> Structure:
        scope = self._scope
        name = scope.class_name(names.type_name(struct), struct.module)
        return Structure(
            encode=self._encoder_header(scope.reference("encode", struct), name),
            read=self.reader_header(scope.reference("read", struct), name),
            check=self.check("value", name, struct.name),
            maker=self.maker(scope.reference("new", struct), name),
            writer=self._records.writer(
                struct.fields, lambda f: f"value.{names.field_name(f)}", "depth - 1"
            ),
            reader=self._records.reader(
                struct.fields,
                "depth - 1",
                lambda values: self.build(
                    scope.reference("new", struct), struct.fields, values
                ),
            ),
        )

    def maker(self, function: str, name: str) -> str:
        return statement(f"{function} = ", call("_maker", name))

    def build(
        self, maker: str, fields: Sequence[Field], values: dict[Field, str]
    ) -> Part:
        """``maker`` takes the fields by position."""
        return call(maker, *(values[field] for field in fields))

    def _encoder_header(self, function: str, name: str) -> str:
        scope = self._scope
        parameters = (f"value: {name}", f"depth: {scope.builtin('int')}")
        return function_header(function, parameters, scope.builtin("bytes"))

    def reader_header(self, function: str, returns: Part) -> str:
        scope = self._scope
        number = scope.builtin("int")
        parameters = (
            f"data: {scope.builtin('bytes')}",
            f"at: {number}",
            f"depth: {number}",
        )
        result = subscript(scope.builtin("tuple"), returns, number)
        return function_header(function, parameters, result)

    def check(self, value: str, class_: str, name: str) -> str:
        """Refuse what is of another class; ``name`` is what the schema calls it."""
        refusal = call("_wrong_type", string(an(name)), value)
        return (
            statement("if not ", self._is_a(value, class_), ":", indent=1)
            + "\n"
            + statement("raise ", refusal, indent=2)
        )

    def _is_a(self, value: str, class_: str) -> Part:
        return call(self._scope.builtin("isinstance"), value, class_)

    # --- unions -----------------------------------------------------------------------

    def union_classes(self, union: Union) -> tuple[tuple[Class, ...], Alias]:
        members = tuple(self._member_class(union, member) for member in union.members)
        name = names.type_name(union)
        classes = tuple(names.member_class(union, member) for member in union.members)
        alias = statement(f"{name}: _TypeAlias = ", either(*classes))
        doc = prose(union.notes.doc, union.notes.deprecated)
        return members, Alias(alias, docstring(doc, indent=0))

    def _member_class(self, union: Union, member: Field) -> Class:
        annotation = types.given(self._scope, member.type)
        return Class(
            class_header(
                names.member_class(union, member),
                (),
                member.notes,
                "@_dataclass(frozen=True, slots=True)",
            ),
            docstring(
                member.notes.doc or "",
                indent=1,
                title=f"The member `{member.name}` of {union.name}.",
            ),
            (statement("value: ", annotation, indent=1),),
        )

    def choice(self, union: Union) -> Choice:
        scope = self._scope
        name = scope.class_name(names.type_name(union), union.module)
        unknown = tuple(string(member.key) for member in union.members)
        return Choice(
            encode=self._encoder_header(scope.reference("encode", union), name),
            read=self.reader_header(scope.reference("read", union), name),
            check=self.check("value", name, union.name),
            unknown_member=statement(
                "raise ", call("_unknown_member", *unknown), indent=1
            ),
            members=tuple(
                self._member(union, member, "elif" if at else "if")
                for at, member in enumerate(union.members)
            ),
        )

    def _member(self, union: Union, member: Field, word: str) -> Member:
        codecs = self._codecs
        name = names.member_class(union, member)
        build: Part = call(name, codecs.decode(member.type, "raw", "depth - 1"))
        return Member(
            test=statement(f"{word} ", self._is_a("value", name), ":", indent=2),
            begin=statement("key = ", string(member.key), indent=3),
            header=statement("header = ", pair_literal(member.key), indent=3),
            encode=statement(
                "v1 = ",
                codecs.encode(member.type, "value.value", "depth - 1"),
                indent=3,
            ),
            found=statement("if key == ", raw_literal(member.key), ":", indent=2),
            build=(statement("return ", build, ", end", indent=3),),
        )
