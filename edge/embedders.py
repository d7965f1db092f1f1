"""Which re-ID network describes the people of which camera."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from passerby.ids import CameraId, ModelId
from passerby.inference import EmbeddingEngine


@dataclass(frozen=True, slots=True, eq=False)
class Embedders:
    """One network for all cameras, and another for some of them."""

    default: EmbeddingEngine
    cameras: Mapping[CameraId, EmbeddingEngine] = field(default_factory=dict)

    def of(self, camera_id: CameraId) -> EmbeddingEngine:
        """The camera's network."""
        return self.cameras.get(camera_id, self.default)

    def changed(self, engine: EmbeddingEngine, cameras: Sequence[CameraId]) -> "Embedders":
        """With `engine` for these cameras while all others keep theirs; without cameras, for all."""
        if not cameras:
            return Embedders(engine)
        theirs = {**self.cameras, **dict.fromkeys(cameras, engine)}
        return Embedders(self.default, {name: its for name, its in theirs.items() if its is not self.default})

    def engines(self) -> list[EmbeddingEngine]:
        """Each network once."""
        return list({id(engine): engine for engine in (self.default, *self.cameras.values())}.values())

    def loaded(self, model_id: ModelId) -> EmbeddingEngine | None:
        """The network of that model, where it is one of these."""
        return next((engine for engine in self.engines() if engine.manifest.model_id == model_id), None)

    @property
    def model_id(self) -> ModelId:
        """The model of all cameras that have none of their own."""
        return self.default.manifest.model_id

    @property
    def camera_models(self) -> dict[CameraId, ModelId]:
        """The models of the others."""
        return {camera_id: engine.manifest.model_id for camera_id, engine in sorted(self.cameras.items())}
