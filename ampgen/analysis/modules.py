"""Where the module of each schema file goes: its path relative to a root."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ampgen.analysis.files import NAME, shown_path
from ampgen.analysis.rules import names as rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ampgen.analysis.files import Loaded, LoadedFile
    from ampgen.analysis.findings import Findings
    from ampgen.disk import Disk


def module_paths(
    loaded: Loaded, include: Sequence[Path], disk: Disk, findings: Findings
) -> dict[LoadedFile, tuple[str, ...]]:
    """The module path of each file that has one; the others are reported.

    A file lies in the longest ``-I`` folder that contains it, else in the common parent
    of the files named on the command line. Paths count as they were reached: a symbolic
    link inside a root lies inside that root.
    """
    common = _common_parent(loaded.folders)
    nameless = {  # the file's name is refused at the import
        imported.file
        for file in loaded.files
        for imported in file.imports
        if imported.name is None
    }
    paths: dict[LoadedFile, tuple[str, ...]] = {}
    refused: set[tuple[str, ...]] = set()
    for file in loaded.files:
        found = _below(file.path, include, common, disk)
        if found is None:
            _refuse_outside(file, common, findings)
        elif all(NAME.fullmatch(part) for part in found):
            paths[file] = found
        elif file not in nameless:
            _refuse_part(file, found, refused, findings)
    _refuse_clashes(paths, findings)
    return paths


def _below(
    path: Path, include: Sequence[Path], common: str | None, disk: Disk
) -> tuple[str, ...] | None:
    for resolve in (os.path.abspath, disk.real_path):
        roots = sorted({resolve(folder) for folder in include}, key=len, reverse=True)
        if common is not None:
            roots.append(resolve(common))
        at = resolve(path)
        for root in roots:
            if _is_inside(at, root):
                relative = os.path.splitext(os.path.relpath(at, root))[0]
                return tuple(relative.split(os.sep))
    return None


def _is_inside(path: str, folder: str) -> bool:
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def _common_parent(folders: Sequence[Path]) -> str | None:
    try:
        return os.path.commonpath(folders)
    except ValueError:  # none at all, or on different drives
        return None


def _refuse_outside(file: LoadedFile, common: str | None, findings: Findings) -> None:
    shared = common and _common_parent([file.path.parent, Path(common)])
    findings.add(
        rule.OUTSIDE_ROOTS,
        f"`{file.tree.source.path}` lies outside every `-I` folder, and outside the "
        "folder of the files on the command line",
        file.reached_at,
        "so its module would have no path",
        help=f"name a folder that holds it, such as `-I {shown_path(Path(shared))}`"
        if shared
        else "name a folder that holds it with `-I`",
    )


def _refuse_part(
    file: LoadedFile,
    path: tuple[str, ...],
    refused: set[tuple[str, ...]],
    findings: Findings,
) -> None:
    """Refuse the first part that is no name; a folder once, not with each file."""
    at = next(n for n, part in enumerate(path) if not NAME.fullmatch(part))
    if path[: at + 1] in refused:
        return
    refused.add(path[: at + 1])
    findings.add(
        rule.PATH_NOT_NAMES,
        f"`{path[at]}` in `{file.tree.source.path}` is not a name",
        file.reached_at,
        "its module is called like the file, in packages called like its folders",
        help="use letters, digits and `_`, with a letter first",
    )


def _refuse_clashes(
    paths: dict[LoadedFile, tuple[str, ...]], findings: Findings
) -> None:
    first: dict[tuple[str, ...], LoadedFile] = {}
    packages: dict[tuple[str, ...], LoadedFile] = {}
    for file, path in paths.items():
        for length in range(1, len(path)):
            packages.setdefault(path[:length], file)
    for file, path in paths.items():
        earlier = first.setdefault(path, file)
        shown = file.tree.source.path
        if earlier is not file:
            findings.add(
                rule.MODULE_CLASH,
                f"`{earlier.tree.source.path}` and `{shown}` would be one module, "
                f"`{'.'.join(path)}`",
                file.reached_at,
                help="rename one of them, or name a folder that holds both with `-I`",
            )
        elif path in packages:
            inner = packages[path].tree.source.path
            findings.add(
                rule.MODULE_CLASH,
                f"`{shown}` would be a module of the same name as the package of "
                f"`{inner}`, `{'.'.join(path)}`",
                file.reached_at,
                help="rename it, or move it into the folder",
            )
