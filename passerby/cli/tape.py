"""`passerby tape`: tapes of sites that are not there, recorded or live."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

app = typer.Typer()


@app.command()
def make(
    *,
    out: Annotated[Path, typer.Option(help="The tape; its truth goes beside it, into OUT-truth/.")],
    kind: Annotated[str, typer.Option(help="default, overlapping, uniforms, crowded or sparse.")] = "default",
    seed: Annotated[int, typer.Option(help="Any integer; the same seed makes the same tape.")] = 1,
    cameras: Annotated[int, typer.Option(help="How many cameras.")] = 4,
    people: Annotated[
        int | None, typer.Option(help="How many people; as the kind has them.", show_default=False)
    ] = None,
    hours: Annotated[float, typer.Option(help="How long.")] = 1.0,
    network: Annotated[
        str, typer.Option(help="Whose embeddings to imitate: like-retail-0288 or like-retail-0277.")
    ] = "like-retail-0288",
) -> None:
    """Write the messages that the edges of a simulated site would send, without pictures, for `passerby replay OUT`."""
    from simulation.kinds import KIND_VERSION
    from simulation.site import SimulatedSite
    from simulation.tapes.networks import network_profile
    from simulation.tapes.recording import record_tape
    from simulation.tapes.truth import TAPE_VERSION

    console = Console()
    site = SimulatedSite.make(kind, seed=seed, cameras=cameras, people=people)
    columns = (TextColumn("recording"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("record", total=1.0)
        recorded = record_tape(
            site,
            out,
            seconds=hours * 3600,
            network=network_profile(network),
            progress=lambda share: bar.update(task, completed=share),
        )
    console.print(
        f"kind {kind} (version {KIND_VERSION}), seed {seed}, tape version {TAPE_VERSION}: {cameras} cameras, "
        f"{recorded.people} people, {recorded.tracklets} tracklets, {recorded.messages} messages",
        highlight=False,
        soft_wrap=True,
    )
    console.print(f"tape: {recorded.tape}; truth: {recorded.truth}", highlight=False, soft_wrap=True)
