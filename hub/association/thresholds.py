"""From which cosine similarity on two tracklets are one person, for the models we have measured."""

from dataclasses import dataclass

from passerby.ids import ModelId


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Cosine similarities, -1 to 1."""

    link: float
    """From here on a tracklet is linked by itself, and two new identities are merged."""
    candidate: float
    """From here on a person is asked."""
    keep: float
    """A link that was made is kept while it is above this: an open tracklet does not go to and fro."""


_UNKNOWN = Thresholds(link=0.60, candidate=0.50, keep=0.50)
_MEASURED = {
    "person-reidentification-retail-0277": Thresholds(link=0.50, candidate=0.42, keep=0.42),
    "person-reidentification-retail-0288": Thresholds(link=0.50, candidate=0.42, keep=0.42),
    "passerby-sim-reid": Thresholds(link=0.78, candidate=0.70, keep=0.70),
}
"""Tracklet means over two cameras of fourcam, tworooms and PKU-Reid, by the similarity of `hub.statistics`.

retail-0277: one person 0.44-0.83 on fourcam (median 0.63), 0.52-0.56 on tworooms; two people at most 0.48 on both.
retail-0288: one person 0.26-0.80 (median 0.55) and 0.49-0.57; two people at most 0.47, but two men in black on tworooms
0.76, which no threshold parts. On PKU-Reid's 44 people 0.5 lets 0.3% (0277) and 1% (0288) of all pairs of two pass.
"""


def thresholds_for(model_id: ModelId) -> Thresholds:
    """The thresholds of a model by its name; of an unknown one, cautious ones."""
    return _MEASURED.get(model_id.split("@", maxsplit=1)[0], _UNKNOWN)
