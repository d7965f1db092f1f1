"""A naive dense twin of training.evaluate.reranking: whole matrices, sets and loops, in double precision."""

import numpy as np


def rerank(query, gallery, *, name, k1=20, k2=6, share=0.3):
    """(q, g): the final distances by the definition that toolbox family `name` uses; features are of unit length."""
    points = np.concatenate([query, gallery]).astype(np.float64)
    distance = _original(points, name)
    ranked = [sorted(range(len(points)), key=lambda j, i=i: (distance[i, j], j)) for i in range(len(points))]
    count = {"zhong": k1 + 1, "layumi": k1 + 1, "faiss": k1}[name]
    encoding = np.zeros((len(points), len(points)))
    for i in range(len(points)):
        members = _expanded(ranked, i, count=count, half=int(np.around(k1 / 2)) + 1)
        weights = {j: np.exp(-distance[i, j]) for j in members}
        for j, weight in weights.items():
            encoding[i, j] = weight / sum(weights.values())
    encoding = np.stack([np.mean([encoding[j] for j in ranked[i][:k2]], axis=0) for i in range(len(points))])
    final = np.empty((len(query), len(gallery)))
    for i in range(len(query)):
        for column in range(len(gallery)):
            j = len(query) + column
            both = np.minimum(encoding[i], encoding[j]).sum()
            either = np.maximum(encoding[i], encoding[j]).sum()
            jaccard = 1 - both / either
            final[i, column] = (1 - share) * jaccard + share * distance[i, j]
    return final


def _original(points, name):
    squared = np.array([[max(0.0, 2 - 2 * float(a @ b)) for b in points] for a in points])
    if name == "faiss":
        return squared
    if name == "layumi":
        squared = squared**2
    return squared / squared.max(axis=1, keepdims=True)


def _reciprocal(ranked, i, count):
    return {j for j in ranked[i][:count] if i in ranked[j][:count]}


def _expanded(ranked, i, *, count, half):
    own = _reciprocal(ranked, i, count)
    members = set(own)
    for candidate in own:
        theirs = _reciprocal(ranked, candidate, half)
        if len(theirs & own) > 2 / 3 * len(theirs):
            members |= theirs
    return members
