"""What jinja2 makes of our templates, kept for the next run: Python's bytecode.

To make it takes as long as to lay out a thousand lines of a schema.
"""

from __future__ import annotations

import marshal
import sys
from contextlib import suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from ampgen.cache import keep
from ampgen.disk import digest, told

if TYPE_CHECKING:
    from jinja2.bccache import Bucket

_SIZE = sha256().digest_size


class Bytecode(jinja2.BytecodeCache):
    """A file for each template, in ``folder``.

    It begins with a digest of all that it was made of, and of itself: what is stale or
    damaged is made again. ``settings`` is the module that has those of jinja2.
    """

    def __init__(self, folder: Path, settings: Path) -> None:
        self._folder = folder
        self._settings = settings

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002
        return f"{name.replace('/', '-')}-{sys.implementation.cache_tag}.bytecode"

    def load_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            kept = (self._folder / bucket.key).read_bytes()
            made_of, code = kept[:_SIZE], kept[_SIZE:]
            if made_of == self._digest(bucket, code):
                bucket.code = marshal.loads(code)  # noqa: S302

    def dump_bytecode(self, bucket: Bucket) -> None:
        code = marshal.dumps(bucket.code)
        with suppress(OSError):
            keep(self._folder / bucket.key, self._digest(bucket, code) + code)

    def _digest(self, bucket: Bucket, code: bytes) -> bytes:
        template = bucket.checksum.encode()
        parts = (self._maker, template, code)
        return sha256(b"".join(sha256(part).digest() for part in parts)).digest()

    @cached_property
    def _maker(self) -> bytes:
        settings = digest(self._settings.read_bytes())
        parts = [sys.version, settings, *told(Path(jinja2.__file__).parent)]
        return "\n".join(parts).encode()
