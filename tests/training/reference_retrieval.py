"""A naive twin of training.evaluate.retrieval: query by query, rank by rank, as the definitions say."""

import numpy as np


def evaluate(query, gallery, *, ap):
    """(mAP, mINP, CMC (50,), counted queries) of (features, people, cameras) triples."""
    aps, inps, firsts = [], [], []
    for feature, person, camera in zip(*query, strict=True):
        ranking = []
        for index, (other, who, where) in enumerate(zip(*gallery, strict=True)):
            if not (who == person and where == camera):
                distance = np.float32(1) - np.float32((feature * other).sum(dtype=np.float32))
                ranking.append((distance, index, who == person))
        ranking.sort(key=lambda entry: entry[:2])
        relevant = [entry[2] for entry in ranking]
        if not any(relevant):
            continue
        aps.append(_AP[ap](relevant, [entry[0] for entry in ranking]))
        last = max(rank for rank, hit in enumerate(relevant, start=1) if hit)
        inps.append(sum(relevant) / last)
        firsts.append(relevant.index(True))
    cmc = [sum(first <= rank for first in firsts) / len(firsts) for rank in range(50)]
    return np.mean(aps), np.mean(inps), np.array(cmc), len(aps)


def _precision_at_hits(relevant, _):
    found, precisions = 0, []
    for rank, hit in enumerate(relevant, start=1):
        if hit:
            found += 1
            precisions.append(found / rank)
    return sum(precisions) / len(precisions)


def _ties_together(relevant, distances):
    total, area, recall_before = sum(relevant), 0.0, 0.0
    for threshold in sorted(set(distances)):
        retrieved = [hit for hit, distance in zip(relevant, distances, strict=True) if distance <= threshold]
        recall = sum(retrieved) / total
        area += (recall - recall_before) * sum(retrieved) / len(retrieved)
        recall_before = recall
    return area


def _trapezoids(relevant, _):
    total, found, area = sum(relevant), 0, 0.0
    for rank, hit in enumerate(relevant):
        if hit:
            before = found / rank if rank else 1.0
            found += 1
            area += (before + found / (rank + 1)) / 2 / total
    return area


_AP = {"torchreid": _precision_at_hits, "sklearn": _ties_together, "layumi": _trapezoids}
