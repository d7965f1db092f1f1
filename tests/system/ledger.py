"""What the edge says that it sent, beside what the hub says that it committed."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hub.reader import SiteReader

SPOOL = Path("edge", "edge.spool")
"""Within the data folder, where the edge has no other name."""


def waiting(data: Path) -> int:
    """Messages in the edge's spool."""
    return int(_rows(data / SPOOL, "SELECT count(*) FROM message")[0][0])


def sent(data: Path) -> dict[bytes, int]:
    """How many messages each life of the edge has spooled."""
    return dict(_rows(data / SPOOL, "SELECT boot, last_seq FROM stream"))


def committed(data: Path) -> dict[bytes, int]:
    """How many messages of each life of an edge the hub has committed."""
    return dict(_rows(data / "passerby.sqlite", "SELECT boot_id, committed_seq FROM boots"))


def times_by_tracklet(data: Path) -> dict[int, np.ndarray]:
    """The capture times of every observation of each tracklet, in the order of its updates."""
    query = "SELECT tracklet, captured_at_ns FROM observations ORDER BY tracklet, revision"
    parts: dict[int, list[np.ndarray]] = {}
    for number, packed in _rows(data / "passerby.sqlite", query):
        parts.setdefault(number, []).append(np.frombuffer(packed, "<i8"))
    return {number: np.concatenate(updates) for number, updates in parts.items()}


def times_of_camera(data: Path, camera: str, *, since_ns: int) -> np.ndarray:
    """When somebody was seen in a camera, from `since_ns` on, in the order of time."""
    with SiteReader(data) as reader:
        seen = [
            np.asarray(reader.observations(tracklet.number).captured_at_ns, np.int64)
            for tracklet in reader.tracklets()
            if tracklet.camera_id == camera and tracklet.ended_at_ns >= since_ns
        ]
    times = np.unique(np.concatenate([*seen, np.empty(0, np.int64)]))
    return times[times >= since_ns]


def _rows(database: Path, query: str) -> Sequence[Any]:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10) as connection:
        rows = connection.execute(query).fetchall()
    connection.close()
    return rows
