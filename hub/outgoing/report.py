"""How those who are told are, for whoever asks: `live/outgoing.json` of the data folder."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from hub.camera_news import FOLDER_NAME, live_folder
from hub.outgoing.condition import Condition, State
from hub.outgoing.outbox import Standing
from passerby.config import Site
from passerby.config.outgoing import MQTT_NAME
from passerby.errors import StoreError
from passerby.whole_files import write_whole

_FILE = "outgoing.json"
STALE_NS = 30 * 10**9
"""Older words are of a process that is gone."""


class ReceiverReport(Struct, frozen=True, kw_only=True):
    """One of them."""

    name: str
    host: str
    """Nothing else of its address may be shown."""
    state: State
    since_ns: int
    reason: str
    """Why it is away."""
    delivered: int
    dropped: int
    """Messages that it refused, or that waited for too long."""
    waiting: int


class Report(Struct, frozen=True, kw_only=True):
    """All of them, as `passerby notify run` knew them at `at_ns`."""

    at_ns: int
    receivers: tuple[ReceiverReport, ...]


def hosts_of(site: Site) -> Mapping[str, str]:
    """Name and host of everybody who is to be told."""
    broker = {} if site.mqtt.host is None else {MQTT_NAME: f"{site.mqtt.host}:{site.mqtt.port_used}"}
    return {**broker, **{one.name: one.host for one in site.webhooks}}


def report_of(
    hosts: Mapping[str, str], conditions: Mapping[str, Condition], standings: Mapping[str, Standing], *, now_ns: int
) -> Report:
    """Put together what is known of each."""
    return Report(
        at_ns=now_ns,
        receivers=tuple(
            ReceiverReport(
                name=name,
                host=host,
                state=conditions[name].state,
                since_ns=conditions[name].since_ns,
                reason=conditions[name].reason,
                delivered=standings[name].delivered,
                dropped=standings[name].dropped,
                waiting=standings[name].waiting,
            )
            for name, host in hosts.items()
        ),
    )


def write_report(data_dir: Path, report: Report) -> None:
    """Put it in place of the former. Raises StoreError."""
    file = live_folder(data_dir) / _FILE
    try:
        write_whole(file, msgspec.json.encode(report), private=True)
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}") from error


def read_report(data_dir: Path, *, now_ns: int) -> Sequence[ReceiverReport]:
    """As of now; nobody where no `passerby notify` runs. Raises StoreError."""
    file = data_dir / FOLDER_NAME / _FILE
    try:
        report = msgspec.json.decode(file.read_bytes(), type=Report)
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{file}: cannot be read: {getattr(error, 'strerror', None) or 'damaged'}") from error
    return report.receivers if now_ns - report.at_ns < STALE_NS else ()
