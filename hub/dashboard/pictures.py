"""Pictures as pages name them; `hub.dashboard.routes` serves them."""

from markupsafe import Markup

from hub.records import TrackletNumber


def crop(number: TrackletNumber, crop_id: int | None = None, *, alt: str, kind: str = "") -> Markup:
    """A crop of a tracklet: this one, or its best. It is fetched when it comes into view."""
    which = "best" if crop_id is None else str(crop_id)
    return Markup(
        '<img class="crop {}" src="/pictures/{}/{}.jpg" alt="{}" loading="lazy" decoding="async" width=64 height=128>'
    ).format(kind, number, which, alt)


def captioned(picture: Markup, caption: Markup | str) -> Markup:
    """A picture with words under it."""
    return Markup("<figure>{}<figcaption>{}</figcaption></figure>").format(picture, caption)
