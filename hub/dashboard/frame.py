"""What stands around every page: the rail of places, the title, and what the browser needs."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from hub.access.records import Principal
from hub.dashboard.icons import BRAND, icon
from hub.dashboard.markup import EMPTY, joined
from hub.dashboard.visit import Page, Place

FILES = Path(__file__).parent / "static"
FILES_AT = "/dashboard-files"
_SCRIPTS = ("dashboard.js", "live.js", "lanes.js", "films.js", "frames.js", "cameras.js", "own.js")


def head() -> str:
    """What the browser loads for all pages; a changed file has another address, and the others are kept for ever."""
    scripts = (address(name) for name in _SCRIPTS)
    return sheet() + joined(Markup('<script src="{}"></script>').format(script) for script in scripts)


def sheet() -> Markup:
    """The style of all pages."""
    sheets = (address(name) for name in ("dashboard.css", "cameras.css"))
    return joined(Markup('<link rel="stylesheet" href="{}">').format(sheet) for sheet in sheets)


def rail(places: Iterable[Place], *, at: str, site: str, principal: Principal, to_review: int) -> Markup:
    """The places of the dashboard; `at` is the path of the one that is shown."""
    links = joined(
        Markup('<a class="place" href="{}" title="{}"{}>{}<span class="label">{}</span>{}</a>').format(
            place.path,
            place.title,
            Markup(' aria-current="page"') if place.path == at else EMPTY,
            icon(place.icon),
            place.title,
            Markup('<span class="count" id="to-review" title="to be answered">{}</span>').format(to_review or "")
            if place.icon == "review"
            else EMPTY,
        )
        for place in places
        if place.icon and place.refusal(principal) is None
    )
    leave = (
        EMPTY
        if principal.by == "local"
        else Markup(
            '<button type="button" class="place" title="Sign out" data-sign-out="{}">{}<span class="label">{}: sign out'
            "</span></button>"
        ).format(principal.csrf, icon("leave"), principal.name)
    )
    return Markup(
        '<nav class="rail" aria-label="Places"><a class="brand" href="/" title="Passerby">{}<div>Passerby'
        "<small>{}</small></div></a>{}"
        '<div class="foot"><button type="button" class="place" data-theme-button title="Theme: auto, light or dark">{}'
        '<span class="label">Theme: auto</span></button>{}</div></nav>'
    ).format(BRAND, site, links, icon("theme"), leave)


def page(shown: Page) -> Markup:
    """The title and the body of a page."""
    lede = Markup('<div class="lede">{}</div>').format(shown.lede) if shown.lede else Markup('<div class="lede"></div>')
    return Markup('<header class="head"><h1>{}</h1>{}<div class="row">{}</div></header>{}').format(
        shown.title, lede, shown.actions, shown.body
    )


def login_address(path: str) -> str:
    """Where somebody says who they are, to come back here."""
    return f"/login?next={quote(path, safe='/')}"


def address(name: str) -> str:
    """Of a file that the browser loads."""
    digest = hashlib.sha256((FILES / name).read_bytes()).hexdigest()[:12]
    return f"{FILES_AT}/{name}?{digest}"
