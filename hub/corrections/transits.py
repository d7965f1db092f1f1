"""What an operator knows of the ways between cameras."""

from dataclasses import dataclass

from hub.corrections.archive import Archive
from hub.records import ActId
from hub.state import SiteState
from passerby.config import TransitSettings
from passerby.errors import DataError


@dataclass(frozen=True, slots=True)
class TellingTransit:
    """A word holds for a directed pair of cameras, in place of what was told of it before."""

    word: TransitSettings

    def carry_out(self, state: SiteState, act_id: ActId) -> None:  # noqa: ARG002 - it makes no event
        state.knowledge.topology.tell(self.word)
        state.knowledge.has_moved()


def plan_transit(archive: Archive, word: TransitSettings) -> TellingTransit:
    """Raises DataError unless both cameras are known: one that was misspelled would be a word without effect."""
    known = archive.camera_ids()
    for name in (word.before, word.after):
        if name not in known:
            raise DataError(f"the hub has never heard of camera {name!r}; it knows: {', '.join(known) or 'none'}")
    return TellingTransit(word)
