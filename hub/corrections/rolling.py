"""Trying a model, using it, and going back to the former one: each a step in the log of rollouts."""

from dataclasses import dataclass

from hub.corrections.acts import Rollback, Stage
from hub.corrections.archive import Archive
from hub.records import ActId
from hub.rollout import Rollout
from hub.rollout import Stage as RolloutStage
from hub.state import SiteState
from hub.twins.calibrating import Witnesses, calibrated, find_witnesses
from passerby.errors import DataError
from passerby.ids import CameraId, ModelId

LEAST_COVERAGE = 0.9
"""A model that can compare a smaller share of those who stand for people is promoted by force only."""

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Rolling:
    """A model gets to a stage. `found` is what was in use before there was a log, to which a rollback leads."""

    model_id: ModelId
    stage: RolloutStage
    cameras: tuple[CameraId, ...]
    reason: str
    found: ModelId | None
    former: ModelId | None = None
    """What is in use so far; None where nothing was."""
    witnesses: Witnesses | None = None
    """What tells how much looks are worth with a model that cameras are to use."""

    def carry_out(self, state: SiteState, act_id: ActId) -> None:
        space = state.spaces.get(self.model_id)
        if self.witnesses is not None and space is not None and self.former is not None:
            # Twins may have come since anything was decided: what looks are worth is measured as they will be measured.
            if space.refresh_statistics():
                state.changes.models[self.model_id] = None
            former = state.knowledge.calibration(self.former)
            learned = calibrated(space, self.witnesses, former=former, former_id=self.former)
            state.knowledge.recalibrate(self.model_id, learned)
        if self.found is not None:
            state.roll(self.found, "promoted", act_id=act_id, reason="in use before")
        state.roll(self.model_id, self.stage, act_id=act_id, cameras=self.cameras, reason=self.reason)


def plan_rollout(archive: Archive, act: Stage | Rollback) -> Rolling:
    """Raises DataError where it cannot be, with the reason."""
    return plan_stage(archive, act) if isinstance(act, Stage) else plan_rollback(archive, act)


def plan_stage(archive: Archive, act: Stage) -> Rolling:
    """Raises DataError where the model is in use already, or the step would be one into the dark."""
    rollout = archive.rollout()
    deployed = rollout.deployed or archive.latest_model()
    if act.model == deployed:
        raise DataError(f"{act.model} is the model in use; there is nothing to be tried or promoted")
    if "@" not in act.model:
        raise DataError(f"{act.model!r} is no model id, expected NAME@VERSION")
    if act.stage == "canary":
        _require_cameras(archive, act.cameras)
    elif act.cameras:
        raise DataError(
            f"`{act.stage}` is for all cameras, not for {', '.join(act.cameras)}; only `canary` is for some"
        )
    if act.stage == "promoted":
        _require_coverage(archive, act)
    found = deployed if rollout.deployed is None else None
    witnesses = None if act.stage == "shadow" else find_witnesses(archive, act.model)
    return Rolling(act.model, act.stage, act.cameras, _checked(act.reason), found, deployed, witnesses)


def plan_rollback(archive: Archive, act: Rollback) -> Rolling:
    """Raises DataError where no model is tried, and none was in use before."""
    rollout: Rollout = archive.rollout()
    reason = _checked(act.reason)
    if rollout.candidate is not None:
        return Rolling(rollout.candidate, "withdrawn", (), reason, None)
    if rollout.deployed is None or rollout.former is None:
        now = "no model was ever staged" if rollout.deployed is None else f"{rollout.deployed} is the only one"
        raise DataError(f"there is no model to go back to: {now}")
    return Rolling(rollout.deployed, "withdrawn", (), reason, None)


def _require_cameras(archive: Archive, cameras: tuple[CameraId, ...]) -> None:
    if not cameras:
        raise DataError("a canary needs cameras that use it; name at least one")
    known = archive.camera_ids()
    for name in cameras:
        if name not in known:
            raise DataError(f"the hub has never heard of camera {name!r}; it knows: {', '.join(known) or 'none'}")


def _require_coverage(archive: Archive, act: Stage) -> None:
    coverage = archive.coverage(act.model)
    if not act.force and coverage.share < LEAST_COVERAGE:
        described = coverage.native + coverage.from_crops + coverage.mapped
        raise DataError(
            f"{act.model} can compare {described} of the {coverage.prototypes} tracklets that stand for people, and "
            f"would know the others for strangers: stage it as `shadow` and wait until it has seen "
            f"{LEAST_COVERAGE:.0%} of them, or use force"
        )


def _checked(reason: str) -> str:
    stripped = reason.strip()
    if len(stripped) > LONGEST_REASON or not stripped.isprintable():
        raise DataError(f"{stripped[:40]!r} is no reason: at most {LONGEST_REASON} characters that can be printed")
    return stripped
