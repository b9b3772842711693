"""Grammar rules -> syntax tree: one method for each rule of grammar.lark, by its name.

The parser calls a method when its rule is complete, with the rule's symbols in order: a
token for each terminal, ``None`` for each optional one that is not there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from lark import Token, Transformer, v_args

from ampgen.diagnostics import Diagnostic, Label
from ampgen.language import tree
from ampgen.language.literals import Duration, decode_string, read_number
from ampgen.language.rules import NAME_NOT_ASCII, NESTED_TOO_DEEP
from ampgen.language.trivia import Trivia
from ampgen.source import Source, Span

MAX_NESTING = 64  # as deep as values nest on the wire

Annotations: TypeAlias = tuple[tree.Annotation, ...]
Parameters: TypeAlias = list[tree.Field | tree.Reserved]
Member = TypeVar("Member")


@dataclass(frozen=True, slots=True)
class Block(Generic[Member]):
    """``{ … }``; ``incomplete`` if a member could not be read."""

    members: tuple[Member, ...]
    incomplete: bool
    span: Span


Fields: TypeAlias = Block[tree.Field | tree.Reserved]
Commands: TypeAlias = Block[tree.CommandDeclaration | tree.Reserved]


@v_args(inline=True)
class TreeBuilder(Transformer[Token, tree.File]):
    """Builds one file at a time: :meth:`begin`, then the parser's calls."""

    def begin(self, source: Source, trivia: Trivia) -> None:
        """Start on a file. ``trivia.docs`` is emptied as its comments find their nodes."""
        self.source = source
        self.trivia = trivia
        self.diagnostics: list[Diagnostic] = []
        self._refused_names: set[str] = set()

    # --- files and imports ---------------------------------------------------------------

    def start(self, *items: tree.Import | tree.Declaration | Token) -> tree.File:
        imports: list[tree.Import] = []
        declarations: list[tree.Declaration] = []
        for item in items:
            if isinstance(item, tree.Import):
                imports.append(item)
            elif not isinstance(item, Token):
                declarations.append(item)
        doc = self.trivia.file_doc
        return tree.File(self.source, doc, tuple(imports), tuple(declarations))

    def import_statement(
        self,
        keyword: Token,
        path: Token,
        _as: Token | None,
        alias: Token | None,
        semicolon: Token,
    ) -> tree.Import:
        name = None if alias is None else self._name(alias)
        return tree.Import(self.string(path), name, self._span(keyword, semicolon))

    def broken_import(self, keyword: Token, path: Token, _broken: Token) -> tree.Import:
        return tree.Import(self.string(path), None, self._span(keyword, path))

    # --- annotations, names, types, literals ---------------------------------------------

    def annotations(self, *annotations: tree.Annotation) -> Annotations:
        return annotations

    def annotation(
        self,
        at: Token,
        name: tree.QualifiedName,
        _open: Token | None,
        literals: tuple[tree.Literal, ...] | None,
        close: Token | None,
    ) -> tree.Annotation:
        end = name.span.end if close is None else _end(close)
        arguments = tuple(self._bounded_literal(item) for item in literals or ())
        return tree.Annotation(name, arguments, self._run(at, end))

    def qualified_name(self, *tokens: Token) -> tree.QualifiedName:
        parts = tuple(self._name(token) for token in tokens[::2])
        return tree.QualifiedName(parts, self._span(tokens[0], tokens[-1]))

    def qualified_names(
        self, *names: tree.QualifiedName | Token | None
    ) -> tuple[tree.QualifiedName, ...]:
        return tuple(name for name in names if isinstance(name, tree.QualifiedName))

    def named_type(self, name: tree.QualifiedName) -> tree.Type:
        return tree.NamedType(name, name.span)

    def list_type(self, open_: Token, item: tree.Type, close: Token) -> tree.Type:
        return tree.ListType(item, self._span(open_, close))

    def map_type(
        self,
        open_: Token,
        key: tree.Type,
        _colon: Token,
        value: tree.Type,
        close: Token,
    ) -> tree.Type:
        return tree.MapType(key, value, self._span(open_, close))

    def optional_type(self, item: tree.Type, mark: Token) -> tree.Type:
        span = Span(self.source, item.span.start, _end(mark))
        return tree.OptionalType(item, span)

    def modified_type(self, keyword: Token, item: tree.Type) -> tree.Type:
        span = self._run(keyword, item.span.end)
        return tree.ModifiedType(self._name(keyword), item, span)

    def string(self, token: Token) -> tree.StringLiteral:
        value, _faults = decode_string(token)  # the faults are in the trivia
        return tree.StringLiteral(value, self._span(token, token))

    def number(self, token: Token) -> tree.Literal:
        value, fault = read_number(token)
        if fault is not None:
            self.diagnostics.append(fault.at(self.source, _start(token)))
        span = self._span(token, token)
        if isinstance(value, Duration):
            return tree.DurationLiteral(value.seconds, span)
        if isinstance(value, float):
            return tree.FloatLiteral(value, span)
        return tree.IntLiteral(value, span)

    def boolean(self, token: Token) -> tree.Literal:
        return tree.BoolLiteral(token == "true", self._span(token, token))

    def special_float(self, token: Token) -> tree.Literal:
        return tree.FloatLiteral(float(token), self._span(token, token))

    def name_literal(self, name: tree.QualifiedName) -> tree.Literal:
        return tree.NameLiteral(name, name.span)

    def list_literal(
        self, open_: Token, items: tuple[tree.Literal, ...] | None, close: Token
    ) -> tree.Literal:
        return tree.ListLiteral(items or (), self._span(open_, close))

    def map_literal(self, open_: Token, close: Token) -> tree.Literal:
        return tree.MapLiteral(self._span(open_, close))

    def literals(self, *items: tree.Literal | Token | None) -> tuple[tree.Literal, ...]:
        return tuple(
            item for item in items if item is not None and not isinstance(item, Token)
        )

    def strings(self, *tokens: Token | None) -> tuple[tree.StringLiteral, ...]:
        return tuple(
            self.string(token) for token in tokens if token and token.type == "STRING"
        )

    # --- types that are declared ---------------------------------------------------------

    def type_alias(
        self,
        annotations: Annotations | None,
        keyword: Token,
        name: Token,
        _equal: Token,
        type_: tree.Type,
        semicolon: Token,
    ) -> tree.Declaration:
        start, doc = self._opening(annotations, keyword)
        span = Span(self.source, start, _end(semicolon))
        return tree.TypeAliasDeclaration(
            doc, annotations or (), self._name(name), self._bounded(type_), span
        )

    def broken_type_alias(
        self,
        annotations: Annotations | None,
        keyword: Token,
        name: Token,
        _broken: Token,
    ) -> tree.Declaration:
        start, doc = self._opening(annotations, keyword)
        span = Span(self.source, start, _end(name))
        return tree.TypeAliasDeclaration(
            doc, annotations or (), self._name(name), None, span
        )

    def enum(
        self,
        annotations: Annotations | None,
        open_: Token | None,
        keyword: Token,
        name: Token,
        broken: Token | None,
        block: Block[tree.EnumMember],
    ) -> tree.Declaration:
        start, doc = self._opening(annotations, open_, keyword)
        span = Span(self.source, start, block.span.end)
        return tree.EnumDeclaration(
            doc,
            annotations or (),
            open_ is not None,
            self._name(name),
            block.members,
            span,
            block.incomplete or broken is not None,
        )

    def enum_without_body(
        self,
        annotations: Annotations | None,
        open_: Token | None,
        keyword: Token,
        name: Token,
        broken: Token,
    ) -> tree.Declaration:
        block = self._no_block(tree.EnumMember, name)
        return self.enum(annotations, open_, keyword, name, broken, block)

    def enum_members(self, *items: tree.EnumMember | Token) -> Block[tree.EnumMember]:
        return self._block(items)

    def enum_member(
        self,
        annotations: Annotations | None,
        name: Token,
        _equal: Token | None,
        value: Token | None,
        semicolon: Token,
    ) -> tree.EnumMember:
        start, doc = self._opening(annotations, name)
        span = Span(self.source, start, _end(semicolon))
        literal = None if value is None else self.string(value)
        return tree.EnumMember(doc, annotations or (), self._name(name), literal, span)

    def broken_enum_member(
        self, annotations: Annotations | None, name: Token, _broken: Token
    ) -> tree.EnumMember:
        return self.enum_member(annotations, name, None, None, name)

    def struct(
        self,
        annotations: Annotations | None,
        keyword: Token,
        name: Token,
        _broken: Token | None,
        block: Fields,
    ) -> tree.Declaration:
        start, doc = self._opening(annotations, keyword)
        span = Span(self.source, start, block.span.end)
        return tree.StructDeclaration(
            doc, annotations or (), self._name(name), block.members, span
        )

    def struct_without_body(
        self,
        annotations: Annotations | None,
        keyword: Token,
        name: Token,
        broken: Token,
    ) -> tree.Declaration:
        return self.struct(annotations, keyword, name, broken, self._no_fields(name))

    def union(
        self,
        annotations: Annotations | None,
        keyword: Token,
        name: Token,
        broken: Token | None,
        block: Fields,
    ) -> tree.Declaration:
        start, doc = self._opening(annotations, keyword)
        span = Span(self.source, start, block.span.end)
        incomplete = block.incomplete or broken is not None
        return tree.UnionDeclaration(
            doc, annotations or (), self._name(name), block.members, span, incomplete
        )

    def union_without_body(
        self,
        annotations: Annotations | None,
        keyword: Token,
        name: Token,
        broken: Token,
    ) -> tree.Declaration:
        return self.union(annotations, keyword, name, broken, self._no_fields(name))

    def error(
        self,
        annotations: Annotations | None,
        fatal: Token | None,
        keyword: Token,
        name: Token,
        code: Token | None,
        _broken: Token | None,
        block: Fields,
    ) -> tree.Declaration:
        start, doc = self._opening(annotations, fatal, keyword)
        return tree.ErrorDeclaration(
            doc,
            annotations or (),
            fatal is not None,
            self._name(name),
            None if code is None else self.string(code),
            block.members,
            Span(self.source, start, block.span.end),
        )

    def error_without_body(
        self,
        annotations: Annotations | None,
        fatal: Token | None,
        keyword: Token,
        name: Token,
        code: Token | None,
        end: Token,
    ) -> tree.Declaration:
        last = end if end.type == "SEMICOLON" else (code or name)
        block = self._no_fields(last)
        return self.error(annotations, fatal, keyword, name, code, None, block)

    # --- what stands in blocks -----------------------------------------------------------

    def fields(self, *items: tree.Field | tree.Reserved | Token) -> Fields:
        return self._block(items)

    def field(
        self,
        annotations: Annotations | None,
        name: Token,
        _colon: Token,
        type_: tree.Type,
        _equal: Token | None,
        default: tree.Literal | None,
        semicolon: Token,
    ) -> tree.Field:
        return self._field(annotations, name, type_, default, _end(semicolon))

    def reserved_statement(
        self,
        keyword: Token,
        keys: tuple[tree.StringLiteral, ...],
        semicolon: Token,
    ) -> tree.Reserved:
        return tree.Reserved(keys, self._span(keyword, semicolon))

    # --- services ------------------------------------------------------------------------

    def service(
        self,
        annotations: Annotations | None,
        keyword: Token,
        name: Token,
        extends: tuple[tree.QualifiedName, ...] | None,
        calls: tuple[tree.QualifiedName, ...] | None,
        _broken: Token | None,
        block: Commands,
    ) -> tree.Declaration:
        start, doc = self._opening(annotations, keyword)
        return tree.ServiceDeclaration(
            doc,
            annotations or (),
            self._name(name),
            extends or (),
            calls or (),
            block.members,
            Span(self.source, start, block.span.end),
        )

    def service_without_body(
        self,
        annotations: Annotations | None,
        keyword: Token,
        name: Token,
        extends: tuple[tree.QualifiedName, ...] | None,
        calls: tuple[tree.QualifiedName, ...] | None,
        broken: Token,
    ) -> tree.Declaration:
        block: Commands = Block((), True, self._span(name, name))
        return self.service(annotations, keyword, name, extends, calls, broken, block)

    def extends(
        self, _keyword: Token, names: tuple[tree.QualifiedName, ...]
    ) -> tuple[tree.QualifiedName, ...]:
        return names

    def calls(
        self, _keyword: Token, names: tuple[tree.QualifiedName, ...]
    ) -> tuple[tree.QualifiedName, ...]:
        return names

    def commands(
        self, *items: tree.CommandDeclaration | tree.Reserved | Token
    ) -> Commands:
        return self._block(items)

    def command(
        self,
        annotations: Annotations | None,
        oneway: Token | None,
        keyword: Token,
        name: Token,
        _open: Token,
        arguments: tuple[tree.Field | tree.Reserved, ...] | None,
        _close: Token,
        result: tuple[Span, tree.ResultList | tree.BareResult] | None,
        raises: tuple[Span, tuple[tree.QualifiedName, ...]] | None,
        semicolon: Token,
    ) -> tree.CommandDeclaration:
        start, doc = self._opening(annotations, oneway, keyword)
        return tree.CommandDeclaration(
            doc,
            annotations or (),
            oneway is not None,
            self._name(name),
            arguments or (),
            None if result is None else result[0],
            None if result is None else result[1],
            None if raises is None else raises[0],
            () if raises is None else raises[1],
            Span(self.source, start, _end(semicolon)),
        )

    def raises(
        self, keyword: Token, names: tuple[tree.QualifiedName, ...]
    ) -> tuple[Span, tuple[tree.QualifiedName, ...]]:
        return self._span(keyword, keyword), names

    def result_list(
        self,
        arrow: Token,
        stream: Token | None,
        open_: Token,
        members: tuple[tree.Field | tree.Reserved, ...] | None,
        close: Token,
    ) -> tuple[Span, tree.ResultList]:
        word = None if stream is None else self._name(stream)
        span = self._span(stream or open_, close)
        return self._span(arrow, arrow), tree.ResultList(word, members or (), span)

    def bare_result(
        self, arrow: Token, name: Token | None, _colon: Token | None, type_: tree.Type
    ) -> tuple[Span, tree.BareResult]:
        key = None if name is None else self._name(name)
        start = type_.span.start if name is None else _start(name)
        span = Span(self.source, start, type_.span.end)
        return (
            self._span(arrow, arrow),
            tree.BareResult(key, self._bounded(type_), span),
        )

    def parameters(
        self, items: Parameters, _comma: Token | None
    ) -> tuple[tree.Field | tree.Reserved, ...]:
        return tuple(items)

    def parameter(
        self,
        annotations: Annotations | None,
        name: Token,
        _colon: Token,
        type_: tree.Type,
        _equal: Token | None,
        default: tree.Literal | None,
    ) -> tree.Field:
        end = type_.span.end if default is None else default.span.end
        return self._field(annotations, name, type_, default, end)

    def first_parameter(self, parameter: tree.Field) -> Parameters:
        return [parameter]

    def further_parameter(
        self, items: Parameters, _comma: Token, parameter: tree.Field
    ) -> Parameters:
        items.append(parameter)
        return items

    def first_reserved(self, keyword: Token, key: Token) -> Parameters:
        return [tree.Reserved((self.string(key),), self._span(keyword, key))]

    def further_reserved(
        self, items: Parameters, _comma: Token, keyword: Token, key: Token
    ) -> Parameters:
        items.append(tree.Reserved((self.string(key),), self._span(keyword, key)))
        return items

    def further_key(self, items: Parameters, _comma: Token, key: Token) -> Parameters:
        last = items[-1]
        if isinstance(last, tree.Reserved):
            span = Span(self.source, last.span.start, _end(key))
            items[-1] = tree.Reserved((*last.keys, self.string(key)), span)
        return items

    # --- shared --------------------------------------------------------------------------

    def _field(
        self,
        annotations: Annotations | None,
        name: Token,
        type_: tree.Type,
        default: tree.Literal | None,
        end: int,
    ) -> tree.Field:
        start, doc = self._opening(annotations, name)
        return tree.Field(
            doc,
            annotations or (),
            self._name(name),
            self._bounded(type_),
            None if default is None else self._bounded_literal(default),
            Span(self.source, start, end),
        )

    def _opening(
        self, annotations: Annotations | None, *tokens: Token | None
    ) -> tuple[int, tree.Doc | None]:
        """Where a node begins, and its doc comment: before or behind its annotations."""
        first = next(token for token in tokens if token is not None)
        start = behind = _start(first)
        if annotations:
            start = annotations[0].span.start
        docs = self.trivia.docs
        doc = docs.pop(start, None)
        if doc is None and start != behind:
            doc = docs.pop(behind, None)
        return start, doc

    def _block(self, items: tuple[Member | Token, ...]) -> Block[Member]:
        open_, *inner, close = items
        assert isinstance(open_, Token) and isinstance(close, Token)
        members = tuple(item for item in inner if not isinstance(item, Token))
        incomplete = len(members) < len(inner)
        return Block(members, incomplete, self._span(open_, close))

    def _no_fields(self, last: Token) -> Fields:
        return Block((), True, self._span(last, last))

    def _no_block(self, _member: type[Member], last: Token) -> Block[Member]:
        return Block((), True, self._span(last, last))

    def _name(self, token: Token) -> tree.Name:
        span = self._span(token, token)
        text = str(token)
        if not text.isascii() and text not in self._refused_names:
            self._refused_names.add(text)
            self.diagnostics.append(
                Diagnostic(
                    NAME_NOT_ASCII,
                    f"the name `{text}` is not ASCII",
                    Label(span),
                    help="names consist of the letters `A`-`Z` and `a`-`z`, digits and `_`",
                )
            )
        return tree.Name(text, span)

    def _bounded(self, type_: tree.Type) -> tree.Type:
        """The type itself; of one that is nested too deep only what is inside."""
        if isinstance(type_, tree.NamedType):
            return type_
        level: list[tree.Type] = [type_]
        for _ in range(MAX_NESTING):
            level = [inner for outer in level for inner in _inner_types(outer)]
            if not level:
                return type_
        self._refuse_depth(type_.span)
        innermost = level[0]
        while inner := _inner_types(innermost):
            innermost = inner[-1]
        return innermost

    def _bounded_literal(self, literal: tree.Literal) -> tree.Literal:
        """The literal itself, or an empty list for one that is nested too deep."""
        level = [literal]
        for _ in range(MAX_NESTING):
            level = [
                item
                for outer in level
                if isinstance(outer, tree.ListLiteral)
                for item in outer.items
            ]
            if not level:
                return literal
        self._refuse_depth(literal.span)
        return tree.ListLiteral((), literal.span)

    def _refuse_depth(self, span: Span) -> None:
        message = f"nested more than {MAX_NESTING} deep"
        place = Label(Span(self.source, span.start, span.start + 1))
        help_text = "values nest at most 64 deep on the wire"
        self.diagnostics.append(
            Diagnostic(NESTED_TOO_DEEP, message, place, help=help_text)
        )

    def _span(self, first: Token, last: Token) -> Span:
        return Span(self.source, _start(first), _end(last))

    def _run(self, first: Token, end: int) -> Span:
        return Span(self.source, _start(first), end)


def _inner_types(type_: tree.Type) -> tuple[tree.Type, ...]:
    if isinstance(type_, tree.NamedType):
        return ()
    if isinstance(type_, tree.MapType):
        return (type_.key, type_.value)
    return (type_.item,)


def _start(token: Token) -> int:
    start = token.start_pos
    assert start is not None
    return start


def _end(token: Token) -> int:
    end = token.end_pos
    assert end is not None
    return end
