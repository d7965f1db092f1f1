"""What fails stays where it is: a message, or the decisions; and nothing that came is lost by it."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from hub.association import Assignment, LinkProblem, PlainAssociator
from hub.endurance import EnduringHub
from hub.site_hub import Hub
from passerby.config import AssociationSettings
from tests.hub.people import Sender, at, look, seen

PATIENCE_S = 20.0


class Moody(PlainAssociator):
    """Fails at every link while `broken`."""

    broken = False
    attempts = 0

    def link(self, problem: LinkProblem) -> Sequence[Assignment]:
        self.attempts += 1
        if self.broken:
            raise RuntimeError("a fault in FAISS")
        return super().link(problem)


class FailsAtTwins(PlainAssociator):
    """Fails where a tracklet is exactly like somebody."""

    def link(self, problem: LinkProblem) -> Sequence[Assignment]:
        if (np.nan_to_num(problem.similarity) > 0.99999).any():
            raise ValueError("a fault of ours")
        return super().link(problem)


@contextmanager
def enduring(data: Path, associator: PlainAssociator) -> Iterator[tuple[Hub, EnduringHub]]:
    with Hub.open(data, associator=associator, association=AssociationSettings(normalize="none")) as hub:
        yield hub, EnduringHub(hub, stop=threading.Event())


def decided(hub: Hub) -> dict[int, bool]:
    return {number: tracklet.identity_id is not None for number, tracklet in sorted(hub.state.tracklets.items())}


def tick_until_decided(hub: Hub, work: EnduringHub, now_ns: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not all(decided(hub).values()):
        assert time.monotonic() < deadline, decided(hub)
        work.tick(now_ns)


def test_a_message_that_cannot_be_worked_on_is_set_aside_and_its_neighbours_are_taken(tmp_path: Path) -> None:
    sender = Sender()
    with enduring(tmp_path, FailsAtTwins()) as (hub, work):
        assert work.take(sender.send(seen(1, "a", tracklet=1, embedding=look(1))), now_ns=at(2)) == ()
        batch = sender.send(
            seen(2, "b", tracklet=2), seen(1, "c", tracklet=3, embedding=look(1)), seen(3, "d", tracklet=4)
        )
        refused = work.take(batch, now_ns=at(3))
        assert refused is not None
        assert [(one.seq, one.reason) for one in refused] == [(3, "unprocessable")]
        assert {t.tracklet_id for t in hub.state.tracklets.values()} == {1, 2, 4}
        assert list(hub.committed().values()) == [4], "the one set aside does not come again"


@pytest.mark.parametrize("first_met", ["by time", "by a message"])
def test_decisions_that_fail_by_themselves_cost_no_message(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, first_met: str
) -> None:
    sender, associator = Sender(), Moody()
    with enduring(tmp_path, associator) as (hub, work):
        work.take(sender.send(seen(1, tracklet=1, end_s=0.2, exemplars=1)), now_ns=at(0.2))
        assert decided(hub) == {1: False}
        associator.broken = True
        if first_met == "by time":
            work.tick(at(9))
        for number in (2, 3):
            update = seen(number, tracklet=number, begin_s=7, end_s=9)
            assert work.take(sender.send(update), now_ns=at(9)) == ()
        assert list(hub.committed().values()) == [3]
        assert decided(hub) == {1: False, 2: False, 3: False}
        assert "decisions fail (RuntimeError: a fault in FAISS), 1 times by now" in caplog.text

        associator.broken = False
        tick_until_decided(hub, work, at(9))
        assert "decisions work again" in caplog.text
        assert work.take(sender.send(seen(4, tracklet=4, begin_s=9, end_s=11)), now_ns=at(11)) == ()
        assert decided(hub)[4]


def test_what_was_kept_without_decisions_outlives_a_restart_and_is_decided_then(tmp_path: Path) -> None:
    sender, associator = Sender(), Moody()
    with enduring(tmp_path, associator) as (hub, work):
        break_at_the_first(sender, associator, work)
        assert work.take(sender.send(seen(2, tracklet=2, begin_s=7, end_s=9, final=True)), now_ns=at(9)) == ()
        assert decided(hub) == {1: False, 2: False}
    with enduring(tmp_path, PlainAssociator()) as (hub, work):
        work.tick(at(10))
        assert decided(hub) == {1: True, 2: True}


def test_a_wrong_message_is_refused_also_while_decisions_rest(tmp_path: Path) -> None:
    sender, associator = Sender(), Moody()
    with enduring(tmp_path, associator) as (_, work):
        break_at_the_first(sender, associator, work)
        wrong = seen(2, tracklet=2, embedding=look(1) * np.float32(np.nan))
        refused = work.take(sender.send(wrong), now_ns=at(9))
        assert refused is not None
        assert [one.reason for one in refused] == ["embedding-not-finite"]


def test_failing_decisions_are_left_alone_for_a_while(tmp_path: Path) -> None:
    sender, associator = Sender(), Moody()
    with enduring(tmp_path, associator) as (hub, work):
        break_at_the_first(sender, associator, work)
        before = associator.attempts
        for number in range(2, 30):
            assert work.take(sender.send(seen(number, tracklet=number)), now_ns=at(9)) == ()
            work.tick(at(9))
        assert associator.attempts - before < 28, "each message and each tick would be one at least"
        assert len(hub.state.tracklets) == 29


def break_at_the_first(sender: Sender, associator: Moody, work: EnduringHub) -> None:
    """Somebody seen for a moment, over whom time must decide, which fails."""
    work.take(sender.send(seen(1, tracklet=1, end_s=0.2, exemplars=1)), now_ns=at(0.2))
    associator.broken = True
    work.tick(at(9))
