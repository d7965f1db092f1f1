"""What every test may use: the real footage, pictures and weights beside the project."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

_IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def _shared_root() -> Path:
    named = os.environ.get("PASSERBY_SHARED")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "shared"


def unavailable(reason: str) -> None:
    """Skip the test with `reason`; in CI, where everything must be there, fail instead."""
    if _IN_CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """`shared_data("footage/fourcam")`: that path of the test data, or a skip (in CI: a failure) that says so."""

    def find(relative: str) -> Path:
        path = _shared_root() / "data" / relative
        if not path.exists():
            unavailable(f"test data not found: {path}; set PASSERBY_SHARED to the folder that holds data/{relative}")
        return path

    return find
