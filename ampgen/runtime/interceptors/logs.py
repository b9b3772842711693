"""One record of each call, with fields of its own for structured logs."""

from __future__ import annotations

import logging
import time
from types import MappingProxyType
from typing import TYPE_CHECKING

from ampgen.runtime.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ampgen.runtime.interceptedcall import InterceptedCall
    from ampgen.runtime.interception import Proceed

_LEVELS: Mapping[str, int] = MappingProxyType(
    {
        "UNKNOWN": logging.ERROR,
        "INTERNAL": logging.ERROR,
        "ENCODE": logging.ERROR,
        "DECODE": logging.ERROR,
        "UNHANDLED": logging.WARNING,
        "INVALID_ARGUMENT": logging.WARNING,
        "UNAUTHENTICATED": logging.WARNING,
        "OVERLOADED": logging.WARNING,
        "UNAVAILABLE": logging.WARNING,
        "DEADLINE_EXCEEDED": logging.WARNING,
        "CONNECTION_LOST": logging.WARNING,
    }
)
"""What is not here is at INFO: declared errors are part of a conversation."""


class LogCalls:
    """Logs each call as it ends.

    A record's fields: ``side``, ``service``, ``command``, ``peer``, ``oneway``,
    ``duration`` in seconds, ``code`` (``OK``, or what ``InterceptedCall.code`` says),
    ``arguments`` as ``InterceptedCall.redacted`` has them, unless ``arguments=False``,
    and those that ``extra`` gives for a call. No description of an error is logged, and
    no metadata: both may be secret.

    ``levels``: the level for a code, beside the usual ones.
    """

    def __init__(
        self,
        logger: logging.Logger | str = "ampgen.calls",
        *,
        arguments: bool = True,
        levels: Mapping[str, int] = MappingProxyType({}),
        extra: Callable[[InterceptedCall], Mapping[str, object]] | None = None,
    ) -> None:
        self._logger = logging.getLogger(logger) if isinstance(logger, str) else logger
        self._arguments = arguments
        self._levels = levels
        self._extra = extra

    async def __call__(self, call: InterceptedCall, proceed: Proceed) -> object:
        start = time.perf_counter()
        try:
            result = await proceed(call)
        except BaseException as error:
            self._log(call, error, time.perf_counter() - start)
            raise
        self._log(call, None, time.perf_counter() - start)
        return result

    def _log(
        self, call: InterceptedCall, error: BaseException | None, seconds: float
    ) -> None:
        code = call.code(error)
        level = self._levels.get(code)
        if level is None:
            declared = isinstance(error, CommandError) and type(error) in call.errors
            level = logging.INFO if declared else _LEVELS.get(code, logging.INFO)
        if not self._logger.isEnabledFor(level):
            return
        fields: dict[str, object] = {
            "side": call.side,
            "service": call.service,
            "command": call.command,
            "peer": call.peer_address,
            "oneway": call.oneway,
            "duration": seconds,
            "code": code,
        }
        if self._arguments:
            fields["arguments"] = call.redacted()
        if self._extra is not None:
            fields.update(self._extra(call))
        self._logger.log(
            level,
            "%s %s %s: %s in %.1f ms",
            call.name,
            "to" if call.side == "client" else "from",
            call.peer_address,
            code,
            seconds * 1000,
            extra=fields,
        )
