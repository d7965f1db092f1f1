"""The process of one trial: what `passerby adapt images` does, without all that the command needs for sites.

    python -m benchmarks.adapting.process ROOT MODEL OUT RECIPE MINUTES SEED THREADS [TRACKLETS]

The report is printed as the command's --json prints it. Exit status 1, and why, where the adaptation fails.
"""

import json
import sys
from pathlib import Path

from passerby.errors import PasserbyError
from training.adapting.images import adapt_images
from training.adapting.order import Order
from training.adapting.recipe import read_recipe


def main(arguments: list[str]) -> int:
    """Adapt on the CPU."""
    root, model, out, recipe, minutes, seed, threads, *tracklets = arguments
    try:
        order = Order(
            model=model,
            recipe_name=recipe,
            recipe=read_recipe(recipe),
            seed=int(seed),
            minutes=float(minutes),
            threads=int(threads),
            device="cpu",
        )
        report = adapt_images(
            Path(root),
            order,
            out=Path(out),
            tracklets=Path(tracklets[0]) if tracklets else None,
            progress=lambda *_: None,
        )
    except PasserbyError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
