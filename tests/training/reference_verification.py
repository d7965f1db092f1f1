"""A naive twin of training.evaluate.verification: every pair in a list, every threshold tried."""

import numpy as np


def pooled_pairs(query, gallery, distances):
    """(distances of matching pairs, of others) of (people, cameras) pairs of arrays, without same person and camera."""
    matching, others = [], []
    for i, (person, camera) in enumerate(zip(*query, strict=True)):
        for j, (who, where) in enumerate(zip(*gallery, strict=True)):
            if who != person:
                others.append(distances[i, j])
            elif where != camera:
                matching.append(distances[i, j])
    return np.array(matching), np.array(others)


def area_under_curve(matching, others):
    """By its meaning: how often a matching pair is nearer."""
    wins = sum(float(np.sum(others > distance)) + float(np.sum(others == distance)) / 2 for distance in matching)
    return wins / (len(matching) * len(others))


def best_true_positive_rate(matching, others, max_false_positive_rate):
    """Over every threshold that could matter, and one below all."""
    thresholds = [-np.inf, *matching, *others]
    allowed = [t for t in thresholds if np.mean(others <= t) <= max_false_positive_rate]
    return max(float(np.mean(matching <= t)) for t in allowed)
