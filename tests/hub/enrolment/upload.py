"""Made-up people as somebody uploads them."""

from pathlib import Path

from hub.enrolment.likeness import Likeness, load_likeness
from hub.enrolment.records import Look, Picture
from passerby.models import EmbeddingOutput, ModelManifest, Preprocessing
from tests.hub.people import DIMENSION, look


def manifest(name: str = "made-up", *, dimension: int = DIMENSION) -> ModelManifest:
    """The re-ID network of the made-up people: its model id is `tests.hub.people.MODEL`."""
    return ModelManifest(
        name=name,
        version="1",
        task="embed",
        files=[],
        input=Preprocessing(height=1, width=1, colour="BGR"),
        embedding=EmbeddingOutput(dimension=dimension),
    )


def uploaded(person: int, *, seed: int = 0, noise: float = 0.2, pictures: int = 3, jpeg: bytes = b"jpeg") -> Look:
    """A look at a person: pictures of falling quality."""
    return Look(
        tuple(
            Picture(look(person, noise=noise, seed=1000 * seed + rank), 0.9 - rank / 100, jpeg)
            for rank in range(pictures)
        )
    )


def likeness(data: Path) -> Likeness:
    """What a site has learned about the made-up people's network."""
    return load_likeness(data, manifest())
