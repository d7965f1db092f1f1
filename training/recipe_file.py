"""The YAML of a recipe, before it is known what kind of recipe it should be."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from passerby.errors import ConfigError
from passerby.shipped import shipped_config

ADAPTATION = "adaptation"
"""The kind of a recipe that names none."""

_Recipe = TypeVar("_Recipe")


@dataclass(frozen=True, slots=True)
class RecipeDocument:
    """What a recipe says, apart from its `kind`."""

    name: str
    kind: str
    settings: dict[str, Any]

    def convert(self, kind: type[_Recipe]) -> _Recipe:
        """As a recipe of this type. Raises ConfigError that names the first wrong key or value, and what is meant."""
        try:
            return msgspec.convert(self.settings, kind)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{self.name}: not a recipe of kind {self.kind}: {error}{self._meant(kind)}") from error

    def _meant(self, kind: type[Any]) -> str:
        """The valid key that is nearest to the first wrong one."""
        valid = [each.encode_name for each in msgspec.structs.fields(kind)]
        wrong = next((key for key in self.settings if key not in valid), None)
        near = difflib.get_close_matches(str(wrong), valid, n=1) if wrong is not None else []
        return f"; did you mean `{near[0]}`?" if near else ""


def read_document(name_or_file: str, *, shipped: Sequence[str]) -> RecipeDocument:
    """configs/recipes/NAME.yaml of a name that is in `shipped`, or FILE.yaml.

    Raises ConfigError for another name, a file that cannot be read, and a file that is no mapping.
    """
    try:
        if Path(name_or_file).suffix in {".yaml", ".yml"}:
            text = Path(name_or_file).read_text(encoding="utf-8")
        elif name_or_file in shipped:
            text = shipped_config(f"recipes/{name_or_file}.yaml").read_text(encoding="utf-8")
        else:
            near = difflib.get_close_matches(name_or_file, shipped, n=1)
            meant = f"did you mean {near[0]}?" if near else f"expected {', '.join(shipped)}, or a FILE.yaml"
            raise ConfigError(f"no recipe is called {name_or_file!r}; {meant}")
        settings = yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"{name_or_file}: cannot read the recipe: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name_or_file}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(settings, dict):
        raise ConfigError(f"{name_or_file}: holds no settings of a recipe; expected lines like `rounds: 12`")
    kind = settings.pop("kind", ADAPTATION)
    return RecipeDocument(name_or_file, str(kind), settings)
