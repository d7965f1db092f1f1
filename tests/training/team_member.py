"""One of the processes that torchrun starts for a test: it adapts with the others, and says what it ended with.

    torchrun --nproc-per-node 2 -m tests.training.team_member FOLDER

FOLDER/RANK.pt gets its weights, optimizer and losses.
"""

import sys
from pathlib import Path

import msgspec
import torch

from tests.training.test_adapting import SHORT, SMALL, crops_of
from training.adapting.loop import Adaptation
from training.adapting.pace import Pace
from training.adapting.recipe import GuessingLoss, Made
from training.backbones.osnet import OSNet
from training.batch_norm import CameraNetwork
from training.team import gathered_team


def main(folder: Path) -> None:
    """Adapt by the default's loss with people made of two, and by one whose own weights are trained, with a teacher."""
    found = {}
    with gathered_team("cpu") as team:
        for name, recipe in (
            ("memory", msgspec.structs.replace(SHORT, made=Made(share=0.5))),
            ("guessing", msgspec.structs.replace(SHORT, loss=GuessingLoss(), teacher=0.9)),
        ):
            torch.manual_seed(team.rank)  # the first's weights are everybody's
            network = CameraNetwork(OSNet(16), cameras=2)
            pace = Pace(rounds=3, steps=6, seconds=None, now=lambda: 0.0)
            adaptation = Adaptation(network, crops_of(12), recipe, how=SMALL, seed=3, pace=pace, team=team)
            done = adaptation.run()
            found[name] = {
                "weights": done.network.state_dict(),
                "students": adaptation.checkpoint("this").students,
                "people": torch.from_numpy(done.people),
                "losses": [each.loss for each in done.rounds],
            }
        torch.save(found, folder / f"{team.rank}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
