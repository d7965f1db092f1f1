"""What goes wrong at a site, or with a network: ways to a candidate that must not be promoted."""

import copy
import dataclasses

import numpy as np
import torch

from passerby.adaptation import Snapshot, SnapshotViews
from passerby.arrays import Int64Array
from training.batch_norm import CameraNetwork


def shuffled(snapshot: Snapshot, *, camera: int, seed: int) -> Int64Array:
    """(n,): crop i is shown in place of crop result[i]: those of one camera change places among its tracklets."""
    order = np.arange(snapshot.crops, dtype=np.int64)
    own = np.flatnonzero(snapshot.crop_cameras == camera)
    order[own] = np.random.default_rng(seed).permutation(own)
    return order


def frozen(snapshot: Snapshot, *, camera: int) -> Int64Array:
    """(n,): a camera's picture stands still: all its crops are its first."""
    order = np.arange(snapshot.crops, dtype=np.int64)
    own = np.flatnonzero(snapshot.crop_cameras == camera)
    order[own] = own[0]
    return order


def where(snapshot: Snapshot, rows: Int64Array) -> Snapshot:
    """A snapshot of these tracklets alone, ascending; it has no pictures of its own."""
    crops = np.flatnonzero(np.isin(snapshot.crop_tracklets, rows))
    of_tracklets = ("numbers", "camera_rows", "identities", "started_at_ns", "ended_at_ns", "clock_error_ns")
    of_crops = ("crop_ids", "captured_at_ns", "qualities", "embeddings", "jpeg_ends")
    nothing = np.zeros((0, 2), np.int64)
    return dataclasses.replace(
        snapshot,
        crop_tracklets=np.searchsorted(rows, snapshot.crop_tracklets[crops]).astype(np.int64),
        together=nothing,
        apart=nothing,
        views=SnapshotViews(snapshot.views.apart, snapshot.views.fastest_s),
        **{name: getattr(snapshot, name)[rows] for name in of_tracklets},
        **{name: getattr(snapshot, name)[crops] for name in of_crops},
    )


def damaged(network: CameraNetwork, *, strength: float, seed: int) -> CameraNetwork:
    """Every weight is off by `strength` times the spread of its layer's."""
    changed = copy.deepcopy(network)
    torch.manual_seed(seed)
    with torch.no_grad():
        for weights in changed.parameters():
            if weights.ndim > 1:
                weights.add_(strength * weights.std() * torch.randn_like(weights))
    return changed


def collapsed(network: CameraNetwork, *, left: float) -> CameraNetwork:
    """The last batch norm lets through so little that all embeddings are nearly the same."""
    changed = copy.deepcopy(network)
    last = changed.norms()[-1]
    with torch.no_grad():
        last.weight *= left
        last.bias.fill_(1.0)
    return changed
