"""The guard set is the same whenever it is read."""

from pathlib import Path

import numpy as np

from passerby.cli.adapting.guard import guard_set


def test_it_is_rendered_once_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "guard" / "set.npz"
    made, kept = guard_set(file), guard_set(file)
    assert len(made) > 200
    assert len(np.unique(made.people)) >= 30
    assert (made.people == kept.people).all()
    assert all((one == other).all() for one, other in zip(made.pictures, kept.pictures, strict=True))
