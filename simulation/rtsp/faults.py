"""What can be wrong with a simulated camera, on command."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from passerby.errors import ConfigError

FaultKind: TypeAlias = Literal[
    "drop", "stall", "garbage", "noise", "slow", "wrong-password", "codec", "size", "clock-jump", "loss"
]

FAULT_KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

_SHARES: dict[FaultKind, float] = {"garbage": 0.5, "noise": 0.2, "slow": 0.2, "loss": 0.05}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of one stream.

    - `drop`: connections break off without a word, and new ones do as soon as they name the stream.
    - `stall`: the conversation goes on, but no picture comes.
    - `garbage`: a `share` of the RTP packets (default half) has random bytes for a payload.
    - `noise`: before a `share` of the pictures (default a fifth) stand random bytes that belong to no frame of the
      interleaved channel. Nobody can find the next frame for sure after that: when the fault ends, so do the
      connections that had it.
    - `slow`: only a `share` of the pictures (default a fifth) comes.
    - `wrong-password`: connections end, and no user or password is accepted.
    - `codec`: running sessions get H.265 where H.264 was promised; new ones are told of it. When the fault ends, so do
      the sessions that were told so.
    - `size`: pictures of `scale` times the width and height (default half), announced only within the stream.
    - `clock-jump`: sender reports are `jump_s` (default an hour) ahead.
    - `loss`: a `share` of the RTP packets (default a twentieth) never comes.
    """

    kind: FaultKind
    share: float | None = None
    scale: float = 0.5
    jump_s: float = 3600.0

    def __post_init__(self) -> None:
        if self.kind not in FAULT_KINDS:
            raise ConfigError(f"there is no fault {self.kind!r}; expected one of {', '.join(FAULT_KINDS)}")
        if self.share is not None and not 0 < self.share <= 1:
            raise ConfigError(f"share of the fault {self.kind} is {self.share}, expected above 0 and at most 1")
        if not 0 < self.scale <= 4:
            raise ConfigError(f"scale of the fault {self.kind} is {self.scale}, expected above 0 and at most 4")

    @property
    def part(self) -> float:
        """`share`, or the kind's default; 1 for a kind that knows no share.

        >>> Fault("slow").part, Fault("loss", share=0.5).part, Fault("drop").part
        (0.2, 0.5, 1.0)
        """
        return _SHARES.get(self.kind, 1.0) if self.share is None else self.share
