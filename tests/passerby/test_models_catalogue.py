"""models.yaml: every entry complete, nothing invented."""

import re

import pytest

from passerby.errors import ConfigError, ModelError, UnknownModelError
from passerby.models import catalogue, known_model
from passerby.models.catalogue import parse_catalogue
from passerby.shipped import shipped_config


def test_every_entry_names_its_licences_and_what_it_was_trained_on() -> None:
    for name, entry in catalogue().items():
        for text in (entry.licence, entry.weights_licence, entry.trained_on, entry.source):
            assert text not in {"", "unknown"}, name


def test_every_entry_can_be_got() -> None:
    for name, entry in catalogue().items():
        assert entry.fetched_variant or entry.obtain, name


def test_files_are_named_like_their_model_and_fetched_over_https() -> None:
    for name, entry in catalogue().items():
        for variant in entry.variants:
            assert [file.name for file in variant.files] == [f"{name}.xml", f"{name}.bin"]
            for file in variant.files:
                assert re.fullmatch(r"[0-9a-f]{96}", file.sha384)
                assert file.url is None or file.url.startswith("https://")
                assert file.url is None or file.url.endswith(file.name)


def test_the_defaults_of_the_site_file_are_known() -> None:
    assert known_model("person-detection-retail-0013").task == "detect"
    assert known_model("person-reidentification-retail-0288").task == "embed"


def test_a_near_name_is_offered() -> None:
    with pytest.raises(UnknownModelError, match="did you mean 'yolox_nano'"):
        known_model("yolox-nano")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("models: []", "expected a mapping `models`"),
        ("", "expected a mapping `models`"),
        ("models: {x: {task: embed}}", "models.yaml: x: .*missing required field `input`"),
        (
            "models: {x: {task: embed, input: {height: 1, width: 1, colour: BGR}, embedding: {dimension: 1}, url: y}}",
            "unknown field `url`",
        ),
    ],
)
def test_a_damaged_catalogue_names_the_entry(text: str, reason: str) -> None:
    with pytest.raises(ModelError, match=reason):
        parse_catalogue(text)


def test_a_shipped_file_that_is_missing_is_said() -> None:
    with pytest.raises(ConfigError, match=r"configs/nothing\.yaml is not in this installation"):
        shipped_config("nothing.yaml")
