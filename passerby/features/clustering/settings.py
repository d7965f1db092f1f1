"""How features are grouped into people."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Count = Annotated[int, Meta(ge=1)]
Distance = Annotated[float, Meta(gt=0.0, lt=1.0)]


class ClusterSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be set of clustering; what is None or "auto" follows from the features, without labels."""

    distance: Literal["jaccard", "camera-jaccard"] = "camera-jaccard"
    """Jaccard distance of k-reciprocal neighbours: of all cameras at once, or of the own and the other cameras
    separately. With a single camera both are the first."""
    method: Literal["dbscan", "average"] = "average"
    neighbours: Literal["auto", "exact", "approximate"] = "auto"
    """How the nearest are searched; auto is exact below 100,000 nodes."""
    k1: Count | None = None
    """jaccard: the nearest that form a set, oneself included."""
    k2: Count | None = None
    """jaccard: the nearest over whose sets a set is averaged, oneself included."""
    k1_intra: Count | None = None
    """camera-jaccard: the nearest of the own camera, oneself included."""
    k1_inter: Count | None = None
    """camera-jaccard: the nearest of other cameras."""
    k2_intra: Count | None = None
    """camera-jaccard: of the own camera, oneself included, to average over."""
    k2_inter: Annotated[int, Meta(ge=0)] | None = None
    """camera-jaccard: of other cameras, to average over."""
    eps: Distance | Literal["auto"] = "auto"
    """Jaccard distance up to which DBSCAN joins, or average linkage merges."""
    min_samples: Count | None = None
    """dbscan: so many tracklets, or images without, within `eps`, oneself included, make a cluster. None: 2 tracklets,
    4 images."""
    min_images: Count = 4
    """Clusters of fewer images are nobody's."""
