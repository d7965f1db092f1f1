"""What passes between the hub and an adaptation: the frozen snapshot, the job's record, the gate's verdict."""

from passerby.adaptation.snapshot import Snapshot, SnapshotViews, read_snapshot, write_snapshot

__all__ = ["Snapshot", "SnapshotViews", "read_snapshot", "write_snapshot"]
