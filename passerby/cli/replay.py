"""`passerby replay`: recorded cameras, or a tape of messages, through the whole system."""

from pathlib import Path
from typing import Annotated

import typer

from passerby.config import load_site
from passerby.errors import ConfigError


def command(
    *,
    tape: Annotated[
        Path | None, typer.Argument(help="A recorded tape: run the hub on its messages alone.", show_default=False)
    ] = None,
    config: Annotated[Path | None, typer.Option(help="The site file; its cameras are recordings.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for the results; an earlier replay in it is replaced.")],
    as_decided: Annotated[
        bool, typer.Option("--as-decided", help="Who was who as known 2 s after each frame, not as finally known.")
    ] = False,
    record: Annotated[Path | None, typer.Option("--tape", help="Also record the wire messages to this file.")] = None,
    video: Annotated[bool, typer.Option("--video", help="Also write the footage with boxes and identities.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The last line is a JSON object.")] = False,
) -> None:
    """Replay recordings as cameras, in capture order and as fast as the machine can; the same every time.

    Writes OUT/<camera>.txt in MOT format (frame,identity,x,y,w,h,confidence,-1,-1,-1) and OUT/events.jsonl.
    """
    from passerby.cli.replaying.session import Wishes, replay_site, replay_tape

    site = load_site(config) if config else None
    wishes = Wishes(out=out, as_decided=as_decided, video=video, record=record, as_json=as_json)
    if tape is not None:
        if video or record:
            raise ConfigError("--video and --tape need recordings; a tape holds no pictures, and is a tape already")
        replay_tape(tape, site, wishes)
    elif site is not None:
        replay_site(site, wishes)
    else:
        raise ConfigError("nothing to replay: give --config SITE with recordings as cameras, or a TAPE")
