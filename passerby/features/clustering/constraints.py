"""What is known before clustering: crops of one tracklet are one person, two people seen at once are two.

Clustering works on nodes. A node is everything that must be together: the crops of a tracklet, and tracklets that an
operator has joined. Crops go into nodes, labels of nodes go back to crops.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from passerby.arrays import Float32Array, Int64Array, l2_normalize, require_shape
from passerby.errors import DataError

NO_PAIRS: Int64Array = np.zeros((0, 2), np.int64)


@dataclass(frozen=True, slots=True)
class Nodes:
    """Crops in nodes: `node_of` (n,) int64 is each crop's node, numbered by first crop; `weights` (m,) int64 the crops
    of each node; `cannot_link` (k, 2) int64 the pairs of nodes that are two people, the lower number first, each once.
    """

    node_of: Int64Array
    weights: Int64Array
    cannot_link: Int64Array

    def __len__(self) -> int:
        return len(self.weights)

    def features(self, features: Float32Array) -> Float32Array:
        """One row of length one for each node (m, d), from one for each crop (n, d): the mean of rows of length one."""
        unit = l2_normalize(features).astype(np.float64)
        crops = len(self.node_of)
        gather = coo_array((np.ones(crops), (self.node_of, np.arange(crops))), shape=(len(self), crops))
        return l2_normalize(np.asarray(gather.tocsr() @ unit) / self.weights[:, None])

    def of_nodes(self, values: Int64Array) -> Int64Array:
        """A value for each node (m,) from one for each crop (n,): that of the node's first crop."""
        _, first = np.unique(self.node_of, return_index=True)
        taken: Int64Array = np.asarray(values)[first]
        return taken

    def to_crops(self, labels: Int64Array) -> Int64Array:
        """Labels (n,) of crops from those of nodes (m,)."""
        return labels[self.node_of]


def nodes_of(tracklets: Int64Array, *, must_link: Int64Array = NO_PAIRS, cannot_link: Int64Array = NO_PAIRS) -> Nodes:
    """Nodes of crops whose tracklets (n,) are given, any whole numbers; equal ones are one tracklet.

    `must_link` and `cannot_link` (k, 2) are pairs of tracklets by these numbers: an operator's corrections, and for the
    second also tracklets that one camera saw at once. Raises DataError for a pair of which no crop is here, and for two
    tracklets that must be one person and must not be.

    >>> nodes = nodes_of(np.array([7, 7, 9, 5]), must_link=np.array([[5, 9]]), cannot_link=np.array([[9, 7]]))
    >>> nodes.node_of.tolist(), nodes.weights.tolist(), nodes.cannot_link.tolist()
    ([0, 0, 1, 1], [2, 2], [[0, 1]])
    """
    require_shape("tracklets", tracklets, (None,))
    numbers, crop_in = np.unique(tracklets, return_inverse=True)
    together = _places("must_link", must_link, numbers)
    apart = _places("cannot_link", cannot_link, numbers)
    joined = coo_array((np.ones(len(together)), (together[:, 0], together[:, 1])), shape=(len(numbers),) * 2)
    _, group_of = connected_components(joined, directed=False)
    groups = group_of[crop_in]
    _, first, dense = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.argsort(np.argsort(first)).astype(np.int64)
    node_of = rank[dense]
    node_of_tracklet = np.zeros(len(numbers), np.int64)
    node_of_tracklet[crop_in] = node_of
    pairs = np.sort(node_of_tracklet[apart], axis=1)
    contradictory = pairs[:, 0] == pairs[:, 1]
    if contradictory.any():
        one, other = np.asarray(cannot_link)[contradictory.argmax()].tolist()
        raise DataError(_contradiction(one, other))
    return Nodes(node_of, np.bincount(node_of, minlength=len(first)), np.unique(pairs, axis=0).reshape(-1, 2))


def seen_at_once(cameras: Int64Array, *, begins: Int64Array, ends: Int64Array) -> Int64Array:
    """Pairs (k, 2) of rows: tracklets that one camera saw at once, who are two people.

    `cameras` (t,), and when each tracklet `begins` and `ends` (t,), in any one unit. Their times must share more than
    one moment: a tracker may lose somebody and find them anew in one frame.

    >>> cameras, begins, ends = np.array([1, 1, 2, 1]), np.array([0, 4, 4, 9]), np.array([5, 9, 9, 12])
    >>> seen_at_once(cameras, begins=begins, ends=ends).tolist()
    [[0, 1]]
    """
    require_shape("begins", begins, (len(cameras),))
    require_shape("ends", ends, (len(cameras),))
    if (ends < begins).any():
        row = int((ends < begins).argmax())
        raise DataError(f"tracklet {row} ends at {ends[row]}, before it begins at {begins[row]}")
    pairs: list[Int64Array] = []
    for camera in np.unique(cameras):
        rows = np.flatnonzero((cameras == camera) & (begins < ends))
        rows = rows[np.argsort(begins[rows], kind="stable")]
        # Those that begin before this one ends, and after it in order.
        until = np.searchsorted(begins[rows], ends[rows], side="left")
        order = np.arange(len(rows))
        counts = np.maximum(until - order - 1, 0)
        here = np.repeat(order, counts)
        offset = np.arange(len(here)) - np.repeat(np.cumsum(counts) - counts, counts)
        pairs.append(np.sort(np.stack([rows[here], rows[here + 1 + offset]], axis=1), axis=1))
    found = np.concatenate(pairs) if pairs else NO_PAIRS
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def _places(name: str, pairs: Int64Array, numbers: Int64Array) -> Int64Array:
    """Where the tracklets of the pairs stand in the ascending `numbers`."""
    require_shape(name, pairs, (None, 2))
    places = np.searchsorted(numbers, pairs)
    missing = ~np.isin(pairs, numbers)
    if missing.any():
        pair = pairs[missing.any(axis=1).argmax()].tolist()
        raise DataError(f"{name} has the pair {tuple(pair)}, of whose tracklet {pairs[missing][0]} there is no crop")
    return places.astype(np.int64)


def _contradiction(one: int, other: int) -> str:
    if one == other:
        return f"tracklet {one} must not be linked with itself: leave the pair ({one}, {other}) out"
    return (
        f"tracklets {one} and {other} must be one person and must not be: take back the correction that joins them, "
        "or that they are two people"
    )
