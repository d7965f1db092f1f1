"""What an adaptation learns from, wherever it lies: a folder of images, or the snapshot of a site."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from passerby.arrays import Float32Array, Image
from training.unlabelled import UnlabelledCrops


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The crops; the `names` (n) of them in what is written; a `digest` of all that was read, the same for the same
    content; `pictures`, which gives the crops of some rows as they were before they were resized; and, where they are
    known, the raw embeddings (n, d) of the model that is `deployed`."""

    crops: UnlabelledCrops
    names: tuple[str, ...]
    digest: str
    pictures: Callable[[Sequence[int]], list[Image]]
    deployed: Float32Array | None = None
