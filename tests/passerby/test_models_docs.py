"""docs/models.md says what is so."""

import json
import re
from pathlib import Path

import msgspec

from passerby.cli.models import app
from passerby.inference.decoders import DECODERS
from passerby.models import ModelDescription, catalogue

_TEXT = (Path(__file__).resolve().parents[2] / "docs" / "models.md").read_text(encoding="utf-8")


def test_every_command_is_documented() -> None:
    names = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert len(names) == 4
    for name in names:
        assert f"passerby models {name}" in _TEXT


def test_every_known_model_and_layout_is_documented() -> None:
    for name in [*catalogue(), *DECODERS]:
        assert f"`{name}`" in _TEXT


def test_every_key_of_a_manifest_is_documented() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", _TEXT, flags=re.DOTALL)
    described = msgspec.convert(json.loads(example), ModelDescription)
    assert described.detection is not None
    for field in (*described.input.__struct_fields__, *described.detection.__struct_fields__):
        assert field in _TEXT
