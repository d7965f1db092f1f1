"""Values that have the right type and are still no message: infinite, negative, over long, no name."""

import math
import re
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from passerby.codec.bounds import MAX_CAMERAS, MAX_INTEGER, MAX_PIXELS, MAX_TEXT
from passerby.errors import MalformedMessageError

_CAMERA_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_NAME = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,199}")
_REASON = re.compile(r"[a-z][a-z0-9-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PATTERNS = {
    "camera_id": _CAMERA_ID,
    "model_id": _NAME,
    "file_name": _NAME,
    "name": _NAME,
    "reason": _REASON,
    "sha256": _SHA256,
}
_FREE_DEPTH = 16


def require_sane(value: Any, name: str) -> None:
    """Check a decoded field, and what is inside it. Raises MalformedMessageError.

    Integers are 0 to 2^63 - 1, floats finite and not negative, texts at most MAX_TEXT characters; ids and file
    names match their patterns; the values of a free-form map are plain (no binary extension, finite numbers).
    """
    match value:
        case bool() | None:
            return
        case int():
            _require(0 <= value <= MAX_INTEGER, "range", f"{name} is {value}, expected 0 to 2^63 - 1")
        case float():
            _require(math.isfinite(value) and value >= 0, "range", f"{name} is {value}, expected 0 or more")
        case str():
            _require_text(value, name)
        case bytes():
            _require(name != "boot_id" or len(value) == 16, "boot-id", f"the boot id has {len(value)} bytes, not 16")
        case list() | tuple():
            _require(len(value) <= MAX_CAMERAS, "rows", f"{name} has {len(value)} entries, at most {MAX_CAMERAS}")
            for entry in value:
                require_sane(entry, "camera_id" if name == "cameras" else name)
        case dict():
            _require_map(value, name)
        case Struct():
            for field in value.__struct_fields__:
                require_sane(getattr(value, field), field)
        case _:
            raise MalformedMessageError("body", f"{name} is a {type(value).__name__}")


def _require_text(text: str, name: str) -> None:
    _require(len(text) <= MAX_TEXT, "text", f"{name} has {len(text)} characters, at most {MAX_TEXT}")
    pattern = _PATTERNS.get(name)
    if pattern is not None:
        _require(pattern.fullmatch(text) is not None, "identifier", f"{name} is {text!r:.80}, not a usable name")


def _require_map(value: dict[Any, Any], name: str) -> None:
    """The map from cameras to models, or a free-form one."""
    if name != "camera_models":
        _require_plain(value, name, depth=0)
        return
    _require(len(value) <= MAX_CAMERAS, "rows", f"{name} has {len(value)} entries, at most {MAX_CAMERAS}")
    for camera_id, model_id in value.items():
        _require_text(camera_id, "camera_id")
        _require_text(model_id, "model_id")


def _require_plain(value: Any, name: str, *, depth: int) -> None:
    _require(depth <= _FREE_DEPTH, "body", f"{name} is nested deeper than {_FREE_DEPTH}")
    match value:
        case bool() | None | str():
            return
        case int():
            _require(abs(value) <= MAX_INTEGER, "range", f"{name} holds {value}, over 2^63 - 1")
        case float():
            _require(math.isfinite(value), "not-finite", f"{name} holds {value}")
        case list():
            for entry in value:
                _require_plain(entry, name, depth=depth + 1)
        case dict():
            for key, entry in value.items():
                _require(isinstance(key, str), "body", f"{name} has the key {key!r:.40}, expected text")
                _require_plain(entry, name, depth=depth + 1)
        case _:
            raise MalformedMessageError("body", f"{name} holds a {type(value).__name__}")


def require_finite(name: str, array: NDArray[np.floating[Any]]) -> None:
    """Every number of `array` is finite."""
    _require(bool(np.isfinite(array).all()), "not-finite", f"{name} holds NaN or infinity")


def require_fraction(name: str, array: NDArray[np.floating[Any]]) -> None:
    """Every number of `array` is in 0-1."""
    _require(bool(((array >= 0) & (array <= 1)).all()), "range", f"{name} is outside 0-1")


def require_not_negative(name: str, array: NDArray[np.int64]) -> None:
    """Every number of `array` is 0 or more."""
    _require(bool((array >= 0).all()), "range", f"{name} holds a negative number")


def require_boxes(name: str, boxes_xyxy: NDArray[np.float32]) -> None:
    """Boxes (n, 4) are finite, near the picture, and their right and bottom are not before their left and top."""
    require_finite(name, boxes_xyxy)
    _require(bool((np.abs(boxes_xyxy) <= MAX_PIXELS).all()), "range", f"{name} is over {MAX_PIXELS:.0f} pixels")
    ordered = bool((boxes_xyxy[:, 2:] >= boxes_xyxy[:, :2]).all())
    _require(ordered, "range", f"{name} has a box whose right or bottom is before its left or top")


def _require(fine: bool, reason: str, text: str) -> None:
    if not fine:
        raise MalformedMessageError(reason, text)
