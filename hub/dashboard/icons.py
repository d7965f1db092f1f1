"""The signs of the rail's places: strokes on a grid of 24, drawn for this dashboard."""

from markupsafe import Markup

_PATHS = {
    "live": "M4 6h16v11H4zM9 21h6M12 17v4",
    "identities": "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20c.6-4 3.2-6 6.5-6s5.9 2 6.5 6"
    "M16 4.3a3.5 3.5 0 0 1 0 6.4M18 14.5c2 .8 3.2 2.7 3.5 5.5",
    "timeline": "M3 6h9M8 12h11M5 18h8",
    "review": "M4 5h6v14H4zM14 5h6v14h-6zM12 2v20",
    "search": "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 21 21",
    "enrolment": "M10 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z"
    "M3.5 20c.6-4 3.2-6 6.5-6 1.5 0 2.8.4 3.9 1.2M18 14v6M15 17h6",
    "site": "M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"
    "M18 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z"
    "M8 21.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM8.3 6 15.6 8.6M16.5 11.5 10 17.5M6.3 7.5 7.6 16.5",
    "adaptation": "M20 12a8 8 0 0 1-14 5.3M4 12a8 8 0 0 1 14-5.3M18 3v4h-4M6 21v-4h4",
    "cameras": "M3 7h12v10H3zM15 11l6-3v8l-6-3M6 10h.01",
    "system": "M4 4h16v7H4zM4 13h16v7H4zM7.5 7.5h.01M7.5 16.5h.01",
    "theme": "M12 3v18M12 3a9 9 0 0 1 0 18 9 9 0 0 1 0-18z",
    "leave": "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
}


def icon(name: str) -> Markup:
    """A sign, which says nothing to those who listen to the page."""
    return Markup('<svg viewBox="0 0 24 24" aria-hidden="true"><path d="{}"/></svg>').format(_PATHS[name])


BRAND = Markup(
    '<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="7" cy="7" r="3" fill="oklch(62% .16 150)"/>'
    '<path d="M2 21c.5-5 2.5-7.5 5-7.5s4.5 2.5 5 7.5z" fill="oklch(62% .16 150)"/>'
    '<circle cx="17" cy="7" r="3" fill="oklch(62% .16 150 / .55)"/>'
    '<path d="M12 21c.5-5 2.5-7.5 5-7.5s4.5 2.5 5 7.5z" fill="oklch(62% .16 150 / .55)"/></svg>'
)
