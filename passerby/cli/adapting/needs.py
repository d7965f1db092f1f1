"""What a command needs that Passerby alone does not bring."""

from importlib.util import find_spec

from passerby.errors import ModelError


def require_training() -> None:
    """Raise ModelError, with what to install, where what training needs is not here."""
    for module in ("torch", "onnx", "numba"):
        if find_spec(module) is None:
            raise ModelError(f"adapting needs {module}, which is not installed; `pip install 'passerby[training]'`")
