"""Where models lie on this machine."""

import os
from collections.abc import Mapping
from pathlib import Path

from passerby.shipped import shipped_folder

MODEL_DIR_VARIABLE = "PASSERBY_MODEL_DIR"
HOME_VARIABLE = "PASSERBY_HOME"


def operator_folder(environment: Mapping[str, str] | None = None) -> Path | None:
    """The folder named by PASSERBY_MODEL_DIR: the operator's own files, searched first."""
    named = (os.environ if environment is None else environment).get(MODEL_DIR_VARIABLE)
    return Path(named).expanduser().resolve() if named else None


def registry_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where `passerby models pull` puts files: PASSERBY_HOME/models, or ~/.local/share/passerby/models."""
    named = (os.environ if environment is None else environment).get(HOME_VARIABLE)
    home = Path(named).expanduser() if named else Path.home() / ".local" / "share" / "passerby"
    return home.resolve() / "models"


def site_folder(data_dir: Path) -> Path:
    """Where the models lie that a site has adapted for itself."""
    return data_dir / "models"


def embedded_folder() -> Path | None:
    """Where the models lie that come with Passerby, searched last; None in an installation without them."""
    return shipped_folder("embedded")
