"""A form with a place to drop pictures or films into; what it brings is answered beside it (`looking`)."""

from markupsafe import Markup

from hub.dashboard.markup import EMPTY
from hub.dashboard.visit import Visit


def drop_form(
    visit: Visit, *, to: str, fields: Markup, submit: str, many: bool = False, at_once: bool = False, film: bool = False
) -> Markup:
    """Pictures and `fields` go to the address `to`; with `at_once` as soon as they are dropped.

    With `film` it may be a film as well, of which frames are chosen before (`hub.dashboard.films`).
    """
    what = "pictures" if many else "a picture"
    return Markup(
        '<form class="card pad stack" method="post"><input type="hidden" name="csrf" value="{}">'
        '<label class="drop" data-to="{}" data-into="answer"{}><input class="sr" type="file" name="file" '
        'accept="image/*{}" {}aria-label="{}"><strong>{}</strong><span data-chosen>{}</span></label>'
        '<div data-film-here></div>{}<div class="row"><button class="btn primary">{}</button></div></form>'
    ).format(
        visit.principal.csrf,
        to,
        Markup(' data-at="once"') if at_once else EMPTY,
        ",video/*,.mkv,.ts,.avi" if film else "",
        Markup("multiple ") if many else EMPTY,
        f"{what[0].upper()}{what[1:]}{' or a film' if film else ''}",
        f"Drop {what}{' or a film' if film else ''} here, or click",
        f"JPEG, PNG or WebP{'; MP4, WebM, MKV, AVI or TS' if film else ''}",
        fields,
        submit,
    )


WHOLE = Markup(
    '<label class="row"><input type="checkbox" name="whole" value="true"> It is cut out: all of it is one person'
    "</label>"
)
LARGEST = Markup(
    '<label class="row"><input type="checkbox" name="largest" value="true"> Of several people the largest is meant'
    "</label>"
)
