"""What Home Assistant is told of itself, so that it shows a site without being set up: MQTT device discovery, as of its
versions from 2024.11 (home-assistant.io/integrations/mqtt/#mqtt-discovery).

The site is a device, and each camera one that hangs on it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hub.outgoing import topics
from hub.outgoing.news import WHO_IS_WHO
from passerby import __version__
from passerby.ids import CameraId

_ORIGIN = {"name": "Passerby", "sw_version": __version__}
_EVENT = (
    "{{ {'event_type': value_json.news.what, 'identity': value_json.news.identity, "
    "'camera': value_json.news.camera, 'probability': value_json.news.probability} | tojson }}"
)


def discovery_topics(site: str, cameras: Iterable[CameraId], *, prefix: str, discovery: str) -> Mapping[str, bytes]:
    """Topic and payload of each device; nothing where `discovery` is empty."""
    if not discovery:
        return {}
    root = prefix.replace("/", "-")
    devices = {root: _site(site, root, prefix)} | {
        f"{root}-{plain(camera)}": _camera(camera, root, prefix) for camera in cameras
    }
    return {f"{discovery}/device/{name}/config": msgspec.json.encode(told) for name, told in devices.items()}


def plain(camera: CameraId) -> str:
    """The camera's name in the letters that Home Assistant takes in a topic; different for different names.

    >>> plain(CameraId("hall.2")), plain(CameraId("hall_2"))
    ('hall_d2', 'hall__2')
    """
    return camera.replace("_", "__").replace(".", "_d")


def _site(name: str, root: str, prefix: str) -> dict[str, Any]:
    people = {
        "platform": "sensor",
        "name": "People",
        "unique_id": f"{root}-people",
        "state_topic": f"{prefix}/{topics.PEOPLE}",
        "state_class": "measurement",
        "icon": "mdi:account-group",
        **_while_available(prefix),
    }
    association = {
        "platform": "event",
        "name": "Association",
        "unique_id": f"{root}-association",
        "state_topic": f"{prefix}/{topics.ASSOCIATIONS}",
        "event_types": [kind.value for kind in WHO_IS_WHO],
        "value_template": _EVENT,
        "icon": "mdi:account-switch",
        **_while_available(prefix),
    }
    return {
        "device": {
            "identifiers": [root],
            "name": name,
            "manufacturer": "Passerby",
            "model": "Site",
            "sw_version": __version__,
        },
        "origin": _ORIGIN,
        "components": {"people": people, "association": association},
        "qos": 1,
    }


def _camera(camera: CameraId, root: str, prefix: str) -> dict[str, Any]:
    mine, own = f"{prefix}/{camera}", f"{root}-{plain(camera)}"
    connection = {
        "platform": "binary_sensor",
        "name": "Connection",
        "unique_id": f"{own}-connection",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": f"{mine}/{topics.STATUS}",
        "payload_on": topics.ONLINE,
        "payload_off": topics.OFFLINE,
        "json_attributes_topic": f"{mine}/{topics.DETAILS}",
        **_while_available(prefix),
    }
    people = {
        "platform": "sensor",
        "name": "People",
        "unique_id": f"{own}-people",
        "state_topic": f"{mine}/{topics.PEOPLE}",
        "state_class": "measurement",
        "icon": "mdi:account-multiple",
        **_while_available(prefix),
    }
    fps = {
        "platform": "sensor",
        "name": "Frame rate",
        "unique_id": f"{own}-fps",
        "entity_category": "diagnostic",
        "state_topic": f"{mine}/{topics.FPS}",
        "state_class": "measurement",
        "unit_of_measurement": "fps",
        **_while_available(prefix),
    }
    return {
        "device": {
            "identifiers": [own],
            "name": camera,
            "manufacturer": "Passerby",
            "model": "Camera",
            "via_device": root,
        },
        "origin": _ORIGIN,
        "components": {"connection": connection, "people": people, "fps": fps},
        "qos": 1,
    }


def _while_available(prefix: str) -> dict[str, str]:
    """What stands by default is said all the same: `online` and `offline` are a contract between two programs."""
    return {
        "availability_topic": f"{prefix}/{topics.AVAILABLE}",
        "payload_available": topics.ONLINE,
        "payload_not_available": topics.OFFLINE,
    }
