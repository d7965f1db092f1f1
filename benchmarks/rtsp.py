"""What serving simulated cameras costs: CPU of one core per stream, with nothing but a picture copied for a renderer.

    python benchmarks/rtsp.py [--streams 4] [--clients 1] [--seconds 20] [--width 640] [--height 360] [--fps 10]

The last line is a JSON object. Clients are another process, which reads and does not decode.
"""

import argparse
import json
import subprocess
import sys
import time

import cv2
import numpy as np

from passerby.arrays import Image
from simulation.rtsp import RtspServer

_CLIENT = """
import sys, threading, av
def watch(url):
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=20) as container:
        for _ in container.demux(video=0):
            pass
for url in sys.argv[1:]:
    threading.Thread(target=watch, args=(url,), daemon=True).start()
sys.stdin.read()
"""


class Walkers:
    """A blurred noisy room in which three rectangles walk: about as much to encode as people in a room."""

    def __init__(self, size: tuple[int, int], fps: float, *, seed: int) -> None:
        self.size, self.fps = size, fps
        width, height = size
        random = np.random.default_rng(seed)
        room = cv2.GaussianBlur(random.integers(0, 256, (height, width, 3), np.uint8), (0, 0), 4)
        room = cv2.normalize(room, None, 0, 255, cv2.NORM_MINMAX)
        sensor = random.normal(0, 2, (8, height, width, 3))
        self._rooms = np.clip(room + sensor, 0, 255).astype(np.uint8)

    def picture(self, index: int) -> Image:
        image = self._rooms[index % len(self._rooms)].copy()
        width, height = self.size
        for walker in range(3):
            x = (index * (3 + walker) + walker * width // 3) % width
            cv2.rectangle(image, (x, height // 4), (x + width // 12, height), (40, 80 * walker, 200), -1)
        return image


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--clients", type=int, default=1, help="of each stream")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--fps", type=float, default=10.0)
    options = parser.parse_args()
    size = (options.width, options.height)
    sources = {f"cam{number}": Walkers(size, options.fps, seed=number) for number in range(options.streams)}
    with RtspServer(sources) as server:
        urls = [server.url(name) for name in sources] * options.clients
        with subprocess.Popen([sys.executable, "-c", _CLIENT, *urls], stdin=subprocess.PIPE) as clients:
            while sum(stats.clients for stats in server.stats().values()) < len(urls):
                time.sleep(0.1)
            before, began, cpu = server.stats(), time.perf_counter(), time.process_time()
            time.sleep(options.seconds)
            seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
            after = server.stats()
            clients.communicate(timeout=20)
    pictures = sum(after[name].pictures - before[name].pictures for name in sources)
    octets = sum(after[name].octets - before[name].octets for name in sources)
    report = {
        "streams": options.streams,
        "clients": len(urls),
        "size": list(size),
        "fps": options.fps,
        "fps_achieved": round(pictures / seconds / options.streams, 2),
        "core_percent_per_stream": round(100 * cpu / seconds / options.streams, 2),
        "ms_per_picture": round(1000 * cpu / pictures, 2),
        "kbit_per_s_per_stream": round(octets * 8 / seconds / options.streams / 1000),
        "skipped": sum(stats.skipped for stats in after.values()),
        "dropped": sum(stats.dropped for stats in after.values()),
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
