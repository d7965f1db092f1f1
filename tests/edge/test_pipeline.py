"""From frames to tracklet updates."""

from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from edge.frames import Frame
from edge.pipeline import CameraPipeline, track_together, tracklet_ids
from edge.sources import open_source
from passerby.arrays import Detections, Float32Array, Image
from passerby.codec import decode, encode
from passerby.config import CameraSettings
from passerby.ids import BootId, CameraId
from passerby.inference import load_detector, load_embedder
from passerby.messages import Clock, Envelope, TrackletUpdate
from passerby.models import ModelManifest, read_model
from tests.edge.engines import MeanColourEmbedder, ScriptedDetector, people

HALL = CameraId("hall")
MS = 1_000_000
CLOCK = Clock(source="file", error_ns=0)
TEXTURE = np.random.default_rng(1).integers(0, 256, (400, 600, 3), dtype=np.uint8)


def frame(number: int, *, camera: CameraId = HALL) -> Frame:
    return Frame(camera, number, number * 200 * MS, CLOCK, TEXTURE)


def walk(number: int) -> Detections:
    x = 10.0 + 8 * number
    return people([x, 100, x + 60, 300])


def pipeline(**changes: object) -> CameraPipeline:
    settings = CameraSettings(url="x", **changes)
    return CameraPipeline(
        HALL, settings, detector=ScriptedDetector(), embedder=MeanColourEmbedder(), tracklet_ids=tracklet_ids()
    )


def run(camera: CameraPipeline, script: Sequence[Detections]) -> list[TrackletUpdate]:
    updates = [
        update for number, found in enumerate(script, 1) for update in camera.process_detected(frame(number), found)
    ]
    return updates + camera.finish()


def test_a_walker_is_told_of_once_a_second_and_a_last_time() -> None:
    updates = run(pipeline(), [walk(i) for i in range(21)])
    assert [update.revision for update in updates] == list(range(1, len(updates) + 1))
    assert [update.final for update in updates] == [False] * (len(updates) - 1) + [True]
    assert len(updates) == 5
    assert {update.tracklet_id for update in updates} == {1}
    assert updates[0].observations.frame_numbers.tolist() == [1, 2, 3]
    numbers = [number for update in updates for number in update.observations.frame_numbers.tolist()]
    assert numbers == list(range(1, 22))
    last = updates[-1]
    assert (last.started_at_ns, last.ended_at_ns) == (200 * MS, 21 * 200 * MS)
    assert last.frame_size == (600, 400)


def test_who_is_present_is_told_of_and_was_seen_just_now() -> None:
    camera = pipeline()
    present = []
    for number, found in enumerate([walk(i) for i in range(6)] + [Detections.empty()] * 3, 1):
        camera.process_detected(frame(number), found)
        present.append(camera.present(now_ns=number * 200 * MS, within_ns=300 * MS))
    assert present[:2] == [[], []]
    assert [len(one) for one in present[2:]] == [1, 1, 1, 1, 1, 0, 0]
    assert [one[0][0] for one in present[2:7]] == [1] * 5
    assert [one[0][1][0] for one in present[2:7]] == [26.0, 34.0, 42.0, 50.0, 50.0]


def test_only_a_few_crops_are_embedded_and_the_mean_is_theirs() -> None:
    camera = pipeline(crops_per_tracklet=4)
    updates = run(camera, [walk(i) for i in range(60)])
    last = updates[-1]
    assert len(last.exemplars) == 4
    assert sum(camera.embedder.calls) <= 12
    np.testing.assert_allclose(last.embedding, last.exemplars.embeddings.mean(axis=0), rtol=1e-6)
    assert (np.diff(last.exemplars.quality) <= 0).all()
    sent = [crop_id for update in updates for crop_id in update.crops]
    assert len(sent) == len(set(sent))
    assert set(last.exemplars.crop_ids.tolist()) <= set(sent)


def test_crops_are_not_sent_where_they_must_not_be() -> None:
    assert all(not update.crops for update in run(pipeline(save_crops=False), [walk(i) for i in range(9)]))


def test_who_is_lost_is_closed_after_the_time_set() -> None:
    camera = pipeline(lost_after_s=1.0)
    script = [walk(i) for i in range(6)] + [Detections.empty()] * 10
    updates = [
        (number, update)
        for number, found in enumerate(script, 1)
        for update in camera.process_detected(frame(number), found)
    ]
    assert [number for number, update in updates if update.final] == [12]
    assert camera.finish() == []


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ([walk(0), walk(1)], "too-short"),
        ([people([100, 100, 160, 300], confidence=0.7)] * 30, "motionless"),
        ([people([100, 100, 160, 300], confidence=0.95)] * 30, None),
        ([people([10 + 4 * i, 100, 22 + 4 * i, 150], confidence=0.6) for i in range(20)], None),
    ],
)
def test_what_is_no_person_is_counted_and_not_told(script: list[Detections], reason: str | None) -> None:
    camera = pipeline()
    updates = run(camera, script)
    assert bool(updates) == (reason is None)
    assert dict(camera.unpublished) == ({reason: 1} if reason else {})


def test_a_blank_picture_has_no_usable_crop() -> None:
    camera = pipeline()
    blank = np.zeros((400, 600, 3), np.uint8)
    for number in range(1, 10):
        one = Frame(HALL, number, number * 200 * MS, CLOCK, blank)
        assert camera.process_detected(one, walk(number)) == []
    assert camera.finish() == []
    assert dict(camera.unpublished) == {"no-usable-crop": 1}


def test_masked_people_are_not_there() -> None:
    everywhere = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    assert run(pipeline(masks=[everywhere]), [walk(i) for i in range(10)]) == []


def test_people_at_the_border_and_beyond_do_not_break_it() -> None:
    run(pipeline(), [people([-50 + 9 * i, -20, 30 + 9 * i, 600], [590, 100, 700, 300]) for i in range(12)])


def test_finishing_twice_or_before_the_first_frame_gives_nothing() -> None:
    camera = pipeline()
    assert camera.finish() == []
    run(camera, [walk(i) for i in range(6)])
    assert camera.finish() == []


def test_ids_are_never_given_twice_even_after_finishing() -> None:
    camera = pipeline()
    first = run(camera, [walk(i) for i in range(6)])
    second = [
        update for number in range(50, 60) for update in camera.process_detected(frame(number), walk(number - 50))
    ]
    assert {update.tracklet_id for update in first} == {1}
    assert {update.tracklet_id for update in second} == {2}


def test_several_cameras_share_the_networks_and_the_ids() -> None:
    ids, embedder = tracklet_ids(), MeanColourEmbedder()
    detector = ScriptedDetector([walk(number) for number in range(6) for _ in range(3)])
    names = [CameraId(name) for name in ("a", "b", "c")]
    cameras = [
        CameraPipeline(name, CameraSettings(url="x"), detector=detector, embedder=embedder, tracklet_ids=ids)
        for name in names
    ]
    updates = []
    for number in range(1, 7):
        work = [(camera, frame(number, camera=camera.camera_id)) for camera in cameras]
        updates += track_together(work, detector.detect([one.image for _, one in work]))
    assert detector.batches == [3] * 6
    assert embedder.calls == [3]
    assert [(update.camera_id, update.tracklet_id) for update in updates] == [("a", 1), ("b", 2), ("c", 3)]


class Negated(MeanColourEmbedder):
    """Another model: the same with other signs."""

    @property
    def manifest(self) -> ModelManifest:
        return msgspec.structs.replace(super().manifest, name="negated")

    def embed(self, crops: Sequence[Image], camera_ids: Sequence[CameraId]) -> Float32Array:
        return -super().embed(crops, camera_ids)


def test_cameras_with_different_networks_have_one_call_of_each() -> None:
    ids, plain, negated = tracklet_ids(), MeanColourEmbedder(), Negated()
    detector = ScriptedDetector([walk(number) for number in range(6) for _ in range(4)])
    networks = {CameraId("a"): plain, CameraId("b"): negated, CameraId("c"): plain, CameraId("d"): negated}
    cameras = [
        CameraPipeline(name, CameraSettings(url="x"), detector=detector, embedder=embedder, tracklet_ids=ids)
        for name, embedder in networks.items()
    ]
    updates = []
    for number in range(1, 7):
        work = [(camera, frame(number, camera=camera.camera_id)) for camera in cameras]
        updates += track_together(work, detector.detect([one.image for _, one in work]))
    assert plain.calls == negated.calls == [2]
    assert [update.camera_id for update in updates] == ["a", "b", "c", "d"]
    assert [update.model_id for update in updates] == [
        networks[update.camera_id].manifest.model_id for update in updates
    ]
    for update in updates:
        np.testing.assert_allclose(update.embedding, updates[0].embedding * (-1 if update.camera_id in "bd" else 1))


def test_another_network_embeds_all_kept_crops_of_open_tracklets_anew() -> None:
    camera, negated = pipeline(), Negated()
    updates = []
    for number in range(1, 31):
        if number == 16:
            camera.describe_with(negated)
        updates += camera.process_detected(frame(number), walk(number))
    updates += camera.finish()
    assert {update.tracklet_id for update in updates} == {1}
    assert [update.revision for update in updates] == list(range(1, len(updates) + 1))
    before = [update for update in updates if update.model_id == MeanColourEmbedder().manifest.model_id]
    after = updates[len(before) :]
    assert len(before) > 1
    assert len(after) > 1
    assert all((update.exemplars.embeddings > 0).all() for update in before)
    assert {update.model_id for update in after} == {negated.manifest.model_id}
    assert all((update.exemplars.embeddings < 0).all() for update in after)
    kept = set(before[-1].exemplars.crop_ids.tolist()) & set(after[0].exemplars.crop_ids.tolist())
    assert kept, "crops from before the change stay"
    assert negated.calls[0] == len(after[0].exemplars)
    sent = [crop_id for update in updates for crop_id in update.crops]
    assert len(sent) == len(set(sent)), "no picture is sent twice"


def test_the_same_network_again_costs_nothing() -> None:
    camera = pipeline()
    for number in range(1, 10):
        camera.describe_with(camera.embedder)
        camera.process_detected(frame(number), walk(number))
    again = pipeline()
    run(again, [walk(number) for number in range(1, 10)])
    assert sum(camera.embedder.calls) <= sum(again.embedder.calls)


def test_nothing_to_do_is_no_call_of_the_embedder() -> None:
    camera = pipeline()
    camera.process_detected(frame(1), Detections.empty())
    assert camera.embedder.calls == []


def test_every_update_can_be_sent() -> None:
    for update in run(pipeline(), [walk(i) for i in range(12)]):
        again = decode(encode(Envelope(BootId(bytes(16)), 1, update))).message
        assert again.tracklet_id == update.tracklet_id
        np.testing.assert_array_equal(again.exemplars.embeddings, update.exemplars.embeddings)


def test_real_people_on_real_footage_with_real_networks(shared_data) -> None:
    models = shared_data("models")
    detector = load_detector(read_model(models / "person-detection-retail-0013.xml"), threads=1)
    embedder = load_embedder(read_model(models / "person-reidentification-retail-0288.xml"), threads=1)
    settings = CameraSettings(url=str(shared_data("footage/tworooms/room-b.264")), fps=6.0)

    def tell() -> list[TrackletUpdate]:
        camera = CameraPipeline(HALL, settings, detector=detector, embedder=embedder, tracklet_ids=tracklet_ids())
        with open_source(HALL, settings, realtime=False, start_at_ns=0) as source:
            updates = [update for one in source if one.frame_number < 260 for update in camera.process(one)]
        return updates + camera.finish()

    updates = tell()
    finals = [update for update in updates if update.final]
    # One man crosses at frames 23-71; a man and a woman come together from frame 186 on.
    assert 3 <= len(finals) <= 4
    assert next(update.started_at_ns // 1_000_000_000 for update in finals) in (1, 2)
    assert all(update.embedding.shape == (256,) for update in updates)
    again = tell()
    assert [encode(Envelope(BootId(bytes(16)), 1, update)) for update in updates] == [
        encode(Envelope(BootId(bytes(16)), 1, update)) for update in again
    ]
