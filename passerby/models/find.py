"""From a model's name, or its file, to its manifest."""

from collections.abc import Mapping
from pathlib import Path

from passerby.errors import ChecksumError, ModelError, UnknownModelError
from passerby.models.catalogue import CatalogueEntry, catalogue, nearest_name
from passerby.models.checksum import file_digest, version_of
from passerby.models.manifest import ModelDescription, ModelManifest, Task, read_description
from passerby.models.places import MODEL_DIR_VARIABLE, embedded_folder, operator_folder, registry_folder

SUFFIXES = (".xml", ".onnx")
"""OpenVINO IR (with its .bin beside it) and ONNX."""


def find_model(
    name_or_path: str, *, task: Task | None = None, environment: Mapping[str, str] | None = None
) -> ModelManifest:
    """The manifest of a model on this machine.

    A name is looked for in the folder of PASSERBY_MODEL_DIR (the operator's own files, taken as they are), then in the
    registry folder (whose files must be the published ones, where a checksum is published), then among the models that
    come with Passerby. A path is FILE.onnx or FILE.xml. Its description is FILE.json beside it or, without one, the
    entry of the same name in models.yaml.

    Raises UnknownModelError (nothing of that name here: says how to get it), ModelError (no or wrong manifest, a part
    of the model missing, or another `task`), ChecksumError.
    """
    if Path(name_or_path).suffix in SUFFIXES or "/" in name_or_path:
        manifest = _read_path(Path(name_or_path).expanduser().resolve())
    else:
        manifest = _read_named(name_or_path, environment)
    if task is not None and manifest.task != task:
        raise ModelError(f"{manifest.files[0]} is a model with task `{manifest.task}`, expected one with `{task}`")
    return manifest


def read_model(file: Path, *, description: ModelDescription | None = None) -> ModelManifest:
    """The manifest of one model file, .onnx or .xml; `description` stands for FILE.json. Raises ModelError."""
    files = [file]
    if file.suffix == ".xml":
        weights = file.with_suffix(".bin")
        if not weights.is_file():
            raise ModelError(f"{file}: its weights are missing; expected {weights.name} beside it")
        files.append(weights)
    fields = _describe(file) if description is None else description
    return ModelManifest(
        name=file.stem,
        version=version_of(files),
        files=[str(path) for path in files],
        **{name: getattr(fields, name) for name in ModelDescription.__struct_fields__},
    )


def model_file(folder: Path, name: str) -> Path | None:
    """The file to load of the model `name` in `folder`."""
    return next((path for suffix in SUFFIXES if (path := folder / f"{name}{suffix}").is_file()), None)


def verify_published(files: list[Path], entry: CatalogueEntry) -> None:
    """Raise ChecksumError unless `files` are a published variant of the entry; one without any lets every file pass."""
    if not entry.variants:
        return
    digests = {file.name: file_digest([file], algorithm="sha384") for file in files}
    for variant in entry.variants:
        if digests == {file.name: file.sha384 for file in variant.files}:
            return
    shown = ", ".join(f"{name} {digest[:12]}" for name, digest in digests.items())
    raise ChecksumError(
        f"{files[0]}: SHA-384 {shown} is none of the published ones of {entry.name}; delete the files and "
        f"`passerby models pull {entry.name}`, or keep your own in a folder named by {MODEL_DIR_VARIABLE}"
    )


def _read_path(file: Path) -> ModelManifest:
    if file.suffix not in SUFFIXES:
        raise ModelError(f"{file} is not a model file; expected {' or '.join(SUFFIXES)}")
    if not file.is_file():
        raise UnknownModelError(f"{file}: no such model file")
    return read_model(file)


def _read_named(name: str, environment: Mapping[str, str] | None) -> ModelManifest:
    own, registry = operator_folder(environment), registry_folder(environment)
    if own is not None and (file := model_file(own, name)) is not None:
        return read_model(file)
    if (file := model_file(registry, name)) is not None:
        manifest = read_model(file)
        if name in catalogue():
            verify_published([Path(path) for path in manifest.files], catalogue()[name])
        return manifest
    embedded = embedded_folder()
    if embedded is not None and (file := model_file(embedded, name)) is not None:
        return read_model(file)
    searched = f"{MODEL_DIR_VARIABLE} ({own or 'not set'}), {registry}"
    hint = catalogue()[name].how_to_get if name in catalogue() else nearest_name(name)
    raise UnknownModelError(f"model {name!r} is not here (searched {searched}); {hint}")


def _describe(file: Path) -> ModelDescription:
    beside = file.with_suffix(".json")
    if beside.is_file():
        return read_description(beside)
    if file.stem in catalogue():
        return catalogue()[file.stem].description
    raise ModelError(
        f"{file} has no manifest: expected {beside.name} beside it (docs/models.md shows one), or a file named like "
        "a model of `passerby models list`"
    )
