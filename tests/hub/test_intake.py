"""What the hub refuses, and with which word; whatever it is, the next message is taken."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.site_hub import Hub
from passerby.ids import CameraId, EdgeId, ModelId
from passerby.messages import CameraStatus, Envelope, Heartbeat, Hello, Message, Status
from tests.hub.people import BOOT, DIMENSION, EDGE, Sender, at, look, seen


def filled(value: float) -> np.typing.NDArray[np.float32]:
    return np.full(DIMENSION, value, np.float32)


WRONG = {
    "embedding-zero": seen(1, embedding=filled(0.0)),
    "embedding-not-finite": seen(1, embedding=filled(np.nan)),
    "embedding-dimension": seen(1, embedding=look(1, dimension=DIMENSION + 1)),
    "times": replace(seen(1), started_at_ns=10, ended_at_ns=9),
    "number-range": seen(1, tracklet=2**63),
    "not-reliable": Hello(software="x", cameras=[], model_id=ModelId("m@1")),
}


@pytest.mark.parametrize("reason", WRONG)
def test_what_is_wrong_is_refused_by_its_reason_and_counts_as_committed(tmp_path: Path, reason: str) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        hub.ingest(sender.send(seen(9, tracklet=9)), now_ns=at(1))
        result = hub.ingest(sender.send(WRONG[reason], seen(3, tracklet=3)), now_ns=at(2))
        assert [refused.reason for refused in result.refusals] == [reason]
        assert hub.committed() == {BOOT: 3}
        assert len(hub.state.tracklets) == 2
    with Hub.open(tmp_path) as hub:
        assert hub.committed() == {BOOT: 3}


def test_huge_embeddings_are_refused_and_half_precision_is_taken(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        huge = hub.ingest(sender.send(seen(1, embedding=filled(3e38))), now_ns=at(2))
        assert [refused.reason for refused in huge.refusals] == ["embedding-not-finite"]
        half = seen(1, embedding=look(1).astype(np.float16))  # type: ignore[arg-type]
        assert hub.ingest(sender.send(half), now_ns=at(2)).refusals == ()


def test_a_tracklet_does_not_change_its_past(tmp_path: Path) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        hub.ingest(sender.send(seen(1, revision=2)), now_ns=at(2))
        wrong = [
            seen(1, revision=2),
            seen(1, "lobby", revision=3),
            seen(1, revision=3, final=True),
            seen(1, revision=4),
        ]
        reasons = [refused.reason for refused in hub.ingest(sender.send(*wrong), now_ns=at(3)).refusals]
        assert reasons == ["stale-revision", "camera-changed", "tracklet-closed"]


def test_a_boot_belongs_to_one_edge(tmp_path: Path) -> None:
    with Hub.open(tmp_path) as hub:
        hub.ingest(Sender().send(seen(1)), now_ns=at(2))
        thief = Sender(edge_id=EdgeId("thief"), seq=1)
        refusals = hub.ingest(thief.send(seen(2, tracklet=2)), now_ns=at(2)).refusals
        assert [refused.reason for refused in refusals] == ["boot-of-another-edge"]
        assert hub.committed() == {BOOT: 1}


def test_what_may_be_lost_has_no_effect_and_an_unnumbered_update_is_refused(tmp_path: Path) -> None:
    with Hub.open(tmp_path) as hub:
        lossy = [(EDGE, Envelope(BOOT, 0, Heartbeat(sent_at_ns=1))), (EDGE, Envelope(BOOT, 0, seen(1)))]
        assert [refused.reason for refused in hub.ingest(lossy, now_ns=at(2)).refusals] == ["not-numbered"]
        assert hub.committed() == {}


def test_status_is_kept_per_camera(tmp_path: Path) -> None:
    from hub.reader import SiteReader

    sender = Sender()
    with Hub.open(tmp_path) as hub:
        for state in ("connecting", "live"):
            cameras = [CameraStatus(camera_id=CameraId("hall"), state=state)]  # type: ignore[arg-type]
            hub.ingest(sender.send(Status(sent_at_ns=at(1), cameras=cameras)), now_ns=at(1))
    with SiteReader(tmp_path) as reader:
        assert [stored.status.state for stored in reader.cameras()] == ["live"]


NUMBERS = st.sampled_from([-(2**63) - 1, -1, 0, 1, 2, 2**31, 2**63 - 1, 2**63, 2**64])


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_numbers_stop_the_hub(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    names = st.sampled_from(["tracklet_id", "revision", "started_at_ns", "ended_at_ns"])
    message: Message = replace(seen(1), **data.draw(st.dictionaries(names, NUMBERS)))
    with Hub.open(tmp_path_factory.mktemp("hub")) as hub:
        hub.ingest([(EDGE, Envelope(BOOT, data.draw(NUMBERS), message))], now_ns=at(2))
        good = Sender(boot_id=BOOT[:-1] + b"x")  # type: ignore[arg-type]
        assert hub.ingest(good.send(seen(2, tracklet=5)), now_ns=at(3)).refusals == ()
