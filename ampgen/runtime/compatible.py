"""What generated modules ask of the runtime before anything else, and of Python."""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from typing import TYPE_CHECKING, Any

from ampgen.runtime.version import __version__


def require_runtime(version: str, module: str) -> None:
    """Does this runtime fit code that was generated for ``version`` ("0.1")?

    The major number has to be the same; a newer minor is fine.
    """
    major, minor = _numbers(version)
    our_major, our_minor = _numbers(__version__)
    if our_major != major or our_minor < minor:
        raise ImportError(
            f"{module} was generated for ampgen {version}, this is {__version__}:"
            f" install ampgen-idl>={version},<{major + 1}, or compile the schema again",
            name=module,
        )


def _numbers(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


if TYPE_CHECKING:
    from typing_extensions import deprecated as deprecated
else:

    def deprecated(
        message: str, /, *, category: type[Warning] | None = DeprecationWarning
    ) -> Any:
        """PEP 702's decorator, which the standard library has from 3.13 on.

        With ``category=None`` nothing warns at run time: that is for classes.
        """

        def decorate(target: Any) -> Any:
            if category is None:
                target.__deprecated__ = message
                return target

            @functools.wraps(target)
            def warn(*args: Any, **kwargs: Any) -> Any:
                warnings.warn(message, category=category, stacklevel=2)
                return target(*args, **kwargs)

            if sys.version_info >= (3, 12):
                if inspect.iscoroutinefunction(target):
                    inspect.markcoroutinefunction(warn)
            warn.__deprecated__ = message
            return warn

        return decorate
