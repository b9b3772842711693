"""What is said of a change, and what really happens on the wire, agree.

A random schema is edited, and both versions are run against each other: ours in memory,
and real ends of Twisted's. The worst that happens is what has been said, no better and
no worse.

The gate tries the same few each time. ``AMPGEN_TRIES=200`` looks for more: so many of
each kind of edit, others each time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from twisted.protocols import amp

from ampgen.compat import compare
from ampgen.compat.verdicts import Peers, Rollout, Wire
from ampgen.tools.memory import load_texts
from ampgen.tools.pairing import observe
from ampgen.tools.pairing.judging import judge
from tests.properties.edits import EDITS
from tests.properties.twisted_pairing import Call, Twisted
from tests.properties.versions import schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import CompileSchema

UNHURRIED = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
)
TRIES = int(os.environ.get("AMPGEN_TRIES", "0"))


def tried(few: int) -> settings:
    """The schemas are small as they are, and each takes a while: none is made less."""
    return settings(
        max_examples=TRIES or few,
        derandomize=not TRIES,
        suppress_health_check=UNHURRIED,
        phases=(Phase.explicit, Phase.generate),
    )


ORDERS = (Rollout.SERVER_FIRST, Rollout.CLIENT_FIRST)


class NoLog:
    """Twisted tells every failure: here they are what is looked for."""

    def failure(self, *_: object, **__: object) -> None: ...

    def info(self, *_: object, **__: object) -> None: ...


@pytest.fixture(autouse=True, scope="module")
def _no_log() -> Iterator[None]:  # pyright: ignore[reportUnusedFunction]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(amp, "_log", NoLog())
        yield


class Meeting:
    """Two versions of a schema: compared, and run against each other."""

    def __init__(self, old: str, new: str) -> None:
        self.texts = {"old": old, "new": new}
        self.old, self.new = (
            load_texts({"t.amp": one}, ["t.amp"]) for one in (old, new)
        )
        self.observed = observe(self.old, self.new)

    def said(self, order: Rollout, peers: Peers) -> Wire:
        changes = compare(self.old.schema, self.new.schema, peers)
        return max((one.verdict.wire(order) for one in changes), default=Wire.SAFE)

    def seen(self, order: Rollout, peers: Peers) -> Wire:
        """With Twisted's peers: by the rules of what these do."""
        return max(
            (one.wire(peers) for one in self.observed if one.setting.order is order),
            default=Wire.SAFE,
        )

    def differs(self, order: Rollout, peers: Peers) -> str:
        """What is shown where this is not as it should be."""
        changes = compare(self.old.schema, self.new.schema, peers)
        said = [f"{one.verdict.wire(order)} {one.message}" for one in changes]
        worst = self.seen(order, peers)
        seen = {
            f"{finding.wire} {finding.part}: {finding.told}"
            for one in self.observed
            if one.setting.order is order
            for finding in one.among(peers)
            if finding.wire is worst
        }
        both = [f"{order}, {peers}", *said, "seen:", *sorted(seen)[:5]]
        return "\n".join((*self.texts.values(), *both))

    def check_twisted(self, compile_schema: CompileSchema) -> None:
        """The same calls between real Twisted programs come to what the rules say."""
        twisted = {
            id(loaded): Twisted(compile_schema(text, "twisted"))
            for loaded, text in zip(
                (self.old, self.new), self.texts.values(), strict=True
            )
        }
        for one in self.observed:
            setting = one.setting
            course = Call(
                one.trial,
                twisted[id(setting.caller)],
                setting.calls,
                twisted[id(setting.implementer)],
                setting.serves,
            ).run()
            found = list(judge(one.trial, course))
            real = max((finding.wire for finding in found), default=Wire.SAFE)
            real = max(real, one.wire(Peers.AMPGEN))
            assert real is one.wire(Peers.TWISTED), (
                "\n".join(self.texts.values()),
                setting.order,
                one.trial.asked.given,
                one.trial.outcome,
                found,
                one.with_twisted,
            )


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.__name__)
def test_what_is_said_is_what_happens(edit: Any, compile_schema: CompileSchema) -> None:
    @tried(3)
    @given(data=st.data())
    def agree(data: st.DataObject) -> None:
        old = data.draw(schemas())
        new = edit(data.draw, old)
        assume(new is not None)
        meeting = Meeting(old.text(), new.text())
        for peers in Peers:
            for order in ORDERS:
                seen, said = meeting.seen(order, peers), meeting.said(order, peers)
                assert seen is said, meeting.differs(order, peers)
        meeting.check_twisted(compile_schema)

    agree()


@tried(12)
@given(
    data=st.data(),
    edits=st.lists(st.sampled_from(EDITS), min_size=2, max_size=3, unique=True),
)
def test_several_changes_are_no_worse_than_is_said(
    data: st.DataObject, edits: list[Any]
) -> None:
    """What one of them does may hide what another one would."""
    old = data.draw(schemas())
    new = old
    for edit in edits:
        new = edit(data.draw, new) or new
    meeting = Meeting(old.text(), new.text())
    for peers in Peers:
        for order in ORDERS:
            seen, said = meeting.seen(order, peers), meeting.said(order, peers)
            assert seen <= said, meeting.differs(order, peers)
