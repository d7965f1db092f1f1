"""`passerby up` as a user runs it: a site to the end of its recording, and who is to be told of it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.reader import SiteReader
from tests.edge.footage import write_film
from tests.system.processes import free_port

TREE = Path(__file__).parents[2]

pytestmark = pytest.mark.system


def run_up(folder: Path, models: Path, *, url: Path | str) -> subprocess.CompletedProcess[str]:
    site = folder / "site.yaml"
    site.write_text(
        f"site: test\ndata: data\nhub: {{listen: 'tcp://127.0.0.1:{free_port()}'}}\nedge: {{threads: 1}}\n"
        f"models: {{reid: person-reidentification-retail-0277}}\ncameras: {{hall: {{url: {url}}}}}\n"
        f"webhooks: [{{name: nobody, url: 'http://127.0.0.1:{free_port()}'}}]\n"
    )
    return subprocess.run(
        [sys.executable, "-m", "passerby", "up", "--config", str(site), "--until-ended"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(TREE), "PASSERBY_MODEL_DIR": str(models), "PASSERBY_HOME": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_site_runs_to_the_end_of_its_recordings(tmp_path: Path, shared_data: Callable[[str], Path]) -> None:
    film = write_film(tmp_path / "hall.mp4", frames=20)
    done = run_up(tmp_path, shared_data("models"), url=film)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("stopped. Data in ")
    with SiteReader(tmp_path / "data") as reader:
        (camera,) = reader.cameras()
    assert (camera.status.state, camera.status.frames > 0) == ("ended", True)
    assert "stopped;" in (tmp_path / "data" / "logs" / "hub.log").read_text()
    for log in ("edge.log", "notify.log"):
        assert "Traceback" not in (tmp_path / "data" / "logs" / log).read_text()


def test_a_missing_model_is_said_before_anything_is_started(tmp_path: Path) -> None:
    done = run_up(tmp_path, tmp_path / "no-models", url="hall.mp4")
    assert done.returncode == 1
    assert done.stderr.startswith("error: model 'person-detection-retail-0013' is not here")
    assert not (tmp_path / "data").exists()
