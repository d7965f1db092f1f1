"""The signature of a webhook's message, as of Standard Webhooks 1.0 (standardwebhooks.com): receivers have libraries
that check it."""

import base64
import binascii
import hashlib
import hmac

from passerby.errors import ConfigError

_PREFIX = "whsec_"
_SHORTEST = 16


def signature(body: bytes, *, message_id: str, at_s: int, secret: str) -> str:
    """`v1,` and the base64 of HMAC-SHA256 over `ID.SECONDS.BODY`.

    A secret that begins with `whsec_` is base64 after that, any other is taken as it is (UTF-8). Raises ConfigError
    where that is no base64.

    >>> signature(b'{"test": 2432232314}', message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", at_s=1614265330,
    ...     secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = b"%s.%d.%s" % (message_id.encode(), at_s, body)
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def key_of(secret: str) -> bytes:
    """The bytes that a secret stands for. Raises ConfigError."""
    if len(secret) < _SHORTEST:
        raise ConfigError(f"the secret has {len(secret)} letters; expected {_SHORTEST} at least")
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(f"the secret begins with {_PREFIX}, and is no base64 after that") from None
