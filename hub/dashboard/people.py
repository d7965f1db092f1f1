"""How a person is shown: one colour and one name over all pages."""

from markupsafe import Markup

from hub.records import Identity
from passerby.ids import IdentityId

_GOLDEN_ANGLE = 137.508
"""Numbers that follow each other get hues far apart (the browser's script has the same rule)."""


def hue(identity_id: IdentityId) -> float:
    """Of a person's colour, in degrees.

    >>> [hue(IdentityId(n)) for n in (1, 2, 3)]
    [137.5, 275.0, 52.5]
    """
    return round(identity_id * _GOLDEN_ANGLE % 360.0, 1)


def called(identity: Identity) -> str:
    """The name, or the number."""
    return identity.name or f"Person {identity.identity_id}"


def who(identity_id: IdentityId, name: str | None = None, *, link: bool = True) -> Markup:
    """A person's colour and name, which lead to their page."""
    inner = Markup('<span class="who" style="--hue:{}"><span>{}</span></span>').format(
        hue(identity_id), name or f"Person {identity_id}"
    )
    return Markup('<a href="/person/{}">{}</a>').format(identity_id, inner) if link else inner
