"""Naive twins of the gate's figures: loops over pairs, tracklets and draws."""

import math

import numpy as np
from numpy.typing import NDArray

from passerby.adaptation import Snapshot

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
S = 1e9


def naive_impossible(s: Snapshot, a: int, b: int) -> bool:
    """Whether tracklets a and b of two cameras cannot be one person."""
    mine, theirs = int(s.camera_rows[a]), int(s.camera_rows[b])
    if mine == theirs:
        return False
    error = int(s.clock_error_ns[a] + s.clock_error_ns[b])
    shared = int(min(s.ended_at_ns[a], s.ended_at_ns[b]) - max(s.started_at_ns[a], s.started_at_ns[b]))
    if shared > 0:
        return bool(s.views.apart[mine, theirs]) and shared > error
    first, then = (a, b) if s.started_at_ns[a] < s.started_at_ns[b] else (b, a)
    needed = float(s.views.fastest_s[s.camera_rows[first], s.camera_rows[then]]) * S
    return -shared + error < needed


def naive_two(s: Snapshot, rows: list[int]) -> set[tuple[int, int]]:
    """Pairs of rows that are two people: seen at once."""
    found = set()
    for a in rows:
        for b in rows:
            shared = int(min(s.ended_at_ns[a], s.ended_at_ns[b]) - max(s.started_at_ns[a], s.started_at_ns[b]))
            error = int(s.clock_error_ns[a] + s.clock_error_ns[b])
            one, other = int(s.camera_rows[a]), int(s.camera_rows[b])
            at_once = shared > 0.8 * S if one == other else s.views.apart[one, other] and shared > 0.8 * S + error
            if a < b and at_once:
                found.add((a, b))
    return found


def naive_hub_pairs(s: Snapshot, rows: list[int]) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Linked pairs of two cameras, and pairs of two people if the hub is right."""
    two = naive_two(s, rows)

    def beside(a: int, b: int) -> bool:
        """Whether b was seen in one camera with one of a's tracklets."""
        mates = [c for c in rows if s.identities[c] == s.identities[a] >= 0]
        return any(
            (min(b, c), max(b, c)) in two
            and s.camera_rows[b] == s.camera_rows[c]
            and s.identities[a] != s.identities[b]
            for c in mates
        )

    linked, unlinked = set(), set()
    for a in rows:
        for b in rows:
            if a >= b or s.camera_rows[a] == s.camera_rows[b]:
                continue
            if s.identities[a] == s.identities[b] >= 0:
                linked.add((a, b))
            elif beside(a, b) or beside(b, a) or naive_impossible(s, a, b):
                unlinked.add((a, b))
    return linked, unlinked


def naive_area(genuine: Floats, impostor: Floats, own: Floats, other: Floats) -> float:
    """Weighted probability that a genuine pair is more alike; `own` and `other` are the pairs' weights."""
    wins = sum(
        w * v * (1.0 if g > i else 0.5 if g == i else 0.0)
        for g, w in zip(genuine, own, strict=True)
        for i, v in zip(impostor, other, strict=True)
    )
    return wins / (own.sum() * other.sum())


def naive_true_positives(genuine: Floats, impostor: Floats, own: Floats, other: Floats) -> float:
    """The most of the genuine at any threshold that takes 1% of the impostors or less."""
    best = 0.0
    for limit in [*genuine.tolist(), *impostor.tolist()]:
        if other[impostor >= limit].sum() <= 0.01 * other.sum() * (1 + 1e-9):
            best = max(best, own[genuine >= limit].sum() / own.sum())
    return float(best)


def naive_spreads(genuine: Floats, impostor: Floats, own: Floats, other: Floats) -> float:
    """d'."""
    one, two = np.average(genuine, weights=own), np.average(impostor, weights=other)
    spread = np.average((genuine - one) ** 2, weights=own) + np.average((impostor - two) ** 2, weights=other)
    return float((one - two) / math.sqrt(spread / 2))


def naive_effective_rank(rows: Floats) -> float:
    """exp of the entropy of the shares of the singular values."""
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(rows.T.astype(np.float64) @ rows), 0))
    shares = values / values.sum()
    return math.exp(-sum(share * math.log(share) for share in shares.tolist() if share > 1e-9))


def naive_precision(features: Floats, people: Ints, cameras: Ints, query: int) -> float | None:
    """Average precision of one search; None without a match."""
    order = sorted(range(len(people)), key=lambda row: (-float(features[query] @ features[row]), row))
    kept = [row for row in order if (people[row], cameras[row]) != (people[query], cameras[query])]
    hits = [rank for rank, row in enumerate(kept) if people[row] == people[query]]
    if not hits:
        return None
    return float(np.mean([(found + 1) / (rank + 1) for found, rank in enumerate(hits)]))


def naive_nearest(features: Floats, row: int, allowed: list[int]) -> int:
    """The most similar of the rows that are allowed, the lowest of equals."""
    return max(allowed, key=lambda other: (float(features[row] @ features[other]), -other))
