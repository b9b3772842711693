"""Reading a text for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ampgen.language import tree
from ampgen.language.parser import parse
from ampgen.source import Source

if TYPE_CHECKING:
    from ampgen.diagnostics import Diagnostic

Node = TypeVar("Node")


def read(text: str) -> tuple[tree.File, tuple[Diagnostic, ...]]:
    return parse(Source("schema.amp", text))


def clean(text: str) -> tree.File:
    """The tree of a text in which nothing is wrong."""
    file, diagnostics = read(text)
    assert [diagnostic.message for diagnostic in diagnostics] == []
    return file


def only(text: str, kind: type[Node]) -> Node:
    """The one declaration of a text in which nothing is wrong."""
    (declaration,) = clean(text).declarations
    assert isinstance(declaration, kind)
    return declaration


def field(text: str) -> tree.Field:
    """The one field of a struct, of which the text is given."""
    (member,) = only(f"struct S {{ {text} }}", tree.StructDeclaration).members
    assert isinstance(member, tree.Field)
    return member


def command(text: str) -> tree.CommandDeclaration:
    """The one command of a service, of which the text is given."""
    (member,) = only(f"service S {{ {text} }}", tree.ServiceDeclaration).members
    assert isinstance(member, tree.CommandDeclaration)
    return member


def codes(text: str) -> list[str]:
    return [diagnostic.rule.code for diagnostic in read(text)[1]]


def messages(text: str) -> list[str]:
    return [diagnostic.message for diagnostic in read(text)[1]]
