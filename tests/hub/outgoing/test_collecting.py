"""What is worth telling of a real hub's data: once each, also when the looking is interrupted."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.outgoing.camera_watch import HOLD_NS
from hub.outgoing.collecting import Collector, Now
from hub.outgoing.outbox import Outbox
from hub.site_hub import Hub
from passerby.adaptation.job import JobBook, JobProgress, JobRequest
from passerby.config.outgoing import NEWS_KINDS
from passerby.errors import StoreError
from passerby.ids import CameraId, ModelId
from passerby.messages import CameraStatus, Status
from tests.hub.api.serving import HALL, LOBBY, fill
from tests.hub.people import Sender, at, seen


def look(data: Path, outbox: Outbox, *, now_ns: int = at(50), cameras: Sequence[CameraId] = (HALL, LOBBY)) -> Now:
    collector = Collector(data, outbox, cameras=lambda: cameras)
    try:
        return collector.look(now_ns=now_ns)
    finally:
        collector.close()


def told(outbox: Outbox) -> list[tuple[str, Any]]:
    return [(one.kind, msgspec.json.decode(one.news)) for one in outbox.waiting("all", limit=1000)]


@pytest.fixture
def outbox(tmp_path: Path) -> Any:
    with Outbox(tmp_path) as made:
        made.serve({"all": NEWS_KINDS})
        yield made


def test_every_link_since_the_beginning_is_told_once_with_ids_alone(tmp_path: Path, outbox: Outbox) -> None:
    with pytest.raises(StoreError, match=r"no passerby\.sqlite"):
        look(tmp_path, outbox)
    fill(tmp_path)
    for _ in range(2):
        look(tmp_path, outbox)
    news = [one for kind, one in told(outbox) if kind == "association"]
    assert [(one["what"], one["identity"], one["camera"]) for one in news] == [
        ("created", 1, "hall"),
        ("created", 2, "lobby"),
        ("linked", 1, "lobby"),
    ]
    assert news[2]["tracklet"] == 3
    assert 0 < news[2]["probability"] <= 1
    assert (news[2]["by"], news[2]["evidence"]) == ("hub", f"/api/v1/associations/{news[2]['event']}/evidence")


def test_what_happened_before_anybody_was_to_be_told_is_not_told(tmp_path: Path) -> None:
    fill(tmp_path)
    with Outbox(tmp_path) as outbox:
        outbox.serve({"all": NEWS_KINDS})
        look(tmp_path, outbox)
        assert told(outbox) == []
        with Hub.open(tmp_path) as hub:
            hub.ingest(Sender(seq=3).send(seen(5, "hall", tracklet=9, begin_s=60, end_s=62)), now_ns=at(63))
            hub.tick(now_ns=at(64))
        now = look(tmp_path, outbox, now_ns=at(64))
        assert [one["what"] for _, one in told(outbox)] == ["created"]
        assert (now.people.site, now.people.cameras) == (1, {HALL: 1, LOBBY: 0})
        assert look(tmp_path, outbox, now_ns=at(80)).people.site == 0


def test_one_person_in_two_views_is_one_person_of_the_site(tmp_path: Path, outbox: Outbox) -> None:
    sender = Sender()
    with Hub.open(tmp_path) as hub:
        for second in range(1, 5):
            hub.ingest(
                sender.send(
                    seen(1, "hall", tracklet=1, revision=second, end_s=second, noise=0.05),
                    seen(1, "lobby", tracklet=2, revision=second, begin_s=0.5, end_s=second, noise=0.05),
                    seen(2, "lobby", tracklet=3, revision=second, end_s=second, noise=0.05),
                ),
                now_ns=at(second),
            )
        now = look(tmp_path, outbox, now_ns=at(4))
    assert (now.people.site, now.people.cameras) == (2, {HALL: 1, LOBBY: 2})


def test_a_camera_that_goes_and_comes_back_is_told_also_over_a_restart(tmp_path: Path, outbox: Outbox) -> None:
    sender = Sender()

    def says(state: str, *, second: float) -> None:
        cameras = [CameraStatus(camera_id=HALL, state=state)]  # type: ignore[arg-type]
        with Hub.open(tmp_path) as hub:
            hub.ingest(sender.send(Status(sent_at_ns=at(second), cameras=cameras)), now_ns=at(second))

    hold_s = HOLD_NS / 1e9
    says("live", second=0)
    collector = Collector(tmp_path, outbox, cameras=lambda: [HALL])
    assert collector.look(now_ns=at(1)).cameras[HALL].online
    says("waiting", second=2)
    collector.look(now_ns=at(2))
    collector.look(now_ns=at(2 + hold_s))
    collector.close()
    says("live", second=3 + hold_s)
    look(tmp_path, outbox, now_ns=at(4 + hold_s), cameras=[HALL])
    look(tmp_path, outbox, now_ns=at(5 + hold_s), cameras=[HALL])
    assert [(kind, one["online"], one["state"]) for kind, one in told(outbox)] == [
        ("camera", False, "waiting"),
        ("camera", True, "live"),
    ]


def test_the_end_of_an_adaptation_is_told_once(tmp_path: Path, outbox: Outbox) -> None:
    fill(tmp_path)
    look(tmp_path, outbox)
    request = JobRequest(
        number=0, asked_at_ns=at(0), actor="ada", trigger="hand", parent="net", parent_id=ModelId("net@1"),
        recipe="passerby", minutes=1.0, seed=1, newest_tracklet=3, threads=1, memory_mib=1024, most_crops=100,
    )  # fmt: skip
    job = JobBook(tmp_path).ask(request)
    before = len(told(outbox))
    look(tmp_path, outbox)
    job.tell(JobProgress(state="refused", at_ns=at(60), reason="no better than before"))
    for _ in range(2):
        look(tmp_path, outbox, now_ns=at(70))
    kind, news = told(outbox)[-1]
    assert len(told(outbox)) == before + 1
    assert (kind, news["what"], news["adaptation"], news["reason"]) == (
        "adaptation", "refused", 1, "no better than before",
    )  # fmt: skip


def test_nothing_is_told_of_a_folder_whose_adaptations_cannot_be_read(tmp_path: Path, outbox: Outbox) -> None:
    fill(tmp_path)
    folder = tmp_path / "adaptation" / "0001"
    folder.mkdir(parents=True)
    (folder / "job.json").write_text("{")
    look(tmp_path, outbox)
    assert all(kind != "adaptation" for kind, _ in told(outbox))
