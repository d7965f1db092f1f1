"""Which tracklets are not learned from, so that something is left to judge by."""

import hashlib

import numpy as np

from passerby.adaptation import Snapshot
from passerby.arrays import Int64Array
from passerby.errors import ConfigError, NotEnoughDataError

FEWEST_TRACKLETS = 40
FEWEST_IN_A_CAMERA = 10
"""In at least two cameras."""

MOST_TRACKLETS = 2000
"""More are not held out, whatever the share: they would teach more than they tell."""


def groups_of(snapshot: Snapshot) -> Int64Array:
    """(t,): what is held out, and drawn again, as a whole: the tracklets that the hub takes for one person, and each
    that it takes for nobody by itself. Named by the hub's numbers: even of a person, odd of a tracklet."""
    groups: Int64Array = np.where(snapshot.identities >= 0, 2 * snapshot.identities, 2 * snapshot.numbers + 1)
    return groups


def hold_out(snapshot: Snapshot, share: float, *, seed: int) -> tuple[Int64Array, Int64Array]:
    """Rows of the tracklets to learn from, and of about `share` of them to judge by, both ascending.

    Whole groups are held out. Which ones follows from the seed and the names of site and groups, not from their order
    or number: a group that was held out before is so again, while it has its name and the share is not cut. Tracklets
    without crops are in neither. Raises ConfigError for a share that is not between 0 and 1, NotEnoughDataError where
    too few tracklets would judge, or all in one camera.
    """
    if not 0.0 < share < 1.0:
        raise ConfigError(f"a share of {share:g} cannot be held out; expected more than 0 and less than 1")
    with_crops = np.bincount(snapshot.crop_tracklets, minlength=snapshot.tracklets) > 0
    groups = groups_of(snapshot)
    names, rows = np.unique(groups[with_crops], return_inverse=True)
    sizes = np.bincount(rows, minlength=len(names))
    places = np.array([_place(snapshot.site, int(name), seed) for name in names], np.float64)
    order = np.argsort(places, kind="stable")
    # By tracklets, not by groups: a large group would take far more than its share.
    share = min(share, MOST_TRACKLETS / max(int(sizes.sum()), 1))
    before = np.cumsum(sizes[order]) - sizes[order]
    chosen = names[order[before + sizes[order] / 2.0 <= share * sizes.sum()]]
    held = with_crops & np.isin(groups, chosen)
    counts = np.bincount(snapshot.camera_rows[held], minlength=len(snapshot.cameras))
    if held.sum() < FEWEST_TRACKLETS or (counts >= FEWEST_IN_A_CAMERA).sum() < 2:
        seen = ", ".join(f"{count} in {name}" for name, count in zip(snapshot.cameras, counts.tolist(), strict=True))
        raise NotEnoughDataError(
            f"not enough data: {int(held.sum())} tracklets would judge ({seen or 'no camera'}); {FEWEST_TRACKLETS} "
            f"are needed, with {FEWEST_IN_A_CAMERA} in each of two cameras: wait for more, or hold out a larger share"
        )
    return np.flatnonzero(with_crops & ~held), np.flatnonzero(held)


def _place(site: str, group: int, seed: int) -> float:
    """Where a group stands among all, 0-1: by a hash, as good as drawn."""
    hashed = hashlib.blake2b(f"{seed}\0{site}\0{group}".encode(), digest_size=8).digest()
    return int.from_bytes(hashed, "little") / 2.0**64
