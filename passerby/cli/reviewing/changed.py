"""What an operator's act has changed, for people and for programs."""

import json
from pathlib import Path
from typing import Any

import typer

from hub.corrections.acts import Outcome
from hub.export import event_json
from hub.narration import clock, sentence
from hub.reader import SiteReader


def tell(outcome: Outcome, data: Path, *, as_json: bool) -> None:
    """Print the events that an act has made, and what it has erased."""
    with SiteReader(data) as reader:
        first, last = outcome.first_event, outcome.last_event
        events = [] if first is None or last is None else reader.events(after=first - 1, limit=last - first + 1)
        if as_json:
            told: dict[str, Any] = {
                "act": outcome.act_id,
                "events": [json.loads(event_json(event)) for event in events],
            }
            if outcome.erased is not None:
                told["erased"] = {
                    "identities": list(outcome.erased.identities),
                    "tracklets": outcome.erased.tracklets,
                    "names": outcome.erased.names,
                    "from_statistics": outcome.erased.from_statistics,
                }
            typer.echo(json.dumps(told, ensure_ascii=False))
            return
        for event in events:
            typer.echo(f"{clock(event.at_ns)} event {event.event_id}: {sentence(event, reader)}")
        if outcome.erased is not None:
            erased = outcome.erased
            also = f" (with {', '.join(map(str, erased.identities[1:]))})" if len(erased.identities) > 1 else ""
            typer.echo(
                f"gone for good: person {erased.identities[0]}{also}: {erased.tracklets} tracklets with their "
                f"pictures and embeddings, {erased.names} names; what {erased.from_statistics} people had taught "
                f"the cameras' statistics"
            )
        if not events and outcome.erased is None:
            typer.echo("noted; nothing has changed")
