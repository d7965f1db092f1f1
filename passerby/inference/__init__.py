"""Running networks: engines behind one protocol, preprocessing, and decoders of detector outputs."""

from passerby.inference.engine import DetectionEngine, EmbeddingEngine, Engine
from passerby.inference.load import load_detector, load_embedder

__all__ = [
    "DetectionEngine",
    "EmbeddingEngine",
    "Engine",
    "load_detector",
    "load_embedder",
]
