"""Serves recorded films as RTSP cameras, for the tests; run by the system's Python, where GStreamer's bindings live.

    /usr/bin/python3 rtsp_server.py [--port 0] [--once] [--speed 1] cam0=film.mp4 cam1=other.mp4 ...

The server is GStreamer's gst-rtsp-server; the H.264 is sent as it is in the file, at the film's own speed (times
`--speed`), from its first frame for every client, endlessly unless `--once`. With RTSP_USER and RTSP_PASSWORD set,
clients must know them (Digest).

Each line on stdout is JSON: {"event": "listening", "port": n} once, then {"event": "started", "mount": "cam0",
"first_frame_at_ns": n, "frame_interval_ns": n, "frames": n} for each client that plays: a frame captured at t (Unix
nanoseconds) is number 1 + round((t - first_frame_at_ns) / frame_interval_ns) % frames of the file.
"""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402 - the versions must be chosen before the import

_ROLE = "viewer"


def _say(**event: object) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


@dataclass(frozen=True)
class Film:
    """The access units of a file in decoding order, with their place in display order counted from 0."""

    access_units: list[bytes]
    display_indices: list[int]
    interval_ns: int

    @property
    def reorder_frames(self) -> int:
        """By how many frames a picture is shown later than decoded, because of B-frames."""
        return max(decode - display for decode, display in enumerate(self.display_indices))


def read_film(path: str, *, speed: float) -> Film:
    """Demultiplex an .mp4 of constant frame rate into memory, to be played `speed` times as fast."""
    pipeline = Gst.parse_launch(
        "filesrc name=file ! qtdemux ! h264parse config-interval=-1 "
        "! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=out sync=false"
    )
    pipeline.get_by_name("file").set_property("location", path)
    pipeline.set_state(Gst.State.PLAYING)
    units: list[bytes] = []
    times: list[int] = []
    while sample := pipeline.get_by_name("out").emit("try-pull-sample", 10 * Gst.SECOND):
        buffer = sample.get_buffer()
        units.append(buffer.extract_dup(0, buffer.get_size()))
        times.append(buffer.pts)
    pipeline.set_state(Gst.State.NULL)
    if not units:
        sys.exit(f"{path}: no H.264 video could be read")
    shown = {time_ns: index for index, time_ns in enumerate(sorted(times))}
    span_ns = max(times) - min(times)
    return Film(units, [shown[time_ns] for time_ns in times], round(span_ns / speed / max(1, len(times) - 1)))


class FilmFactory(GstRtspServer.RTSPMediaFactory):
    """Makes a fresh pipeline for every client, fed from memory; the sinks pace it by the clock."""

    def __init__(self, mount: str, film: Film, *, once: bool) -> None:
        super().__init__()
        self._mount = mount
        self._film = film
        self._once = once
        self.set_launch(
            '( appsrc name=source format=time block=false max-bytes=200000 caps="video/x-h264,'
            'stream-format=byte-stream,alignment=au" ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )'
        )

    def do_configure(self, media: GstRtspServer.RTSPMedia) -> None:
        film, position = self._film, 0

        def feed(source: Gst.Element, _length: int) -> None:
            nonlocal position
            loop, decode = divmod(position, len(film.access_units))
            if loop and self._once:
                source.emit("end-of-stream")
                return
            buffer = Gst.Buffer.new_wrapped(film.access_units[decode])
            shown = loop * len(film.access_units) + film.display_indices[decode] + film.reorder_frames
            buffer.dts = position * film.interval_ns
            buffer.pts = shown * film.interval_ns
            buffer.duration = film.interval_ns
            position += 1
            source.emit("push-buffer", buffer)

        media.get_element().get_by_name("source").connect("need-data", feed)
        media.connect("new-state", self._report_start)

    def _report_start(self, media: GstRtspServer.RTSPMedia, state: int) -> None:
        if state == Gst.State.PLAYING:
            GLib.timeout_add(5, self._report_base_time, media.get_element().get_parent())

    def _report_base_time(self, pipeline: Gst.Pipeline) -> bool:
        clock = pipeline.get_clock()
        if clock is None or pipeline.get_state(0).state != Gst.State.PLAYING:
            return GLib.SOURCE_CONTINUE  # the signal comes a little before the clock is handed out
        running_ns = clock.get_time() - pipeline.get_base_time()
        delay_ns = self._film.reorder_frames * self._film.interval_ns
        _say(
            event="started",
            mount=self._mount,
            first_frame_at_ns=time.time_ns() - running_ns + delay_ns,
            frame_interval_ns=self._film.interval_ns,
            frames=len(self._film.access_units),
        )
        return GLib.SOURCE_REMOVE


def _require_login(server: GstRtspServer.RTSPServer, user: str, password: str) -> None:
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", _ROLE)
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    auth.add_digest(user, password, token)
    server.set_auth(auth)


def main() -> None:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--once", action="store_true", help="end after the last frame")
    parser.add_argument("--speed", type=float, default=1.0, help="0.5: half as fast")
    parser.add_argument("films", nargs="+", metavar="MOUNT=FILE")
    options = parser.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    user, password = os.environ.get("RTSP_USER"), os.environ.get("RTSP_PASSWORD")
    if user and password:
        _require_login(server, user, password)
    for assignment in options.films:
        mount, _, path = assignment.partition("=")
        factory = FilmFactory(mount, read_film(path, speed=options.speed), once=options.once)
        if user and password:
            permissions = Gst.Structure.new_empty(_ROLE)
            permissions.set_value("media.factory.access", True)
            permissions.set_value("media.factory.construct", True)
            factory.add_role_from_structure(permissions)
        server.get_mount_points().add_factory(f"/{mount}", factory)
    if not server.attach(None):
        sys.exit(f"cannot listen at 127.0.0.1:{options.port}")
    _say(event="listening", port=server.get_bound_port())
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
