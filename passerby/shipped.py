"""The files of `configs/`: packaged as passerby/configs in a wheel, beside the package in the source tree."""

from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from passerby.errors import ConfigError


def shipped_folder(name: str) -> Path | None:
    """The shipped folder `name` of configs/, for files that a library opens by their path; None without one."""
    for folder in (Path(__file__).resolve().parent / "configs" / name, Path(__file__).parents[1] / "configs" / name):
        if folder.is_dir():
            return folder.resolve()
    return None


def shipped_config(name: str) -> Traversable:
    """The shipped file `name`, for example `models.yaml`. Raises ConfigError when this installation lacks it."""
    packaged = resources.files("passerby") / "configs" / name
    if packaged.is_file():
        return packaged
    beside = Path(__file__).resolve().parent.parent / "configs" / name
    if beside.is_file():
        return beside
    raise ConfigError(f"configs/{name} is not in this installation of passerby; install it again")
