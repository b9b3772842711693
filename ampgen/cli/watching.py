"""Verbs that do their work again whenever what they have read changes."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ampgen.disk import RecordingDisk


def keep_on(work: Callable[[], tuple[str, RecordingDisk]]) -> int:
    """Do ``work`` again and again; it says what it did, and what it asked the disk.

    It ends by Ctrl-C, with ``KeyboardInterrupt``, and where files cannot be watched.
    """
    try:
        from ampgen.tools.watching import CannotWatch, wait_for_change
    except ModuleNotFoundError:
        click.echo(
            "error: --watch needs watchfiles, which is not installed: "
            "pip install 'ampgen-idl[watch]'",
            err=True,
        )
        return 1
    gc.enable()  # which is off for what lives a second
    while True:
        done, disk = work()
        files = sum(content is not None for content in disk.contents.values())
        watched = f"{files} file{'' if files == 1 else 's'}"
        if disk.found:
            watched += f" and {len(disk.found)} folder{'s' * (len(disk.found) > 1)}"
        click.echo(f"{done}; watching {watched} (Ctrl-C ends)")
        try:
            wait_for_change(disk)
        except CannotWatch as error:
            click.echo(f"error: {error}", err=True)
            return 1
