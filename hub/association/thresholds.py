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


_PLAIN = Thresholds(link=0.55, candidate=0.45, keep=0.45)
_MEASURED = {
    "person-reidentification-retail-0277": Thresholds(link=0.55, candidate=0.45, keep=0.45),
    "person-reidentification-retail-0288": Thresholds(link=0.60, candidate=0.50, keep=0.50),
}


def thresholds_for(model_id: ModelId) -> Thresholds:
    """The thresholds of a model by its name; of an unknown one, cautious ones."""
    return _MEASURED.get(model_id.split("@", maxsplit=1)[0], _PLAIN)
