"""Every figure against its naive twin, and what must not change it."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passerby.arrays import Float32Array, l2_normalize
from tests.training.gate.made_sites import made_embeddings, made_site
from tests.training.gate.reference_gate import (
    naive_area,
    naive_effective_rank,
    naive_hub_pairs,
    naive_impossible,
    naive_nearest,
    naive_precision,
    naive_spreads,
    naive_true_positives,
    naive_two,
)
from training.gate.crossing import FEWEST_CANDIDATES, chance_of_impossible, cross, pairs_in_time, similarities_of
from training.gate.guarding import GuardSet, guard_search
from training.gate.holding_out import groups_of
from training.gate.known_pairs import Ends, Scene, known_pairs, pair_similarities
from training.gate.normalizing import statistics_of
from training.gate.purity import own_camera_shares
from training.gate.resampling import change_of, draw_groups, means
from training.gate.separation import Pairs, separate
from training.gate.spread import effective_rank

SNAPSHOT, WHO = made_site(people=10, cameras=3, visits=5, crops=4)


def scene_of_all() -> Scene:
    return Scene.of(SNAPSHOT, np.arange(SNAPSHOT.tracklets), groups=groups_of(SNAPSHOT))


def features(noise: float = 1.0) -> Float32Array:
    return l2_normalize(SNAPSHOT.tracklet_embeddings(made_embeddings(SNAPSHOT, WHO, noise=noise)))


def as_set(pairs: Pairs) -> set[tuple[int, ...]]:
    return {tuple(sorted(pair)) for pair in pairs.rows.tolist()}


def test_impossible_pairs_are_those_of_the_naive_twin() -> None:
    found = scene_of_all().impossible()
    everybody = range(SNAPSHOT.tracklets)
    assert found.tolist() == [[naive_impossible(SNAPSHOT, a, b) for b in everybody] for a in everybody]
    assert 0 < found.sum() < found.size / 2


def test_known_pairs_are_those_of_the_naive_twin() -> None:
    scene, rows = scene_of_all(), list(range(SNAPSHOT.tracklets))
    found = known_pairs(SNAPSHOT, scene, long=np.ones(len(scene), np.bool_), seed=1)
    linked, unlinked = naive_hub_pairs(SNAPSHOT, rows)
    assert as_set(found.two) == naive_two(SNAPSHOT, rows)
    assert as_set(found.linked) == linked
    assert as_set(found.unlinked) == unlinked
    assert linked
    assert unlinked
    assert (WHO[found.two.rows[:, 0]] != WHO[found.two.rows[:, 1]]).all()
    assert (WHO[found.unlinked.rows[:, 0]] != WHO[found.unlinked.rows[:, 1]]).all()


def test_corrections_are_taken_where_both_tracklets_were_held_out() -> None:
    snapshot = dataclasses.replace(SNAPSHOT, together=np.array([[2, 7], [0, 9]]), apart=np.array([[9, 4]]))
    scene = Scene.of(snapshot, np.array([9, 4, 2, 7]), groups=groups_of(snapshot))
    found = known_pairs(snapshot, scene, long=np.ones(4, np.bool_), seed=1)
    assert found.joined.rows.tolist() == [[0, 2]]
    assert found.parted.rows.tolist() == [[3, 1]]


def test_early_and_late_pictures_are_a_tracklets_first_and_last_third() -> None:
    snapshot = dataclasses.replace(SNAPSHOT, captured_at_ns=SNAPSHOT.captured_at_ns[::-1].copy())
    scene = Scene.of(SNAPSHOT, np.array([3]), groups=groups_of(SNAPSHOT))
    ends, turned = Ends.of(SNAPSHOT, scene), Ends.of(snapshot, scene)
    assert np.flatnonzero(ends.early == 0).tolist() == [12]
    assert np.flatnonzero(ends.late == 0).tolist() == [15]
    assert np.flatnonzero(turned.early == 0).tolist() == [15]
    assert ends.long.tolist() == [True]
    still = dataclasses.replace(SNAPSHOT, captured_at_ns=np.zeros_like(SNAPSHOT.captured_at_ns))
    assert not Ends.of(still, scene).long.any()


def test_a_pair_is_as_alike_as_its_ends() -> None:
    early, late = features(0.5)[:5], features(0.8)[:5]
    rows = np.array([[0, 1], [2, 2]])
    expected = [(early[a] @ late[b] + early[b] @ late[a]) / 2 for a, b in rows]
    assert pair_similarities(early, late, rows) == pytest.approx(expected, abs=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.booleans())
def test_separation_agrees_with_its_naive_twins_in_every_draw(seed: int, tied: bool) -> None:
    draw = np.random.default_rng(seed)
    genuine, impostor = draw.normal(1, 1, 23).astype(np.float32), draw.normal(0, 1, 211).astype(np.float32)
    if tied:
        genuine, impostor = genuine.round(1), impostor.round(1)
    own = Pairs(np.zeros((23, 2), np.int64), np.repeat(draw.integers(0, 6, (23, 1)), 2, axis=1))
    other = Pairs(np.zeros((211, 2), np.int64), draw.integers(0, 6, (211, 2)))
    weights = draw_groups(6, seed=seed, draws=4)
    found = separate(genuine, impostor, pairs=(own, other), weights=weights)
    for row, drawn in enumerate(weights.astype(np.float64)):
        one = drawn[own.groups[:, 0]]
        two = np.array([drawn[a] * (1 if a == b else drawn[b]) for a, b in other.groups.tolist()])
        if one.sum() == 0 or two.sum() == 0:
            assert np.isnan(found.area[row])
            continue
        assert found.area[row] == pytest.approx(naive_area(genuine, impostor, one, two), abs=1e-9)
        assert found.true_positives[row] == pytest.approx(naive_true_positives(genuine, impostor, one, two), abs=1e-9)
        assert found.spreads[row] == pytest.approx(naive_spreads(genuine, impostor, one, two), abs=1e-5)


def test_without_pairs_of_both_kinds_nothing_is_known() -> None:
    none, some = np.zeros(0, np.float32), np.ones(3, np.float32)
    pairs = Pairs(np.zeros((0, 2), np.int64), np.zeros((0, 2), np.int64)), Pairs(*[np.zeros((3, 2), np.int64)] * 2)
    found = separate(none, some, pairs=pairs, weights=draw_groups(2, seed=1, draws=3))
    assert np.isnan(found.area).all()
    assert np.isnan(found.spreads).all()


def test_neighbours_across_cameras_agree_with_the_naive_twin() -> None:
    scene, rows = scene_of_all(), features()
    found, everybody = cross(rows, scene), list(range(len(scene)))

    def elsewhere(row: int) -> list[int]:
        return [other for other in everybody if scene.cameras[other] != scene.cameras[row]]

    for row in everybody:
        nearest = naive_nearest(rows, row, elsewhere(row))
        mine = [other for other in everybody if other != row]
        chance = sum(scene.cameras[other] == scene.cameras[row] for other in mine) / len(mine)
        own = scene.cameras[naive_nearest(rows, row, mine)] == scene.cameras[row]
        assert found.mutual[row] == (naive_nearest(rows, nearest, elsewhere(nearest)) == row)
        assert found.impossible[row] == naive_impossible(SNAPSHOT, row, nearest)
        assert found.own_camera[row] == pytest.approx(own - chance)
    share = [np.mean([naive_impossible(SNAPSHOT, row, other) for other in elsewhere(row)]) for row in everybody]
    assert chance_of_impossible(scene) == pytest.approx(share)


def test_of_few_in_other_cameras_nothing_is_said() -> None:
    rows = np.concatenate([np.flatnonzero(SNAPSHOT.camera_rows == 0), np.flatnonzero(SNAPSHOT.camera_rows == 1)[:3]])
    scene = Scene.of(SNAPSHOT, rows, groups=groups_of(SNAPSHOT))
    found = cross(features()[np.sort(rows)], scene)
    assert FEWEST_CANDIDATES > 3
    assert np.isnan(found.mutual[scene.cameras == 0]).all()
    assert np.isfinite(found.mutual[scene.cameras == 1]).all()


def test_pairs_soon_after_one_another_are_the_five_nearest_possible() -> None:
    scene = scene_of_all()
    soon, far = pairs_in_time(scene, seed=1)
    impossible, gaps = scene.impossible(), np.maximum(scene.gaps_ns(), 0)
    expected = set()
    for row in range(len(scene)):
        possible = [
            other
            for other in range(len(scene))
            if scene.cameras[other] != scene.cameras[row] and not impossible[row, other]
        ]
        possible.sort(key=lambda other: (gaps[row, other], other))
        expected |= {tuple(sorted((row, other))) for other in possible[:5]}
    assert as_set(soon) == expected
    assert not as_set(far) & expected
    assert (scene.cameras[far.rows[:, 0]] != scene.cameras[far.rows[:, 1]]).all()
    assert np.median(gaps[tuple(far.rows.T)]) > np.max(gaps[tuple(soon.rows.T)]) / 2


def test_purity_is_the_share_of_the_own_camera_among_the_others() -> None:
    scene = scene_of_all()
    clusters = np.random.default_rng(1).integers(-1, 6, len(scene))
    found = own_camera_shares(clusters, scene)
    for row, cluster in enumerate(clusters.tolist()):
        others = [o for o in range(len(scene)) if o != row and clusters[o] == cluster]
        if cluster < 0 or not others:
            assert np.isnan(found[row])
        else:
            assert found[row] == pytest.approx(np.mean([scene.cameras[o] == scene.cameras[row] for o in others]))
    assert np.isnan(own_camera_shares(np.full(len(scene), -1), scene)).all()


def test_effective_rank_agrees_with_the_naive_twin() -> None:
    rows = features()
    assert effective_rank(rows) == pytest.approx(naive_effective_rank(rows), rel=1e-4)
    assert effective_rank(np.ones((5, 3), np.float32)) == pytest.approx(1.0)
    assert effective_rank(np.zeros((5, 3), np.float32)) == 0.0
    assert effective_rank(np.zeros((0, 3), np.float32)) == 0.0


@pytest.mark.parametrize("normalize", [False, True])
def test_the_guards_precision_agrees_with_the_naive_twin(normalize: bool) -> None:
    raw, cameras = made_embeddings(SNAPSHOT, WHO, noise=1.5), SNAPSHOT.crop_cameras
    guard = GuardSet("made up", WHO[SNAPSHOT.crop_tracklets], cameras)
    found = guard_search(guard, raw, normalize=normalize)
    rows = l2_normalize(raw)
    if normalize:
        rows = statistics_of(raw, cameras=cameras, people=guard.people, count=3).normalize(raw, cameras)
    for row in range(0, len(guard), 7):
        assert found.precisions[row] == pytest.approx(naive_precision(rows, guard.people, cameras, row), abs=1e-6)
    assert (np.diff(found.cmc) >= 0).all()


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_no_rotation_and_no_order_of_the_tracklets_changes_a_figure(seed: int) -> None:
    draw = np.random.default_rng(seed)
    turn = np.linalg.qr(draw.normal(size=(32, 32)))[0]
    scene, rows = scene_of_all(), features()
    turned = (rows @ turn).astype(np.float32)
    before, after = cross(rows, scene), cross(turned, scene)
    for name in ("mutual", "impossible", "own_camera"):
        assert getattr(before, name).tolist() == getattr(after, name).tolist()
    assert effective_rank(turned) == pytest.approx(effective_rank(rows), rel=1e-4)
    pairs = known_pairs(SNAPSHOT, scene, long=np.ones(len(scene), np.bool_), seed=1)
    assert similarities_of(turned, pairs.linked) == pytest.approx(similarities_of(rows, pairs.linked), abs=1e-5)
    shuffled = Scene.of(SNAPSHOT, draw.permutation(SNAPSHOT.tracklets), groups=groups_of(SNAPSHOT))
    assert shuffled.rows.tolist() == scene.rows.tolist()
    assert shuffled.groups.tolist() == scene.groups.tolist()


def test_a_paired_interval_of_no_difference_is_nothing() -> None:
    weights = draw_groups(7, seed=1, draws=50)
    values = np.random.default_rng(1).normal(size=30)
    drawn = means(values, np.arange(30) % 7, weights=weights)
    assert drawn[0] == pytest.approx(values.mean())
    assert drawn[1] == pytest.approx(np.average(values, weights=weights[1][np.arange(30) % 7]))
    change = change_of(drawn, drawn)
    assert (change.low, change.high) == (0.0, 0.0)
    shifted = change_of(drawn, drawn + 0.25)
    assert (shifted.low, shifted.high) == pytest.approx((0.25, 0.25))


def test_normalization_takes_a_cameras_shift_away() -> None:
    raw = SNAPSHOT.tracklet_embeddings(made_embeddings(SNAPSHOT, WHO, noise=0.2, shift=8.0))
    groups, cameras = groups_of(SNAPSHOT), SNAPSHOT.camera_rows
    normalized = statistics_of(raw, cameras=cameras, people=groups, count=3).normalize(raw, cameras)

    def nearest_is_right(rows: Float32Array) -> float:
        similarities = np.where(cameras[:, None] == cameras, -9.0, rows @ rows.T)
        return float((WHO[similarities.argmax(axis=1)] == WHO).mean())

    assert np.linalg.norm(normalized, axis=1) == pytest.approx(np.ones(len(raw)), abs=1e-5)
    assert nearest_is_right(normalized) > nearest_is_right(l2_normalize(raw)) + 0.3
