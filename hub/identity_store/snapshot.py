"""A store as it was at one moment."""

from dataclasses import dataclass
from functools import partial

from hub.identity_store.protocol import Neighbours, UnitVectors, require_same_space
from hub.identity_store.ranking import SCAN_ERROR, rank, scan
from hub.identity_store.rows import FrozenRows
from passerby.ids import ModelId


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Searched by comparing with everything: some 0.1 s among a million prototypes, and never an approximation."""

    model_id: ModelId
    rows: FrozenRows

    def __len__(self) -> int:
        return len(self.rows)

    def search(self, queries: UnitVectors, *, k: int) -> Neighbours:
        require_same_space(queries, model_id=self.model_id, dimension=self.rows.dimension)
        return rank(self.rows, partial(scan, self.rows), queries=queries.rows, k=k, error=SCAN_ERROR)
