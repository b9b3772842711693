"""Targets: what a schema can be made into, each a folder here."""

from __future__ import annotations

TARGETS = ("python", "twisted")
