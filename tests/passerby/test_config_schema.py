"""The JSON schema that `passerby config schema` prints agrees with what the loader takes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from passerby.config import load_site, site_json_schema
from tests.passerby.reference_json_schema import violations

EXAMPLE = Path(__file__).parents[2] / "configs" / "site.example.yaml"


def breaks(document: Any) -> list[str]:
    schema = site_json_schema()
    return violations(document, schema, root=schema)


def test_the_example_fits_the_schema_and_the_loader() -> None:
    assert breaks(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))) == []
    site = load_site(EXAMPLE, environment={"CAM_USER": "viewer", "CAM_PASS": "secret"})
    assert len(site.cameras) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"sitee": "x"},
        {"site": 5},
        {"engine": "cuda"},
        {"defaults": {"url": "a.mp4"}},
        {"defaults": {"fps": 0}},
        {"cameras": {"a": {"fps": 3}}},
        {"cameras": {"a": {"url": "a.mp4", "fps": True}}},
        {"cameras": {"a": {"url": "a.mp4", "zones": [[[0, 0], [1, 1]]]}}},
        {"hub": {"listen": "nowhere"}},
        {"mqtt": {"host": "a", "prefix": "a/#"}},
        {"webhooks": [{"url": "https://a"}]},
        {"webhooks": [{"name": "a", "url": "https://a", "kinds": ["links"]}]},
        {"association": {"false_link_rate": 1.0}},
        {"association": {"topology": [{"from": "a"}]}},
        {"association": {"topology": [{"from": "a", "to": "b", "transit": [-1, 2]}]}},
    ],
)
def test_what_the_loader_refuses_breaks_the_schema_too(change: dict[str, Any], tmp_path: Path) -> None:
    document = {"site": "a", "cameras": {"a": {"url": "a.mp4"}}}
    assert breaks(document) == []
    assert breaks({**document, **change}) != []
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump({**document, **change}), encoding="utf-8")
    with pytest.raises(Exception, match=r"site\.yaml:\d+: "):
        load_site(file)


def test_every_default_fits_its_own_rule() -> None:
    schema = site_json_schema()
    for name, part in schema["$defs"].items():
        for key, rule in part["properties"].items():
            if "default" in rule:
                assert violations(rule["default"], rule, root=schema, where=f"{name}.{key}") == []
