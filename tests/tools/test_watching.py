"""What makes up a change, beside what `tests/cli/test_watch.py` shows of a process."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

import pytest
import watchfiles

from ampgen.disk import RecordingDisk
from ampgen.tools.watching import CannotWatch, wait_for_change, watch_once

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path


def test_after_every_hint_it_is_watched_anew(tmp_path: Path) -> None:
    """Or a folder in the place of one that is gone would not be."""
    file = tmp_path / "a.amp"
    file.write_text("one")
    disk = RecordingDisk()
    disk.read(file)
    said: list[bool] = []
    thread = threading.Thread(target=lambda: said.append(watch_once(disk)))
    thread.start()
    while thread.is_alive():
        (tmp_path / "new").write_text("one")
        os.replace(tmp_path / "new", file)  # until it is watching; never half written
        thread.join(0.05)
    assert said == [False]


def rewrite(root: Path, number: int) -> None:
    (root / "a.amp").write_text(str(number))


def replace(root: Path, number: int) -> None:
    (root / "a.amp~").write_text(str(number))
    os.replace(root / "a.amp~", root / "a.amp")


def come_and_go(root: Path, number: int) -> None:
    if number % 2:
        (root / "deep" / "missing.amp").touch()
    else:
        (root / "deep" / "missing.amp").unlink()


def rewrite_where_it_leads(root: Path, number: int) -> None:
    (root / "elsewhere" / "b.amp").write_text(str(number))


def rewrite_what_a_link_is(root: Path, number: int) -> None:
    (root / "elsewhere" / "b").write_text(str(number))


def lead_elsewhere(root: Path, number: int) -> None:
    (root / "new").symlink_to(root / "elsewhere" / "bc"[number % 2])
    os.replace(root / "new", root / "link.amp")


def move_far_up(root: Path, number: int) -> None:
    names = ("very", "away") if number % 2 else ("away", "very")
    os.rename(root / names[0], root / names[1])


def grow(root: Path, number: int) -> None:
    (root / "found" / "deep" / f"{number}.amp").touch()


def grow_below(root: Path, number: int) -> None:
    (root / "made" / str(number)).mkdir(parents=True)
    (root / "made" / str(number) / "a.amp").touch()
    os.rename(root / "made" / str(number), root / "found" / str(number))


CHANGES = [
    *(rewrite, replace, come_and_go, rewrite_where_it_leads),
    *(rewrite_what_a_link_is, lead_elsewhere, move_far_up, grow, grow_below),
]


@pytest.mark.skipif(sys.platform == "win32", reason="links, and renaming what is open")
@pytest.mark.parametrize("change", CHANGES)
def test_the_system_tells_of_every_kind_of_change(
    change: Callable[[Path, int], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ampgen.tools.watching._SETTLED", 3_600_000)
    for folder in ("deep", "elsewhere", "very/far/up", "found/deep"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("a.amp", "elsewhere/b.amp", "elsewhere/c", "very/far/up/d.amp"):
        (tmp_path / name).write_text(name)
    (tmp_path / "elsewhere" / "b").write_text("b")
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "link.amp").symlink_to(tmp_path / "elsewhere" / "b")
    disk = RecordingDisk()
    for name in (
        *("a.amp", "deep/missing.amp", "linked/b.amp", "link.amp"),
        "very/far/up/d.amp",
    ):
        disk.read(tmp_path / name)
    disk.below(tmp_path / "found", ".amp")
    thread = threading.Thread(target=wait_for_change, args=(disk,), daemon=True)
    thread.start()
    number = 0
    while thread.is_alive():  # it may not be watching yet
        number += 1
        change(tmp_path, number)
        thread.join(0.2)


def test_what_changed_before_it_was_watched_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "a.amp"
    disk = RecordingDisk()
    disk.read(file)
    file.write_text("one")
    wait_for_change(disk)


def test_a_system_that_does_not_let_us_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = RecordingDisk()
    disk.read(tmp_path / "a.amp")
    for error in (OSError(28, "the limit is reached"), RuntimeError("the limit")):
        monkeypatch.setattr(watchfiles, "watch", failing(error))
        with pytest.raises(CannotWatch, match=r"^cannot watch the files: .*the limit"):
            wait_for_change(disk)


def test_a_folder_that_goes_while_watching_begins_is_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = RecordingDisk()
    disk.read(tmp_path / "sub" / "a.amp")
    with monkeypatch.context() as patch:
        patch.setattr(watchfiles, "watch", failing(FileNotFoundError(2, "no folder")))
        assert not watch_once(disk)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.amp").touch()
    wait_for_change(disk)


def failing(error: Exception) -> Callable[..., Generator[set[object]]]:
    """What `watchfiles.watch` is where the system refuses."""

    def watch(*_paths: str, **_options: object) -> Generator[set[object]]:
        raise error
        yield set()

    return watch
