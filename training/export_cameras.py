"""A network with batch norm per camera as one ONNX file: tables of a row for each camera, and the row to use.

Each batch norm becomes `maps * scale + shift`, gathered from two tables (cameras + 1, features) by `camera`, a constant
of the file whose value is the site's row: any reader of ONNX runs the site's network. Passerby's engines put a camera's
row in its place, and fold the tables away, or make an input of it with a row for each picture. A row for a new camera
is one more row in every table, before the site's, and a larger `camera`.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from passerby.arrays import Image
from passerby.errors import ModelError
from passerby.inference.camera_rows import CAMERA, with_row
from passerby.models import ModelDescription, ModelManifest
from training.batch_norm import CameraBatchNorm, CameraNetwork
from training.export import pictures_to_compare, publish, require_equal, run_onnx, write_onnx


def export_camera_network(
    network: CameraNetwork, out: Path, *, description: ModelDescription, crops: Sequence[Image] = ()
) -> ModelManifest:
    """Write `network` as ONNX with a free batch axis, and its manifest; `description.embedding.cameras` names its rows.

    The network is put into evaluation mode. Nothing is left at `out` unless ONNX Runtime gives torch's numbers for
    every camera and for the site, on noise and on `crops` (BGR uint8, any size). The tables are called `camera.scale.I`
    and `camera.shift.I`, I counting batch norms. Raises ModelError when a number differs, when cameras are not named,
    or when `out` is not an .onnx.
    """
    named = len(description.embedding.cameras) if description.embedding else 0
    if named != network.cameras:
        raise ModelError(f"{out.name}: {named} cameras are named, the network has rows for {network.cameras}")
    network.eval()

    def write(file: Path) -> None:
        size = (3, description.input.height, description.input.width)
        _write(network, file, size=size)

    def check(file: Path) -> None:
        content = file.read_bytes()
        for pictures in pictures_to_compare(crops, how=description.input):
            for row in range(network.cameras + 1):
                with torch.no_grad():
                    expected = network(torch.from_numpy(pictures), np.full(len(pictures), row)).numpy()
                what = f"{out.name}, row {row} of {network.cameras + 1}"
                require_equal(expected, run_onnx(with_row(content, row, name=out.name), pictures), what=what)

    return publish(out, description=description, write=write, check=check)


@torch.no_grad()
def tables_of(norm: CameraBatchNorm) -> tuple[Tensor, Tensor]:
    """Scale and shift (cameras + 1, features) of a batch norm in evaluation."""
    scale = norm.weight.double() / (norm.variances.double() + norm.eps).sqrt()
    shift = norm.bias.double() - norm.means.double() * scale
    return scale.float(), shift.float()


@dataclass(slots=True)
class _Chosen:
    """The row (1,) that all tables of a network gather while it runs."""

    row: Tensor | None = None


class _Tables(nn.Module):
    """A batch norm in evaluation, as two tables (cameras + 1, features)."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: CameraBatchNorm, *, chosen: _Chosen) -> None:
        super().__init__()
        scale, shift = tables_of(norm)
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)
        self._chosen = chosen

    def forward(self, maps: Tensor) -> Tensor:
        assert self._chosen.row is not None  # noqa: S101 the network that is called sets it
        scale, shift = (table.index_select(0, self._chosen.row) for table in (self.scale, self.shift))
        for _ in range(maps.ndim - 2):
            scale, shift = scale.unsqueeze(-1), shift.unsqueeze(-1)
        return maps * scale + shift


class _Tabled(nn.Module):
    """A copy of a network with tables for its batch norms. Called with pictures (n, 3, h, w) and one row (1,)."""

    def __init__(self, network: CameraNetwork) -> None:
        super().__init__()
        self._chosen = _Chosen()
        self.network = deepcopy(network.network)
        self.names: dict[str, str] = {}
        """Of each table: what torch calls it, and what it is called in the file."""
        norms = [(name, norm) for name, norm in self.network.named_modules() if isinstance(norm, CameraBatchNorm)]
        for number, (name, norm) in enumerate(norms):
            parent, _, child = name.rpartition(".")
            setattr(self.network.get_submodule(parent), child, _Tables(norm, chosen=self._chosen))
            for kind in ("scale", "shift"):
                self.names[f"network.{name}.{kind}"] = f"{CAMERA}.{kind}.{number}"

    def forward(self, pictures: Tensor, camera: Tensor) -> Tensor:
        self._chosen.row = camera
        embeddings: Tensor = self.network(pictures)
        self._chosen.row = None
        return embeddings


def _write(network: CameraNetwork, file: Path, *, size: tuple[int, int, int]) -> None:
    import onnx

    tabled = _Tabled(network).eval()
    site = torch.tensor([network.cameras])
    write_onnx(tabled, file, size=size, output="embeddings", others={CAMERA: site})
    model = onnx.load(file)
    graph = model.graph
    for table in graph.initializer:
        table.name = tabled.names.get(table.name, table.name)
    for node in graph.node:
        node.input[:] = [tabled.names.get(name, name) for name in node.input]
    graph.input.remove(next(end for end in graph.input if end.name == CAMERA))
    graph.initializer.append(onnx.numpy_helper.from_array(site.numpy(), CAMERA))
    del graph.value_info[:]  # shapes as if the row were given from outside, and tables by their former names
    onnx.checker.check_model(model)
    onnx.save(model, file)
