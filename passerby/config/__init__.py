"""The site file: YAML in, validated and frozen settings out."""

from passerby.config.loader import load_site
from passerby.config.outgoing import MqttSettings, WebhookSettings
from passerby.config.schema import site_json_schema
from passerby.config.settings import (
    AdaptationSettings,
    AssociationSettings,
    CameraSettings,
    RetentionSettings,
    Site,
    TransitSettings,
    WebSettings,
)

__all__ = [
    "AdaptationSettings",
    "AssociationSettings",
    "CameraSettings",
    "MqttSettings",
    "RetentionSettings",
    "Site",
    "TransitSettings",
    "WebSettings",
    "WebhookSettings",
    "load_site",
    "site_json_schema",
]
