"""Whether embeddings have collapsed: how many directions they really use."""

import numpy as np

from passerby.arrays import Float32Array, require_shape


def effective_rank(features: Float32Array) -> float:
    """exp of the entropy of the normalized singular values of (n, d) (Roy and Vetterli 2007): 1 for a line, at most
    min(n, d); 0 for nothing.

    >>> round(effective_rank(np.eye(4, dtype=np.float32)), 6)
    4.0
    """
    require_shape("features", features, (None, None))
    if features.size == 0:
        return 0.0
    values = np.linalg.svd(features.astype(np.float64), compute_uv=False)
    total = float(values.sum())
    if total == 0.0:
        return 0.0
    shares = values[values > 1e-12 * total] / total
    return float(np.exp(-(shares * np.log(shares)).sum()))
