"""Where somebody says who they are: plain pages, without NiceGUI, so that strangers are given nothing to hold on to."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from hub.dashboard import frame
from hub.dashboard.icons import BRAND
from hub.dashboard.shell import Shell

_FIELDS = Markup(
    '<label class="labelled">Name<input class="field" name="name" required autocomplete="username" autofocus></label>'
    '<label class="labelled">Password<input class="field" type="password" name="password" required '
    'autocomplete="{}"></label>'
)


def router(shell: Shell) -> APIRouter:
    """`/login`, which leads back to where somebody came from, and `/setup` for the first administrator."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/login")
    def login(request: Request, following: Annotated[str, Query(alias="next")] = "/") -> Response:
        if shell.who_asks(request) is not None:
            return RedirectResponse(_inside(following), status_code=303)
        if not shell.services.access.users():
            said = "Nobody has an account yet. Open the link that `passerby web` printed when it started."
            return _page(shell, "Sign in", Markup("<p>{}</p>").format(said))
        form = Markup(
            '<form class="stack" data-enter="/api/v1/session" data-next="{}">{}<p class="bad" role="alert" hidden></p>'
            '<button class="btn primary">Sign in</button></form>'
        ).format(_inside(following), _FIELDS.format("current-password"))
        return _page(shell, "Sign in", form)

    @routes.get("/setup")
    def setup(word: str = "") -> Response:
        if shell.services.access.users():
            return RedirectResponse("/login", status_code=303)
        form = Markup(
            '<form class="stack" data-enter="/api/v1/setup" data-next="/"><p class="soft">You are the first: make your '
            'account as administrator.</p><input type="hidden" name="word" value="{}">{}<p class="bad" role="alert" '
            'hidden></p><button class="btn primary">Begin</button></form>'
        ).format(word, _FIELDS.format("new-password"))
        return _page(shell, "Welcome", form)

    return routes


def nowhere(shell: Shell) -> Response:
    """For an address that no page has."""
    said = Markup(
        '<p class="soft">The address may be mistyped.</p><p><a class="btn primary" href="/">See what happens '
        "now</a></p>"
    )
    return _page(shell, "There is no such page", said, status=404)


def _page(shell: Shell, title: str, body: Markup, *, status: int = 200) -> Response:
    page = Markup(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{0} · {1}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">{2}<script src="{3}" defer></script>'
        "</head>"
        '<body><main class="entrance"><div class="card"><div class="row">{4}<div><h1>{0}</h1><p class="soft">{1}</p>'
        "</div></div>{5}</div></main></body></html>"
    ).format(title, shell.services.facts.site, frame.sheet(), frame.address("entrance.js"), BRAND, body)
    return Response(page, status_code=status, media_type="text/html", headers={"Cache-Control": "no-store"})


def _inside(path: str) -> str:
    """A page of ours, whatever was asked for.

    >>> _inside("/person/3"), _inside("//elsewhere.example"), _inside("https://elsewhere.example")
    ('/person/3', '/', '/')
    """
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"
