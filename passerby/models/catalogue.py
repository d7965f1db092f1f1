"""The models that Passerby knows by name: configs/models.yaml."""

import difflib
from functools import lru_cache
from typing import Any

import msgspec
import yaml
from msgspec import Struct

from passerby.errors import ModelError, UnknownModelError
from passerby.models.manifest import ModelDescription
from passerby.shipped import shipped_config


class PublishedFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file as its publisher names it: bytes and SHA-384."""

    name: str
    size: int
    sha384: str
    url: str | None = None
    """None: known by its hash, but from no address that was verified."""


class Variant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One published form of a model. The first with addresses is the one that is fetched."""

    precision: str
    files: tuple[PublishedFile, ...]

    @property
    def can_be_fetched(self) -> bool:
        """Whether every file has an address."""
        return all(file.url for file in self.files)


class CatalogueEntry(ModelDescription, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A known model, whether or not it is on this machine."""

    name: str = ""
    variants: tuple[Variant, ...] = ()
    obtain: str = ""
    """For a person: how to get the file where no address is known."""

    @property
    def fetched_variant(self) -> Variant | None:
        """The variant that `passerby models pull` fetches."""
        return next((variant for variant in self.variants if variant.can_be_fetched), None)

    @property
    def description(self) -> ModelDescription:
        """What a FILE.json beside the file would say."""
        return ModelDescription(**{name: getattr(self, name) for name in ModelDescription.__struct_fields__})

    @property
    def how_to_get(self) -> str:
        """One sentence for an error or a table."""
        return f"fetch it with `passerby models pull {self.name}`" if self.fetched_variant else self.obtain


@lru_cache(maxsize=1)
def catalogue() -> dict[str, CatalogueEntry]:
    """Every known model by name. Raises ModelError when models.yaml is damaged."""
    text = shipped_config("models.yaml").read_text(encoding="utf-8")
    return parse_catalogue(text)


def parse_catalogue(text: str) -> dict[str, CatalogueEntry]:
    """The entries of a models.yaml. Raises ModelError, naming the entry, for a wrong key or value."""
    document: Any = yaml.safe_load(text)
    if not isinstance(document, dict) or not isinstance(document.get("models"), dict):
        raise ModelError("models.yaml: expected a mapping `models` of names to entries")
    entries: dict[str, CatalogueEntry] = {}
    for name, fields in document["models"].items():
        try:
            entries[name] = msgspec.convert({**fields, "name": name}, CatalogueEntry)
        except (msgspec.ValidationError, ModelError) as error:
            raise ModelError(f"models.yaml: {name}: {error}") from error
    return entries


def known_model(name: str) -> CatalogueEntry:
    """The entry of that name. Raises UnknownModelError with the nearest name."""
    entries = catalogue()
    if name in entries:
        return entries[name]
    raise UnknownModelError(f"no model is called {name!r}; {nearest_name(name)}")


def nearest_name(name: str) -> str:
    """A hint for a name that is not in the catalogue."""
    near = difflib.get_close_matches(name, catalogue(), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else f"known models: {', '.join(sorted(catalogue()))}"
