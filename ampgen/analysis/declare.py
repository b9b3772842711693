"""Give each file its scope: what it declares and what it imports, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from ampgen import model
from ampgen.analysis.names import check_names, refuse_underscore
from ampgen.analysis.rules import names as rule
from ampgen.analysis.scope import BUILT_IN_TYPES, ImportedScope, Scope
from ampgen.language import tree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ampgen.analysis.files import LoadedFile, LoadedImport
    from ampgen.analysis.findings import Findings

# A type of such a name could not be told from the word, by the parser or by a reader.
TAKEN_WORDS = frozenset({"stream", "large", "raises", "true", "false"})


def declare(
    files: Sequence[LoadedFile],
    paths: Mapping[LoadedFile, tuple[str, ...]],
    findings: Findings,
) -> list[Scope]:
    """One scope per file, in the order given; its declarations are still empty."""
    scopes: dict[LoadedFile, Scope] = {}
    for file in files:
        doc = file.tree.doc
        module = model.Module(
            path=paths.get(file, ()),
            source=file.tree.source,
            doc=None if doc is None else doc.text,
        )
        scopes[file] = Scope(file, module)
        _declare_names(scopes[file], findings)
    for scope in scopes.values():
        _name_imports(scope, scopes, findings)
    return list(scopes.values())


def _declare_names(scope: Scope, findings: Findings) -> None:
    declarations = scope.file.tree.declarations
    duplicates = check_names([node.name for node in declarations], "name", findings)
    for node in declarations:
        declared = _shell(node, scope.module)
        scope.module.declarations.append(declared)
        scope.bound.append((node, declared))
        if id(node.name) in duplicates:
            continue
        scope.names[node.name.text] = declared
        if not isinstance(node, tree.ErrorDeclaration | tree.ServiceDeclaration):
            _check_taken(node.name, findings)


def _check_taken(name: tree.Name, findings: Findings) -> None:
    if name.text in BUILT_IN_TYPES:
        label = "this is a built-in type"
        help_ = f"choose another name, such as `{name.text.capitalize()}`"
    elif name.text in TAKEN_WORDS:
        label = "this word is the language's own"
        help_ = "choose another name"
    else:
        return
    findings.add(
        rule.TAKEN_NAME,
        f"a type cannot be called `{name.text}`",
        name.span,
        label,
        help=help_,
    )


def _shell(node: tree.Declaration, module: model.Module) -> model.Declaration:
    name, span = node.name.text, node.name.span
    match node:
        case tree.TypeAliasDeclaration():
            return model.Alias(name, module, span)
        case tree.EnumDeclaration():
            return model.Enum(name, module, span, open=node.open)
        case tree.StructDeclaration():
            return model.Struct(name, module, span)
        case tree.UnionDeclaration():
            return model.Union(name, module, span)
        case tree.ErrorDeclaration():
            code = name if node.code is None else node.code.value
            return model.Error(name, module, span, code=code, fatal=node.fatal)
        case tree.ServiceDeclaration():
            return model.Service(name, module, span)
        case _:
            assert_never(node)


def _name_imports(
    scope: Scope, scopes: Mapping[LoadedFile, Scope], findings: Findings
) -> None:
    first_of: dict[LoadedFile, LoadedImport] = {}
    for imported in scope.file.imports:
        home = imported.file
        earlier = imported if home is None else first_of.setdefault(home, imported)
        again = earlier is not imported
        if again:
            _refuse_second_import(imported, earlier, findings)
        name = imported.name
        if name is None:
            continue
        if name.text.startswith("_"):
            refuse_underscore(name, findings)
        taken = scope.imports.get(name.text)
        if taken is None:
            reached = None if home is None else scopes[home]
            scope.imports[name.text] = ImportedScope(imported, reached, used=again)
        elif not again:
            taken.ambiguous = True
        if not again:
            _check_ambiguous(scope, name, taken, findings)
    imports = [scopes[file].module for file in first_of if file is not scope.file]
    scope.module.imports = tuple(imports)


def _check_ambiguous(
    scope: Scope, name: tree.Name, taken: ImportedScope | None, findings: Findings
) -> None:
    """Refuse a name that an earlier import or a declaration of the file has."""
    if taken is not None and taken.imported.name is not None:
        message = f"two imports are called `{name.text}`"
        earlier, label = taken.imported.name.span, "the first one is here"
    elif name.text in scope.names:
        message = f"`{name.text}` is an import and a declaration"
        earlier, label = scope.names[name.text].span, "declared here"
    else:
        return
    findings.add(
        rule.AMBIGUOUS_IMPORT,
        message,
        name.span,
        "this name is taken",
        related=[(earlier, label)],
        help="name this import with `as`",
    )


def _refuse_second_import(
    imported: LoadedImport, earlier: LoadedImport, findings: Findings
) -> None:
    name = (
        None
        if earlier.name is None
        else f"keep one; its names are `{earlier.name.text}.…`"
    )
    findings.add(
        rule.IMPORTED_TWICE,
        f"`{imported.node.path.value}` is imported twice",
        imported.node.path.span,
        "imported again here",
        related=[(earlier.node.path.span, "first imported here")],
        help=name,
    )
