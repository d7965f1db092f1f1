"""What is said of a network that was trained: its input, whose it was, and what it has seen."""

from passerby.models import EmbeddingOutput, ModelDescription, Preprocessing
from passerby.models.catalogue import catalogue


def described(
    parent: str,
    *,
    how: Preprocessing,
    embedding: EmbeddingOutput,
    source: str,
    version: str = "",
    then: str = "",
) -> ModelDescription:
    """The description of an embedder that comes from the network named `parent`: its licences are the parent's.

    `version` is that of the parent's weights, empty where there were none. `then` is what was learned from since;
    without it the network has seen what the parent has.
    """
    known = catalogue().get(parent)
    if not then:
        trained_on = known.trained_on if known else "unknown"
    else:
        trained_on = f"{parent}@{version}, then {then}" if version else then
    return ModelDescription(
        task="embed",
        input=how,
        embedding=embedding,
        licence=known.licence if known else "unknown",
        weights_licence=known.weights_licence if known else "unknown",
        trained_on=trained_on,
        source=source,
    )
