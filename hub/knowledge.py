"""What the hub has learned about its site, apart from camera statistics: rates, places, and what looks are worth."""

from collections.abc import Mapping

import msgspec

from hub.association.calibration import Calibration
from hub.association.place import Floor, Spacing
from hub.association.promise import Promise
from hub.association.topology import Topology
from hub.association.view_map import ViewMap
from passerby.errors import StoreError
from passerby.ids import CameraId, ModelId

_CALIBRATION = "calibration "
_MAP = "map "


class Knowledge:
    """Everything that is learned from decisions. It begins empty, and every part then says what is usual anywhere.

    It is kept in parts, so that a lesson rewrites little; `changed` names those that differ from what is stored.
    """

    def __init__(self) -> None:
        self.topology = Topology()
        self.floor = Floor()
        self.promise = Promise()
        self._calibrations: dict[ModelId, Calibration] = {}
        self.changed: dict[str, None] = {}

    def calibration(self, model_id: ModelId) -> Calibration:
        """What looks are worth, measured with one model."""
        return self._calibrations.setdefault(model_id, Calibration())

    def recalibrate(self, model_id: ModelId, calibration: Calibration) -> None:
        """Take what was found out about a model's looks in place of what was known, where it stands on more."""
        known = self.calibration(model_id)
        if sum(calibration.seen.values()) > sum(known.seen.values()):
            calibration.version = known.version + 1
            self._calibrations[model_id] = calibration
            self.has_calibrated(model_id)

    @property
    def calibrated_models(self) -> list[ModelId]:
        """The models that there is a calibration of."""
        return sorted(self._calibrations)

    def has_moved(self) -> None:
        """Note that the topology has changed."""
        self.changed["topology"] = None

    def has_calibrated(self, model_id: ModelId) -> None:
        """Note that a model's calibration has changed, or what is promised by it."""
        self.changed[f"{_CALIBRATION}{model_id}"] = None
        self.changed["promise"] = None

    def has_seen(self) -> None:
        """Note that more is known of how far people are from each other."""
        self.changed["spacings"] = None

    def has_mapped(self, first: CameraId, second: CameraId) -> None:
        """Note that the map of two views has changed."""
        self.changed[f"{_MAP}{min(first, second)}|{max(first, second)}"] = None

    def packed(self, part: str) -> bytes:
        """A part for the database."""
        if part.startswith(_CALIBRATION):
            return msgspec.msgpack.encode(self._calibrations[ModelId(part.removeprefix(_CALIBRATION))])
        if part.startswith(_MAP):
            return msgspec.msgpack.encode(self.floor.maps[part.removeprefix(_MAP)])
        return msgspec.msgpack.encode(
            {"topology": self.topology, "spacings": self.floor.spacings, "promise": self.promise}[part]
        )

    @classmethod
    def restored(cls, parts: Mapping[str, bytes]) -> "Knowledge":
        """What was stored. Raises StoreError if it cannot be read."""
        knowledge = cls()
        try:
            for part, data in parts.items():
                knowledge._restore(part, data)
        except msgspec.DecodeError as error:
            raise StoreError(f"what was learned about the site cannot be read ({part}): {error}") from error
        return knowledge

    def _restore(self, part: str, data: bytes) -> None:
        if part.startswith(_CALIBRATION):
            model_id = ModelId(part.removeprefix(_CALIBRATION))
            self._calibrations[model_id] = msgspec.msgpack.decode(data, type=Calibration)
        elif part.startswith(_MAP):
            self.floor.maps[part.removeprefix(_MAP)] = msgspec.msgpack.decode(data, type=ViewMap)
        elif part == "spacings":
            self.floor.spacings = msgspec.msgpack.decode(data, type=dict[str, Spacing])
        elif part == "topology":
            self.topology = msgspec.msgpack.decode(data, type=Topology)
        elif part == "promise":
            self.promise = msgspec.msgpack.decode(data, type=Promise)
