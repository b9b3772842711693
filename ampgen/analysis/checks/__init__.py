"""What must hold once every name is bound. One table, in the order in which they run.

Each check reads the draft and notes what it refuses; none depends on another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ampgen.analysis.checks.commands import check_oneway, check_streams, check_timeouts
from ampgen.analysis.checks.containment import check_containment
from ampgen.analysis.checks.emptiness import check_emptiness
from ampgen.analysis.checks.imports import check_unused_imports
from ampgen.analysis.checks.inheritance import check_extends_cycles, check_inherited
from ampgen.analysis.checks.keys import check_keys
from ampgen.analysis.checks.values import (
    check_command_names,
    check_enum_values,
    check_error_codes,
    check_raised_codes,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ampgen.analysis.draft import Draft
    from ampgen.analysis.findings import Findings

Check: TypeAlias = "Callable[[Draft, Findings], None]"

CHECKS: tuple[Check, ...] = (
    check_unused_imports,
    check_emptiness,
    check_containment,
    check_keys,
    check_enum_values,
    check_error_codes,
    check_command_names,
    check_raised_codes,
    check_oneway,
    check_streams,
    check_timeouts,
    check_extends_cycles,
    check_inherited,
)
