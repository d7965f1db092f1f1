"""From a verified model to a network that has run."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from passerby.errors import EngineError
from passerby.ids import CameraId
from passerby.inference import EmbeddingEngine
from passerby.models import ModelManifest

LoadEmbedder: TypeAlias = Callable[[ModelManifest], EmbeddingEngine]
"""`load_embedder` with the engine and threads of the site."""

_GREY = 128


def load_and_try(manifest: ModelManifest, *, load: LoadEmbedder, cameras: Sequence[CameraId]) -> EmbeddingEngine:
    """Load the network and run it once, on a grey picture of each camera, so that the first person need not wait.

    Raises EngineError where it gives no numbers, and what `load` raises.
    """
    engine = load(manifest)
    picture = np.full((manifest.input.height, manifest.input.width, 3), _GREY, np.uint8)
    seen_by = list(cameras) or [CameraId("none")]
    try:
        vectors = engine.embed([picture] * len(seen_by), seen_by)
        if not np.isfinite(vectors).all():
            raise EngineError(f"{manifest.model_id} on {engine.device} gives NaN or infinity for a grey picture")
    except BaseException:
        engine.close()
        raise
    return engine
