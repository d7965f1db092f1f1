"""Data of the version before corrections are read, corrected and told again."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

import hub.database
from hub.corrections.acts import Merge
from hub.corrections.rebuilding import rebuild
from hub.database.opening import FILE_NAME
from hub.reader import SiteReader
from hub.site_hub import Hub
from passerby.ids import IdentityId
from tests.hub.corrections.operators import Operator, comparable, stored
from tests.hub.people import BOOT, DIMENSION, MODEL, at, look


@pytest.fixture
def old_data(tmp_path: Path) -> Path:
    """Two people with a tracklet each, as the first version stored them."""
    config = Config()
    config.set_main_option("script_location", str(Path(hub.database.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    engine = create_engine(f"sqlite:///{tmp_path / FILE_NAME}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO settings VALUES ('clock_ns', ?)", (str(at(2)),))
        counters = [("tracklet", 2), ("identity", 2), ("event", 2)]
        connection.exec_driver_sql("INSERT INTO counters VALUES (?, ?)", counters)
        connection.exec_driver_sql(
            "INSERT INTO models (model_id, dimension, active_version) VALUES (?, ?, 0)", (MODEL, DIMENSION)
        )
        for number, camera in ((1, "a"), (2, "b")):
            connection.exec_driver_sql(
                "INSERT INTO identities VALUES (?, 'active', NULL, ?, ?, NULL)", (number, at(2), at(2))
            )
            connection.exec_driver_sql(
                "INSERT INTO tracklets (number, boot_id, tracklet_id, camera_id, model_id, started_at_ns, ended_at_ns, "
                "revision, final, open, exemplars, quality, clock_source, clock_error_ns, frame_width, frame_height, "
                "identity_id, prototype, opened_at_ns, updated_at_ns, embedding) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, 1, 1, 0, 2, 0.8, 'file', 0, 640, 480, ?, 1, ?, ?, ?)",
                (number, BOOT, number, camera, MODEL, at(0), at(2), number, at(2), at(2), look(number).tobytes()),
            )
            evidence = b'{"runner_up":0.25,"threshold":0.6,"model_id":"made-up@1","normalization_version":0}'
            connection.exec_driver_sql(
                "INSERT INTO events VALUES (?, ?, 'created', ?, NULL, ?, ?, ?)",
                (number, at(2), number, number, camera, evidence),
            )
    engine.dispose()
    return tmp_path


def test_old_events_are_read_and_their_people_corrected(old_data: Path) -> None:
    with Hub.open(old_data) as again:
        with SiteReader(old_data) as reader:
            events = list(reader.all_events())
        assert [(one.kind.value, one.tracklets, one.act_id) for one in events] == [("created", (), None)] * 2
        assert [(one.evidence.runner_up, one.evidence.probability) for one in events] == [(0.25, None)] * 2
        Operator(old_data).ask(again, Merge(survivor=IdentityId(1), absorbed=IdentityId(2)), now_ns=at(3))
        assert list(again.state.identities) == [1]
        with SiteReader(old_data) as reader:
            told = rebuild(reader.all_events())
        assert comparable(told) == comparable(stored(old_data, again.state.constraints))
