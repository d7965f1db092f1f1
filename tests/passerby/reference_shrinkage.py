"""A naive twin of passerby.features.shrinkage: the random-effects model solved as one Gaussian posterior per axis."""

import numpy as np


def posterior_shift(means, evidence, prior, *, people_per_camera, camera_per_site):
    """Posterior mean (c, d) of the cameras' offsets, and (d,) of the site's; rows without evidence are not observed.

    Variances in units of that between cameras: the site's offset has 1 / camera_per_site about `prior`, each camera's
    1 about the site's, an observed mean people_per_camera / evidence about its camera's.
    """
    cameras = len(means)
    site = 1.0 / camera_per_site
    latent = np.full((cameras + 1, cameras + 1), site)
    latent[:cameras, :cameras] += np.eye(cameras)
    seen = [index for index in range(cameras) if evidence[index] > 0]
    noise = np.diag([people_per_camera / evidence[index] for index in seen])
    gain = latent[:, seen] @ np.linalg.inv(latent[np.ix_(seen, seen)] + noise) if seen else np.zeros((cameras + 1, 0))
    posterior = prior + gain @ (np.asarray(means)[seen] - prior)
    return posterior[:cameras], posterior[cameras]


def zscore(features, cameras):
    """Image by image."""
    out = np.zeros_like(features, dtype=np.float64)
    for row, camera in enumerate(cameras):
        same = [features[other].astype(np.float64) for other in range(len(features)) if cameras[other] == camera]
        mean = sum(same) / len(same)
        deviation = np.sqrt(sum((one - mean) ** 2 for one in same) / len(same))
        out[row] = (features[row] - mean) / (deviation + 1e-6)
    return out
