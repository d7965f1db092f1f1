"""Making twins beside a hub: from the crops that are kept, and where there are none by a map between the spaces.

The hub's database and crops are only read. What is made is handed over as files (`passerby.adaptation.twins`), which
the hub takes (`hub.twins.inbox`).
"""

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from hub.crops import FOLDER_NAME as CROPS_FOLDER
from hub.crops import CropStore
from hub.enrolment.reembedding import reembed_enrolments
from hub.reader import SiteReader
from hub.records import Tracklet, TrackletNumber
from hub.twins.mapping import LEAST_PAIRS, SpaceMap, fitted_map
from passerby.adaptation.twins import FOLDER_NAME, SUFFIX, Twins, write_twins
from passerby.arrays import Float32Array, Image
from passerby.ids import ModelId
from passerby.inference.engine import EmbeddingEngine

AT_ONCE = 32
"""Tracklets of which the crops are embedded together, and handed over in one file."""

MAPPED_AT_ONCE = 1024

MOST_SCANNED = 20_000
"""Tracklets that are looked at, the most useful first. Older ones that stand for nobody are left as they are."""

LONGEST_AGO_NS = 7 * 24 * 3600 * 10**9
"""Tracklets that stand for nobody and ended so long before the latest one are left as they are."""

MOST_FILES = 64
"""With so many files that the hub has not taken yet, nothing more is made."""

POLL_S = 2.0
"""How often is looked for new tracklets."""

_MOST_PAIRS = 4096
"""Tracklets that a map is learned from, the latest."""

_REFIT_SHARE = 1.5
"""A map is learned again when there are so many times the pairs of the last time."""


@dataclass(frozen=True, slots=True)
class Made:
    """How far it is."""

    from_crops: int = 0
    """Twins that were made from pictures."""
    mapped: int = 0
    """Twins that were made by a map between the spaces."""
    waiting: int = 0
    """Tracklets without a twin, of those that are looked at: with those without pictures, of which there is no map."""

    @property
    def twins(self) -> int:
        """All that were made."""
        return self.from_crops + self.mapped


def reembed(
    data_dir: Path,
    embedder: EmbeddingEngine,
    *,
    stop: threading.Event,
    progress: Callable[[Made], None],
    most: int | None = None,
    follow: bool = True,
) -> Made:
    """Make twins in the embedder's model until `stop` is set or `most` were made; not to `follow`, until all are made.

    People who are enrolled come first of all, then those who stand for active identities, then the latest. With the
    embedder of a new model those from before the exchange are known after it; with the former one's, the other way
    round. `progress` is called after each file. Raises StoreError where the data cannot be read, DataError where a file
    cannot be written.
    """
    with TwinMaker(data_dir, embedder) as maker:
        reembed_enrolments(data_dir, embedder)
        while not stop.is_set() and (most is None or maker.made.twins < most):
            left = None if most is None else most - maker.made.twins
            if maker.is_ahead() or not maker.step(most=left):
                if not follow and not maker.is_ahead():
                    break
                stop.wait(POLL_S)
                reembed_enrolments(data_dir, embedder)
                continue
            progress(maker.made)
        return maker.made


class TwinMaker:
    """Makes twins in one model, a file at a time. Raises StoreError where there are no data."""

    def __init__(self, data_dir: Path, embedder: EmbeddingEngine) -> None:
        self._data_dir = data_dir
        self._embedder = embedder
        self._model_id: ModelId = embedder.manifest.model_id
        self._reader = SiteReader(data_dir)
        self._crops: CropStore | None = None
        self._handed_over: dict[TrackletNumber, int] = {}
        self._without_pictures: dict[TrackletNumber, int] = {}
        self._maps: dict[ModelId, tuple[int, SpaceMap | None]] = {}
        self.made = Made()

    def is_ahead(self) -> bool:
        """Whether the hub has enough to take."""
        folder = self._data_dir / FOLDER_NAME
        return folder.is_dir() and sum(name.endswith(SUFFIX) for name in os.listdir(folder)) >= MOST_FILES

    def step(self, *, most: int | None = None) -> bool:
        """Make one file of twins, of at most so many; False where nothing can be made now."""
        left = self._left()
        self.made = replace(self.made, waiting=len(left))
        fresh = [t for t in left if self._without_pictures.get(t.number) != t.revision]
        if fresh:
            self._make_from_crops(fresh[: AT_ONCE if most is None else min(most, AT_ONCE)])
            return True
        return self._make_by_map(left, most=MAPPED_AT_ONCE if most is None else min(most, MAPPED_AT_ONCE))

    def _left(self) -> list[Tracklet]:
        """The tracklets that want a twin which is not on its way yet, the most useful first."""
        since_ns = self._reader.latest_end_ns() - LONGEST_AGO_NS
        found = self._reader.without_twin(self._model_id, most=MOST_SCANNED, since_ns=since_ns)
        there = {t.number for t in found}
        for known in (self._handed_over, self._without_pictures):
            for number in [number for number in known if number not in there]:
                del known[number]
        return [t for t in found if self._handed_over.get(t.number) != t.revision]

    def _make_from_crops(self, tracklets: Sequence[Tracklet]) -> None:
        pictures = [self._pictures(t) for t in tracklets]
        shown = [(t, mine) for t, mine in zip(tracklets, pictures, strict=True) if mine]
        self._without_pictures |= {
            t.number: t.revision for t, mine in zip(tracklets, pictures, strict=True) if not mine
        }
        if not shown:
            return
        crops = [picture for _, mine in shown for picture in mine]
        cameras = [t.camera_id for t, mine in shown for _ in mine]
        embeddings = self._embedder.embed(crops, cameras)
        ends = np.cumsum([len(mine) for _, mine in shown])[:-1]
        means = np.array([rows.mean(axis=0) for rows in np.split(embeddings, ends)], np.float32)
        self._hand_over([t for t, _ in shown], means, mapped=False)

    def _make_by_map(self, tracklets: Sequence[Tracklet], *, most: int) -> bool:
        for source in sorted({t.model_id for t in tracklets}):
            mine = [t for t in tracklets if t.model_id == source][:most]
            space_map = self._map_from(source)
            if space_map is not None:
                self._hand_over(mine, space_map(np.stack([t.embedding for t in mine])), mapped=True)
                return True
        return False

    def _hand_over(self, tracklets: Sequence[Tracklet], embeddings: Float32Array, *, mapped: bool) -> None:
        """Write a file of those that have a direction; of the others there will be none."""
        with np.errstate(over="ignore", under="ignore"):
            lengths = np.linalg.norm(embeddings, axis=1)
        good = np.flatnonzero(np.isfinite(lengths) & (lengths > 0)).tolist()
        twins = Twins(
            model_id=self._model_id,
            numbers=np.array([tracklets[row].number for row in good], np.int64),
            revisions=np.array([tracklets[row].revision for row in good], np.int64),
            embeddings=embeddings[good],
            mapped=np.full(len(good), mapped),
        )
        write_twins(self._data_dir / FOLDER_NAME / f"{time.time_ns():020d}-{os.getpid()}{SUFFIX}", twins)
        self._handed_over |= {t.number: t.revision for t in tracklets}
        self.made = replace(
            self.made,
            from_crops=self.made.from_crops + (0 if mapped else len(good)),
            mapped=self.made.mapped + (len(good) if mapped else 0),
            waiting=max(0, self.made.waiting - len(tracklets)),
        )

    def _pictures(self, tracklet: Tracklet) -> list[Image]:
        """The crops of a tracklet that are kept, BGR; without those that are damaged."""
        if self._crops is None and (self._data_dir / CROPS_FOLDER).exists():
            self._crops = CropStore.open_for_reading(self._data_dir)
        if self._crops is None:
            return []
        crops = self._crops
        jpegs = [crops.get(tracklet.number, crop_id) for crop_id in crops.crop_ids(tracklet.number)]
        decoded = [cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR) for jpeg in jpegs if jpeg]
        return [np.asarray(picture, np.uint8) for picture in decoded if picture is not None]

    def _map_from(self, source: ModelId) -> SpaceMap | None:
        """The map from another model's space, learned of all whom both have seen; None where they are too few."""
        pairs = [
            *self._pairs(source, self._model_id),
            *((mine, theirs) for theirs, mine in self._pairs(self._model_id, source)),
        ]
        learned, known = self._maps.get(source, (0, None))
        if len(pairs) >= max(LEAST_PAIRS, _REFIT_SHARE * learned):
            known = fitted_map(np.stack([one for one, _ in pairs]), np.stack([other for _, other in pairs]))
            self._maps[source] = (len(pairs), known)
        return known

    def _pairs(self, native: ModelId, other: ModelId) -> list[tuple[Float32Array, Float32Array]]:
        """The embeddings of the latest tracklets of `native` by both models."""
        tracklets, twins = self._reader.described_by_both(native, other, most=_MOST_PAIRS)
        theirs = {twin.tracklet: twin.embedding for twin in twins}
        return [(t.embedding, theirs[t.number]) for t in tracklets if t.number in theirs]

    def close(self) -> None:
        """Let go of the data."""
        self._reader.close()
        if self._crops is not None:
            self._crops.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
