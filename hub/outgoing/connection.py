"""A connection to an MQTT broker: MQTT 3.1.1, by paho-mqtt. The one place that knows that library."""

import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.outgoing.posting import reason_of, trusting
from passerby.config.outgoing import MQTT_NAME, MqttSettings
from passerby.errors import ConfigError, TransportError

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

_TIMEOUT_S = 10.0
_KEEPALIVE_S = 30
_QOS = 1
"""At least once: the broker acknowledges each."""


class _TlsSocket(ssl.SSLSocket):
    """Closes itself where the handshake fails, which paho-mqtt leaves undone."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


class Receipt:
    """Says whether the broker has a message."""

    def __init__(self, info: "MQTTMessageInfo") -> None:
        self._info = info

    @property
    def has_arrived(self) -> bool:
        """Whether it has acknowledged it."""
        return self._info.rc == 0 and self._info.is_published()

    def wait(self, timeout_s: float) -> bool:
        """The same, at the latest after so long."""
        if self._info.rc == 0:
            self._info.wait_for_publish(timeout_s)
        return self.has_arrived


class Connection:
    """One connection at a time. When it breaks, what was under way is not sent again: that is the caller's.

    `will` is a topic and what the broker says there (retained) when this end is gone without a word. `heard` is called,
    in another thread, for each message of a topic that was subscribed to. Raises ConfigError where paho-mqtt is missing
    or the settings do not hold.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        folder: Path,
        client_id: str,
        will: tuple[str, bytes] | None = None,
        heard: Callable[[str, bytes | bytearray], None] = lambda _topic, _payload: None,
    ) -> None:
        try:
            from paho.mqtt import client as paho
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError as error:
            raise ConfigError("mqtt needs paho-mqtt, which is not installed: pip install 'passerby[mqtt]'") from error
        self._settings = settings
        self._tls = trusting(settings.ca_cert, folder=folder, where=MQTT_NAME) if settings.tls else None
        if self._tls is not None:
            self._tls.sslsocket_class = _TlsSocket
        self._will = will
        self._heard = heard
        self._answered = threading.Event()
        self._refusal = ""
        self._up = False
        self._make: Callable[[], Client] = lambda: paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            # By itself it would try again without saying why it failed.
            reconnect_on_failure=False,
        )
        self._client = self._make()

    @property
    def is_up(self) -> bool:
        """Whether the broker has let us in, and nothing is known to have broken since."""
        return self._up

    def open(self) -> None:
        """Connect. Raises TransportError, with why not."""
        self.close()
        self._client = self._prepared()
        self._answered.clear()
        host = self._settings.host or ""
        try:
            self._client.connect(host, self._settings.port_used, keepalive=_KEEPALIVE_S)
        except (OSError, ValueError) as error:
            raise TransportError(reason_of(error)) from error
        self._client.loop_start()
        if not self._answered.wait(_TIMEOUT_S):
            self._client.loop_stop()
            raise TransportError("no answer in time")
        if not self._up:
            self._client.loop_stop()
            raise TransportError(self._refusal)

    def say(self, topic: str, payload: bytes, *, retain: bool) -> Receipt:
        """Send it, without waiting."""
        return Receipt(self._client.publish(topic, payload, qos=_QOS, retain=retain))

    def hear(self, topic: str) -> None:
        """Subscribe."""
        self._client.subscribe(topic, qos=_QOS)

    def close(self) -> None:
        """Take leave, if it is open: the will is not carried out."""
        if self._up:
            self._client.disconnect()
        self._client.loop_stop()
        self._up = False

    def _prepared(self) -> "Client":
        client = self._make()
        client.connect_timeout = _TIMEOUT_S
        if self._settings.user is not None or self._settings.password is not None:
            client.username_pw_set(self._settings.user or "", self._settings.password)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        if self._will is not None:
            client.will_set(self._will[0], self._will[1], qos=_QOS, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = lambda _client, _data, message: self._heard(message.topic, message.payload)
        return client

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self._up = not code.is_failure
        self._refusal = f"it refuses: {str(code).lower()}"
        self._answered.set()

    def _on_disconnect(self, *_: Any) -> None:
        self._up = False
        if not self._answered.is_set():
            # Some brokers say nothing to a wrong password, and hang up.
            self._refusal = "it hangs up, as some do at a wrong user or password"
        self._answered.set()
