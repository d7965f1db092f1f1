"""`passerby up`: a whole site on one machine, in one terminal."""

from pathlib import Path
from typing import Annotated

import typer

from passerby.config import load_site
from passerby.config.outgoing import require_secrets


def command(
    *,
    config: Annotated[Path, typer.Option("--config", help="The site file.")],
    until_ended: Annotated[bool, typer.Option("--until-ended", help="Stop when every recording is over.")] = False,
    web: Annotated[bool, typer.Option(help="Serve the site's pages and REST interface, as `passerby web`.")] = True,
) -> None:
    """Run the hub, all cameras and the pages of a site on this machine, and show how they are.

    Keys between them are made by themselves. The first Ctrl-C stops everything in order, the second at once; a process
    that dies is started again. Logs are in the site's data folder under logs/.
    """
    from passerby.cli.serving.greeting import greet
    from passerby.cli.supervising.session import Run, run_site
    from passerby.models import find_model

    site = load_site(config)
    require_secrets(site)
    find_model(site.models.detector, task="detect")  # a missing model is said here, not in a child's log
    find_model(site.models.reid, task="embed")
    run = Run(until_ended=until_ended, web=() if web else None, greeting=greet(site, config) if web else "")
    run_site(site, config, run)
