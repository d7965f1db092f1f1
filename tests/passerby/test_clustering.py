"""From features to people in one call."""

import msgspec
import numpy as np
import pytest

from passerby.errors import DataError
from passerby.features.clustering import ClusterSettings, cluster, clusters, regrouped
from passerby.features.clustering.cut import agreement
from passerby.features.clustering.scale import camera_neighbourhoods, neighbourhoods

AVERAGE = ClusterSettings(min_images=1)


def _crops(people, *, cameras=3, tracklets=2, images=3, seed=0):
    """Features, people, cameras and tracklets of crops in a random order."""
    draw = np.random.default_rng(seed)
    of = np.repeat(np.arange(people), cameras * tracklets)
    seen_by = np.tile(np.repeat(np.arange(cameras), tracklets), people)
    looks = draw.normal(size=(people, 48))[of] + 0.45 * draw.normal(size=(len(of), 48))
    number = np.repeat(np.arange(len(of)), images)
    features = looks[number] + 0.3 * draw.normal(size=(len(number), 48))
    order = draw.permutation(len(number))
    number = number[order]
    return features[order].astype(np.float32), of[number], seen_by[number], number


@pytest.mark.parametrize("distance", ["jaccard", "camera-jaccard"])
@pytest.mark.parametrize("with_tracklets", [True, False])
def test_people_are_found(distance, with_tracklets):
    features, people, cameras, tracklets = _crops(25)

    found = cluster(
        features,
        cameras=cameras,
        tracklets=tracklets if with_tracklets else None,
        settings=ClusterSettings(distance=distance),
    )

    assert agreement(found.labels, people) > 0.9
    assert found.clusters == found.labels.max() + 1
    assert found.outliers == (found.labels < 0).sum()
    assert found.graph.shape == (len(found.nodes), len(found.nodes))


def test_the_length_of_features_does_not_matter_and_the_same_gives_the_same():
    features, _, cameras, tracklets = _crops(12)
    once = cluster(features, cameras=cameras, tracklets=tracklets)
    again = cluster(7.0 * features, cameras=cameras, tracklets=tracklets)
    assert once.labels.tolist() == again.labels.tolist()
    assert once.cut.value == again.cut.value


def test_one_camera_is_clustered_as_if_there_were_no_cameras():
    features, people, _, tracklets = _crops(15)
    found = cluster(features, cameras=np.full(len(features), 4), tracklets=tracklets, settings=AVERAGE)
    assert agreement(found.labels, people) > 0.9


def test_what_is_set_is_kept():
    features, _, cameras, tracklets = _crops(12)
    settings = ClusterSettings(k1_intra=2, k1_inter=3, k2_intra=1, k2_inter=0, eps=0.7)
    found = cluster(features, cameras=cameras, tracklets=tracklets, settings=settings)
    assert found.cut.value == 0.7
    assert (found.neighbourhood.k1_intra, found.neighbourhood.k1_inter) == (2, 3)
    settings = ClusterSettings(distance="jaccard", k1=8, k2=2, eps=0.5)
    found = cluster(features, cameras=cameras, tracklets=tracklets, settings=settings)
    assert (found.neighbourhood.k1, found.neighbourhood.k2, found.cut.value) == (8, 2, 0.5)


def test_tracklets_stay_together_and_pairs_bind():
    features, people, cameras, tracklets = _crops(10)
    number_of = {person: np.unique(tracklets[people == person]) for person in range(10)}
    apart = np.array([[number_of[0][0], other] for other in number_of[0][1:]])
    joined = np.array([[number_of[1][0], number_of[2][0]]])

    found = cluster(
        features, cameras=cameras, tracklets=tracklets, must_link=joined, cannot_link=apart, settings=AVERAGE
    )

    label_of = {}
    for tracklet, label in zip(tracklets.tolist(), found.labels.tolist(), strict=True):
        assert label_of.setdefault(tracklet, label) == label
    assert all(label_of[one] != label_of[other] for one, other in apart.tolist())
    assert label_of[number_of[1][0]] == label_of[number_of[2][0]]


def test_few_images_are_nobodys():
    features, _, cameras, tracklets = _crops(10)
    all_kept = cluster(features, cameras=cameras, tracklets=tracklets, settings=AVERAGE)
    assert all_kept.outliers == 0
    none_kept = cluster(features, cameras=cameras, tracklets=tracklets, settings=ClusterSettings(min_images=1000))
    assert none_kept.clusters == 0
    assert none_kept.outliers == len(features)


@pytest.mark.parametrize("method", ["average", "dbscan"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_very_few_crops_are_clustered(count, method):
    for features in (np.eye(3, dtype=np.float32)[:count], np.ones((count, 3), np.float32)):
        found = cluster(features, cameras=np.arange(count), settings=ClusterSettings(method=method, min_images=1))
        assert found.labels.shape == (count,)


def test_dbscan_finds_people_too():
    features, people, cameras, tracklets = _crops(25, tracklets=3)
    found = cluster(features, cameras=cameras, tracklets=tracklets, settings=ClusterSettings(method="dbscan"))
    assert agreement(found.labels, people) > 0.9


def test_bad_input_is_one_clear_line():
    features, _, cameras, tracklets = _crops(5)
    with pytest.raises(DataError, match=r"cameras has shape \(3,\), expected \(90,\)"):
        cluster(features, cameras=cameras[:3])
    with pytest.raises(DataError, match="there are no features to cluster"):
        cluster(features[:0], cameras=cameras[:0])
    with pytest.raises(DataError, match="tracklet 0 has crops of cameras"):
        cluster(features, cameras=cameras, tracklets=np.zeros_like(tracklets))
    with pytest.raises(DataError, match="1 pairs must not be linked, which DBSCAN cannot promise: use method average"):
        cluster(features, cameras=cameras, cannot_link=np.array([[0, 1]]), settings=ClusterSettings(method="dbscan"))
    with pytest.raises(DataError, match="expected 1: scale rows with l2_normalize"):
        cluster(np.zeros_like(features), cameras=cameras)


def test_settings_know_their_names_and_ranges():
    settings = msgspec.convert({"method": "dbscan", "k1": 20, "eps": "auto"}, ClusterSettings)
    assert settings.k1 == 20
    for wrong in ({"epsilon": 0.5}, {"eps": 1.5}, {"k1": 0}, {"method": "kmeans"}, {"eps": "some"}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(wrong, ClusterSettings)


@pytest.mark.parametrize("tracklets", [True, False])
@pytest.mark.parametrize("rows", [1, 30, 500, 100_000])
def test_more_rows_only_add_to_the_proposals(rows, tracklets):
    fewer = neighbourhoods(ClusterSettings(), rows=rows, tracklets=tracklets)
    more = neighbourhoods(ClusterSettings(), rows=2 * rows, tracklets=tracklets)
    assert fewer
    assert more[: len(fewer)] == fewer
    assert all(size.k2 <= size.k1 for size in more)
    by_camera = camera_neighbourhoods(ClusterSettings(), rows=rows, tracklets=tracklets)
    assert by_camera
    assert all(size.k2_intra <= size.k1_intra and size.k2_inter <= size.k1_inter for size in by_camera)


@pytest.mark.parametrize("distance", ["jaccard", "camera-jaccard"])
@pytest.mark.parametrize("eps", ["auto", 0.6])
def test_distances_that_no_cut_looks_at_are_not_kept(distance, eps, monkeypatch):
    features, _, cameras, _ = _crops(30)
    settings = ClusterSettings(distance=distance, method="dbscan", eps=eps)
    found = cluster(features, cameras=cameras, settings=settings)
    assert found.graph.data.max() <= np.float32(0.86 if eps == "auto" else 0.62)
    monkeypatch.setattr(clusters, "_bound", lambda *_, **__: 1.0)
    whole = cluster(features, cameras=cameras, settings=settings)
    assert whole.graph.nnz >= found.graph.nnz + (distance == "jaccard")
    assert (whole.labels.tolist(), whole.cut) == (found.labels.tolist(), found.cut)
    for value in (0.0, found.cut.value, found.cut.value + 0.02):
        ours, theirs = (regrouped(each, settings=settings, tracklets=False)(value) for each in (found, whole))
        assert ours.tolist() == theirs.tolist()


@pytest.mark.parametrize("distance", ["jaccard", "camera-jaccard"])
def test_average_linkage_of_many_finds_the_same_people_without_strangers_distances(distance, monkeypatch):
    features, people, cameras, _ = _crops(60)
    settings = ClusterSettings(distance=distance)
    whole = cluster(features, cameras=cameras, settings=settings)
    monkeypatch.setattr(clusters, "_MANY", 1000)
    found = cluster(features, cameras=cameras, settings=settings)
    assert len(features) >= 1000
    assert found.graph.data.max() <= np.float32(0.98) < whole.graph.data.max()
    assert agreement(found.labels, whole.labels) > 0.99
    assert agreement(found.labels, people) > 0.9


def test_it_says_what_is_done():
    features, _, cameras, tracklets = _crops(12)
    said = []
    cluster(features, cameras=cameras, tracklets=tracklets, say=said.append)
    assert said[0] == "searching neighbours of 72 nodes"
    assert said[1] == "comparing neighbourhoods"
    assert said[2].endswith("distances, at many cuts")
