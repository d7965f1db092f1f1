"""Models to offer, and a hub of a few lines that answers an edge's requests for their pieces."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec

from edge.embedders import Embedders
from edge.models import ArrivingModels, Switch
from passerby.ids import CameraId
from passerby.messages import ModelChunk, ModelFile, ModelOffer, ModelRequest
from passerby.models import EmbeddingOutput, ModelManifest, read_model, write_description
from tests.passerby.tiny_networks import tiny_embedder

CHUNK = 100


def make_model(folder: Path, name: str, *, dimension: int = 4) -> ModelManifest:
    """A small real network with its NAME.json; another dimension is another network."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = tiny_embedder(folder / f"{name}.onnx", dimension=dimension)
    described = msgspec.structs.replace(manifest.description, embedding=EmbeddingOutput(dimension=dimension))
    write_description(described, folder / f"{name}.json")
    return read_model(folder / f"{name}.onnx")


def offer_of(model: ModelManifest, /, *cameras: str, **changes: object) -> ModelOffer:
    """As the hub makes it."""
    files = [Path(path) for path in model.files]
    offer = ModelOffer(
        model_id=model.model_id,
        manifest=msgspec.to_builtins(model.description),
        files=[
            ModelFile(name=path.name, size=path.stat().st_size, sha256=sha256(path.read_bytes()).hexdigest())
            for path in files
        ],
        chunk_bytes=CHUNK,
        cameras=[CameraId(camera) for camera in cameras],
    )
    return msgspec.structs.replace(offer, **changes)


def piece(manifest: ModelManifest, request: ModelRequest) -> ModelChunk:
    """What answers a request."""
    content = next(Path(path) for path in manifest.files if Path(path).name == request.file_name).read_bytes()
    return ModelChunk(
        model_id=request.model_id,
        file_name=request.file_name,
        offset=request.offset,
        data=content[request.offset : request.offset + CHUNK],
    )


@dataclass
class SmallHub:
    """Answers at once, unless it is away; `spoil` may change an answer on its way."""

    manifest: ModelManifest
    models: ArrivingModels
    away: bool = False
    silent: bool = False
    spoil: Callable[[ModelChunk], ModelChunk] = lambda chunk: chunk
    requests: list[ModelRequest] = field(default_factory=list)
    answers: list[ModelChunk] = field(default_factory=list)

    def ask(self, request: ModelRequest) -> bool:
        if self.away:
            return False
        self.requests.append(request)
        if not self.silent:
            self.answers.append(self.spoil(piece(self.manifest, request)))
        return True

    def turn(self, now: float) -> Switch | None:
        """One turn of the edge: what has come is taken, then what is due is asked."""
        answers, self.answers = self.answers, []
        for answer in answers:
            self.models.received(answer)
        return self.models.turn(now=now, ask=self.ask)

    def offer(self, *cameras: str, embedders: Embedders, seen_by: tuple[str, ...] = ("hall", "door")) -> None:
        """Offer the model, for the whole edge without `cameras`."""
        self.models.offered(
            offer_of(self.manifest, *cameras),
            embedders=embedders,
            cameras=[CameraId(camera) for camera in seen_by],
            now=0.0,
        )
