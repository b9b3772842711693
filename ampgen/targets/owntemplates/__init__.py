"""A project's own templates, which go before ours and make files of their own.

In the folder that `--templates` names, ``python/module.py.j2`` stands in for ours of
that name, which it may still extend as ``ampgen/python/module.py.j2``. What lies in
``files/`` is rendered once, or once for each module where its name has ``{module}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ampgen.targets.owntemplates.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ampgen.diagnostics import Diagnostic
    from ampgen.disk import Disk
    from ampgen.model import Schema
    from ampgen.targets.templates import Templates

__all__ = ["RULES", "render"]


def render(
    schema: Schema,
    target: Callable[[Schema, Templates], dict[str, str]],
    folder: Path,
    disk: Disk,
) -> tuple[dict[str, str] | None, tuple[Diagnostic, ...]]:
    """The files that a target makes with the templates of ``folder``, and theirs.

    ``None`` where there are none for what is wrong with the templates.
    """
    from ampgen.targets.owntemplates.rendering import Fault, Own

    try:
        own = Own(folder, disk)
        files = target(schema, own)
        files |= own.further(schema, files)
        faults = own.faults(files)
    except Fault as fault:
        return None, (fault.diagnostic,)
    return (None, faults) if faults else (dict(sorted(files.items())), ())
