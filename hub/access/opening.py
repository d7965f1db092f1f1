"""The file `access.sqlite` of a data folder."""

from pathlib import Path

from sqlalchemy import Engine

from hub.access.schema import VERSION, metadata
from hub.database.shared_file import open_shared_file

FILE_NAME = "access.sqlite"
_USERS_CAN_BE_DISABLED = "ALTER TABLE users ADD COLUMN disabled BOOLEAN NOT NULL DEFAULT 0"


def open_access(data_dir: Path) -> Engine:
    """The engine, for several threads and processes at once. The file is its owner's alone. Raises StoreError."""
    steps = {1: [_USERS_CAN_BE_DISABLED]}
    return open_shared_file(data_dir / FILE_NAME, metadata=metadata, version=VERSION, steps=steps)
