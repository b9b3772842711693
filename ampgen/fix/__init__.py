"""Applies the fixes that diagnostics carry, as long as they make nothing worse.

All that apply are made at once and the schemas are checked again, until nothing is left
to do. Fixes after which there is an error that was not there before are taken back, no
more of them than need be, unless that error comes with a fix of its own, as where one
slip has hidden the next. Nothing is written: the texts are handed back.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ampgen.analysis.files import shown_path
from ampgen.check import check_schemas
from ampgen.diagnostics.fixes import applied
from ampgen.disk import DISK, Disk
from ampgen.fix.batches import ERRORS, compatible, counted, edits_of, is_better, key
from ampgen.fix.history import History
from ampgen.source import StandardInput

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from typing import TypeAlias

    from ampgen.diagnostics import Diagnostic

    # By the real path of the file, what it is to say.
    Texts: TypeAlias = Mapping[str, str]

MAX_PASSES = 50  # each does something; where fixes undo each other it must end
MAX_CHECKS = 400  # a schema that is wrong throughout takes no minutes …
MAX_READ = 8_000_000  # … nor does a long one, in bytes that are checked,
MIN_CHECKS = 60  # but finds out a few that do harm among many that do not
MAX_STEPS = 10  # slips that hide one another, in one statement


@dataclass(frozen=True, slots=True)
class Change:
    """A file whose text is to be another; ``path`` is ``None`` for standard input.

    ``name`` is the path as messages show it.
    """

    path: Path | None
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """What was done, and what there is to say of the texts as they are then.

    ``done`` are the diagnostics whose fixes were made, with places in the texts as they
    were at first. ``left`` has places in the mended texts, ``left_before`` is the same
    with places as they were. ``refused`` are those whose fixes would have led to a
    further error, or were not tried any more if ``gave_up``. ``elsewhere`` tells how
    many fixes are left out for a file that was not named; ``guesses``, how many are
    because they are not safe.
    """

    changes: tuple[Change, ...]
    done: tuple[Diagnostic, ...]
    left: tuple[Diagnostic, ...]
    left_before: tuple[Diagnostic, ...]
    refused: tuple[Diagnostic, ...]
    gave_up: bool
    elsewhere: Mapping[str, int]
    guesses: int


def fix_schemas(
    schemas: Sequence[Path | StandardInput],
    found: Sequence[Path] = (),
    include: Sequence[Path] = (),
    *,
    unsafe: bool = False,
    only: Collection[str] = (),
    disk: Disk = DISK,
) -> Fixed:
    """Mend schemas as :func:`ampgen.check.check_schemas` reports on them.

    ``only`` are the codes of the rules whose fixes are wanted; of none: all. A fix that
    needs a change in a file that is not among ``schemas`` or ``found`` is left out.

    Raises :class:`OSError` where a pyproject.toml cannot be read.
    """
    wanted = _Wanted(unsafe, frozenset(only))
    fixing = _Fixing(tuple(schemas), tuple(found), tuple(include), disk, wanted)
    diagnostics = fixing.check()
    history = History()
    done: list[Diagnostic] = []
    refused: list[Diagnostic] = []
    for _ in range(MAX_PASSES):
        steps, refused = fixing.step(diagnostics)
        if not steps:
            break
        for made in steps:
            done += map(history.as_it_was, made)
            history.note(edits_of(made))
        diagnostics = fixing.check()
    return Fixed(
        changes=tuple(fixing.changes()),
        done=tuple(done),
        left=diagnostics,
        left_before=tuple(map(history.as_it_was, diagnostics)),
        refused=tuple(refused),
        gave_up=fixing.is_spent,
        elsewhere=fixing.elsewhere(diagnostics),
        guesses=fixing.guesses(diagnostics),
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    unsafe: bool
    only: frozenset[str]

    def __call__(self, one: Diagnostic) -> bool:
        return one.fix is not None and one.fix.safe | self.unsafe and self.names(one)

    def is_guess(self, one: Diagnostic) -> bool:
        """Would it be wanted if it were safe?"""
        return one.fix is not None and not self(one) and self.names(one)

    def names(self, one: Diagnostic) -> bool:
        return not self.only or one.rule.code in self.only


class _Fixing:
    """The schemas, and what they say by now."""

    def __init__(
        self,
        schemas: tuple[Path | StandardInput, ...],
        found: tuple[Path, ...],
        include: tuple[Path, ...],
        disk: Disk,
        wanted: _Wanted,
    ) -> None:
        self._checks = self._read = 0
        self._wanted = wanted
        self._schemas, self._found, self._include = schemas, found, include
        self._disk = disk
        self._texts: dict[str, str] = {}
        self._before: dict[str, str] = {}
        # As messages show it: the real path, and the path that was given.
        self._named: dict[str, tuple[str, Path | None]] = {}
        for one in (*schemas, *found):
            is_given = isinstance(one, StandardInput)
            path = Path(one.name) if isinstance(one, StandardInput) else one
            try:
                real = disk.real_path(path)
            except (OSError, ValueError):
                continue  # it cannot be read: that is reported
            target = real, None if is_given else path
            self._named.setdefault(shown_path(path), target)

    def check(self, texts: Texts | None = None) -> tuple[Diagnostic, ...]:
        self._checks += 1
        texts = self._texts if texts is None else texts
        schemas = [self._told(one, texts) for one in self._schemas]
        disk = _Overlay(self._disk, texts)
        told = check_schemas(schemas, self._found, self._include, disk)
        given = [len(one.content) for one in schemas if isinstance(one, StandardInput)]
        self._read += sum(given, disk.read_so_far)
        return told

    @property
    def is_spent(self) -> bool:
        """Has enough been tried?"""
        is_much = self._checks >= MIN_CHECKS and self._read >= MAX_READ
        return is_much or self._checks >= MAX_CHECKS

    def step(
        self, told: Sequence[Diagnostic]
    ) -> tuple[list[list[Diagnostic]], list[Diagnostic]]:
        """Make what can be made; and what was tried in vain.

        Of what was made all goes at once that is in one list.
        """
        waiting = self._possible(told)
        tried: list[Diagnostic] = []
        made: list[Diagnostic] = []
        while waiting and not made:
            batch, waiting = compatible(waiting)
            tried += batch
            made = self._make(batch, told)
        steps = [made] if made else [[one] for one in self._pursue(tried, told)]
        ids = {id(one) for made in steps for one in made}
        return steps, [one for one in tried if id(one) not in ids]

    def _possible(self, told: Sequence[Diagnostic]) -> list[Diagnostic]:
        """Whose fixes are wanted, and are in files that were named."""
        return [one for one in told if self._wanted(one) and not self._others(one)]

    def _others(self, one: Diagnostic) -> list[str]:
        """The files that its fix changes, and that were not named."""
        paths = [source.path for source in edits_of([one])]
        return [path for path in paths if path not in self._named]

    def elsewhere(self, told: Sequence[Diagnostic]) -> Mapping[str, int]:
        return Counter(
            path for one in told if self._wanted(one) for path in self._others(one)
        )

    def guesses(self, told: Sequence[Diagnostic]) -> int:
        return sum(self._wanted.is_guess(one) and not self._others(one) for one in told)

    def _make(
        self, batch: Sequence[Diagnostic], known: Sequence[Diagnostic]
    ) -> list[Diagnostic]:
        """Make as many as can be; they are returned."""
        made: list[Diagnostic] = []
        waiting = [list(batch)] if batch else []
        while waiting and not self.is_spent:
            group = waiting.pop()
            after = self.check(self._with((*made, *group)))
            if is_better(known, after, (*made, *group)):
                made += group
            elif len(group) > 1:
                half = len(group) // 2
                waiting += (group[half:], group[:half])
        self._keep(made, self._with(made))
        return made

    def _pursue(
        self, batch: Sequence[Diagnostic], known: Sequence[Diagnostic]
    ) -> list[Diagnostic]:
        """The first that leads to no further error together with those errors' fixes.

        Returned with what was made of those; nothing if there is none.
        """
        before = counted(known)
        for first in batch:
            if self.is_spent:
                break
            made, texts = [first], self._with([first])
            for _ in range(MAX_STEPS):
                after = self.check(texts)
                if is_better(known, after, [first]):
                    self._keep(made, texts)
                    return made
                told = counted(after)
                further = [
                    one
                    for one in self._possible(after)
                    if one.rule.code in ERRORS and told[key(one)] > before[key(one)]
                ]
                if not further:
                    break
                made.append(further[0])
                texts = self._with(further[:1], texts)
        return []

    def _keep(self, made: Sequence[Diagnostic], texts: Texts) -> None:
        for source in edits_of(made):
            self._before.setdefault(source.path, source.text)
        self._texts = dict(texts)

    def changes(self) -> Iterator[Change]:
        for name, before in self._before.items():
            real, path = self._named[name]
            if self._texts[real] != before:
                yield Change(path, name, before, self._texts[real])

    def _with(
        self, group: Sequence[Diagnostic], texts: Texts | None = None
    ) -> dict[str, str]:
        texts = dict(self._texts if texts is None else texts)
        for source, edits in edits_of(group).items():
            real, _ = self._named[source.path]
            texts[real] = applied(source.text, edits)
        return texts

    def _told(self, schema: Path | StandardInput, texts: Texts) -> Path | StandardInput:
        if not isinstance(schema, StandardInput):
            return schema
        real = self._disk.real_path(schema.name)
        if real not in texts:
            return schema
        return StandardInput(schema.name, texts[real].encode())


class _Overlay(Disk):
    """A disk on which some files say something else."""

    def __init__(self, disk: Disk, texts: Texts) -> None:
        self._disk = disk
        self._texts = texts
        self.read_so_far = 0  # bytes

    def real_path(self, path: str | os.PathLike[str]) -> str:
        return self._disk.real_path(path)

    def read(self, path: Path) -> bytes | None:
        text = self._texts.get(self.real_path(path)) if self._texts else None
        content = self._disk.read(path) if text is None else text.encode()
        self.read_so_far += len(content or b"")
        return content
