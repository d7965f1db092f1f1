"""`passerby tape`: tapes of sites that are not there, recorded or live."""

import json
import math
import tempfile
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


@app.command()
def publish(
    tape: Annotated[
        Path | None, typer.Argument(help="What to say; without one, a short tape is made.", show_default=False)
    ] = None,
    *,
    to: Annotated[str, typer.Option(help="The hub's address on this machine, as tcp://127.0.0.1:7600.")],
    keys: Annotated[Path, typer.Option(help="The hub's key folder: `keys` in the site's data.")],
    edges: Annotated[int, typer.Option(help="How many edges, with a key and a connection each.")] = 8,
    cameras: Annotated[int, typer.Option(help="How many cameras, all edges together.")] = 1000,
    seconds: Annotated[float, typer.Option(help="How long.")] = 30.0,
    processes: Annotated[int, typer.Option(help="How many processes publish.")] = 1,
    name: Annotated[str, typer.Option(help="What the names of edges and cameras begin with.")] = "load",
    kind: Annotated[str, typer.Option(help="Of the short tape.")] = "default",
    seed: Annotated[int, typer.Option(help="Of the short tape.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is a JSON object.")] = False,
) -> None:
    """Be thousands of cameras for a hub on this machine: publish live over the real transport, and say how it went."""
    from simulation.tapes.live import Load, publish

    bars = Console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="passerby-tape-") as folder:
        said = tape or Path(folder) / "short.tape"
        load = Load(
            tape=said, address=to, keys=keys, edges=edges, cameras=cameras, seconds=seconds, processes=processes,
            name=name,
        )  # fmt: skip
        if tape is None:
            _make_short(said, kind=kind, seed=seed)
        columns = (TextColumn("publishing"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=bars, transient=True) as bar:
            task = bar.add_task("publish", total=seconds)
            figures = publish(load, progress=lambda gone: bar.update(task, completed=min(gone, seconds)))
    report = {
        "edges": figures.edges,
        "cameras": figures.cameras,
        "seconds": round(figures.seconds, 2),
        "published": figures.published,
        "messages_per_s": round(figures.messages_per_s, 1),
        "acknowledged": figures.acknowledged,
        "refused": figures.refused,
        "missing": figures.missing,
        "spool_full": figures.spool_full,
        "latest_s": round(figures.latest_s, 3),
        "latency_ms_p50": _milliseconds(figures.latencies.quantile(0.5)),
        "latency_ms_p95": _milliseconds(figures.latencies.quantile(0.95)),
        "latency_ms_max": _milliseconds(figures.latencies.quantile(1.0)),
    }
    console = Console(stderr=as_json)
    for key, value in report.items():
        console.print(f"{key:16} {value}", highlight=False)
    if as_json:
        typer.echo(json.dumps(report))


def _make_short(path: Path, *, kind: str, seed: int) -> None:
    from simulation.site import SimulatedSite
    from simulation.tapes.recording import record_tape

    record_tape(SimulatedSite.make(kind, seed=seed, cameras=4), path, seconds=180, progress=lambda _: None)


def _milliseconds(seconds: float) -> float | None:
    return None if math.isnan(seconds) else round(1000 * seconds, 1)
