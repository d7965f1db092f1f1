"""The networks that an edge begins with: those that the hub chose last, where they are whole, else the site's."""

import logging
from collections.abc import Sequence

from edge.embedders import Embedders
from edge.models.choice import Choice
from edge.models.shelf import ModelShelf
from edge.models.trying import LoadEmbedder, load_and_try
from passerby.errors import PasserbyError
from passerby.ids import CameraId, ModelId
from passerby.inference import EmbeddingEngine
from passerby.models import ModelManifest

_log = logging.getLogger("passerby.edge")


def first_embedders(
    shelf: ModelShelf, *, site: ModelManifest, load: LoadEmbedder, cameras: Sequence[CameraId]
) -> Embedders:
    """Loaded. `site` is the model that the site file names, `cameras` those of this edge.

    Nothing on the shelf keeps an edge from starting; raises only what `load` raises for the site's own model.
    """
    choice = _choice(shelf) or Choice(model_id=site.model_id)
    chosen = None
    if choice.model_id != site.model_id:
        chosen = _engine(choice.model_id, shelf=shelf, site=site, load=load)
    embedders = Embedders(load(site) if chosen is None else chosen)
    for camera_id, model_id in choice.cameras.items():
        if camera_id in cameras:
            loaded = embedders.loaded(model_id)
            engine = loaded or _engine(model_id, shelf=shelf, site=site, load=load)
            embedders = embedders if engine is None else embedders.changed(engine, [camera_id])
    return embedders


def _choice(shelf: ModelShelf) -> Choice | None:
    try:
        return shelf.choice()
    except PasserbyError as error:
        _log.warning("%s; begins with the site file's model", error)
        return None


def _engine(model_id: ModelId, *, shelf: ModelShelf, site: ModelManifest, load: LoadEmbedder) -> EmbeddingEngine | None:
    """None, and it is said, where the chosen model cannot be used."""
    try:
        manifest = site if model_id == site.model_id else shelf.read(model_id)
        return load_and_try(manifest, load=load, cameras=())
    except (PasserbyError, OSError) as error:
        _log.warning("model %s, the hub's last choice, cannot be used: %s", model_id, error)
        return None
