"""A tape published live, for a few seconds, to a real port with real keys."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from passerby.errors import ConfigError, DataError
from passerby.messages import TrackletUpdate
from passerby.tape import TapeWriter
from passerby.transport import AllowList, Delivery, HubPort, load_hub_keys
from simulation.site import SimulatedSite
from simulation.tapes.live import Load, publish, publish_share
from simulation.tapes.recording import record_tape


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    site = SimulatedSite.make("default", seed=4, cameras=2, people=12)
    return record_tape(site, tmp_path_factory.mktemp("tape") / "a.tape", seconds=60, progress=lambda _: None).tape


class Hub:
    """A port that commits whatever comes, in a thread."""

    def __init__(self, keys: Path) -> None:
        self.keys = keys
        self.deliveries: list[Delivery] = []
        self.port = HubPort("tcp://127.0.0.1:0", load_hub_keys(keys), window=64, committed={})
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "Hub":
        self.port.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)
        self.port.close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            came = self.port.receive(max_messages=256, timeout_s=0.1)
            reliable = [one for one in came if one.envelope.seq]
            self.deliveries += reliable
            self.port.acknowledge(reliable)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(tmp_path / "keys") as running:
        yield running


def load(hub: Hub, tape: Path, *, edges: int = 3, cameras: int = 60, seconds: float = 2.0) -> Load:
    return Load(tape=tape, address=hub.port.address, keys=hub.keys, edges=edges, cameras=cameras, seconds=seconds)


def test_every_message_of_many_cameras_is_acknowledged_and_the_keys_are_taken_back(hub: Hub, tape: Path) -> None:
    figures = publish(load(hub, tape), progress=lambda _: None)
    assert figures.published == figures.acknowledged == len(hub.deliveries) > 20
    assert (figures.refused, figures.missing, figures.spool_full) == (0, 0, 0)
    assert len(figures.latencies) == figures.acknowledged
    assert figures.latencies.quantile(0.5) < 5.0
    assert AllowList.read(hub.keys / "edges.yaml").edges() == []
    assert not list(hub.keys.glob("load-*"))
    assert len({one.edge_id for one in hub.deliveries}) == 3


def test_what_is_published_is_of_now_whole_and_of_the_edges_own_cameras(hub: Hub, tape: Path) -> None:
    wished = load(hub, tape, edges=2, cameras=30)
    publish(wished, progress=lambda _: None)
    own = {name: set(wished.cameras_of(number)) for number, name in enumerate(wished.edge_names)}
    revisions: dict[tuple[bytes, int], int] = {}
    for one in hub.deliveries:
        update = one.envelope.message
        assert isinstance(update, TrackletUpdate)
        assert update.camera_id in own[one.edge_id]
        key = (one.envelope.boot_id, update.tracklet_id)
        assert update.revision == revisions.get(key, 0) + 1
        revisions[key] = update.revision
        assert update.started_at_ns <= update.observations.captured_at_ns.min(initial=2**62)


def test_a_hub_that_is_not_there_is_named(tmp_path: Path, tape: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from simulation.tapes import live

    monkeypatch.setattr(live, "_CONNECT_TIMEOUT_S", 0.5)
    keys = tmp_path / "keys"
    load_hub_keys(keys)
    wished = Load(tape=tape, address="tcp://127.0.0.1:9", keys=keys, edges=1, cameras=2, seconds=1)
    with live._borrowed_keys(wished), pytest.raises(ConfigError, match="does not take load-001"):
        publish_share(wished, [0], tmp_path)


@pytest.mark.parametrize(
    "address", ["tcp://192.0.2.1:7600", "tcp://hub.example:7600", "ipc:///run/hub", "tcp://0.0.0.0:1"]
)
def test_a_load_never_leaves_this_machine(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigError, match="not on this machine"):
        Load(tape=tmp_path / "a.tape", address=address, keys=tmp_path, edges=1, cameras=1, seconds=1)


@pytest.mark.parametrize(("edges", "cameras"), [(0, 1), (1, 0), (1, 1001), (10**6, 1), (256, 10**6)])
def test_bounds_of_a_load_are_kept(tmp_path: Path, edges: int, cameras: int) -> None:
    with pytest.raises(ConfigError):
        Load(tape=tmp_path / "a", address="tcp://127.0.0.1:1", keys=tmp_path, edges=edges, cameras=cameras, seconds=1)


def test_an_edge_that_the_hub_knows_is_not_taken_over(hub: Hub, tape: Path) -> None:
    from passerby.transport import local_keys

    local_keys(hub.keys, "load-001", ["*"])
    with pytest.raises(ConfigError, match="another --name"):
        publish(load(hub, tape), progress=lambda _: None)
    assert (hub.keys / "load-001.secret").exists()


def test_an_empty_tape_cannot_be_published(hub: Hub, tmp_path: Path) -> None:
    with TapeWriter(tmp_path / "empty.tape"):
        pass
    with pytest.raises(DataError, match="no tracklet"):
        publish(load(hub, tmp_path / "empty.tape"), progress=lambda _: None)
