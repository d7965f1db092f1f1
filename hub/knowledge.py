"""What the hub has learned about its site, apart from camera statistics: rates, places, and what looks are worth."""

from dataclasses import dataclass, field

from hub.association.calibration import Calibration
from hub.association.place import Floor
from hub.association.topology import Topology
from passerby.ids import ModelId


@dataclass(slots=True)
class Knowledge:
    """Everything that is learned from decisions. It begins empty, and every part then says what is usual anywhere."""

    topology: Topology = field(default_factory=Topology)
    floor: Floor = field(default_factory=Floor)
    calibrations: dict[ModelId, Calibration] = field(default_factory=dict)

    def calibration(self, model_id: ModelId) -> Calibration:
        """What looks are worth, measured with one model."""
        return self.calibrations.setdefault(model_id, Calibration())
