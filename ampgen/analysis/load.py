"""Read the files named on the command line, and every file they import.

Imports are looked up relative to the importing file, then in each ``-I`` folder in
order. One file reached by two paths, or through a symbolic link, is one file; messages
show the path by which it was reached first. What cannot be read is reported at the
import that asks for it; a file named on the command line has no such place.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from ampgen.analysis.files import (
    NAME,
    Loaded,
    LoadedFile,
    LoadedImport,
    shown_path,
)
from ampgen.analysis.graph import Edge, walk
from ampgen.analysis.rules import names as rule
from ampgen.diagnostics.fixes import writing
from ampgen.diagnostics.suggest import did_you_mean
from ampgen.frozen import frozen
from ampgen.language import tree
from ampgen.language.parser import parse
from ampgen.source import Source, StandardInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ampgen.analysis.findings import Findings
    from ampgen.diagnostics import Diagnostic
    from ampgen.diagnostics.fixes import Fix
    from ampgen.disk import Disk
    from ampgen.source import Span


@frozen
class _Unreadable:
    """``missing``: there is no such file, so the next folder may be tried."""

    reason: str
    help: str | None = None
    missing: bool = False


def load(
    files: Sequence[Path | StandardInput],
    include: Sequence[Path],
    disk: Disk,
    findings: Findings,
) -> Loaded:
    loader = _Loader(tuple(include), disk, findings)
    roots: list[LoadedFile] = []
    for named in files:
        root = loader.load_root(named)
        if root is not None and root not in roots:
            roots.append(root)
    loader.follow_imports()
    found = walk(roots, _imports_of)
    for cycle in found.cycles:
        _refuse_cycle(cycle, findings)
    return Loaded(found.order, tuple(roots), tuple(_folder_of(path) for path in files))


def _imports_of(file: LoadedFile) -> Iterator[Edge[LoadedFile]]:
    for imported in file.imports:
        if imported.file is not None:
            yield Edge(file, imported.file, imported.node.path.span)


def _refuse_cycle(cycle: Sequence[Edge[LoadedFile]], findings: Findings) -> None:
    first, *others = cycle
    shown = [f"`{edge.source.tree.source.path}`" for edge in cycle]
    if not others:
        findings.add(
            rule.IMPORT_CYCLE,
            f"{shown[0]} imports itself",
            first.span,
            help="names of the same file need no import: remove it",
        )
        return
    findings.add(
        rule.IMPORT_CYCLE,
        f"import cycle: {' → '.join([*shown, shown[0]])}",
        first.span,
        "the cycle starts here",
        related=[(edge.span, "and goes on here") for edge in others],
        help="move what these files share into a file that imports none of them",
    )


class _Loader:
    def __init__(
        self, include: tuple[Path, ...], disk: Disk, findings: Findings
    ) -> None:
        self._include = include
        self._disk = disk
        self._findings = findings
        self._by_identity: dict[str, LoadedFile] = {}
        self._failed: dict[str, _Unreadable] = {}
        self._waiting: list[LoadedFile] = []

    def load_root(self, named: Path | StandardInput) -> LoadedFile | None:
        path = Path(named.name) if isinstance(named, StandardInput) else named
        if isinstance(named, StandardInput):
            file = self._hold(path, named.content)
        else:
            file = self._open(path, None)
        if isinstance(file, _Unreadable):
            self._findings.add(
                rule.UNREADABLE,
                f"cannot read `{path.as_posix()}`: {file.reason}",
                None,
                help=file.help,
            )
            return None
        return file

    def follow_imports(self) -> None:
        """Load what the loaded files import, and what those do, to the end."""
        position = 0
        while position < len(self._waiting):
            file = self._waiting[position]
            position += 1
            for node in file.tree.imports:
                name = node.alias or _name_of_stem(node, self._findings)
                imported = self._load_import(file, node)
                file.imports.append(LoadedImport(node, name, imported))

    def _load_import(
        self, importer: LoadedFile, node: tree.Import
    ) -> LoadedFile | None:
        written = node.path.value
        if not written:
            self._findings.add(
                rule.UNREADABLE,
                "an import names no file",
                node.path.span,
                "it is empty",
            )
            return None
        folders = [importer.path.parent, *self._include]
        problem: _Unreadable | None = None
        for folder in folders:
            found = self._open(folder / written, node.path.span)
            if isinstance(found, LoadedFile):
                return found
            if not found.missing:
                problem = found
                break
        near = _nearest_file(written, folders, importer.path)
        if problem is not None:
            self._findings.add(
                rule.UNREADABLE,
                f"cannot read `{written}`",
                node.path.span,
                problem.reason,
                help=_meant(near) or problem.help,
                fix=_instead(node, near),
            )
            return None
        self._findings.add(
            rule.UNREADABLE,
            f"no file `{written}`",
            node.path.span,
            "not found " + _listed([_where(folder) for folder in folders]),
            help=_meant(near)
            or "name it relative to this file, or to a folder given with `-I`",
            fix=_instead(node, near),
        )
        return None

    def _open(self, path: Path, reached_at: Span | None) -> LoadedFile | _Unreadable:
        """The file at ``path``, parsed the first time that it is asked for."""
        try:
            identity = self._disk.real_path(path)
        except (OSError, ValueError) as error:
            return _Unreadable(_reason(error))
        known = self._by_identity.get(identity) or self._failed.get(identity)
        if known is not None:
            return known
        try:
            content = self._disk.read(path)
        except (OSError, ValueError) as error:
            problem = (
                _Unreadable("it is a folder", "name a file in it")
                if os.path.isdir(path)
                else _Unreadable(_reason(error))
            )
            self._failed[identity] = problem
            return problem
        if content is None:
            return _Unreadable("no such file", missing=True)
        return self._parse(path, identity, content, reached_at)

    def _hold(self, path: Path, content: bytes) -> LoadedFile | _Unreadable:
        """The file that ``content`` would be at ``path``, whatever stands there."""
        identity = self._disk.real_path(path)
        known = self._by_identity.get(identity)
        return known or self._parse(path, identity, content, None)

    def _parse(
        self, path: Path, identity: str, content: bytes, reached_at: Span | None
    ) -> LoadedFile | _Unreadable:
        try:
            shown = self._disk.shown(shown_path(path))
            source = Source(shown, content.decode())
        except UnicodeDecodeError as error:
            problem = _Unreadable(_not_utf8(content, error), "save it as UTF-8")
            self._failed[identity] = problem
            return problem
        parsed, diagnostics = parse(source)
        self._findings.parsed(source, diagnostics)
        file = LoadedFile(
            Path(os.path.abspath(path)), parsed, reached_at, _damage(diagnostics)
        )
        self._by_identity[identity] = file
        self._waiting.append(file)
        return file


def _folder_of(named: Path | StandardInput) -> Path:
    path = named.name if isinstance(named, StandardInput) else named
    return Path(os.path.abspath(path)).parent


def _damage(diagnostics: Sequence[Diagnostic]) -> tuple[Span, ...]:
    return tuple(
        diagnostic.primary.span
        for diagnostic in diagnostics
        if diagnostic.is_error and diagnostic.primary is not None
    )


def _name_of_stem(node: tree.Import, findings: Findings) -> tree.Name | None:
    stem = PurePosixPath(node.path.value).stem
    if NAME.fullmatch(stem):
        return tree.Name(stem, node.path.span)
    if stem.strip(".") and stem[0] != ".":  # else its file or module path is refused
        suggestion = re.sub(r"\W|^[\d_]+", "_", stem, flags=re.ASCII).strip("_")
        findings.add(
            rule.IMPORT_NEEDS_NAME,
            f"`{stem}` is not a name",
            node.path.span,
            "an import without `as` is named after its file",
            help="call the file "
            + (f"`{suggestion}.amp`" if suggestion else "by letters, digits and `_`")
            + ": its module is called like it, too",
        )
    return None


def _nearest_file(written: str, folders: Sequence[Path], importer: Path) -> str | None:
    """A file beside the one that is missing whose name is nearly the same."""
    parent, slash, name = written.rpartition("/")
    stem = name.removesuffix(".amp")
    for folder in folders:
        try:
            neighbours = sorted(entry.name for entry in os.scandir(folder / parent))
        except (OSError, ValueError):
            continue
        stems = [
            neighbour.removesuffix(".amp")
            for neighbour in neighbours
            if neighbour.endswith(".amp")
            and os.path.abspath(folder / parent / neighbour) != str(importer)
        ]
        lacks_ending = name == stem and stem in stems
        nearest = stem if lacks_ending else did_you_mean(stem, stems)
        if nearest is not None:
            return f"{parent}{slash}{nearest}.amp"
    return None


def _meant(near: str | None) -> str | None:
    return None if near is None else f"did you mean `{near}`?"


def _instead(node: tree.Import, near: str | None) -> Fix | None:
    if near is None or not near.isprintable() or set(near) & {'"', "\\"}:
        return None
    return writing(node.path.span, f'"{near}"')


def _where(folder: Path) -> str:
    shown = shown_path(folder)
    return "beside this file" if shown == "." else f"in `{shown}`"


def _listed(places: Sequence[str]) -> str:
    unique = list(dict.fromkeys(places))
    return ", nor ".join(unique)


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return "not a path that this system can have"


def _not_utf8(content: bytes, error: UnicodeDecodeError) -> str:
    line = content.count(b"\n", 0, error.start) + 1
    return f"it is not UTF-8: byte 0x{content[error.start]:02x} in line {line}"
