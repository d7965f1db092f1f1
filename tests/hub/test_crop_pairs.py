"""The two crops most alike of those whom an event is about, found from what is kept of them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from typer.testing import CliRunner

from hub.corrections.acts import Erase
from hub.corrections.candidates import Candidate
from hub.crop_pairs import most_alike
from hub.crops import CropStore
from hub.reader import SiteReader
from hub.records import Event, EventId, EventKind, Evidence, TrackletNumber
from hub.site_hub import Hub
from passerby.arrays import Float32Array
from passerby.cli.identities import app as identities_app
from passerby.cli.reviewing.sheet import write_sheet
from passerby.config import AssociationSettings
from passerby.ids import IdentityId, ModelId
from passerby.messages import Exemplars, TrackletUpdate
from tests.hub.corrections.operators import Operator
from tests.hub.people import MODEL, Sender, at, look, seen


def reference_most_alike(first: Float32Array, second: Float32Array) -> tuple[int, int] | None:
    best, pair = -np.inf, None
    for i, a in enumerate(first.astype(np.float64)):
        for j, b in enumerate(second.astype(np.float64)):
            lengths = np.linalg.norm(a) * np.linalg.norm(b)
            cosine = 0.0 if lengths == 0 else float(a @ b / lengths)
            if cosine > best + 1e-6:
                best, pair = cosine, (i, j)
    return pair


def rows(most: int) -> st.SearchStrategy[Float32Array]:
    """A few rows of small whole numbers: many are alike, some are zero."""
    return st.integers(0, most).flatmap(lambda n: arrays(np.float32, (n, 3), elements=st.integers(-2, 2).map(float)))


@given(rows(4), rows(4))
def test_it_finds_what_comparing_each_with_each_finds(first: Float32Array, second: Float32Array) -> None:
    found, expected = most_alike(first, second), reference_most_alike(first, second)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:

        def cosine(pair: tuple[int, int]) -> float:
            a, b = first[pair[0]].astype(np.float64), second[pair[1]].astype(np.float64)
            return float(a @ b) / max(float(np.linalg.norm(a) * np.linalg.norm(b)), 1e-9)

        assert cosine(found) == pytest.approx(cosine(expected), abs=1e-6)


def test_of_pairs_that_are_as_like_the_first_is_taken() -> None:
    same = np.tile(look(1), (9, 1))
    assert most_alike(same, same) == (0, 0)
    assert most_alike(same[:1], np.concatenate([look(2)[None], same])) == (0, 1)
    assert most_alike(np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32)) == (0, 0)


def side(turned: int) -> Float32Array:
    """One person from one side: raw embedding (d,)."""
    return look(1) + 2.0 * look(100 + turned)


SIDES = np.stack([side(1), side(2), side(3)])


def with_crops(update: TrackletUpdate, embeddings: dict[int, Float32Array]) -> TrackletUpdate:
    """The update with these raw embeddings by crop id, best crop first; pictures are red, those of a side 2 blue."""
    n = len(embeddings)
    box = np.tile(np.array([10, 20, 60, 180], np.float32), (n, 1))
    crop_ids = np.array(list(embeddings), np.int64)
    times = np.full(n, update.ended_at_ns, np.int64)
    quality = np.full(n, 0.8, np.float32)
    exemplars = Exemplars(crop_ids, times, box, quality, np.stack(list(embeddings.values())))
    blue = {crop_id for crop_id, one in embeddings.items() if most_alike(one[None], SIDES) == (0, 1)}
    pictures = {crop_id: picture((200, 0, 0) if crop_id in blue else (0, 0, 200)) for crop_id in embeddings}
    return replace(update, exemplars=exemplars, crops=pictures)


def picture(colour_bgr: tuple[int, int, int]) -> bytes:
    return bytes(cv2.imencode(".jpg", np.full((96, 40, 3), colour_bgr, np.uint8))[1].tobytes())


def asked(alike: tuple[int, int] | None, model_id: ModelId | None = MODEL) -> Event:
    """An event that names two tracklets."""
    pair = None if alike is None else (TrackletNumber(alike[0]), TrackletNumber(alike[1]))
    return Event(
        event_id=EventId(1),
        at_ns=at(0),
        kind=EventKind.LINKED,
        identity_id=IdentityId(1),
        evidence=Evidence(model_id=model_id, alike=pair),
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Person 1 is tracklets 1 and 2, of which crop 7 and crop 9 are from one side; person 2 is tracklet 3."""
    sender, folder = Sender(), tmp_path / "data"
    with Hub.open(folder, association=AssociationSettings(normalize="none")) as hub:
        first = with_crops(seen(1, "lobby", tracklet=1, final=True, noise=0.0), {3: side(1), 7: 5.0 * side(2)})
        second = with_crops(
            seen(1, "hall", tracklet=2, begin_s=14, end_s=16, final=True, noise=0.0),
            {9: side(2), 8: side(2), 2: side(3)},
        )
        hub.ingest(sender.send(first), now_ns=at(2))
        hub.ingest(sender.send(second), now_ns=at(16))
        third = with_crops(seen(2, "hall", tracklet=3, begin_s=30, end_s=32), {1: look(2), 2: side(2) + look(2)})
        hub.ingest(sender.send(third), now_ns=at(32))
    return folder


def crops(data: Path, event: Event) -> Sequence[tuple[int, int]] | None:
    with SiteReader(data) as reader:
        pair = reader.crops_most_alike(event)
    return None if pair is None else [(one.tracklet, one.crop_id) for one in pair]


def test_the_crops_most_alike_are_found_and_of_equals_the_lowest_number(data: Path) -> None:
    assert crops(data, asked((1, 2))) == [(1, 7), (2, 8)]
    assert crops(data, asked((2, 1))) == [(2, 8), (1, 7)]


def test_there_is_no_pair_where_one_is_missing(data: Path) -> None:
    assert crops(data, asked(None)) is None
    assert crops(data, asked((1, 99))) is None
    assert crops(data, asked((1, 2), model_id=None)) is None
    assert crops(data, asked((1, 2), model_id=ModelId("another@1"))) is None


def test_of_who_is_erased_there_is_no_pair(data: Path) -> None:
    with Hub.open(data, association=AssociationSettings(normalize="none")) as hub:
        Operator(data).ask(hub, Erase(identity=IdentityId(1)), now_ns=at(40))
    assert crops(data, asked((3, 1))) is None
    assert crops(data, asked((3, 3))) is not None


def test_the_hub_names_who_is_most_alike_and_show_tells_the_crops(data: Path) -> None:
    with SiteReader(data) as reader:
        linked = next(event for event in reader.all_events() if event.kind is EventKind.LINKED)
    assert linked.evidence.alike == (2, 1)
    shown = json.loads(run("show", 1, "--data", data, "--json"))
    assert [event.get("crop_pair") for event in shown["events"]] == [
        None,
        [{"tracklet": 2, "crop": 8, "rank": 1}, {"tracklet": 1, "crop": 7, "rank": 1}],
    ]
    assert "crops most alike: hall-000002-1 and lobby-000001-1" in run("show", 1, "--data", data)


def test_a_review_sheet_begins_with_the_crops_most_alike(data: Path, tmp_path: Path) -> None:
    with SiteReader(data) as reader, CropStore.open_for_reading(data) as pictures:
        event = replace(asked((3, 1)), event_id=EventId(9), kind=EventKind.CANDIDATE)
        tracklet = reader.tracklet(TrackletNumber(3))
        assert tracklet is not None
        candidate = Candidate(event, tracklet, IdentityId(2), IdentityId(1), answer=None)
        sheet = cv2.imread(str(write_sheet(candidate, reader, crops=pictures, folder=tmp_path)))
    assert sheet is not None
    right = sheet.shape[1] // 2 + 12
    for first in (sheet[100:200, 50:100], sheet[100:200, right + 50 : right + 100]):
        blue, _, red = first.reshape(-1, 3).mean(axis=0)
        assert blue > red + 100


def run(*arguments: object) -> str:
    result = CliRunner().invoke(identities_app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout
