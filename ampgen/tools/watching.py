"""Waiting until what a run has read is something else. Needs `watchfiles`.

The question is the disk's alone: has any of its answers changed (:mod:`ampgen.disk`)?
What the system tells of files and folders is a mere hint to ask again. So an editor's
save by renaming, a link that leads elsewhere, a file that appears where none was found,
and what happens before watching has begun are all noticed, and a file that is written
again as it was is not.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import watchfiles

from ampgen.disk import ask_again

if TYPE_CHECKING:
    from ampgen.disk import RecordingDisk

# When there is no hint it is asked once more whether something has changed, in case
# that was before watching had begun.
_SETTLED = 300  # ms
# Hints that follow one another by less belong together: an editor's, a checkout's.
_STEP = 50  # ms
_DEBOUNCE = 500  # ms


class CannotWatch(Exception):
    """The system does not let us; the text is for the user."""


def wait_for_change(disk: RecordingDisk) -> None:
    """Until another answer would be given to a question that ``disk`` was asked.

    ``KeyboardInterrupt`` ends it.
    """
    while not watch_once(disk):
        pass


def watch_once(disk: RecordingDisk) -> bool:
    """Watch until there is a hint, and tell whether it means a change.

    Then it is to be watched anew: a folder may have gone, and another be in its place.
    """
    try:
        ways, trees = _places(disk)
    except FileNotFoundError:  # what paths are relative to
        raise CannotWatch("the working directory is gone") from None
    folders = {os.path.dirname(way) for way in ways} | trees

    def concerns(_change: watchfiles.Change, path: str) -> bool:
        place = _place(path)
        return place in ways or os.path.dirname(place) in trees

    hints = watchfiles.watch(
        *sorted(filter(os.path.isdir, folders)),
        watch_filter=concerns,
        recursive=False,
        step=_STEP,
        debounce=_DEBOUNCE,
        rust_timeout=_SETTLED,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    )
    is_settled = False
    try:
        with closing(hints):
            for hint in hints:
                if hint or not is_settled:
                    is_settled = True
                    if ask_again(disk.answers).answers != disk.answers:
                        return True
                if hint:
                    break
    except FileNotFoundError:
        pass  # a folder has gone just now
    except (OSError, RuntimeError) as error:
        raise CannotWatch(f"cannot watch the files: {error}") from None
    return False


def _places(disk: RecordingDisk) -> tuple[set[str], set[str]]:
    """Each path that was asked for with all folders on the way to it; and the folders
    in which any file counts.
    """
    asked = {*disk.real_paths, *disk.contents, *disk.found}
    paths = {end(path) for path in asked for end in (os.path.abspath, os.path.realpath)}
    ways = {_place(str(w)) for path in paths for w in (Path(path), *Path(path).parents)}
    trees: set[str] = set()
    for folder in disk.found:
        for here, folders, _names in os.walk(os.path.realpath(folder)):
            folders[:] = [name for name in folders if not name.startswith(".")]
            trees.add(here)
    return ways, trees


def _place(path: str) -> str:
    """A name in a folder, and that by its one path: hints have any that leads there."""
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)
