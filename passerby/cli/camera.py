"""`passerby camera`: look at a camera before it is attached."""

import json
import os
from dataclasses import asdict
from typing import Any, Literal, NoReturn

import typer

from edge.probe import ProbeReport, probe
from passerby.config import CameraSettings
from passerby.config.secrets import fill_secrets
from passerby.errors import ConfigError, SourceError
from passerby.inference import load_detector
from passerby.models import find_model
from passerby.redaction import redact

app = typer.Typer()


@app.callback()
def _group() -> None:
    """Look at a camera before it is attached."""


@app.command("probe")
def probe_command(
    url: str = typer.Argument(help="rtsp://, http(s)://, a file or a folder; {NAME} is taken from the environment."),
    *,
    as_json: bool = typer.Option(False, "--json", help="Machine-readable."),
    detector: str = typer.Option("person-detection-retail-0013", help="The detector that measures people."),
    seconds: float = typer.Option(15.0, min=1.0, max=300.0, help="How long to look at most."),
    transport: Literal["tcp", "udp"] = typer.Option("tcp", help="RTSP over tcp or udp."),
) -> None:
    """Say what the stream is, and whether the people in it are large enough.

    Write secrets as {NAME}, as in 'rtsp://{CAM_USER}:{CAM_PASS}@10.0.0.5/sub': what stands in the command itself can
    be read by every user of the machine. Exit code 0: usable; 3: it works, but not for re-ID; 1: it cannot be read.
    """
    if not url:
        raise ConfigError("the URL is empty; expected rtsp://, http(s)://, a video file or a folder")
    settings = CameraSettings(
        url=fill_secrets(url, os.environ, missing=_missing),
        fps=2.0,
        open_timeout_s=min(10.0, seconds),
        rtsp_transport=transport,
    )
    engine = load_detector(find_model(detector, task="detect"))
    try:
        report = probe(settings, engine, seconds=seconds)
    except SourceError as error:
        if as_json:
            typer.echo(json.dumps({"usable": False, "error": type(error).__name__, "verdict": redact(str(error))}))
            raise typer.Exit(error.exit_code) from None
        raise
    finally:
        engine.close()
    if as_json:
        typer.echo(json.dumps({"url": redact(settings.url), **_plain(report)}))
    else:
        _print(settings.url, report)
    if not report.usable:
        raise typer.Exit(3)


def _missing(name: str) -> NoReturn:
    raise ConfigError(f"the URL needs the environment variable {name}, which is not set")


def _plain(report: ProbeReport) -> dict[str, Any]:
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


def _print(url: str, report: ProbeReport) -> None:
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
