"""What is kept between two rounds, so that a killed adaptation goes on as if nothing had happened."""

import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import torch

from passerby.errors import DataError


class RoundReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one round guessed, and how it learned from it."""

    number: int
    """From 1."""
    clusters: int
    outliers: int
    """Crops that were nobody's."""
    cut: float
    """Jaccard distance up to which crops were joined."""
    independence: float | None
    """How independent clusters had to be, or else were taken apart, 0-1; None where the recipe does not ask for it."""
    camera_purity: float
    """Mean over clusters of the largest share of one camera: near 1, people are not found across cameras."""
    agreement: float | None
    """Adjusted Rand index with the round before; None for the first."""
    steps: int
    loss: float
    """Mean of its steps."""
    seconds: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """After `rounds`, whose last guess was `people`."""

    what: str
    """Digest of recipe, seed, network and crops: nothing else may go on from here."""
    rounds: tuple[RoundReport, ...]
    people: torch.Tensor
    students: tuple[dict[str, Any], ...]
    """Of each student its network, teacher and optimizer."""
    used_s: float


def save(checkpoint: Checkpoint, file: Path) -> None:
    """Replace `file` at once: a reader finds the former checkpoint or this one."""
    document = {name: getattr(checkpoint, name) for name in Checkpoint.__slots__}
    document["rounds"] = msgspec.json.encode(checkpoint.rounds).decode()
    fresh = file.with_suffix(".fresh")
    torch.save(document, fresh)
    os.replace(fresh, file)


def load(file: Path, *, what: str) -> Checkpoint | None:
    """The checkpoint in `file`, if there is one. Raises DataError for one of another adaptation, or a broken file."""
    if not file.exists():
        return None
    try:
        document = torch.load(file, map_location="cpu", weights_only=True)
        rounds = msgspec.json.decode(document.pop("rounds"), type=tuple[RoundReport, ...])
        found = Checkpoint(rounds=rounds, **document)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError, msgspec.DecodeError, TypeError, KeyError) as error:
        raise DataError(f"{file}: not a checkpoint of an adaptation; delete it to begin anew") from error
    if found.what != what:
        raise DataError(
            f"{file} was left by an adaptation with another recipe, seed, model or set of images; "
            "name another folder, or delete it"
        )
    return found
