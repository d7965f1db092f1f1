"""The dashboard's way into a web application."""

from fastapi import FastAPI, Request
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.staticfiles import StaticFiles

from hub.access.records import LOCAL, Principal
from hub.dashboard import frame, icons, looking
from hub.dashboard.places import PLACES
from hub.dashboard.routes import router
from hub.dashboard.shell import Shell, WhoAsks
from hub.services import Services


def mount(app: FastAPI, services: Services, *, who_asks: WhoAsks | None = None) -> None:
    """Serve the pages from `app`, which must have all its other routes by then: what no route takes is a page's.

    `who_asks` tells who a request is from, None where they must sign in at /login; without it nobody is asked.
    NiceGUI is one to a process, and so is the dashboard.
    """
    shell = Shell(services, PLACES, who_asks=who_asks or _nobody_is_asked)
    app.include_router(router(shell))
    app.include_router(looking.router(shell))
    app.mount(frame.FILES_AT, StaticFiles(directory=frame.FILES))
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


def _nobody_is_asked(_: Request) -> Principal:
    return LOCAL
