"""`passerby demo`: the whole system on a simulated site; no camera, no GPU, no download."""

from pathlib import Path
from typing import Annotated

import typer

from passerby.errors import ConfigError


def command(
    *,
    seed: Annotated[int, typer.Option(help="Any integer; the same seed makes the same site.")] = 1,
    cameras: Annotated[int, typer.Option(help="How many cameras.", min=1, max=64)] = 4,
    people: Annotated[int | None, typer.Option(help="How many people.  [default: as the kind has them]", min=0)] = None,
    kind: Annotated[str, typer.Option(help="default, overlapping, uniforms, crowded or sparse.")] = "default",
    fps: Annotated[float, typer.Option(help="Frames looked at per second and camera.", min=0.5, max=30)] = 10.0,
    fault: Annotated[
        str | None,
        typer.Option(help="Break the first camera for 10 s: drop, stall, garbage, noise, slow, loss, clock-jump, ..."),
    ] = None,
    seconds: Annotated[
        float | None, typer.Option(help="End after so long, and tell how well it went.", min=5.0)
    ] = None,
    data: Annotated[Path, typer.Option(help="Folder for the data; a former demo in it is replaced.")] = Path(
        "demo-data"
    ),
    headless: Annotated[bool, typer.Option("--headless", help="Show nothing while it runs.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is a JSON object; needs --seconds.")] = False,
    ahead: Annotated[
        bool | None,
        typer.Option(
            "--ahead/--live",
            help="Render the site before it is shown, or as it is shown.  [default: ahead if the machine is too slow]",
            show_default=False,
        ),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option(
            help="Instead of running live: render --seconds of the site (60), replay them, and write pictures of the "
            "cameras and of people, with the hub's identities, into this folder.",
            show_default=False,
        ),
    ] = None,
    detector: Annotated[str | None, typer.Option(help="Another detector.", show_default=False)] = None,
    reid: Annotated[str | None, typer.Option(help="Another re-ID network.", show_default=False)] = None,
) -> None:
    """Watch a site that isn't there: people walk through rooms, cameras send RTSP, the hub says who is who.

    Everything is real but the people: the streams, the edge, the wire, the hub. Ctrl-C ends it.
    """
    from passerby.cli.demonstrating.session import DETECTOR, REID, Wishes, demonstrate, picture
    from simulation.rtsp import FAULT_KINDS

    faults = {known: known for known in FAULT_KINDS}
    if fault is not None and fault not in faults:
        raise ConfigError(f"--fault {fault}: no such fault; there are {', '.join(faults)}")
    if as_json and seconds is None:
        raise ConfigError("--json tells the figures of a run that ends by itself; give --seconds too")
    if pictures is not None and (as_json or fault is not None or ahead is not None):
        raise ConfigError("--pictures runs nothing live: --json, --fault, --ahead and --live do not go with it")
    wishes = Wishes(
        kind=kind,
        seed=seed,
        cameras=cameras,
        people=people,
        fps=fps,
        fault=None if fault is None else faults[fault],
        seconds=seconds,
        data=data.resolve(),
        headless=headless,
        as_json=as_json,
        ahead=ahead,
        detector=detector or DETECTOR,
        reid=reid or REID,
    )
    if pictures is not None:
        picture(wishes, pictures)
    else:
        demonstrate(wishes)
