"""Which site a command looks at: `--config SITE`, or `--data DIR`."""

from pathlib import Path

import typer

from passerby.config import load_site
from passerby.errors import ConfigError

CONFIG = typer.Option(None, "--config", help="The site file.")
DATA = typer.Option(None, "--data", help="The site's data folder, in place of --config.")


def data_folder(config: Path | None, data: Path | None) -> Path:
    """The data folder that is meant. Raises ConfigError unless exactly one of the two is given."""
    if data is not None and config is None:
        return data
    if config is not None and data is None:
        return load_site(config, secrets="left").data
    raise ConfigError("say which site: --config SITE, or --data DIR (one of the two)")
