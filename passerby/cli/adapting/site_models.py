"""The re-ID models of a site: what its file names, and what it has adapted for itself."""

import shutil
from pathlib import Path

from passerby.adaptation.job import MODEL, Job
from passerby.config import Site
from passerby.errors import ModelError, StoreError
from passerby.ids import ModelId
from passerby.models import ModelManifest, find_model, read_model
from passerby.models.places import site_folder

_LEFT = {"model.onnx": ".onnx", "model.json": ".json", "model.pth": ".pth"}
"""What an adaptation leaves, and how that ends beside the site's other models."""


def find_site_model(site: Site, name: str) -> ModelManifest:
    """A re-ID model by name: the site's own, or one of this machine. Raises ModelError where it is not here."""
    own = site_folder(site.data) / f"{name}.onnx"
    return read_model(own) if own.is_file() else find_model(name, task="embed")


def find_by_id(site: Site, model_id: ModelId) -> ModelManifest:
    """A model whose bytes are those of `model_id`. Raises ModelError where the file here is another one."""
    name = model_id.partition("@")[0]
    if Path(site.models.reid).stem == name:
        name = site.models.reid  # perhaps a path
    found = find_site_model(site, name)
    if found.model_id != model_id:
        raise ModelError(f"{found.files[0]} is {found.model_id} now, expected {model_id}; put the former file back")
    return found


def weights_of(site: Site, name: str) -> str:
    """What training takes for a model: the file of the site's own weights, or the name of the published ones."""
    own = site_folder(site.data) / f"{name}.pth"
    return str(own) if own.is_file() else name


def enlist(site: Site, job: Job) -> ModelManifest:
    """Put what a job has made among the site's models, the network last; again is harmless. Raises StoreError."""
    folder = site_folder(site.data)
    target = folder / f"{job.model_name}.onnx"
    if not target.is_file():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, suffix in reversed(_LEFT.items()):
                scratch = folder / f".{job.model_name}{suffix}"
                shutil.copyfile(job.folder / MODEL / name, scratch)
                scratch.replace(folder / f"{job.model_name}{suffix}")
        except OSError as error:
            raise StoreError(f"{folder}: the adapted model cannot be put there: {error}") from error
    return read_model(target)


def adapted_id(job: Job) -> ModelId:
    """What the adapted model of a job will be called once it is enlisted: its name, and the digest of its bytes."""
    made = read_model(job.folder / MODEL / "model.onnx")
    return ModelId(f"{job.model_name}@{made.version}")
