"""People who were enrolled, as another model describes them: from the pictures that are kept of them."""

import logging
import time
from pathlib import Path

import cv2
import numpy as np

from hub.enrolment.records import Enrolment
from hub.enrolment.store import EnrolmentStore, enrolments_without
from passerby.arrays import Image
from passerby.ids import CameraId
from passerby.inference.engine import EmbeddingEngine

_log = logging.getLogger("passerby.hub")

_UPLOADED = CameraId("upload")
"""No camera of the site: a network with statistics of each camera takes the site's."""


def reembed_enrolments(data_dir: Path, embedder: EmbeddingEngine) -> int:
    """Let every enrolment that the embedder's model has not described answer in it too; gives how many there were.

    One of which a picture is damaged is left out, which is logged. Raises StoreError.
    """
    model_id = embedder.manifest.model_id
    now_ns = time.time_ns()
    described = 0
    for enrolment in enrolments_without(data_dir, model_id, now_ns=now_ns):
        pictures = _pictures(enrolment)
        if pictures is None:
            _log.warning("enrolment %d has a damaged picture; enroll that person anew", enrolment.enrolment_id)
            continue
        embeddings = embedder.embed(pictures, [_UPLOADED] * len(pictures))
        with EnrolmentStore(data_dir, now_ns=now_ns) as store:
            described += store.describe(enrolment, embeddings, model_id=model_id)
    return described


def _pictures(enrolment: Enrolment) -> list[Image] | None:
    """All pictures, look by look, BGR; None where one cannot be read."""
    found = []
    for look in enrolment.looks:
        for picture in look.pictures:
            decoded = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR) if picture.jpeg else None
            if decoded is None:
                return None
            found.append(np.asarray(decoded, np.uint8))
    return found
