"""What leaves the site by itself: to an MQTT broker, and to webhooks. Nothing does unless it is written here."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, get_args
from urllib.parse import urlsplit

from msgspec import Meta, Struct

from passerby.config.secrets import PLACEHOLDER
from passerby.errors import ConfigError

if TYPE_CHECKING:
    from passerby.config.settings import Site

NewsKind: TypeAlias = Literal["association", "candidate", "camera", "adaptation"]
NEWS_KINDS: tuple[NewsKind, ...] = get_args(NewsKind)

MQTT_NAME = "mqtt"
"""What the broker is called among those who are told."""

PRIVATE = re.compile(r"mqtt\.(user|password)|webhooks\[\d+\](\.(secret|url))?")
"""Places of the site file whose values are in no error."""

_Topic = r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*"


class MqttSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An MQTT broker that is told who is where. Without `host` none is."""

    host: Annotated[str, Meta(pattern=r"^\S+$")] | None = None
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    """By default 1883, and 8883 with TLS."""
    user: str | None = None
    password: str | None = None
    tls: bool = False
    ca_cert: Path | None = None
    """Certificates, PEM, one of which must vouch for the broker; by default those that the machine trusts. Relative to
    the site file."""
    prefix: Annotated[str, Meta(pattern=rf"^{_Topic}$")] = "passerby"
    """All topics begin with it; another one for each site that shares a broker."""
    discovery: Annotated[str, Meta(pattern=rf"^({_Topic})?$")] = "homeassistant"
    """Where Home Assistant looks for what there is; empty: it is not told."""

    def __repr__(self) -> str:
        return f"MqttSettings(host={self.host!r}, prefix={self.prefix!r})"

    @property
    def port_used(self) -> int:
        """The port, given or not."""
        return self.port or (8883 if self.tls else 1883)


class WebhookSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address to which news are posted."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    """What it is called in logs, which never show the address."""
    url: Annotated[str, Meta(pattern=r"^(https?://[^\s/]|\{[A-Z])\S*$")]
    """http(s)://, or all of it as one `{NAME}`."""
    secret: str | None = None
    """What its signature is made with, so that the receiver knows from whom it is; none without."""
    kinds: Annotated[tuple[NewsKind, ...], Meta(min_length=1)] = NEWS_KINDS
    ca_cert: Path | None = None
    """As of `mqtt`."""

    def __repr__(self) -> str:
        return f"WebhookSettings(name={self.name!r}, kinds={self.kinds})"

    @property
    def host(self) -> str:
        """All of its address that may be shown: paths and queries often hold a secret.

        >>> WebhookSettings(name="chat", url="https://me:pw@chat.example:8443/T0/verysecret").host
        'chat.example:8443'
        """
        return urlsplit(self.url).netloc.rpartition("@")[2]


def tells_anybody(site: "Site") -> bool:
    """Whether anything is to leave the site by itself."""
    return site.mqtt.host is not None or bool(site.webhooks)


def require_secrets(site: "Site") -> None:
    """Raise ConfigError where a `{NAME}` of the broker or a webhook was not set in the environment."""
    for where, value in _texts(site):
        found = PLACEHOLDER.search(value)
        if found is not None:
            raise ConfigError(f"{where} needs the environment variable {found.group(1)}, which is not set")


def _texts(site: "Site") -> Iterator[tuple[str, str]]:
    holders: Mapping[str, Struct] = {"mqtt": site.mqtt, **{f"webhook {one.name}": one for one in site.webhooks}}
    for where, holder in holders.items():
        for field in holder.__struct_fields__:
            value: Any = getattr(holder, field)
            if isinstance(value, str):
                yield f"{where}: {field}", value
