"""Interceptors that come with the runtime.

Those that need a package of their own are imported from their modules:
``ampgen.runtime.interceptors.otel`` and ``ampgen.runtime.interceptors.prometheus``.
"""

from __future__ import annotations

from ampgen.runtime.interceptors.identity import (
    certificate_identity,
    require_identity,
    same_secret,
    send_token,
    token_identity,
    uid_identity,
)
from ampgen.runtime.interceptors.logs import LogCalls
from ampgen.runtime.interceptors.rate import RateLimit

__all__ = [
    "LogCalls",
    "RateLimit",
    "certificate_identity",
    "require_identity",
    "same_secret",
    "send_token",
    "token_identity",
    "uid_identity",
]
