"""The next cells, made in the background while the present ones answer."""

import threading
from collections.abc import Iterator

import numpy as np

from hub.identity_store.cells import Cells
from hub.identity_store.flat import Flat
from hub.identity_store.partition import Partition
from hub.identity_store.rows import BLOCK_ROWS, FrozenRows
from passerby.arrays import Float32Array, Int64Array
from passerby.errors import StoreError

_PATIENCE_S = 600.0
"""For a million prototypes it takes about 20 s of one core."""


class Growth:
    """Fills cells from frozen rows in a thread of its own; what changes meanwhile is made up for at the end."""

    def __init__(self, partition: Partition, rows: FrozenRows) -> None:
        self.partition = partition
        self._rows: FrozenRows | None = rows
        self._cells: Cells | None = None
        self._failure: Exception | None = None
        self._changed: set[int] = set()
        self._stop = threading.Event()
        # A daemon: a hub that ends does not wait for cells that nobody will search.
        self._thread = threading.Thread(target=self._fill, name="identity-store-growth", daemon=True)
        self._thread.start()

    def note(self, slots: Int64Array, rows: FrozenRows) -> None:
        """Say that these slots have changed; `rows` are all rows as they are now."""
        self._changed.update(slots.tolist())
        if not self._thread.is_alive() and self._failure is None:
            self._make_up(rows)

    def finish(self, rows: FrozenRows) -> Cells:
        """The cells of all rows as they are now; waits for them. Raises StoreError where they cannot be made."""
        self._join()
        self._make_up(rows)
        if self._failure is not None or self._cells is None:
            raise StoreError(f"the larger index could not be made: {self._failure}") from self._failure
        return self._cells

    def stop(self) -> None:
        """Give up, and keep nothing."""
        self._stop.set()
        self._join()
        self._cells = self._rows = None

    def _fill(self) -> None:
        rows = self._rows
        try:
            if rows is not None:
                cells = Cells(rows.dimension, self.partition)
                if fill(cells, rows, stop=self._stop):
                    self._cells = cells
        except (MemoryError, RuntimeError) as error:  # what NumPy and FAISS raise
            self._failure = error
        finally:
            self._rows = None

    def _make_up(self, rows: FrozenRows) -> None:
        if self._cells is not None and self._changed:
            changed = np.array(sorted(self._changed), np.int64)
            present = changed[rows.ids_at(changed) >= 0]
            self._cells.remove(changed)
            self._cells.put(present, rows.vectors_at(present))
            self._changed.clear()

    def _join(self) -> None:
        self._thread.join(_PATIENCE_S)
        if self._thread.is_alive():
            raise StoreError(f"the larger index was not made within {_PATIENCE_S:.0f} s; is the machine overloaded?")


def fill(cells: Cells | Flat, rows: FrozenRows, *, stop: threading.Event | None = None) -> bool:
    """Put all rows into empty cells, block by block; False if it was stopped."""

    def parts() -> Iterator[tuple[Int64Array, Float32Array]]:
        for number, (ids, vectors) in enumerate(rows.blocks):
            if stop is not None and stop.is_set():
                return
            present = np.flatnonzero(ids >= 0)
            yield number * BLOCK_ROWS + present, vectors[present]

    cells.fill(parts())
    return stop is None or not stop.is_set()
