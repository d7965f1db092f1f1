"""How well a re-ID network finds people again: labelled images, retrieval metrics, the protocol. docs/evaluation.md."""

from training.evaluate.distances import RankedImages
from training.evaluate.labelled import LabelledImages, read_labelled_images
from training.evaluate.protocol import Normalize, Protocol, RetrievalSplit, compare, embed_images, read_split
from training.evaluate.retrieval import ApDefinition, Retrieval, evaluate_retrieval

__all__ = [
    "ApDefinition",
    "LabelledImages",
    "Normalize",
    "Protocol",
    "RankedImages",
    "Retrieval",
    "RetrievalSplit",
    "compare",
    "embed_images",
    "evaluate_retrieval",
    "read_labelled_images",
    "read_split",
]
