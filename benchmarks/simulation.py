"""How much faster than real time does one core render a simulated site?

    python benchmarks/simulation.py [--kind default] [--seed 1] [--cameras 4] [--seconds 60] [--json]

The factor is simulated seconds per CPU second of this process with one thread: 1 means that one core just keeps up.
The first minute is the hardest, because every pose is drawn for the first time; the last third is given too. Setting up
(the empty rooms, one ray for each quarter of a pixel) is counted apart.
"""

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# This file bears the name of the package it measures: look for that in the tree, not beside this file.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import cv2  # noqa: E402

from simulation.kinds import KIND_VERSION, KINDS  # noqa: E402
from simulation.site import SimulatedSite  # noqa: E402


def main() -> None:
    options = _options()
    cv2.setNumThreads(1)
    started = time.process_time()
    site = SimulatedSite.make(options.kind, seed=options.seed, cameras=options.cameras, people=options.people)
    for camera in site.camera_ids:
        site.render(camera, 0)
    setup_s = time.process_time() - started
    thirds, frames, people = [], 0, 0
    for third in range(3):
        started = time.process_time()
        begin, end = (options.seconds * part / 3 for part in (third, third + 1))
        due = [
            (index / site.spec(camera).fps, camera, index)
            for camera in site.camera_ids
            for index in range(int(begin * site.spec(camera).fps), int(end * site.spec(camera).fps))
        ]
        for _, camera, index in sorted(due):
            people += len(site.render(camera, index).truth)
            frames += 1
        thirds.append(time.process_time() - started)
    result = {
        "kind": options.kind,
        "kind_version": KIND_VERSION,
        "seed": options.seed,
        "cameras": options.cameras,
        "people": len(site.people),
        "seconds": options.seconds,
        "frames": frames,
        "people_per_frame": round(people / frames, 2),
        "setup_cpu_s": round(setup_s, 2),
        "cpu_ms_per_frame": round(1e3 * sum(thirds) / frames, 2),
        "real_time_factor": round(options.seconds / sum(thirds), 2),
        "real_time_factor_last_third": round(options.seconds / 3 / thirds[2], 2),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    if options.json:
        print(json.dumps(result))
        return
    print(f"kind {options.kind} (version {KIND_VERSION}), seed {options.seed}: {options.cameras} cameras, "
          f"{len(site.people)} people, {options.seconds} s")  # fmt: skip
    print(f"  setting up             {result['setup_cpu_s']:8.2f} s of CPU")
    print(f"  a frame                {result['cpu_ms_per_frame']:8.2f} ms of CPU, {result['people_per_frame']} people")
    print(f"  real-time factor       {result['real_time_factor']:8.2f} on one core")
    print(f"    of the last third    {result['real_time_factor_last_third']:8.2f}")
    print(f"  peak memory            {result['peak_memory_mib']:8d} MiB")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kind", default="default", choices=list(KINDS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cameras", type=int, default=4)
    parser.add_argument("--people", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true", help="one line for programs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
