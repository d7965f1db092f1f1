"""A form with a place to drop pictures into; what it brings is answered under it (`hub.dashboard.looking`)."""

from markupsafe import Markup

from hub.dashboard.markup import EMPTY
from hub.dashboard.visit import Visit


def drop_form(
    visit: Visit, *, to: str, fields: Markup, submit: str, many: bool = False, at_once: bool = False
) -> Markup:
    """Pictures and `fields` go to the address `to`; with `at_once` as soon as they are dropped."""
    return Markup(
        '<form class="card pad stack" method="post"><input type="hidden" name="csrf" value="{}">'
        '<label class="drop" data-to="{}" data-into="answer"{}><input class="sr" type="file" name="file" '
        'accept="image/*" {}aria-label="{}"><strong>{}</strong><span data-chosen>JPEG, PNG or WebP</span></label>'
        '{}<div class="row"><button class="btn primary">{}</button></div></form>'
    ).format(
        visit.principal.csrf,
        to,
        Markup(' data-at="once"') if at_once else EMPTY,
        Markup("multiple ") if many else EMPTY,
        "Pictures" if many else "Picture",
        "Drop pictures here, or click" if many else "Drop a picture here, or click",
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
