"""A look at a camera, in words."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from edge.probe import ProbeReport, probe
from edge.tracklets import jpeg
from passerby.config import CameraSettings
from passerby.errors import DataError
from passerby.inference import load_detector
from passerby.models import find_model
from passerby.redaction import redact


def look(settings: CameraSettings, *, detector: str, seconds: float) -> ProbeReport:
    """Probe with a detector by name. Raises SourceError, and ModelError where the detector is not here."""
    engine = load_detector(find_model(detector, task="detect"))
    try:
        return probe(settings, engine, seconds=seconds)
    finally:
        engine.close()


def plain(report: ProbeReport) -> dict[str, Any]:
    """For JSON."""
    return {
        "usable": report.usable,
        "verdict": report.verdict,
        **asdict(report.stream),
        "measured_bits_per_second": report.bits_per_second,
        "keyframe_interval_s": report.keyframe_interval_s,
        "first_picture_s": round(report.first_picture_s, 3),
        "clock_source": report.clock.source if report.clock else None,
        "clock_error_ms": round(report.clock.error_ns / 1e6) if report.clock else None,
        "frames_looked_at": report.frames_looked_at,
        "people_seen": report.people_seen,
        "median_person_height": report.median_person_height,
    }


def show(url: str, report: ProbeReport) -> None:
    """Print it."""
    stream = report.stream
    keyframes = report.keyframe_interval_s
    rate = report.bits_per_second or stream.bits_per_second
    rows = {
        "stream": f"{stream.codec} {stream.profile}".strip() + f", {stream.width}x{stream.height}, {stream.fps:g} fps",
        "keyframes": f"every {keyframes:.1f} s" if keyframes else "fewer than two came",
        "bit rate": f"{rate / 1e6:.2f} Mbit/s" if rate else "unknown",
        "first picture": f"after {report.first_picture_s:.2f} s",
        "clock": f"{report.clock.source}, within {report.clock.error_ns / 1e6:.0f} ms" if report.clock else "unknown",
        "people": f"{report.people_seen} sightings in {report.frames_looked_at} pictures"
        + (f", median height {report.median_person_height} px" if report.median_person_height else ""),
        "verdict": report.verdict,
    }
    typer.echo(redact(url))
    for name, text in rows.items():
        typer.echo(f"  {name:<14} {text}")


def write_picture(report: ProbeReport, file: Path) -> None:
    """Write the picture with the most people as JPEG, if any came. Raises DataError."""
    if report.picture is None:
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(jpeg(report.picture, quality=90))
    except OSError as error:
        raise DataError(f"{file}: the picture cannot be written: {error.strerror}") from error
    typer.echo(f"  {'picture':<14} {file}")
