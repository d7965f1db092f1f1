"""What the edge link's thread tells the link: how it stands with the hub."""

import threading
from dataclasses import dataclass, field

from passerby.messages import Hello


@dataclass(slots=True)
class LinkState:
    """What the thread tells the link. Each field has one writer, and is read as a whole."""

    hello: Hello
    hello_changed: bool = False
    connected: bool = False
    welcomed: threading.Event = field(default_factory=threading.Event)
    problem: str = "not connected yet"
    acknowledged: int = 0
    refused: int = 0
    resent: int = 0
    connections: int = 0
    inbox_dropped: int = 0
    malformed: int = 0
    window: int = 0
    under_way: int = 0
    clock_offset_ns: int | None = None
    round_trip_ns: int | None = None
