"""Which tracklets are one person: evidence in, decisions out. Pure: arrays and times, no clock, socket or database."""

from hub.association.calibrated import CalibratedAssociator
from hub.association.plain import PlainAssociator
from hub.association.problem import Assignment, Associator, Boundaries, Likeness, LinkProblem, MergeProblem, Outcome
from hub.association.reasoning import Reasoning
from hub.association.thresholds import Thresholds, thresholds_for

__all__ = [
    "Assignment",
    "Associator",
    "Boundaries",
    "CalibratedAssociator",
    "Likeness",
    "LinkProblem",
    "MergeProblem",
    "Outcome",
    "PlainAssociator",
    "Reasoning",
    "Thresholds",
    "thresholds_for",
]
