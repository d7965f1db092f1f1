"""A message to everybody who is to be told, to see whether it arrives."""

import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from hub.outgoing.connection import Connection
from hub.outgoing.news import stamp
from hub.outgoing.posting import Mailbox
from passerby.config import Site
from passerby.config.outgoing import MQTT_NAME
from passerby.errors import TransportError

TEST = "test"
"""The kind of the message, and the end of the broker's topic."""
_ACK_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """Whether one of them took it, and in words how that went."""

    name: str
    taken: bool
    words: str


def try_all(site: Site, *, folder: Path) -> Iterator[Trial]:
    """One after the other. Raises ConfigError for settings that do not hold."""
    message_id = f"test-{secrets.token_hex(4)}"
    told = {"id": message_id, "kind": TEST, "at": stamp(time.time_ns()), "site": site.site, "news": {}}
    body = msgspec.json.encode(told)
    if site.mqtt.host is not None:
        yield _try_broker(site, body, folder=folder)
    for webhook in site.webhooks:
        answer = Mailbox(webhook, folder=folder).post(body, message_id=message_id, now_s=time.time())
        yield Trial(name=webhook.name, taken=answer.taken, words=answer.words)


def _try_broker(site: Site, body: bytes, *, folder: Path) -> Trial:
    # A name of its own: a broker hangs up on whoever came under the same one before.
    connection = Connection(site.mqtt, folder=folder, client_id=f"passerby-test-{os.getpid()}-{secrets.token_hex(3)}")
    began = time.monotonic()
    try:
        connection.open()
    except TransportError as error:
        return Trial(name=MQTT_NAME, taken=False, words=str(error))
    try:
        topic = f"{site.mqtt.prefix}/{TEST}"
        arrived = connection.say(topic, body, retain=False).wait(_ACK_S)
    finally:
        connection.close()
    if not arrived:
        return Trial(name=MQTT_NAME, taken=False, words=f"it lets us in, and acknowledges nothing at {topic}")
    return Trial(name=MQTT_NAME, taken=True, words=f"at {topic} in {1000 * (time.monotonic() - began):.0f} ms")
