"""How well a re-ID network finds people again: labelled images, retrieval metrics, the protocol. docs/evaluation.md."""

from training.evaluate.datasets import Protocol, read_training_split
from training.evaluate.distances import RankedImages
from training.evaluate.labelled import LabelledImages, read_labelled_images
from training.evaluate.protocol import Normalize, Search, compare, embed_images, search
from training.evaluate.reranking import RerankedDistances, RerankingName
from training.evaluate.retrieval import ApDefinition, Retrieval, evaluate_retrieval
from training.evaluate.splits import RetrievalSplit, read_split
from training.evaluate.verification import FALSE_POSITIVE_RATES, Verification, evaluate_verification

__all__ = [
    "FALSE_POSITIVE_RATES",
    "ApDefinition",
    "LabelledImages",
    "Normalize",
    "Protocol",
    "RankedImages",
    "RerankedDistances",
    "RerankingName",
    "Retrieval",
    "RetrievalSplit",
    "Search",
    "Verification",
    "compare",
    "embed_images",
    "evaluate_retrieval",
    "evaluate_verification",
    "read_labelled_images",
    "read_split",
    "read_training_split",
    "search",
]
