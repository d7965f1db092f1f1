"""Trying out, by way of the web, whether those whom the site file names can be told."""

from collections.abc import Callable, Sequence
from pathlib import Path

from hub.outgoing.trying import Trial, try_all
from passerby.config import Site
from passerby.config.outgoing import require_secrets, tells_anybody


def trial_of(site: Site, *, folder: Path) -> Callable[[], Sequence[Trial]] | None:
    """What sends everybody a test (raises ConfigError), or None where nobody is to be told."""
    if not tells_anybody(site):
        return None

    def attempt() -> Sequence[Trial]:
        require_secrets(site)
        return list(try_all(site, folder=folder))

    return attempt
