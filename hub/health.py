"""How well a camera does, in a word."""

from typing import Literal, TypeAlias

from passerby.messages import CameraStatus

Grade: TypeAlias = Literal["excellent", "fair", "poor", "unusable"]

_SHORTEST_HOURS = 1.0


def health_grade(*, achieved_fps: float, expected_fps: float, reconnects: int, stalls: int, hours: float) -> Grade:
    """The grade of a camera that ran for `hours`, by the rule that Frigate users know.

    Excellent: no reconnect, at least 90% of the frames, fewer than 5 stalls an hour. Fair: at most 2 reconnects an
    hour, at least 60%. Unusable: fewer than 0.1 frames per second, or more than 10 reconnects and 100 stalls an hour
    with less than one frame per second. Poor otherwise. Less than an hour counts as one, so that the first reconnect
    of a young camera is not many an hour.

    >>> health_grade(achieved_fps=5.0, expected_fps=5.0, reconnects=0, stalls=0, hours=3.0)
    'excellent'
    >>> health_grade(achieved_fps=4.0, expected_fps=5.0, reconnects=4, stalls=9, hours=2.0)
    'fair'
    """
    per_hour = 1.0 / max(hours, _SHORTEST_HOURS)
    reconnects_an_hour, stalls_an_hour = reconnects * per_hour, stalls * per_hour
    share = achieved_fps / expected_fps if expected_fps > 0 else 1.0
    if achieved_fps < 0.1 or (reconnects_an_hour > 10 and achieved_fps < 1 and stalls_an_hour > 100):
        return "unusable"
    if reconnects == 0 and share >= 0.9 and stalls_an_hour < 5:
        return "excellent"
    if reconnects_an_hour <= 2 and share >= 0.6:
        return "fair"
    return "poor"


def grade_of(status: CameraStatus) -> Grade:
    """The grade of a camera that is live. For how long it ran is known from its frames."""
    hours = status.frames / status.achieved_fps / 3600 if status.achieved_fps > 0 else 0.0
    return health_grade(
        achieved_fps=status.achieved_fps,
        expected_fps=status.expected_fps,
        reconnects=status.reconnects,
        stalls=status.stalls,
        hours=hours,
    )
