"""What is said of the web process before a site runs: where it is, and how the first administrator comes in."""

from pathlib import Path

from hub.access.store import AccessStore
from passerby.cli.serving.listening import place_of
from passerby.config import Site


def greet(site: Site, config: Path) -> str:
    """`open http://127.0.0.1:8600`; while there is no user, with the link that makes the first one.

    Raises ConfigError where the site file has it listen where it may not.
    """
    place = place_of(site.web, folder=config.parent)
    address = place.url(place.port)
    with AccessStore(site.data) as access:
        word = access.setup_word()
    if word is None:
        return f"open {address}"
    return f"open {setup_link(address, word)} to make the first administrator; the link works once"


def setup_link(address: str, word: str) -> str:
    """Where the first administrator comes in."""
    return f"{address}/setup?word={word}"
