"""Made-up twins for the hub's tests: the people of `tests.hub.people` as another network would describe them."""

from collections.abc import Sequence

import numpy as np

from hub.reader import SiteReader
from hub.records import Tracklet
from passerby.adaptation.twins import Twins
from passerby.ids import ModelId
from tests.hub.people import DIMENSION, MODEL, look

OTHER = ModelId("another@2")
OTHER_DIMENSION = 48
DIMENSIONS = {MODEL: DIMENSION, OTHER: OTHER_DIMENSION}


def twins(
    people: Sequence[tuple[Tracklet, int]], *, model_id: ModelId = OTHER, mapped: bool = False, noise: float = 0.2
) -> Twins:
    """Twins of tracklets that show these people."""
    looks = [
        look(person, noise=noise, seed=tracklet.number + 77, dimension=DIMENSIONS[model_id])
        for tracklet, person in people
    ]
    return Twins(
        model_id=model_id,
        numbers=np.array([tracklet.number for tracklet, _ in people], np.int64),
        revisions=np.array([tracklet.revision for tracklet, _ in people], np.int64),
        embeddings=np.array(looks, np.float32).reshape(len(people), DIMENSIONS[model_id]),
        mapped=np.full(len(people), mapped),
    )


def twins_of_all(reader: SiteReader, *, model_id: ModelId = OTHER, mapped: bool = False) -> Twins:
    """Twins of all tracklets that have none; who each shows is the rest of its edge's number by ten."""
    missing = reader.without_twin(model_id, most=1000)
    return twins([(t, t.tracklet_id % 10) for t in missing], model_id=model_id, mapped=mapped)
