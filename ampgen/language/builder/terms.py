"""Annotations, names, types and literals."""

from __future__ import annotations

from lark import Token

from ampgen.diagnostics import Diagnostic, Label
from ampgen.language import tree
from ampgen.language.builder.nodes import (
    Annotations,
    NodeBuilder,
    end_of,
    start_of,
)
from ampgen.language.literals import Duration, decode_string, read_number
from ampgen.language.rules import NESTED_TOO_DEEP
from ampgen.source import Span

MAX_NESTING = 64  # as deep as values nest on the wire


class TermBuilder(NodeBuilder):
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
        end = name.span.end if close is None else end_of(close)
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
        span = Span(self.source, item.span.start, end_of(mark))
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
            self.diagnostics.append(fault.at(self.source, start_of(token)))
        span = self._span(token, token)
        if isinstance(value, Duration):
            return tree.DurationLiteral(value.seconds, span)
        if isinstance(value, float):
            return tree.FloatLiteral(value, span)
        return tree.IntLiteral(value, span)

    def boolean(self, token: Token) -> tree.Literal:
        return tree.BoolLiteral(token.type == "TRUE", self._span(token, token))

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

    def _bounded(self, type_: tree.Type) -> tree.Type:
        """The type itself; of one that is nested too deep only what is inside."""
        if isinstance(type_, tree.NamedType):
            return type_
        level: list[tree.Type] = [type_]
        for _ in range(MAX_NESTING):
            level = [inner for outer in level for inner in inner_types(outer)]
            if not level:
                return type_
        self._refuse_depth(type_.span)
        innermost = level[0]
        while inner := inner_types(innermost):
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


def inner_types(type_: tree.Type) -> tuple[tree.Type, ...]:
    if isinstance(type_, tree.NamedType):
        return ()
    if isinstance(type_, tree.MapType):
        return (type_.key, type_.value)
    return (type_.item,)
