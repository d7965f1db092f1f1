"""An operator's commands beside a real hub, which is killed and comes back."""

import json
import sqlite3
import time
from pathlib import Path

import pytest

from hub.ownership import is_owned
from hub.site_hub import Hub
from tests.hub.people import Sender, at, seen
from tests.system.cameras import wait_until
from tests.system.processes import LiveSite

pytestmark = pytest.mark.system


def people(site: LiveSite) -> dict[int, str | None]:
    listed = json.loads(site.run("identities", "list", "--all", "--config", str(site.config), "--json"))
    return {one["identity"]: one["name"] for one in listed}


def test_what_operators_say_reaches_the_hub_that_runs_and_outlives_it(tmp_path: Path) -> None:
    sender = Sender()
    settings = {"models": {"reid": "none", "detector": "none"}, "cameras": {"hall": {"url": "rtsp://127.0.0.1:9/"}}}
    with LiveSite(tmp_path / "site", tmp_path, settings) as site:
        with Hub.open(site.data) as made:
            updates = [seen(n, "hall", tracklet=n, crops={1: b"picture of %d" % n * 400}) for n in (1, 2, 3)]
            made.ingest(sender.send(*updates), now_ns=at(2))
        where = ("--config", str(site.config))
        hub = site.start("hub")
        wait_until("the hub runs", lambda: is_owned(site.data), timeout_s=60)
        site.run("identities", "rename", "1", "Ada", *where)
        merged = json.loads(site.run("identities", "merge", "1", "2", *where, "--json"))
        assert people(site) == {1: "Ada", 3: None}
        hub.kill()
        # Nobody is there to ask: the command does it itself.
        site.run("identities", "undo", str(merged["events"][0]["event"]), *where)
        assert people(site) == {1: "Ada", 2: None, 3: None}
        hub = site.start("hub")
        wait_until("the hub runs again", lambda: is_owned(site.data), timeout_s=60)
        begin = time.monotonic()
        site.run("identities", "erase", "1", "--yes", *where)
        assert time.monotonic() - begin < 20
        assert people(site) == {2: None, 3: None}
        assert hub.stop() == 0, hub.log()
        left = [file.name for file in site.data.rglob("*") if file.is_file() and b"picture of 1" in file.read_bytes()]
        assert left == []
        rows = sqlite3.connect(site.data / "passerby.sqlite")
        assert rows.execute("SELECT count(*) FROM acts").fetchone() == (4,)
        rows.close()
