"""The dashboard's way into a web application."""

from fastapi import FastAPI
from nicegui import Client, ui
from nicegui import app as nicegui_app
from starlette.datastructures import Headers
from starlette.routing import Match, Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from hub.api.gate import who_is
from hub.dashboard import entrance, frame, icons, live_views, looking, probing
from hub.dashboard.places import PLACES
from hub.dashboard.routes import router
from hub.dashboard.shell import Shell
from hub.services import Services


def mount(app: FastAPI, services: Services) -> None:
    """Serve the pages from `app`, which must have all its other routes by then: what no route takes is a page's.

    NiceGUI is one to a process: of several applications the last one has the pages.
    """
    shell = Shell(services, PLACES, who_asks=lambda request: who_is(request, services))
    app.include_router(entrance.router(shell))
    app.include_router(router(shell))
    app.include_router(live_views.router(shell))
    app.include_router(looking.router(shell))
    app.include_router(probing.router(shell))
    app.mount(frame.FILES_AT, StaticFiles(directory=frame.FILES))
    if nicegui_app.config.has_run_config:
        _begin_anew()
    # Pages show their own progress; the bar that Quasar has for requests has no name that a screen reader could tell.
    nicegui_app.config.quasar_config["loadingBar"] = {"skipHijack": True}
    ui.add_head_html(frame.head(), shared=True)
    shell.open_all()
    nicegui_app.on_shutdown(shell.close)
    ui.run_with(
        app,
        title="Passerby",
        favicon=str(icons.BRAND),
        dark=None,
        language="en-US",
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=10.0,
        binding_refresh_interval=None,
    )
    nicegui_app.add_exception_handler(404, lambda _request, _error: entrance.nowhere(shell))
    app.router.routes[-1] = _Pages("/", app=nicegui_app)


class _Pages(Mount):
    """Takes what NiceGUI has, and what a browser asks for by an address that nobody has; a program's wrong address
    stays with the API, which answers in its own way."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, inner = super().matches(scope)
        if match is Match.NONE or scope["path"].startswith("/api/"):
            return Match.NONE, {}
        if any(route.matches(scope)[0] is Match.FULL for route in nicegui_app.routes):
            return match, inner
        wants_page = scope["type"] == "http" and "text/html" in Headers(scope=scope).get("accept", "")
        return (match, inner) if wants_page else (Match.NONE, {})


def _begin_anew() -> None:
    """Let go of what another application of this process has told NiceGUI."""
    nicegui_app.reset()
    nicegui_app.user_middleware.clear()
    nicegui_app.middleware_stack = None
    Client.shared_head_html = ""
