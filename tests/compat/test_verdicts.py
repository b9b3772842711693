"""Verdicts: which is worse, and what two of them come to."""

from __future__ import annotations

from ampgen.compat.verdicts import Rollout, Source, Verdict, Wire


def test_each_is_worse_than_the_one_before() -> None:
    assert "".join(one.value for one in sorted(Wire)) == "SDEKX"
    assert "".join(one.value for one in sorted(Source)) == "SwTB"


def test_two_verdicts_come_to_the_worse_in_each_respect() -> None:
    one = Verdict(Wire.FAILS, Wire.SAFE, Source.BREAKS, Source.SAFE)
    other = Verdict(Wire.IGNORED, Wire.WRONG, Source.TYPES, Source.WARNS)
    worse = Verdict(Wire.FAILS, Wire.WRONG, Source.BREAKS, Source.WARNS)
    assert one | other == other | one == worse


def test_a_rollout_decides_which_order_counts() -> None:
    verdict = Verdict(Wire.FAILS, Wire.DROPS, Source.TYPES, Source.SAFE)
    assert verdict.wire(Rollout.SERVER_FIRST) is Wire.FAILS
    assert verdict.wire(Rollout.CLIENT_FIRST) is Wire.DROPS
    assert verdict.wire(Rollout.ANY) is verdict.wire() is Wire.DROPS
    assert verdict.source is Source.TYPES
