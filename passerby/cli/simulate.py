"""`passerby simulate`: a site that is not there, rendered into videos with ground truth."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from passerby.errors import ConfigError

if TYPE_CHECKING:
    from simulation.site import SimulatedSite


def command(
    *,
    kind: Annotated[str, typer.Option(help="default, overlapping, uniforms, crowded or sparse.")] = "default",
    seed: Annotated[int, typer.Option(help="Any integer; the same seed makes the same site.")] = 1,
    cameras: Annotated[int, typer.Option(help="How many cameras.")] = 4,
    people: Annotated[
        int | None, typer.Option(help="How many people; as the kind has them.", show_default=False)
    ] = None,
    seconds: Annotated[float, typer.Option(help="How long.")] = 60.0,
    out: Annotated[Path | None, typer.Option(help="Folder for the videos and the truth.", show_default=False)] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write one picture of all cameras with true identities.", show_default=False)
    ] = None,
) -> None:
    """Render a simulated site: CAMERA.mp4, gt/CAMERA.txt (MOT), truth.json, and a site.yaml for `passerby replay`."""
    from simulation.footage import frames_to_render, write_footage
    from simulation.kinds import KIND_VERSION
    from simulation.site import SimulatedSite

    if out is None and sheet is None:
        raise ConfigError("nothing to write: give --out FOLDER, --sheet FILE.png, or both")
    console = Console()
    site = SimulatedSite.make(kind, seed=seed, cameras=cameras, people=people)
    console.print(
        f"kind {kind} (version {KIND_VERSION}), seed {seed}: {len(site.camera_ids)} cameras, {len(site.people)} people"
    )
    if sheet is not None:
        _write_sheet(site, sheet, middle_s=seconds / 2)
        console.print(f"sheet: {sheet}")
    if out is not None:
        columns = (TextColumn("rendering"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("render", total=frames_to_render(site, seconds))
            written = write_footage(site, out, seconds=seconds, progress=lambda: bar.advance(task))
        console.print(f"{written.frames} frames, {written.people} people seen; site file: {written.site_file}")


def _write_sheet(site: "SimulatedSite", file: Path, *, middle_s: float) -> None:
    import cv2

    from simulation.sheets import contact_sheet

    columns = 2 if len(site.camera_ids) <= 6 else 4
    done, encoded = cv2.imencode(".png", contact_sheet(site, times_s=[middle_s], columns=columns))
    try:
        file.write_bytes(encoded.tobytes() if done else b"")
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}") from error
