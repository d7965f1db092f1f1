"""Re-ID models that the hub offers: fetched, verified, tried, and remembered for the next start."""

from edge.models.arriving import ArrivingModels, Switch
from edge.models.shelf import ModelShelf
from edge.models.starting import first_embedders

__all__ = ["ArrivingModels", "ModelShelf", "Switch", "first_embedders"]
