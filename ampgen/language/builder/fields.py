"""Fields, arguments and results, and the keys that are reserved among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ampgen.language import tree
from ampgen.language.builder.nodes import Annotations, Block, end_of
from ampgen.language.builder.terms import TermBuilder
from ampgen.source import Span

if TYPE_CHECKING:
    from lark import Token

Fields: TypeAlias = Block[tree.Field | tree.Reserved]
Parameters: TypeAlias = list[tree.Field | tree.Reserved]


class FieldBuilder(TermBuilder):
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
        return self._field(annotations, name, type_, default, end_of(semicolon))

    def reserved_statement(
        self,
        keyword: Token,
        keys: tuple[tree.StringLiteral, ...],
        semicolon: Token,
    ) -> tree.Reserved:
        return tree.Reserved(keys, self._span(keyword, semicolon))

    def parameters(
        self, items: Parameters, _comma: Token | None = None
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
            span = Span(self.source, last.span.start, end_of(key))
            items[-1] = tree.Reserved((*last.keys, self.string(key)), span)
        return items

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
