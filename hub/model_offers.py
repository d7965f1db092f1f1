"""Models on their way to the edges: who should have which, what is offered to whom, and the pieces asked for."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import msgspec

from passerby.errors import ModelError
from passerby.ids import BootId, CameraId, EdgeId, ModelId
from passerby.messages import HubMessage, ModelChunk, ModelFile, ModelOffer, ModelRequest
from passerby.models import ModelManifest
from passerby.models.checksum import file_digest
from passerby.transport import ConnectedEdge, Delivery

_log = logging.getLogger("passerby.hub")

CHUNK_BYTES = 256 << 10
"""Two seconds over a line of 1 Mbit/s: less than the silence after which an edge gives a connection up."""

REPEAT_S = 5.0
"""So often the same is offered to an edge that has not taken it."""


@dataclass(frozen=True, slots=True)
class WantedModels:
    """The re-ID model of the site, and of the cameras that are to have another."""

    default: ModelManifest
    cameras: Mapping[CameraId, ModelManifest] = field(default_factory=dict)

    def of(self, camera_id: CameraId) -> ModelManifest:
        """What the camera is to be seen with."""
        return self.cameras.get(camera_id, self.default)

    def manifests(self) -> dict[ModelId, ModelManifest]:
        """Each model once."""
        return {manifest.model_id: manifest for manifest in (self.default, *self.cameras.values())}


class ModelPort(Protocol):
    """What is needed of `passerby.transport.HubPort`."""

    def edges(self) -> list[ConnectedEdge]:
        """The edges that are here."""

    def send(self, edge_id: EdgeId, message: HubMessage) -> bool:
        """Queue a message to an edge."""


@dataclass(slots=True)
class _Behind:
    """An edge that has not what it should have, and what it was offered last."""

    offer: tuple[ModelId, tuple[CameraId, ...]] | None = None
    offer_again_at: float = float("-inf")


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is wanted, and of each model its files by name: replaced as a whole, so that it may be from elsewhere."""

    wanted: WantedModels
    files: Mapping[ModelId, Mapping[str, tuple[ModelFile, Path]]]


class ModelOffers:
    """Compares what the connected edges have with what is wanted, and offers what they lack.

    Not thread-safe, but for `want`: another thread than the hub's may say what is wanted.
    """

    def __init__(self) -> None:
        self.ignored = 0
        """Requests for what is not offered."""
        self._plan: _Plan | None = None
        self._behind: dict[tuple[EdgeId, BootId], _Behind] = {}
        self._unreadable: set[Path] = set()

    def want(self, wanted: WantedModels) -> None:
        """From now on the edges are to have these. Reads new models' files once, for their checksums.

        Raises ModelError, and nothing is changed, where a file cannot be read.
        """
        files = {}
        former = {} if self._plan is None else self._plan.files
        for model_id, manifest in wanted.manifests().items():
            known = former.get(model_id)
            paths = [Path(path) for path in manifest.files]
            same = known is not None and [path for _, path in known.values()] == paths
            files[model_id] = known if known is not None and same else _described(paths)
        self._plan = _Plan(wanted, files)

    @property
    def behind(self) -> frozenset[EdgeId]:
        """The edges that were here at the last look and have not all that is wanted."""
        return frozenset(edge_id for edge_id, _ in self._behind)

    def look(self, port: ModelPort, *, now: float) -> None:
        """Offer what is due at `now`, seconds of a monotonic clock; call it often."""
        plan = self._plan
        if plan is None:
            return
        edges = port.edges()
        here = {(edge.edge_id, edge.boot_id) for edge in edges}
        self._behind = {key: behind for key, behind in self._behind.items() if key in here}
        for edge in edges:
            key = (edge.edge_id, edge.boot_id)
            due = next_offer(edge, plan.wanted)
            if due is None:
                if self._behind.pop(key, None) is not None:
                    _log.info("edge %s now uses %s", edge.edge_id, _models_of(edge))
                continue
            if key not in self._behind:
                _log.info("edge %s uses %s; it is offered %s", edge.edge_id, _models_of(edge), _in_words(*due))
                self._behind[key] = _Behind()
            self._offer(port, edge, plan=plan, due=due, behind=self._behind[key], now=now)

    def answer(self, delivery: Delivery, port: ModelPort) -> None:
        """Send the piece that a ModelRequest asks for. One for what is not offered is counted, and that is all."""
        request = delivery.envelope.message
        if not isinstance(request, ModelRequest):
            return
        offered = {} if self._plan is None else self._plan.files
        file, path = offered.get(request.model_id, {}).get(request.file_name, (None, Path()))
        if file is None or request.offset >= file.size:
            self.ignored += 1
            return
        try:
            with path.open("rb") as source:
                source.seek(request.offset)
                data = source.read(min(CHUNK_BYTES, file.size - request.offset))
        except OSError as error:
            if path not in self._unreadable:
                self._unreadable.add(path)
                _log.error("%s: cannot be read for the edges: %s", path, error.strerror or error)
            return
        if data:  # nothing: the file has become shorter, and its checksum could not come right
            chunk = ModelChunk(model_id=request.model_id, file_name=request.file_name, offset=request.offset, data=data)
            port.send(delivery.edge_id, chunk)

    def _offer(
        self,
        port: ModelPort,
        edge: ConnectedEdge,
        *,
        plan: _Plan,
        due: tuple[ModelManifest, tuple[CameraId, ...]],
        behind: _Behind,
        now: float,
    ) -> None:
        manifest, cameras = due
        if behind.offer == (manifest.model_id, cameras) and now < behind.offer_again_at:
            return
        offer = ModelOffer(
            model_id=manifest.model_id,
            manifest=msgspec.to_builtins(manifest.description),
            files=[file for file, _ in plan.files[manifest.model_id].values()],
            chunk_bytes=CHUNK_BYTES,
            cameras=list(cameras),
        )
        port.send(edge.edge_id, offer)
        behind.offer = (manifest.model_id, cameras)
        behind.offer_again_at = now + REPEAT_S


def next_offer(edge: ConnectedEdge, wanted: WantedModels) -> tuple[ModelManifest, tuple[CameraId, ...]] | None:
    """What to offer an edge next: a model, and the cameras that it is for (none: the whole edge). None: it has all.

    First the model of the whole edge, which also ends what some cameras had apart; then those of single cameras.
    """
    apart = {camera for camera in edge.cameras if wanted.of(camera).model_id != wanted.default.model_id}
    if edge.model_id != wanted.default.model_id or (edge.camera_models and not apart):
        return wanted.default, ()
    lacking = [
        camera
        for camera in sorted(edge.cameras)
        if edge.camera_models.get(camera, edge.model_id) != wanted.of(camera).model_id
    ]
    if not lacking:
        return None
    manifest = wanted.of(lacking[0])
    return manifest, tuple(camera for camera in lacking if wanted.of(camera).model_id == manifest.model_id)


def _described(paths: Sequence[Path]) -> dict[str, tuple[ModelFile, Path]]:
    """The files as they are offered, by name. Raises ModelError."""
    try:
        return {
            path.name: (
                ModelFile(name=path.name, size=path.stat().st_size, sha256=file_digest([path], algorithm="sha256")),
                path,
            )
            for path in paths
        }
    except OSError as error:
        raise ModelError(f"{error.filename}: cannot read the model's file: {error.strerror}") from error


def _models_of(edge: ConnectedEdge) -> str:
    others = [f"{model_id} at {camera}" for camera, model_id in sorted(edge.camera_models.items())]
    return ", ".join([edge.model_id, *others])


def _in_words(manifest: ModelManifest, cameras: Sequence[CameraId]) -> str:
    return f"{manifest.model_id} for {', '.join(cameras)}" if cameras else str(manifest.model_id)
