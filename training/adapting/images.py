"""An adaptation on a folder of images."""

from functools import partial
from pathlib import Path
from typing import Any

from training.adapting.folder import read_crops
from training.adapting.order import Order, Progress, adapt


def adapt_images(root: Path, order: Order, *, out: Path, tracklets: Path | None, progress: Progress) -> dict[str, Any]:
    """Adapt a network to the images of `root` and leave the result in `out`; gives the report.

    `tracklets` is a CSV with the columns image, tracklet. Raises what `adapt` and `read_crops` raise.
    """
    return adapt(order, partial(read_crops, root, tracklets=tracklets), out=out, progress=progress)
