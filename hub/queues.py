"""What waits between the cameras and the decisions, for whoever asks: `live/queues.json` of the data folder.

The running hub writes it every two seconds, from a thread that no transaction holds up.
"""

from pathlib import Path

import msgspec
from msgspec import Struct

from hub.camera_news import FOLDER_NAME, live_folder
from passerby.errors import StoreError
from passerby.ids import CameraId, EdgeId
from passerby.messages import Backlog
from passerby.whole_files import write_whole

_FILE = "queues.json"
STALE_NS = 15 * 10**9
"""Older words are of a hub that is gone."""


class EdgeQueue(Struct, frozen=True, kw_only=True):
    """One edge, all processes with its key together."""

    edge_id: EdgeId
    cameras: tuple[CameraId, ...]
    here: bool
    """It is connected."""
    heard_ns: int
    """When it was heard last."""
    backlog: Backlog | None
    """What waits in it, as it said last; None: it has not said so yet."""
    unsettled: int
    """Its messages that the hub has received and not yet committed."""


class HubQueue(Struct, frozen=True, kw_only=True):
    """How far the hub itself is behind."""

    messages: int
    """Received from all edges and not yet committed."""
    size: int
    """Their bytes."""
    waited_ns: int | None
    """For how long the first of them has; None: there are none."""
    undecided: int
    """Tracklets that nobody has decided over yet."""
    undecided_ns: int | None
    """For how long the first of those that are open has waited; None: there are none."""
    missing: int
    """Messages that never came since the hub's start: edges no longer had them."""


class Queues(Struct, frozen=True, kw_only=True):
    """As the hub knew it at `at_ns`. `edges`, by name, are those that were here since its start."""

    at_ns: int
    hub: HubQueue
    edges: tuple[EdgeQueue, ...]


def write_queues(data_dir: Path, queues: Queues) -> None:
    """Put it in place of the former. Raises StoreError."""
    file = live_folder(data_dir) / _FILE
    try:
        write_whole(file, msgspec.json.encode(queues), private=True, durable=False)
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}") from error


def read_queues(data_dir: Path, *, now_ns: int) -> Queues | None:
    """As of now; None where no hub runs. Raises StoreError."""
    file = data_dir / FOLDER_NAME / _FILE
    try:
        queues = msgspec.json.decode(file.read_bytes(), type=Queues)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or 'damaged'}") from error
    return queues if now_ns - queues.at_ns < STALE_NS else None
