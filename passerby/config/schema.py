"""The site file as a JSON schema, for editors that complete and check while one types."""

from pathlib import Path
from typing import Any

import msgspec

from passerby.config.settings import CameraSettings, Site


def site_json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the site file, `defaults` included."""
    (schema, _), components = msgspec.json.schema_components(
        [Site, CameraSettings], schema_hook=_path_as_text, ref_template="#/$defs/{name}"
    )
    camera = components["CameraSettings"]
    defaults = {**camera, "title": "CameraDefaults", "required": []}
    defaults["properties"] = {key: value for key, value in camera["properties"].items() if key != "url"}
    site = components["Site"]
    site["properties"] = {**site["properties"], "defaults": {"$ref": "#/$defs/CameraDefaults"}}
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Passerby site file",
        **schema,
        "$defs": {**components, "CameraDefaults": defaults},
    }
    # As JSON has it: what is a tuple among the defaults is an array.
    return msgspec.json.decode(msgspec.json.encode(whole), type=dict[str, Any])


def _path_as_text(kind: type) -> dict[str, Any]:
    if kind is Path:
        return {"type": "string"}
    raise NotImplementedError(kind)
