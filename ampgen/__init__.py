"""ampgen: typed Python for programs that talk AMP, from one schema.

``ampgen.runtime`` is what generated code runs on; the rest is the compiler. Nothing is
imported before it is asked for: a service needs no parser, ``ampgen --version`` no
runtime.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ampgen.pipeline import Compiled, compile_schemas
    from ampgen.runtime.version import __version__
    from ampgen.tools.memory import SchemaError, load

__all__ = ["Compiled", "SchemaError", "__version__", "compile_schemas", "load"]

# For a type checker, which would take any misspelt name for one of these, there is no
# such function.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in ("Compiled", "compile_schemas"):
            from ampgen import pipeline

            return getattr(pipeline, name)
        if name in ("SchemaError", "load"):
            from ampgen.tools import memory

            return getattr(memory, name)
        if name == "__version__":
            from ampgen.runtime.version import __version__

            return __version__
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
