"""The wheel, built and installed outside the tree, is complete: the command, its data files, all packages."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

TREE = Path(__file__).parents[1]


def run(*command: str | Path, cwd: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PASSERBY"))}
    done = subprocess.run(command, cwd=cwd, env=clean, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; what it depends on is borrowed from the one that runs the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, TREE, cwd=folder)
    (wheel,) = folder.glob("passerby-*.whl")
    venv.create(folder / "env", with_pip=False)
    (packages,) = (folder / "env").glob("lib/python*/site-packages")
    run(*pip, "--python", folder / "env/bin/python", "install", "--no-deps", "--no-index", wheel, cwd=folder)
    (packages / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder


def passerby(installed: Path, *arguments: str) -> str:
    return run(installed / "env/bin/passerby", *arguments, cwd=installed)


def test_the_command_runs_from_the_wheel_and_not_from_the_tree(installed: Path) -> None:
    assert passerby(installed, "--version").startswith("passerby ")
    where = run(
        installed / "env/bin/python", "-c", "import passerby, edge, hub; print(passerby.__file__)", cwd=installed
    )
    assert where.startswith(str(installed))


def test_the_site_files_schema_comes_out_as_json(installed: Path) -> None:
    assert json.loads(passerby(installed, "config", "schema"))["title"] == "Passerby site file"


def test_the_catalogue_of_models_is_in_the_wheel(installed: Path) -> None:
    assert "person-detection-retail-0013" in passerby(installed, "models", "list")


def test_the_hub_makes_its_database_from_the_wheel(installed: Path) -> None:
    run(
        installed / "env/bin/python",
        "-c",
        "from pathlib import Path; from hub.site_hub import Hub; Hub.open(Path('data')).close()",
        cwd=installed,
    )
    assert (installed / "data" / "passerby.sqlite").stat().st_size > 0


@pytest.mark.parametrize("package", ["passerby", "edge", "hub", "training", "simulation"])
def test_every_package_says_that_it_has_types(installed: Path, package: str) -> None:
    assert list(installed.glob(f"env/lib/python*/site-packages/{package}/py.typed"))


def test_the_embedded_models_are_in_the_wheel(installed: Path) -> None:
    for name in ("passerby-sim-detector", "passerby-sim-reid"):
        described = json.loads(passerby(installed, "models", "show", name, "--json"))
        assert described["place"] == "embedded"
        assert described["files"][0]["path"].startswith(str(installed))
