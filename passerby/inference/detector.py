"""A detector: any network with a detection layout."""

from collections.abc import Sequence

from passerby.arrays import Detections, Image
from passerby.errors import ModelError
from passerby.inference.decoders import DECODERS
from passerby.inference.network import Network
from passerby.inference.preprocessing import prepare
from passerby.models import ModelManifest


class NetworkDetector:
    """Implements DetectionEngine over a Network."""

    def __init__(self, network: Network, manifest: ModelManifest) -> None:
        if manifest.detection is None:
            raise ModelError(f"{manifest.name} is no detector: its task is `{manifest.task}`")
        self._network = network
        self._manifest = manifest
        self._output = manifest.detection
        self._decode = DECODERS[manifest.detection.layout]

    @property
    def manifest(self) -> ModelManifest:
        """What is loaded."""
        return self._manifest

    @property
    def device(self) -> str:
        """Where it runs, for a person."""
        return self._network.device

    @property
    def batch_limit(self) -> int:
        """The most frames that one run of the network takes; 1: batching gains nothing."""
        return self._network.batch_limit

    def detect(self, frames: Sequence[Image]) -> list[Detections]:
        """People in each frame, best first; see DetectionEngine."""
        found: list[Detections] = []
        for start in range(0, len(frames), self._network.batch_limit):
            batch, placements = prepare(frames[start : start + self._network.batch_limit], self._manifest.input)
            outputs = self._network.run(batch)
            found += self._decode(outputs, placements, how=self._output, network=self._manifest.input)
        return found

    def close(self) -> None:
        """Free the network."""
        self._network.close()
