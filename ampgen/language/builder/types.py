"""The declarations of types: aliases, enums, structs, unions, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.language import tree
from ampgen.language.builder.fields import FieldBuilder, Fields
from ampgen.language.builder.nodes import Annotations, Block, end_of
from ampgen.source import Span

if TYPE_CHECKING:
    from lark import Token


class TypeBuilder(FieldBuilder):
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
        span = Span(self.source, start, end_of(semicolon))
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
        span = Span(self.source, start, end_of(name))
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
        block: Block[tree.EnumMember] = self._no_block(name)
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
        span = Span(self.source, start, end_of(semicolon))
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
        return self.struct(annotations, keyword, name, broken, self._no_block(name))

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
        return self.union(annotations, keyword, name, broken, self._no_block(name))

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
        block: Fields = self._no_block(last)
        return self.error(annotations, fatal, keyword, name, code, None, block)
