"""Which model the cameras are to use: what the log of rollouts comes to."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from hub.records import ActId
from passerby.ids import CameraId, ModelId

Stage = Literal["shadow", "canary", "promoted", "withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStep:
    """One line of the append-only log of rollouts."""

    number: int
    at_ns: int
    """The hub's time."""
    model_id: ModelId
    stage: Stage
    """`shadow`: twins are made, and nothing depends on them; `canary`: `cameras` use it; `promoted`: all do;
    `withdrawn`: none does any more."""
    cameras: tuple[CameraId, ...] = ()
    reason: str = ""
    act_id: ActId


@dataclass(frozen=True, slots=True)
class Rollout:
    """How far a site is with which model; a pure function of the log.

    >>> step = lambda n, m, s: RolloutStep(number=n, at_ns=0, model_id=ModelId(m), stage=s, act_id=ActId(n))
    >>> rollout = Rollout().after([step(1, "a@1", "promoted"), step(2, "b@1", "promoted")])
    >>> rollout.deployed, rollout.former
    ('b@1', 'a@1')
    >>> rollout.after([step(3, "b@1", "withdrawn")]).deployed
    'a@1'
    """

    promoted: tuple[ModelId, ...] = ()
    """The models that all cameras were to use, each once, the latest last; without those withdrawn since."""
    candidate: ModelId | None = None
    """The model that is being tried."""
    trial: Literal["shadow", "canary"] | None = None
    """How far the candidate is; None without one."""
    cameras: tuple[CameraId, ...] = ()
    """Those that use the candidate."""
    withdrawn: frozenset[ModelId] = frozenset()

    @property
    def deployed(self) -> ModelId | None:
        """What cameras use, but for those that try another; None: whatever their edges bring."""
        return self.promoted[-1] if self.promoted else None

    @property
    def former(self) -> ModelId | None:
        """What was deployed before."""
        return self.promoted[-2] if len(self.promoted) > 1 else None

    @property
    def stage(self) -> Stage | None:
        """How far the latest model that was not withdrawn is; None: there is none."""
        if self.trial is not None:
            return self.trial
        return "promoted" if self.promoted else None

    def model_for(self, camera_id: CameraId) -> ModelId | None:
        """What a camera is to use; None: whatever its edge brings."""
        return self.candidate if camera_id in self.cameras else self.deployed

    def rests(self, model_id: ModelId) -> bool:
        """Whether nothing may depend on a model's twins: it is in the shadow, or was withdrawn."""
        return model_id in self.withdrawn or (model_id == self.candidate and self.trial == "shadow")

    def after(self, steps: Iterable[RolloutStep]) -> "Rollout":
        """How far it is after further steps, in order."""
        rollout = self
        for step in steps:
            rollout = rollout._after(step)
        return rollout

    def _after(self, step: RolloutStep) -> "Rollout":
        model_id = step.model_id
        trusted = self.withdrawn - {model_id}
        tried = replace(self, candidate=None, trial=None, cameras=()) if model_id == self.candidate else self
        others = tuple(one for one in self.promoted if one != model_id)
        match step.stage:
            case "shadow" | "canary" as trial:
                return replace(self, candidate=model_id, trial=trial, cameras=step.cameras, withdrawn=trusted)
            case "promoted":
                return replace(tried, promoted=(*others, model_id), withdrawn=trusted)
            case "withdrawn" if model_id == self.candidate and model_id in self.promoted:
                return tried  # a former model was tried again: it stays what it was
            case "withdrawn":
                return replace(tried, promoted=others, withdrawn=self.withdrawn | {model_id})
