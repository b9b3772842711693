"""What the names in one file stand for, and what is said of those that do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ampgen import model
from ampgen.analysis.rules import names as rule
from ampgen.diagnostics.fixes import writing
from ampgen.frozen import frozen
from ampgen.runtime.values import Scalar

if TYPE_CHECKING:
    from ampgen.analysis.files import LoadedFile, LoadedImport
    from ampgen.analysis.findings import Findings
    from ampgen.diagnostics import Rule
    from ampgen.diagnostics.fixes import Fix
    from ampgen.language import tree
    from ampgen.source import Span

BUILT_IN_TYPES = frozenset(scalar.value for scalar in Scalar)

# What other languages call a type that we have: nearer than any name spelt alike.
FOREIGN_TYPES = {
    "String": "str", "string": "str", "text": "str", "varchar": "str", "char": "str",
    "integer": "int", "Integer": "int", "int32": "int", "int64": "int", "long": "int",
    "short": "int", "uint": "int", "uint32": "int", "uint64": "int", "i32": "int",
    "i64": "int", "u32": "int", "u64": "int", "number": "float", "double": "float",
    "real": "float", "float32": "float", "float64": "float", "f32": "float",
    "f64": "float", "boolean": "bool", "Boolean": "bool", "binary": "bytes",
    "blob": "bytes", "bytearray": "bytes", "Decimal": "decimal", "money": "decimal",
    "timestamp": "datetime", "DateTime": "datetime", "timedelta": "duration",
    "interval": "duration", "UUID": "uuid", "guid": "uuid", "any": "json",
    "object": "json", "Any": "json", "Path": "path", "list": "[T]", "List": "[T]",
    "array": "[T]", "Sequence": "[T]", "dict": "{K: T}", "Dict": "{K: T}",
    "map": "{K: T}", "Map": "{K: T}", "Optional": "T?", "optional": "T?",
}  # fmt: skip

_NO_TYPES = frozenset({"void", "Void", "None", "none", "null", "nil", "unit", "Unit"})


@frozen
class Kind:
    """What a name is wanted for."""

    noun: str
    classes: tuple[type[model.Declaration], ...]
    unknown: Rule


TYPE = Kind(
    "type",
    (model.Enum, model.Struct, model.Union, model.Alias),
    rule.UNKNOWN_TYPE,
)
ERROR = Kind("error", (model.Error,), rule.UNKNOWN_ERROR)
SERVICE = Kind("service", (model.Service,), rule.UNKNOWN_SERVICE)

_CALLED: dict[type[model.Declaration], str] = {
    model.Enum: "an enum",
    model.Struct: "a struct",
    model.Union: "a union",
    model.Alias: "an alias",
    model.Error: "an error",
    model.Service: "a service",
}


@frozen
class _Advice:
    """``meant`` is to be written instead of the name; ``safe``: no other can be."""

    help: str
    meant: str | None = None
    safe: bool = False

    def fix(self, name: Span) -> Fix | None:
        return None if self.meant is None else writing(name, self.meant, safe=self.safe)


@dataclass(eq=False, slots=True)
class ImportedScope:
    """``scope`` is ``None`` where the file could not be read: that is reported.

    ``ambiguous``: a further import has its name, which is reported, too.
    """

    imported: LoadedImport
    scope: Scope | None
    used: bool = False
    ambiguous: bool = False


@dataclass(eq=False, slots=True)
class Scope:
    """The names of one file. ``bound`` are all its declarations, duplicates too."""

    file: LoadedFile
    module: model.Module
    names: dict[str, model.Declaration] = field(
        default_factory=dict[str, "model.Declaration"]
    )
    imports: dict[str, ImportedScope] = field(default_factory=dict[str, ImportedScope])
    bound: list[tuple[tree.Declaration, model.Declaration]] = field(
        default_factory=list[tuple["tree.Declaration", "model.Declaration"]]
    )

    def peek(self, name: tree.QualifiedName) -> model.Declaration | None:
        """What ``name`` stands for, in silence."""
        match name.parts:
            case (only,):
                return self.names.get(only.text)
            case (prefix, last):
                found = self.imports.get(prefix.text)
                if found is not None and found.scope is not None:
                    return found.scope.names.get(last.text)
            case _:
                pass  # no name has more than one import before it
        return None

    def find(
        self, name: tree.QualifiedName, kind: Kind, findings: Findings
    ) -> model.Declaration | None:
        """What ``name`` stands for; ``None`` once it is reported that it does not."""
        if len(name.parts) > 1:
            imported = self.imports.get(name.parts[0].text)
            if imported is not None:
                imported.used = True
        found = self.peek(name)
        if found is None:
            _Missing(self, name, kind, findings).report()
            return None
        if not isinstance(found, kind.classes):
            last = name.text.rpartition(".")[2]
            advice = _hint(findings.nearest(last, self.known(kind)))
            findings.add(
                rule.WRONG_KIND,
                f"`{name.text}` is {_CALLED[type(found)]}, not {_a(kind.noun)}",
                name.span,
                f"{_a(kind.noun)} is needed here",
                related=[(found.span, "declared here")],
                help=advice.help if advice else None,
                fix=advice.fix(name.span) if advice else None,
            )
            return None
        return found

    def known(self, kind: Kind) -> list[str]:
        """The names of that kind, in the order declared, behind them the built-in."""
        names = [
            n for n, found in self.names.items() if isinstance(found, kind.classes)
        ]
        if kind is TYPE:
            names += sorted(BUILT_IN_TYPES)
        return names


@frozen
class _Missing:
    """A name that stands for nothing, and the search for what was meant."""

    scope: Scope
    name: tree.QualifiedName
    kind: Kind
    findings: Findings

    def report(self) -> None:
        match self.name.parts:
            case (only,):
                self._bare(only.text)
            case (prefix, last):
                self._qualified(prefix, last.text)
            case _:
                self._add("a name has one import before it at most")

    def _add(self, label: str, advice: _Advice | None = None) -> None:
        self.findings.add(
            self.kind.unknown,
            f"unknown {self.kind.noun} `{self.name.text}`",
            self.name.span,
            label,
            help=advice.help if advice else None,
            fix=advice.fix(self.name.span) if advice else None,
        )

    def _bare(self, text: str) -> None:
        if self.scope.file.may_declare(text):
            return  # a syntax error swallowed the declaration: one mistake, one report
        self._add(
            "not declared here or in an import",
            self._imported(text)
            or self._foreign(text)
            or self._nearest(text)
            or self._foreign(self.findings.nearest(text, FOREIGN_TYPES) or ""),
        )

    def _imported(self, text: str) -> _Advice | None:
        """``text`` is declared in an import, or is an import."""
        if text in self.scope.imports:
            return _Advice(f"`{text}` is an import: write `{text}.` and a name from it")
        homes = [
            f"{prefix}.{text}"
            for prefix, imported in self.scope.imports.items()
            if imported.scope is not None
            and isinstance(imported.scope.names.get(text), self.kind.classes)
        ]
        for prefix in self.scope.imports:
            if f"{prefix}.{text}" in homes:
                self.scope.imports[prefix].used = True  # it is meant, if not written
        if not homes:
            return None
        help_ = f"write {' or '.join(f'`{home}`' for home in homes)}"
        return _Advice(help_, homes[0] if len(homes) == 1 else None, safe=True)

    def _foreign(self, text: str) -> _Advice | None:
        if self.kind is TYPE and text in _NO_TYPES:
            return _Advice(
                "no type stands for nothing: a command without a result has no `->`"
            )
        if self.kind is not TYPE or text not in FOREIGN_TYPES:
            return None
        meant = FOREIGN_TYPES[text]
        help_ = f"did you mean `{meant}`?"
        return _Advice(help_, meant if meant in BUILT_IN_TYPES else None)

    def _nearest(self, text: str) -> _Advice | None:
        known = self.scope.known(self.kind)
        for prefix, imported in self.scope.imports.items():
            if imported.scope is not None:
                known += [
                    f"{prefix}.{name}"
                    for name, found in imported.scope.names.items()
                    if isinstance(found, self.kind.classes)
                ]
        by_last = {name.rpartition(".")[2]: name for name in reversed(known)}
        nearest = self.findings.nearest(text, by_last)
        if nearest is None:
            return None
        prefix, point, _ = by_last[nearest].partition(".")
        if point:
            self.scope.imports[prefix].used = True
        return _hint(by_last[nearest])

    def _qualified(self, prefix: tree.Name, text: str) -> None:
        imported = self.scope.imports.get(prefix.text)
        if imported is None:
            self._unknown_prefix(prefix, text)
            return
        if imported.scope is None or imported.ambiguous:
            return
        if imported.scope.file.may_declare(text):
            return
        home = imported.scope
        nearest = self.findings.nearest(
            text, [n for n, d in home.names.items() if isinstance(d, self.kind.classes)]
        )
        self._add(
            f"not declared in `{home.file.tree.source.path}`",
            _hint(nearest and f"{prefix.text}.{nearest}"),
        )

    def _unknown_prefix(self, prefix: tree.Name, text: str) -> None:
        scope = self.scope
        if scope.file.may_mention(prefix.text, prefix.span):
            return
        nearest = self.findings.nearest(prefix.text, scope.imports)
        if prefix.text in scope.names:
            advice = _Advice("only an import can stand before the point")
        elif nearest is not None:
            scope.imports[nearest].used = True
            meant = f"{nearest}.{text}"
            advice = _Advice(f"did you mean `{meant}`?", meant)
        else:
            advice = _Advice(f'import the file: `import "{prefix.text}.amp";`')
        self.findings.add(
            rule.UNKNOWN_IMPORT,
            f"unknown import `{prefix.text}`",
            prefix.span,
            "no import of this file has that name",
            help=advice.help,
            fix=advice.fix(self.name.span),
        )


def _hint(meant: str | None) -> _Advice | None:
    return None if meant is None else _Advice(f"did you mean `{meant}`?", meant)


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"
