"""Who searches for whom: the images of a data set as queries and gallery."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from passerby.errors import DataError
from training.evaluate.datasets import (
    Protocol,
    cuhk03_split,
    msmt17_version,
    read_cuhk03,
    read_folders,
    read_market,
    read_msmt17,
)
from training.evaluate.labelled import DISTRACTOR, LabelledImages, join_images, read_labelled_images

_MARKET_POOL = "gt_bbox"
"""Market-1501's folder of pictures cut out by hand, several of each person in each camera."""


@dataclass(frozen=True, slots=True)
class RetrievalSplit:
    """`images`, each once, and which of them are queries and gallery: masks (n,) bool that may overlap.

    `is_pooled` (n,) are those that a multi-query averages; None: queries and gallery. `dataset` names the images, with
    their version where there are several.
    """

    images: LabelledImages
    is_query: NDArray[np.bool_]
    is_gallery: NDArray[np.bool_]
    dataset: str
    is_pooled: NDArray[np.bool_] | None = None


def read_split(root: Path, *, protocol: Protocol, multi_query: bool = False) -> RetrievalSplit:
    """The images of `root`, laid out as `protocol` says (docs/evaluation.md).

    `market`, `msmt17`, `cuhk03`: the data set's queries in its gallery. `folders`: root/query in root/gallery where
    there are these two, or every image of root queries all others. `all-vs-all`: every image of root queries all
    others; person 0 (a distractor) queries nothing. With `multi_query`, what `market` averages is read too. Raises
    DataError for a folder of another layout.
    """
    if protocol == "market":
        query, gallery = read_market(root, "query"), read_market(root, "gallery")
        return _apart(query, gallery, "Market-1501", pool=_market_pool(root, query) if multi_query else None)
    if protocol == "msmt17":
        return _apart(read_msmt17(root, "query"), read_msmt17(root, "gallery"), msmt17_version(root))
    if protocol == "cuhk03":
        name = f"CUHK03 {cuhk03_split(root).stem}"
        return _apart(read_cuhk03(root, "query"), read_cuhk03(root, "gallery"), name)
    if protocol == "folders":
        if (root / "query").is_dir() and (root / "gallery").is_dir():
            query, gallery = read_folders(root, ["query", "gallery"])
            return _apart(query, gallery, root.resolve().name)
        (images,) = read_folders(root, ["."])
        return _everybody(images, root.resolve().name)
    if (root / "query").is_dir():
        raise DataError(f"{root} has a folder `query`; use --protocol market, or name the folder with the images")
    return _everybody(read_labelled_images(root), root.resolve().name)


def _market_pool(root: Path, query: LabelledImages) -> LabelledImages:
    """The images to average: of a query's person in its camera. The others of the folder are not needed."""
    if not (root / _MARKET_POOL).is_dir():
        raise DataError(f"{root} has no folder {_MARKET_POOL}, whose pictures a multi-query of Market-1501 averages")
    pool = read_labelled_images(root / _MARKET_POOL)
    asked = set(zip(query.people.tolist(), query.cameras.tolist(), strict=True))
    pairs = zip(pool.people.tolist(), pool.cameras.tolist(), strict=True)
    return pool.where(np.fromiter((pair in asked for pair in pairs), np.bool_, len(pool)))


def _apart(
    query: LabelledImages, gallery: LabelledImages, dataset: str, *, pool: LabelledImages | None = None
) -> RetrievalSplit:
    parts = [query, gallery] if pool is None else [query, gallery, pool]
    part = np.repeat(np.arange(len(parts)), [len(each) for each in parts])
    return RetrievalSplit(join_images(parts), part == 0, part == 1, dataset, None if pool is None else part == 2)


def _everybody(images: LabelledImages, dataset: str) -> RetrievalSplit:
    return RetrievalSplit(images, images.people != DISTRACTOR, np.ones(len(images), np.bool_), dataset)
