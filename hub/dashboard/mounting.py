"""The dashboard's way into a web application."""

from fastapi import FastAPI
from nicegui import Client, ui
from nicegui import app as nicegui_app
from starlette.staticfiles import StaticFiles

from hub.api.gate import who_is
from hub.dashboard import entrance, frame, icons, looking
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
    app.include_router(looking.router(shell))
    app.mount(frame.FILES_AT, StaticFiles(directory=frame.FILES))
    if nicegui_app.config.has_run_config:
        _begin_anew()
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


def _begin_anew() -> None:
    """Let go of what another application of this process has told NiceGUI."""
    nicegui_app.reset()
    nicegui_app.user_middleware.clear()
    nicegui_app.middleware_stack = None
    Client.shared_head_html = ""
