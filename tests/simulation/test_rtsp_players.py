"""Other people's players show the streams: FFmpeg's own command, and GStreamer."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from simulation.rtsp import Fault, RtspServer
from tests.conftest import unavailable
from tests.simulation.numbered import NumberedPictures

pytestmark = pytest.mark.system

FFMPEG_LINE = "apt-get install --no-install-recommends ffmpeg"
GSTREAMER_LINE = (
    "apt-get install --no-install-recommends python3-gi gir1.2-gstreamer-1.0 gstreamer1.0-plugins-base "
    "gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
)

GSTREAMER_PLAYER = """
import sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst
Gst.init(None)
if any(Gst.ElementFactory.find(name) is None for name in ("rtspsrc", "rtph264depay", "h264parse", "openh264dec")):
    sys.exit(3)
loop, shown = GLib.MainLoop(), []
pipeline = Gst.parse_launch(
    "rtspsrc name=camera latency=100 ! rtph264depay ! h264parse ! openh264dec ! fakesink name=screen sync=false"
    " signal-handoffs=true"
)
pipeline.get_by_name("camera").set_property("location", sys.argv[1])

def show(screen, buffer, pad):
    shown.append((buffer.pts, pad.get_current_caps().to_string()))
    if len(shown) == 20:
        loop.quit()

def hear(bus, message):
    if message.type in (Gst.MessageType.ERROR, Gst.MessageType.EOS):
        print("ended:", message.parse_error() if message.type == Gst.MessageType.ERROR else "end of stream")
        loop.quit()

pipeline.get_by_name("screen").connect("handoff", show)
pipeline.get_bus().add_signal_watch()
pipeline.get_bus().connect("message", hear)
GLib.timeout_add_seconds(30, loop.quit)
pipeline.set_state(Gst.State.PLAYING)
loop.run()
pipeline.set_state(Gst.State.NULL)
if shown:
    print(len(shown), (shown[-1][0] - shown[0][0]) // 1000000, shown[-1][1])
"""


@pytest.fixture(scope="module")
def server() -> Iterator[RtspServer]:
    source = NumberedPictures(size=(320, 240), fps=20.0)
    with RtspServer({"open": source, "hall 1": source}, login=("view er", "p@ss:w/d")) as running:
        yield running


def run(*command: str, apt_line: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except FileNotFoundError:
        unavailable(f"{command[0]} is not there: {apt_line}")
        raise


def test_ffprobe_reads_a_stream(server: RtspServer) -> None:
    entries = "stream=codec_name,width,height,has_b_frames,avg_frame_rate"
    done = run(
        *("ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", entries, "-of", "json"),
        server.url("hall 1"),
        apt_line=FFMPEG_LINE,
    )
    assert done.returncode == 0, done.stderr
    (stream,) = json.loads(done.stdout)["streams"]
    wanted = {"codec_name": "h264", "width": 320, "height": 240, "has_b_frames": 0, "avg_frame_rate": "20/1"}
    assert stream == wanted


def test_ffprobe_is_told_of_another_codec(server: RtspServer) -> None:
    server.fault("open", Fault("codec"), seconds=30)
    done = run(
        *("ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-show_entries", "stream=codec_name", "-of", "csv=p=0"),
        server.url("open"),
        apt_line=FFMPEG_LINE,
    )
    server.heal("open")
    assert (done.returncode, done.stdout.strip()) == (0, "hevc"), done.stderr


def test_ffmpeg_comes_to_tcp_by_itself_when_udp_is_refused(server: RtspServer) -> None:
    done = run(
        *("ffmpeg", "-v", "info", "-i", server.url("open"), "-frames:v", "20", "-f", "null", "-"), apt_line=FFMPEG_LINE
    )
    assert done.returncode == 0, done.stderr
    assert "461" in done.stderr
    assert "frame=   20" in done.stderr


def test_gstreamer_plays_a_stream(server: RtspServer) -> None:
    done = run("/usr/bin/python3", "-c", GSTREAMER_PLAYER, server.url("hall 1"), apt_line=GSTREAMER_LINE)
    if done.returncode == 3 or "No module named 'gi'" in done.stderr or "not available" in done.stderr:
        unavailable(f"GStreamer's parts are missing: {GSTREAMER_LINE}")
    assert done.returncode == 0, done.stderr
    pictures, milliseconds, form = done.stdout.split(" ", 2)
    assert int(pictures) == 20
    assert int(milliseconds) == pytest.approx(950, rel=0.05)  # GStreamer follows the clock of who sends
    assert "width=(int)320, height=(int)240" in form
