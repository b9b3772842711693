"""Grammar rules -> syntax tree: one method for each rule of grammar.lark, by its name.

The parser calls a method when its rule is complete, with the rule's symbols in order: a
token for each terminal, ``None`` for each optional one that is not there. The methods
stand in a chain of classes, each with one part of the language on top of the last:
nodes, terms, fields, types, and here services and the file.
"""

from __future__ import annotations

from typing import TypeAlias

from lark import Token

from ampgen.language import tree
from ampgen.language.builder.nodes import (
    Annotations,
    Block,
    end_of,
    start_of,
)
from ampgen.language.builder.types import TypeBuilder
from ampgen.source import Span

Commands: TypeAlias = Block[tree.CommandDeclaration | tree.Reserved]


class TreeBuilder(TypeBuilder):
    """Builds one file at a time: :meth:`begin`, then the parser's calls."""

    def start(self, *items: tree.Import | tree.Declaration | Token) -> tree.File:
        self._report_names()
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
        block: Commands = self._no_block(name)
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
            Span(self.source, start, end_of(semicolon)),
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
        start = type_.span.start if name is None else start_of(name)
        span = Span(self.source, start, type_.span.end)
        return (
            self._span(arrow, arrow),
            tree.BareResult(key, self._bounded(type_), span),
        )
