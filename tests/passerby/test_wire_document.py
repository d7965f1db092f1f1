"""docs/wire.md is the protocol: it names every kind, bound, reason and counted failure that the code has."""

import re
from pathlib import Path

import pytest

from passerby.codec import bounds
from tests.passerby.wire_samples import SAMPLES

_ROOT = Path(__file__).parents[2]
_TEXT = (_ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
_REASON = re.compile(r'(?:MalformedMessageError\(\s*|_require\(.*?, )"([a-z-]+)"', re.DOTALL)


def _reasons() -> set[str]:
    sources = [*(_ROOT / "passerby" / "codec").glob("*.py"), _ROOT / "passerby" / "transport" / "hub_loop.py"]
    return {reason for source in sources for reason in _REASON.findall(source.read_text(encoding="utf-8"))}


def test_the_reasons_are_found_in_the_code() -> None:
    assert {"header", "range", "direction", "not-finite", "part-table"} <= _reasons()


@pytest.mark.parametrize("word", sorted(_reasons() | set(SAMPLES)))
def test_every_reason_and_kind_is_explained(word: str) -> None:
    assert f"`{word}`" in _TEXT


def _fields(value: object) -> set[str]:
    names: tuple[str, ...] = tuple(getattr(value, "__struct_fields__", getattr(value, "__dataclass_fields__", ())))
    return set(names) - {"observations", "exemplars"}  # their rows are the parts `seen.*` and `best.*`


@pytest.mark.parametrize("field", sorted({name for sample in SAMPLES.values() for name in _fields(sample.message)}))
def test_every_value_of_every_message_is_named(field: str) -> None:
    assert f"`{field}`" in _TEXT


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (bounds.MAX_HEADER_BYTES, "1 MiB"),
        (bounds.MAX_PART_BYTES, "8 MiB"),
        (bounds.MAX_MESSAGE_BYTES, "16 MiB"),
        (bounds.MAX_PARTS, "96"),
        (bounds.MAX_OBSERVATIONS, "16384"),
        (bounds.MAX_EXEMPLARS, "64"),
        (bounds.MAX_DIMENSION, "8192"),
        (bounds.MAX_CAMERAS, "1024"),
        (bounds.MAX_TEXT, "4096"),
        (int(bounds.MAX_PIXELS), "1000000"),
    ],
)
def test_every_bound_is_stated(value: int, written: str) -> None:
    number, _, unit = written.partition(" ")
    assert value == int(number) * (1 << 20 if unit == "MiB" else 1)
    assert f"| {written}" in _TEXT
