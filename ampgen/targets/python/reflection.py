"""The schema that a generated module carries: its source, for a server to tell."""

from __future__ import annotations

import posixpath
from pathlib import PurePath
from typing import TYPE_CHECKING

from ampgen.language.printer import canonical_docs
from ampgen.targets.python.docstrings import escape
from ampgen.targets.python.layout import INDENT, a_tuple, statement, string

if TYPE_CHECKING:
    from ampgen.model import Module
    from ampgen.targets.python.scope import Scope

CONSTANT = "__ampgen_schema__"


def schema_path(module: Module) -> str:
    return "/".join(module.path) + PurePath(module.source.path).suffix


def schema_text(module: Module) -> str:
    """Its canonical form, without comments other than docs.

    Imports are written relative to the file, wherever the compiler has found them: so
    they are found again where the files lie as the modules do.
    """
    folder = posixpath.dirname(schema_path(module)) or "."
    imported = [
        posixpath.relpath(schema_path(other), folder) for other in module.imports
    ]
    return canonical_docs(module.source.text, imported)


def schema_constant(module: Module, scope: Scope) -> str:
    """The statement that defines it."""
    path = schema_path(module)
    lines = "\n".join(escape(line) for line in schema_text(module).split("\n"))
    arguments = [statement(string(path), indent=1), f'{INDENT}"""\\\n{lines}"""']
    if module.imports:
        constants = (scope.base(CONSTANT, other) for other in module.imports)
        arguments.append(statement(a_tuple(tuple(constants)), indent=1))
    inside = "".join(f"{argument},\n" for argument in arguments)
    return f"{CONSTANT} = _SchemaSource(\n{inside})"
