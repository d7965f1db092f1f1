"""What is kept, for how long, and since when."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.api.doors import Viewer, unscoped
from hub.api.plain import moment_or_none
from hub.stored import stored

router = APIRouter(tags=["health"])

_DAYS = "As the site file has it, in days; 0: as long as there is room."


class Kept(BaseModel):
    """What the data folder holds. Bytes are what the files take on disk."""

    crops_days: float = Field(description=_DAYS)
    tracklets_days: float = Field(description=_DAYS)
    audit_days: float = Field(description=_DAYS)
    data_bytes: int
    database_bytes: int
    crops_bytes: int
    oldest_crops_at: datetime | None
    oldest_tracklet_at: datetime | None
    oldest_audit_at: datetime | None


@router.get("/retention", summary="What is kept, for how long, and since when")
def retention(who: Viewer) -> Kept:
    """It is set in the site file, under `retention`."""
    unscoped(who)
    meant, found = who.services.facts.retention, stored(who.services)
    return Kept(
        crops_days=meant.crops_days,
        tracklets_days=meant.tracklets_days,
        audit_days=meant.audit_days,
        data_bytes=found.data_bytes,
        database_bytes=found.database_bytes,
        crops_bytes=found.crops_bytes,
        oldest_crops_at=moment_or_none(found.oldest_pictures_ns),
        oldest_tracklet_at=moment_or_none(found.oldest_tracklet_ns),
        oldest_audit_at=moment_or_none(found.oldest_audit_ns),
    )
