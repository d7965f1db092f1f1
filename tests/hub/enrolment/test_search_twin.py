"""The fast search gives what a naive twin gives, whatever is stored: ties, many alike, cameras known and not."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import insert

from hub.database import schema
from hub.database.opening import open_for_writing
from hub.database.packing import pack
from hub.enrolment.search import Where, search
from hub.statistics import StatisticsSource
from passerby.ids import CameraId
from tests.hub.enrolment import reference_search
from tests.hub.enrolment.upload import likeness, uploaded
from tests.hub.people import DIMENSION, MODEL, SECOND, START, look

_CAMERAS = ("hall", "lobby", "yard")
_STATES = ("active", "expired", "merged", "erased")


def _write(data: Path, *, tracklets: int, people: int, looks: int, seed: int) -> None:
    """Made-up rows: so many `looks` are shared by all `people`, so that few looks make many ties."""
    random = np.random.default_rng(seed)
    statistics = StatisticsSource().begin(MODEL, DIMENSION)
    assert statistics is not None
    shift = {camera: random.normal(size=DIMENSION) for camera in _CAMERAS}
    rows: list[dict[str, Any]] = []
    for number in range(1, tracklets + 1):
        person, camera = int(random.integers(people)), _CAMERAS[int(random.integers(3))]
        noise = int(random.integers(2)) if looks < people else number
        raw = (look(person % looks, noise=0.3, seed=noise) + shift[camera]).astype(np.float32)
        began = START + number * SECOND
        statistics.observe(CameraId(camera), raw, at_ns=began, quality=0.8)
        rows.append(_row(number, person + 1, camera, raw, began_ns=began, random=random))
    statistics.refresh()
    engine = open_for_writing(data)
    with engine.begin() as connection:
        connection.execute(insert(schema.models), [{"model_id": MODEL, "dimension": DIMENSION}])
        parts = [{"model_id": MODEL, "part": name, "data": part} for name, part in statistics.parts().items()]
        connection.execute(insert(schema.camera_statistics), parts)
        connection.execute(insert(schema.identities), [_identity(one, random) for one in range(1, people + 1)])
        connection.execute(insert(schema.tracklets), rows)
    engine.dispose()


def _identity(number: int, random: np.random.Generator) -> dict[str, Any]:
    state = _STATES[int(random.choice(4, p=[0.7, 0.2, 0.05, 0.05]))]
    return {"identity_id": number, "state": state, "created_at_ns": START, "updated_at_ns": START}


def _row(
    number: int, person: int, camera: str, raw: Any, *, began_ns: int, random: np.random.Generator
) -> dict[str, Any]:
    return {
        "number": number,
        "boot_id": bytes(16),
        "tracklet_id": number,
        "camera_id": camera,
        "model_id": MODEL if random.random() < 0.95 else "other@1",
        "started_at_ns": began_ns,
        "ended_at_ns": began_ns + 3 * SECOND,
        "revision": 1,
        "final": True,
        "open": False,
        "exemplars": int(random.integers(1, 6)),
        "quality": round(float(random.random()), 1),
        "clock_source": "ntp",
        "clock_error_ns": 0,
        "frame_width": 640,
        "frame_height": 480,
        "identity_id": person if random.random() < 0.95 else None,
        "prototype": bool(random.random() < 0.3),
        "opened_at_ns": began_ns,
        "updated_at_ns": began_ns,
        "embedding": pack(raw, "<f4"),
    }


@pytest.mark.parametrize(
    ("tracklets", "people", "looks"),
    [
        (1500, 300, 300),  # more than are weighed
        (1500, 300, 3),  # three looks for three hundred people: who is weighed is a matter of ties
        (1200, 150, 1),
        (400, 40, 40),
        (1, 1, 1),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_search_is_that_of_its_naive_twin(
    tmp_path: Path, tracklets: int, people: int, looks: int, seed: int
) -> None:
    _write(tmp_path, tracklets=tracklets, people=people, looks=looks, seed=seed)
    compare = likeness(tmp_path)
    for seen in ((0,), (2, 3)):
        known = [compare.known(uploaded(person, seed=5), origin="seen") for person in seen]
        for where in (
            Where(),
            Where(cameras=(CameraId("yard"), CameraId("hall"))),
            Where(from_ns=START + 100 * SECOND, to_ns=START + 300 * SECOND),
            Where(cameras=(CameraId("attic"),)),
        ):
            found = search(tmp_path, known, likeness=compare, where=where, most=20)
            told = [(f.identity.identity_id, f.probability, [t.number for t in f.sightings]) for f in found.found]
            twin = reference_search.search(tmp_path, known, likeness=compare, where=where, most=20)
            assert (told, found.nobody, found.searched) == twin
