"""`passerby web`: the site's REST interface and pages, in a process of its own."""

import contextlib
import logging
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hub.access.store import AccessStore
from hub.api import make_api
from hub.services import Services, SiteFacts
from passerby.cli.looking.options import Place as Networks
from passerby.cli.process import log_to_stderr, stop_on_signals
from passerby.cli.serving.adaptations import SiteAdaptations
from passerby.cli.serving.cameras import SiteCameras
from passerby.cli.serving.eyes import LazyEyes
from passerby.cli.serving.films import SiteFilms
from passerby.cli.serving.greeting import setup_link
from passerby.cli.serving.listening import listen_at, place_of
from passerby.cli.serving.live import SiteLivePictures
from passerby.cli.serving.server import log_server, serve
from passerby.cli.serving.telling import trial_of
from passerby.config import Site, load_site

_log = logging.getLogger("passerby.web")


def command(
    *,
    config: Annotated[Path, typer.Option("--config", help="The site file.")],
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Where to listen.  [default: `web: {listen: ...}`]")
    ] = None,
    tls_cert: Annotated[Path | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", metavar="FILE", help="Its key, PEM.")] = None,
    behind_proxy: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="A proxy there does TLS; its word about who asks is taken.")
    ] = None,
    no_login: Annotated[
        bool, typer.Option("--no-login", help="Ask nobody who they are: for this machine alone.")
    ] = False,
    print_link: Annotated[
        bool,
        typer.Option(
            "--setup-link/--no-setup-link",
            help="While there is no user, print the link by which the first one comes in.",
        ),
    ] = True,
) -> None:
    """Serve the site's data at /api/v1, beside its hub: looking takes nothing from it, corrections are handed to it.

    At the first start a link is printed by which the first administrator comes in; it works once. The first Ctrl-C or
    SIGTERM stops it in order, the second at once.
    """
    site = load_site(config, secrets="left")
    given = {
        "listen": listen,
        "tls_cert": None if tls_cert is None else tls_cert.absolute(),
        "tls_key": None if tls_key is None else tls_key.absolute(),
        "behind_proxy": behind_proxy,
    }
    settings = msgspec.structs.replace(site.web, **{key: value for key, value in given.items() if value is not None})
    place = place_of(settings, folder=config.parent, login=not no_login)
    log_to_stderr()
    log_server()
    stop = stop_on_signals()
    networks = Networks(
        data=site.data,
        models=site.models,
        engine=site.engine,
        threads=site.edge.threads,
        association=site.association,
    )
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(listen_at(place))
        eyes = opened.enter_context(contextlib.closing(LazyEyes(networks)))
        access = AccessStore(site.data, audit_days=site.retention.audit_days)
        services = Services(
            data_dir=site.data,
            facts=facts_of(site),
            access=access,
            eyes=eyes,
            films=opened.enter_context(contextlib.closing(SiteFilms(networks, access))),
            adaptations=SiteAdaptations(site),
            cameras=SiteCameras(site),
            live=SiteLivePictures(site.data),
            try_telling=trial_of(site, folder=config.parent),
            login=place.login,
        )
        opened.callback(services.close)
        app = make_api(services)
        address = place.url(listener.getsockname()[1])
        _log.info("serves %s at %s%s", site.site, address, "" if place.login else ", without a login")
        word = services.access.setup_word() if place.login and print_link else None
        if word is not None:
            typer.echo(f"open {setup_link(address, word)} to make the first administrator; the link works once")
        serve(app, place, listener, stop=stop)
        _log.info("stopped")


def facts_of(site: Site) -> SiteFacts:
    """What a site file says, without secrets."""
    return SiteFacts(
        site=site.site,
        cameras=tuple(site.cameras),
        detector=site.models.detector,
        reid=site.models.reid,
        engine=site.engine,
        false_link_rate=site.association.false_link_rate,
        association=msgspec.to_builtins(site.association),
        retention=site.retention,
    )
