"""What a site's data folder holds now: how much of it, and since when."""

from dataclasses import dataclass
from pathlib import Path

from hub.crops import FOLDER_NAME as CROPS
from hub.database.opening import FILE_NAME
from hub.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """Bytes are what the files take on disk; times are Unix nanoseconds, None where there is nothing."""

    data_bytes: int
    """All of the folder."""
    database_bytes: int
    crops_bytes: int
    oldest_tracklet_ns: int | None
    """When the oldest tracklet was last heard of."""
    oldest_pictures_ns: int | None
    """The same of the oldest whose pictures were not let go."""
    oldest_audit_ns: int | None


def stored(services: Services) -> Stored:
    """Measure it: a look at each file, and three questions. Raises StoreError."""
    data_dir, listing = services.data_dir, services.listing()
    return Stored(
        data_bytes=bytes_in(data_dir),
        database_bytes=sum(_bytes(file) for file in data_dir.glob(f"{FILE_NAME}*")),
        crops_bytes=bytes_in(data_dir / CROPS),
        oldest_tracklet_ns=listing.oldest_news_ns(),
        oldest_pictures_ns=listing.oldest_pictures_ns(),
        oldest_audit_ns=services.access.audit.oldest_ns(),
    )


def bytes_in(folder: Path) -> int:
    """What the files take on disk: a sparse file less than its length."""
    return sum(map(_bytes, folder.rglob("*")))


def _bytes(path: Path) -> int:
    try:
        return path.lstat().st_blocks * 512
    except OSError:
        return 0  # it has just gone
