"""What an MQTT broker is told, as topics and payloads. All is kept by the broker (retained) but single happenings."""

from collections.abc import Mapping

import msgspec

from hub.outgoing.collecting import Now
from hub.outgoing.news import CameraNews, Message

AVAILABLE, PEOPLE, STATUS, FPS, DETAILS = "available", "people", "status", "fps", "details"
ASSOCIATIONS, CANDIDATES, CAMERAS, ADAPTATION, IDENTITIES = (
    "associations", "candidates", "cameras", "adaptation", "identities",
)  # fmt: skip
ONLINE, OFFLINE = "online", "offline"
UNKNOWN = "None"
"""What Home Assistant takes for a value that is not known."""

_OF_KIND = {"association": ASSOCIATIONS, "candidate": CANDIDATES, "camera": CAMERAS, "adaptation": ADAPTATION}


def state_topics(now: Now, *, prefix: str) -> Mapping[str, bytes]:
    """Topic and payload of all that is true at this moment."""
    told = {f"{prefix}/{PEOPLE}": str(now.people.site)}
    for name, news in now.cameras.items():
        mine = f"{prefix}/{name}"
        told[f"{mine}/{STATUS}"] = ONLINE if news.online else OFFLINE
        told[f"{mine}/{FPS}"] = f"{news.fps:.1f}"
        told[f"{mine}/{PEOPLE}"] = str(now.people.cameras.get(name, 0)) if news.online else UNKNOWN
        told[f"{mine}/{DETAILS}"] = _details(news)
    return {topic: text.encode() for topic, text in told.items()}


def message_topics(message: Message, *, prefix: str) -> list[str]:
    """Where a message goes; an association also to the topic of each person whom it is about."""
    topics = [f"{prefix}/{_OF_KIND[message.kind]}"]
    if message.kind == "association":
        about = msgspec.json.decode(message.news, type=_About)
        topics += [f"{prefix}/{IDENTITIES}/{one}" for one in (about.identity, about.other_identity) if one is not None]
    return topics


class _About(msgspec.Struct, frozen=True):
    identity: int
    other_identity: int | None


def _details(news: CameraNews) -> str:
    told = {"state": news.state, "detail": news.detail, "health": news.health, "expected_fps": news.expected_fps}
    return msgspec.json.encode(told).decode()
