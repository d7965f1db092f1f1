"""Embeddings of tapes against what was measured on real people: inside stated bands."""

import numpy as np
import pytest

from passerby.arrays import l2_normalize
from passerby.features.normalization import zscore_by_camera
from simulation.tapes.appearance import Appearance, Views
from simulation.tapes.networks import DIMENSION, network_profile
from simulation.wardrobe import Dresses, random_people


def views(yaw: np.ndarray, *, visibility: float = 1.0) -> Views:
    rows = len(yaw)
    return Views(
        yaw.astype(np.float32),
        np.full(rows, visibility, np.float32),
        np.full(rows, 200.0, np.float32),
        np.full(rows, -1, np.int64),
        np.zeros(rows, np.float32),
    )


def pictures(appearance: Appearance, camera: str, person: int, *, yaw: np.ndarray, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng([seed, person, int(camera[-1])])
    parts = appearance.of_person(camera, person, views=views(yaw), visit=appearance.visit(draw), draw=draw)  # type: ignore[arg-type]
    return appearance.as_seen(camera, parts, times_s=np.zeros(len(yaw)))  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=["like-retail-0288", "like-retail-0277"])
def pku_like(request: pytest.FixtureRequest) -> tuple[str, np.ndarray, np.ndarray, np.ndarray]:
    """44 people, two cameras, eight directions, as PKU-Reid has them; of four seeds."""
    rows, people, cameras = [], [], []
    yaw = np.arange(8) * np.pi / 4
    for seed in range(4):
        crowd = tuple(random_people(seed, 44, dresses=Dresses(double_share=0.0)))
        appearance = Appearance(seed, crowd, network=network_profile(request.param))
        for camera in (1, 2):
            for person in range(44):
                rows.append(pictures(appearance, f"c{camera}", person, yaw=yaw))
                people += [seed * 100 + person] * 8
                cameras += [seed * 10 + camera] * 8
    return request.param, np.concatenate(rows), np.array(people), np.array(cameras)


BANDS = {
    # Median cosine similarities: one person in one camera and in two, plain; in two with z-score; two people in two.
    "like-retail-0288": {"same": 0.59, "cross": 0.31, "cross z": 0.32, "other": 0.03, "length": 6.05},
    "like-retail-0277": {"same": 0.62, "cross": 0.39, "cross z": 0.40, "other": 0.03, "length": 6.66},
}


def test_similarities_are_those_of_real_people(pku_like: tuple[str, np.ndarray, np.ndarray, np.ndarray]) -> None:
    network, raw, people, cameras = pku_like
    assert raw.shape == (len(people), DIMENSION)
    assert raw.dtype == np.float32
    z = zscore_by_camera(raw, cameras.tolist())
    sites = cameras // 10
    found: dict[str, list[float]] = {"same": [], "cross": [], "cross z": [], "other": []}
    for site in np.unique(sites):
        rows = sites == site
        one, other = np.triu_indices(int(rows.sum()), 1)
        person = people[rows][one] == people[rows][other]
        camera = cameras[rows][one] == cameras[rows][other]
        unit, zunit = l2_normalize(raw[rows]), l2_normalize(z[rows])
        plain, normalized = (unit @ unit.T)[one, other], (zunit @ zunit.T)[one, other]
        found["same"].append(float(np.median(plain[person & camera])))
        found["cross"].append(float(np.median(plain[person & ~camera])))
        found["cross z"].append(float(np.median(normalized[person & ~camera])))
        found["other"].append(float(np.median(plain[~person & ~camera])))
    for name, values in found.items():
        assert np.mean(values) == pytest.approx(BANDS[network][name], abs=0.05), name
    assert np.median(np.linalg.norm(raw, axis=1)) == pytest.approx(BANDS[network]["length"], rel=0.06)


def test_a_back_is_less_like_a_front_than_another_front() -> None:
    appearance = Appearance(3, tuple(random_people(3, 30)), network=network_profile("like-retail-0288"))
    fronts, backs = [], []
    for person in range(30):
        unit = l2_normalize(pictures(appearance, "c1", person, yaw=np.array([0.0, 0.05, np.pi])))
        fronts.append(float(unit[0] @ unit[1]))
        backs.append(float(unit[0] @ unit[2]))
    assert np.mean(fronts) > np.mean(backs) + 0.15


def test_families_are_more_alike_than_strangers_and_less_than_one_person() -> None:
    crowd = tuple(random_people(9, 60, dresses=Dresses(double_share=0.0, uniform_share=1.0, uniforms=2)))
    appearance = Appearance(9, crowd, network=network_profile("like-retail-0288"))
    yaw = np.arange(8) * np.pi / 4
    means = {
        camera: l2_normalize(
            zscore_by_camera(
                np.stack([pictures(appearance, camera, k, yaw=yaw).mean(axis=0) for k in range(60)]), [camera] * 60
            )
        )
        for camera in ("c1", "c2")
    }
    similarity = means["c1"] @ means["c2"].T
    family = np.array([person.family for person in crowd])
    alike = family[:, None] == family[None, :]
    one = np.eye(60, dtype=bool)
    assert similarity[one].mean() > similarity[alike & ~one].mean() + 0.1
    assert similarity[alike & ~one].mean() > similarity[~alike].mean() + 0.2


def test_the_less_is_seen_of_somebody_the_less_they_are_like_themselves() -> None:
    appearance = Appearance(1, tuple(random_people(1, 20)), network=network_profile("like-retail-0288"))

    def likeness(visibility: float) -> float:
        found = []
        for person in range(20):
            draw = np.random.default_rng(person)
            parts = appearance.of_person(
                "c1", person, views=views(np.zeros(2), visibility=visibility), visit=appearance.visit(draw), draw=draw
            )  # type: ignore[arg-type]
            unit = l2_normalize(parts)
            found.append(float(unit[0] @ unit[1]))
        return float(np.mean(found))

    assert likeness(1.0) > likeness(0.3) + 0.03
