"""Pictures of what was measured: CMC and ROC."""

from pathlib import Path

import numpy as np

from passerby.errors import ConfigError, DataError
from training.evaluate.retrieval import MAX_RANK, Retrieval
from training.evaluate.verification import FALSE_POSITIVE_RATES, Verification


def draw_curves(folder: Path, retrieval: Retrieval, verification: Verification) -> tuple[Path, Path]:
    """Write cmc.png and roc.png into `folder`, which is made. Raises DataError where that cannot be, ConfigError
    without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ConfigError("drawing curves needs matplotlib: pip install 'passerby[evaluation]'") from error
    cmc = Figure(figsize=(6, 4.5), layout="constrained")
    axes = cmc.add_subplot()
    axes.plot(np.arange(1, MAX_RANK + 1), retrieval.cmc)
    axes.set(xlabel="rank", ylabel="queries with a match up to it", xlim=(1, MAX_RANK), ylim=(0, 1.01))
    axes.set_title(f"CMC: rank-1 {retrieval.rank(1):.3f}, mAP {retrieval.mean_average_precision:.3f}")
    axes.grid(visible=True, alpha=0.3)
    roc = Figure(figsize=(6, 4.5), layout="constrained")
    axes = roc.add_subplot()
    false, true = verification.false_positive_rates, verification.true_positive_rates
    axes.step([*false, 1], [*true, 1], where="post")
    for point in map(verification.at, FALSE_POSITIVE_RATES):
        axes.plot(point.max_false_positive_rate, point.true_positive_rate, "o", color="#888")
    least = min(FALSE_POSITIVE_RATES[0], 1 / verification.other_pairs)
    axes.set_xscale("log")
    axes.set(xlabel="false positive rate", ylabel="true positive rate", xlim=(least, 1), ylim=(0, 1.01))
    axes.set_title(f"ROC: area {verification.area_under_curve:.4f}")
    axes.grid(visible=True, which="both", alpha=0.3)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        cmc.savefig(folder / "cmc.png", dpi=120)
        roc.savefig(folder / "roc.png", dpi=120)
    except OSError as error:
        raise DataError(f"{folder}: cannot write the curves: {error.strerror}") from error
    return folder / "cmc.png", folder / "roc.png"
