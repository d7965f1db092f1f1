"""Camera statistics as the hub keeps them: what is measured with, what is stored, what an operator resets."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hub.camera_reports import camera_reports
from hub.corrections.acts import ResetCamera
from hub.site_hub import Hub
from hub.statistics import CameraStatistics, StatisticsSource
from passerby.cli.app import app
from passerby.config import AssociationSettings
from passerby.errors import DataError, StoreError
from passerby.features.normalization import CameraNormalizer
from passerby.features.published import PublishedStatistics
from passerby.features.shrinkage import Standardization
from passerby.features.timeline import Timeline
from passerby.ids import CameraId, ModelId
from passerby.models import ReferenceStatistics
from tests.hub.corrections.operators import Operator
from tests.hub.fingerprint import fingerprint
from tests.hub.people import MODEL, Sender, at, seen

_D = 16
_GATE = CameraId("gate")


def _statistics(people: int = 20) -> CameraStatistics:
    random, statistics = np.random.default_rng(0), CameraStatistics(CameraNormalizer(_D))
    for number in range(people):
        statistics.observe(_GATE, (1 + random.normal(size=_D)).astype(np.float32), at_ns=number, quality=0.9)
    return statistics


def test_what_is_measured_with_changes_when_it_is_refreshed_and_not_before() -> None:
    statistics, probe = _statistics(), np.arange(1, _D + 1, dtype=np.float32)
    before = statistics.lifted(_GATE, probe, at_ns=30)
    np.testing.assert_allclose(before[:-1], probe / np.linalg.norm(probe), atol=1e-6)
    assert statistics.version == before[-1] == 0
    assert statistics.refresh()
    assert not statistics.refresh()
    after = statistics.lifted(_GATE, probe, at_ns=30)
    assert statistics.version > 0
    assert after[-1] > 0.3
    assert np.linalg.norm(after) == pytest.approx(1.0)


def test_many_tracklets_at_once_are_lifted_as_each_of_them() -> None:
    """Of cameras known and not, of two lights, and one that is exactly its camera's mean."""
    random = np.random.default_rng(2)
    lights = {(_GATE, regime): Standardization(random.normal(size=_D), 1 + random.random(_D)) for regime in (0, 1)}
    timelines = {_GATE: Timeline().switched(since_ns=60, regime=1)}
    published = PublishedStatistics(
        random.normal(size=_D), common_share=0.3, standardizations=lights, timelines=timelines
    )
    statistics = CameraStatistics(CameraNormalizer(_D), active=published)
    cameras = [_GATE, CameraId("yard")] * 60
    raw = random.normal(size=(120, _D)).astype(np.float32)
    at_ns = random.permutation(120).tolist()
    lights[_GATE, int(at_ns[0] >= 60)].shift[:] = raw[0]
    one_by_one = [statistics.lifted(*row, at_ns=when) for *row, when in zip(cameras, raw, at_ns, strict=True)]
    np.testing.assert_allclose(statistics.lifted_rows(cameras, raw, at_ns=at_ns), one_by_one, rtol=0, atol=1e-6)
    assert statistics.lifted_rows([], np.zeros((0, _D), np.float32), at_ns=[]).shape == (0, _D + 1)
    with pytest.raises(DataError, match="NaN"):
        statistics.lifted_rows([_GATE], np.full((1, _D), np.nan, np.float32), at_ns=[0])


@pytest.mark.parametrize("dimension", [16, 256, 513])
@pytest.mark.parametrize("rows", [1, 2, 9, 700])
def test_many_are_measured_together_as_each_alone_to_the_last_bit(dimension: int, rows: int) -> None:
    random, statistics = np.random.default_rng(rows), CameraStatistics(CameraNormalizer(dimension))
    for number in range(20):
        looks = (1 + random.normal(size=dimension)).astype(np.float32)
        statistics.observe(_GATE, looks, at_ns=number, quality=0.9)
    raw = (1 + random.normal(size=(rows, dimension))).astype(np.float32) * random.lognormal(size=(rows, 1), sigma=4.0)
    raw = raw.astype(np.float32)
    for _ in range(2):
        together = statistics.lifted_alike(_GATE, raw, at_ns=30)
        alone = np.stack([statistics.lifted(_GATE, one, at_ns=30) for one in raw])
        assert (together == alone).all()
        assert together.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-6)
        statistics.refresh()
    assert statistics.lifted_alike(_GATE, raw[:0], at_ns=30).shape == (0, dimension + 1)


def test_who_looks_exactly_like_the_cameras_mean_keeps_their_direction() -> None:
    reference = ReferenceStatistics(mean=[2.0] * _D, std=[1.0] * _D, measured_on="a test")
    statistics = CameraStatistics(CameraNormalizer(_D, reference=reference))
    raw = np.stack([np.full(_D, 2.0), np.arange(1.0, 1.0 + _D)]).astype(np.float32)
    together = statistics.lifted_alike(_GATE, raw, at_ns=0)
    np.testing.assert_allclose(together[0, :-1], 0.25)
    assert (together[1] == statistics.lifted(_GATE, raw[1], at_ns=0)).all()


def test_a_quality_of_nothing_counts_a_little() -> None:
    statistics = CameraStatistics(CameraNormalizer(_D))
    statistics.observe(_GATE, np.ones(_D, np.float32), at_ns=0, quality=0.0)
    assert statistics.report()[0].people == 1


def test_changed_parts_added_up_are_everything_and_restore_it() -> None:
    random, statistics, stored = np.random.default_rng(1), CameraStatistics(CameraNormalizer(_D)), {}
    source, model_id = StatisticsSource(), ModelId("m@1")
    for number in range(150):
        statistics.observe(_GATE, (1 + random.normal(size=_D)).astype(np.float32), at_ns=number, quality=0.9)
        if number % 7 == 0:
            statistics.refresh()
        for name, data in statistics.changed_parts().items():
            stored.pop(name, None) if data is None else stored.update({name: data})
    assert stored == statistics.parts()
    again = source.restore(model_id, _D, parts=stored)
    assert again is not None
    assert again.parts() == stored
    assert again.version == statistics.version


def test_the_models_reference_stays_with_what_was_learned() -> None:
    reference = ReferenceStatistics(mean=[3.0] * _D, std=[1.0] * _D, measured_on="a test")
    model_id = ModelId("m@1")
    begun = StatisticsSource(references={model_id: reference}).begin(model_id, _D)
    assert begun is not None
    restored = StatisticsSource().restore(model_id, _D, parts=begun.parts())
    assert restored is not None
    probe = np.arange(_D, dtype=np.float32)
    np.testing.assert_array_equal(restored.lifted(_GATE, probe, at_ns=0), begun.lifted(_GATE, probe, at_ns=0))


def test_statistics_that_are_off_or_damaged() -> None:
    parts = _statistics().parts()
    assert StatisticsSource(enabled=False).restore(ModelId("m@1"), _D, parts=parts) is None
    for name in parts:
        with pytest.raises(StoreError, match="camera statistics of m@1 cannot be read"):
            StatisticsSource().restore(ModelId("m@1"), _D, parts={**parts, name: b"\xc1"})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The data of a hub that has seen some people in two cameras."""
    sender, folder = Sender(), tmp_path / "data"
    with Hub.open(folder) as hub:
        for number in range(8):
            for camera in ("lobby", "hall"):
                begin = 20 * number
                hub.ingest(
                    sender.send(
                        seen(
                            number,
                            camera,
                            tracklet=2 * number + (camera == "hall"),
                            begin_s=begin,
                            end_s=begin + 2,
                            final=True,
                        )
                    ),
                    now_ns=at(begin + 3),
                )
    return folder


def test_the_command_shows_each_camera_beside_a_hub_and_without(data: Path) -> None:
    told = json.loads(_run(data, "show", "--json"))
    rows = [(row["camera_id"], row["people"], row["regime"]) for row in told["cameras"]]
    assert rows == [("hall", 8, 0), ("lobby", 8, 0)]
    assert "lobby" in _run(data, "show")
    with Hub.open(data):
        assert json.loads(_run(data, "show", "--json")) == told


def test_an_operator_resets_a_camera_and_it_is_on_record(data: Path) -> None:
    before = camera_reports(data)[MODEL]
    assert "camera lobby: statistics begin anew" in _run(data, "reset", "lobby")
    hall, lobby = camera_reports(data)[MODEL]
    assert (hall.people, hall.belief) == (before[0].people, before[0].belief)
    assert (lobby.people, lobby.regime, lobby.regimes) == (0, 1, 1)
    result = CliRunner().invoke(app, ["normalization", "reset", "cellar", "--data", str(data)])
    assert isinstance(result.exception, DataError)
    assert "no statistics of camera 'cellar'; there are some of: hall, lobby" in str(result.exception)


def test_a_hub_goes_on_after_a_reset_and_a_restart_as_without_the_restart(data: Path) -> None:
    with Hub.open(data) as hub:
        Operator(data).ask(hub, ResetCamera(camera=CameraId("lobby")), now_ns=at(200))
        mind = fingerprint(hub.state)
    with Hub.open(data) as hub:
        assert fingerprint(hub.state) == mind


def test_without_normalization_there_is_nothing_to_reset(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with Hub.open(folder, association=AssociationSettings(normalize="none")) as hub:
        hub.ingest(Sender().send(seen(1, "lobby", tracklet=1, final=True)), now_ns=at(2))
        with pytest.raises(DataError, match="no statistics of camera 'lobby'"):
            Operator(folder).ask(hub, ResetCamera(camera=CameraId("lobby")), now_ns=at(3))


def _run(data: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["normalization", *arguments, "--data", str(data)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout
