"""Who may watch: Basic and Digest authentication, as cameras have it (RFC 2617)."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from simulation.rtsp.requests import Request, path_of

_REALM = "simulated camera"
_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


@dataclass(frozen=True, slots=True)
class Login:
    """The user and password of a server. Use one `challenge` per connection."""

    user: str
    password: str = field(repr=False)

    def admits(self, request: Request, *, nonce: str) -> bool:
        """Whether the request's Authorization header proves the password: Basic, or Digest of this `nonce`."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            expected = f"{self.user}:{self.password}".encode()
            try:
                given = base64.b64decode(rest.strip(), validate=True)
            except (binascii.Error, ValueError):
                return False
            return hmac.compare_digest(given, expected)
        if scheme.lower() == "digest":
            fields = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(rest)}
            return self._admits_digest(fields, request, nonce=nonce)
        return False

    def _admits_digest(self, fields: dict[str, str], request: Request, *, nonce: str) -> bool:
        uri = fields.get("uri", "")
        if fields.get("nonce") != nonce or path_of(uri) != request.path:
            return False
        secret = _md5(f"{self.user}:{_REALM}:{self.password}")
        expected = _md5(f"{secret}:{nonce}:{_md5(f'{request.method}:{uri}')}")
        right_user = hmac.compare_digest(fields.get("username", "").encode(), self.user.encode())
        return hmac.compare_digest(fields.get("response", "").encode(), expected.encode()) and right_user


def new_nonce() -> str:
    """What a client must weave into its Digest answer; new for each connection."""
    return secrets.token_hex(16)


def challenges(nonce: str) -> list[str]:
    """The values of the WWW-Authenticate headers of a 401 answer, the better one first."""
    return [f'Digest realm="{_REALM}", nonce="{nonce}"', f'Basic realm="{_REALM}"']


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
