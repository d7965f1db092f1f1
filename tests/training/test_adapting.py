"""An adaptation: a folder of which nobody reads the names, rounds that go on where they were killed, one result."""

import csv
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from passerby.errors import ConfigError, DataError, NotEnoughDataError
from passerby.features.normalization import zscore_by_camera
from passerby.models import Preprocessing

torch = pytest.importorskip("torch", reason="needs passerby[training]")

from training.adapting.checkpoint import load, save  # noqa: E402 torch is optional
from training.adapting.embedding import embed  # noqa: E402
from training.adapting.folder import read_crops  # noqa: E402
from training.adapting.loop import Adaptation, Adapted, camera_purity  # noqa: E402
from training.adapting.objectives.memory import cluster_weights  # noqa: E402
from training.adapting.pace import Pace  # noqa: E402
from training.adapting.recipe import AdaptationRecipe, Distillation, Made, MutualLoss, read_recipe  # noqa: E402
from training.adapting.sheet import cluster_sheet  # noqa: E402
from training.augmentation import NO_CHANGES  # noqa: E402
from training.backbones.osnet import OSNet  # noqa: E402
from training.batch_norm import CameraNetwork  # noqa: E402
from training.losses import relation_loss  # noqa: E402
from training.unlabelled import UnlabelledCrops  # noqa: E402

torch.set_num_threads(1)
SMALL = Preprocessing(
    height=32, width=16, colour="RGB", scale=1 / 255, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)
)
SHORT = AdaptationRecipe(about="for tests", rounds=3, steps=12, people_per_batch=6, bfloat16=False)


def picture(person: int, camera: int, image: int) -> np.ndarray:
    """Everybody wears two colours of their own; the second camera sees them darker."""
    clothes = np.random.default_rng(person).integers(0, 256, (2, 3))
    crop = np.repeat(clothes, 16, axis=0)[:, None].repeat(16, axis=1) * (0.7 if camera else 1.0)
    noise = np.random.default_rng(1000 * person + 100 * camera + image).normal(0, 10, crop.shape)
    return np.clip(crop + noise, 0, 255).astype(np.uint8)


def crops_of(people: int) -> UnlabelledCrops:
    """Two cameras, four images each of everybody, in tracklets of two."""
    keys = [(person, camera, image) for person in range(people) for camera in range(2) for image in range(4)]
    return UnlabelledCrops(
        np.stack([picture(*key) for key in keys]),
        np.array([camera for _, camera, _ in keys]),
        np.array([(person * 2 + camera) * 2 + image // 2 for person, camera, image in keys]),
        ("c1", "c2"),
    )


def adaptation(recipe: AdaptationRecipe = SHORT, *, people: int = 12, seed: int = 3) -> Adaptation:
    torch.manual_seed(0)
    network = CameraNetwork(OSNet(16), cameras=2)
    pace = Pace(rounds=recipe.rounds, steps=recipe.steps, seconds=None, now=lambda: 0.0)
    return Adaptation(network, crops_of(people), recipe, how=SMALL, seed=seed, pace=pace)


def weights(adapted: Adapted) -> list[np.ndarray]:
    return [value.numpy() for value in adapted.network.state_dict().values()]


def write_folder(folder: Path, *, names: dict[int, int] | None = None) -> list[tuple[str, str]]:
    """Market-named images; `names` are the digits that stand for each person. Gives (image, tracklet)."""
    folder.mkdir()
    rows = []
    for person in range(6):
        for camera in range(2):
            for image in range(4):
                digits = person if names is None else names[person]
                name = f"{digits:04d}_c{camera + 1}s1_{image:06d}_00.png"
                cv2.imwrite(str(folder / name), picture(person, camera, image))
                rows.append((name, f"{digits}-{camera}-{image // 2}"))
    return rows


def write_csv(file: Path, rows: list[tuple[str, str]], *, header: tuple[str, str] = ("image", "tracklet")) -> Path:
    with file.open("w", newline="") as lines:
        csv.writer(lines).writerows([header, *rows])
    return file


def test_the_identity_in_a_name_changes_nothing(tmp_path: Path) -> None:
    rows = write_folder(tmp_path / "a")
    others = write_folder(tmp_path / "b", names={0: 77, 1: 3, 2: 1500, 3: 0, 4: 12, 5: 9})
    first = read_crops(tmp_path / "a", height=32, width=16, tracklets=write_csv(tmp_path / "a.csv", rows))
    second = read_crops(tmp_path / "b", height=32, width=16, tracklets=write_csv(tmp_path / "b.csv", others))
    assert first.digest == second.digest
    np.testing.assert_array_equal(first.crops.pictures, second.crops.pictures)
    np.testing.assert_array_equal(first.crops.tracklets, second.crops.tracklets)
    assert first.crops.camera_names == ("c1", "c2")


def test_without_a_csv_every_image_stands_alone(tmp_path: Path) -> None:
    write_folder(tmp_path / "a")
    crops = read_crops(tmp_path / "a", height=32, width=16).crops
    assert len(np.unique(crops.tracklets)) == len(crops) == 48


def test_an_image_that_the_csv_does_not_name_stands_alone(tmp_path: Path) -> None:
    rows = write_folder(tmp_path / "a")
    file = write_csv(tmp_path / "a.csv", rows[:2])
    crops = read_crops(tmp_path / "a", height=32, width=16, tracklets=file).crops
    assert len(np.unique(crops.tracklets)) == 47


def test_wrong_folders_and_files_are_named(tmp_path: Path) -> None:
    rows = write_folder(tmp_path / "a")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no image"):
        read_crops(tmp_path / "empty", height=32, width=16)
    with pytest.raises(DataError, match="cannot read the folder"):
        read_crops(tmp_path / "nowhere", height=32, width=16)
    with pytest.raises(DataError, match="expected image, tracklet"):
        read_crops(
            tmp_path / "a", height=32, width=16, tracklets=write_csv(tmp_path / "h.csv", rows, header=("file", "walk"))
        )
    with pytest.raises(DataError, match=r"names nobody\.png, which is not among the 48 images"):
        read_crops(tmp_path / "a", height=32, width=16, tracklets=write_csv(tmp_path / "u.csv", [("nobody.png", "1")]))
    mixed = write_csv(tmp_path / "m.csv", [(name, "1") for name, _ in rows])
    with pytest.raises(DataError, match="has crops of two cameras"):
        read_crops(tmp_path / "a", height=32, width=16, tracklets=mixed)
    (tmp_path / "a" / "holiday.png").write_bytes(b"")
    with pytest.raises(DataError, match="does not say its camera"):
        read_crops(tmp_path / "a", height=32, width=16)


def test_the_same_seed_gives_the_same_network() -> None:
    first, second, other = (adaptation(seed=seed).run() for seed in (3, 3, 4))
    for ours, theirs in zip(weights(first), weights(second), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert any((ours != theirs).any() for ours, theirs in zip(weights(first), weights(other), strict=True))


def distilled(deployed: np.ndarray | None, *, weight: float, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings before and after."""
    kept = Distillation(weight=weight, temperature=0.5)
    recipe = msgspec.structs.replace(SHORT, steps=steps, learning_rate=3e-3, changes=NO_CHANGES, distillation=kept)
    torch.manual_seed(0)
    network, crops = CameraNetwork(OSNet(16), cameras=2), crops_of(12)
    before = embed(network, crops, how=SMALL)
    pace = Pace(rounds=recipe.rounds, steps=steps, seconds=None, now=lambda: 0.0)
    going = Adaptation(network, crops, recipe, how=SMALL, seed=3, pace=pace, deployed=deployed)
    return before, embed(going.run().network, crops, how=SMALL)


def test_a_student_keeps_to_what_the_deployed_model_finds_alike() -> None:
    """Here one that knows the mean colours of the upper and the lower half."""
    crops = crops_of(12)
    colours = crops.pictures.reshape(96, 2, 256, 3).mean(axis=2).reshape(96, 6).astype(np.float32)
    asked = torch.from_numpy(zscore_by_camera(colours, crops.cameras.tolist()))
    free, kept = (
        float(relation_loss(torch.from_numpy(distilled(colours, weight=weight, steps=40)[1]), asked, temperature=0.5))
        for weight in (0.0, 30.0)
    )
    assert kept < 0.7 * free


def test_without_another_the_deployed_model_is_the_network_itself() -> None:
    before, after = distilled(None, weight=1.0, steps=6)
    np.testing.assert_array_equal(distilled(before, weight=1.0, steps=6)[1], after)
    assert (distilled(None, weight=0.0, steps=6)[1] != after).any()


def test_people_made_of_two_change_what_is_learned() -> None:
    with_made = msgspec.structs.replace(SHORT, made=Made(share=0.5))
    first, again, without = (adaptation(recipe).run() for recipe in (with_made, with_made, SHORT))
    for ours, theirs in zip(weights(first), weights(again), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert any((ours != theirs).any() for ours, theirs in zip(weights(first), weights(without), strict=True))
    with pytest.raises(ValueError, match="with a `loss` of kind mutual leave it out"):
        msgspec.structs.replace(with_made, loss=MutualLoss(), teacher=0.9)


@pytest.mark.parametrize("teacher", [0.0, 0.9])
def test_an_interrupted_adaptation_ends_as_one_that_was_not(tmp_path: Path, teacher: float) -> None:
    recipe = AdaptationRecipe(about="for tests", rounds=3, steps=9, people_per_batch=6, bfloat16=False, teacher=teacher)
    whole = adaptation(recipe).run()
    file = tmp_path / "checkpoint.pt"
    killed = adaptation(recipe)

    class KilledError(Exception):
        pass

    def after() -> None:
        save(killed.checkpoint("this"), file)
        raise KilledError

    with pytest.raises(KilledError):
        killed.run(after_round=after)
    kept = load(file, what="this")
    assert kept is not None
    assert len(kept.rounds) == 1
    resumed = adaptation(recipe)
    resumed.restore(kept)
    again = resumed.run()
    for ours, theirs in zip(weights(again), weights(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(again.people, whole.people)


def test_a_checkpoint_of_another_adaptation_or_a_broken_one_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.pt"
    assert load(file, what="this") is None
    save(adaptation().checkpoint("that"), file)
    with pytest.raises(DataError, match="another recipe, seed, model or set of images"):
        load(file, what="this")
    file.write_bytes(b"nothing")
    with pytest.raises(DataError, match="not a checkpoint of an adaptation"):
        load(file, what="this")


def test_too_few_people_are_said() -> None:
    with pytest.raises(
        NotEnoughDataError, match=r"not enough data: \d people seen, 8 needed \(24 crops of 2 cameras\)"
    ):
        adaptation(people=3).run()


def test_it_says_how_each_round_went() -> None:
    told = []
    torch.manual_seed(0)
    pace = Pace(rounds=3, steps=12, seconds=None, now=lambda: 0.0)
    network = CameraNetwork(OSNet(16), cameras=2)
    going = Adaptation(network, crops_of(12), SHORT, how=SMALL, seed=3, pace=pace, progress=told.append)
    adapted = going.run()
    assert [each.number for each in adapted.rounds] == [1, 2, 3]
    assert [each.steps for each in adapted.rounds] == [4, 4, 4]
    assert all(np.isfinite(each.loss) for each in adapted.rounds)
    assert adapted.rounds[0].agreement is None
    assert -0.5 < adapted.rounds[1].agreement <= 1.0
    shares = [doing.share for doing in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_time_is_kept_to() -> None:
    clock = [0.0]
    pace = Pace(rounds=4, steps=0, seconds=100.0, now=lambda: clock[0])
    steps = []
    for number in range(4):
        pace.begin_round()
        clock[0] += 5.0
        pace.begin_learning(number)
        done = 0
        while not pace.is_over(number, done):
            clock[0] += 0.5
            done += 1
        steps.append(done)
        assert pace.progress(number, done) == pytest.approx((number + 1) / 4, abs=0.01)
    assert 80 < clock[0] <= 95  # one more guess comes after the last round
    assert max(steps) - min(steps) <= 2


def test_growing_rounds_get_as_many_steps_as_their_number_says() -> None:
    pace = Pace(rounds=4, steps=100, seconds=None, now=lambda: 0.0, growing=True)
    lengths = []
    for number in range(4):
        lengths.append(next(done for done in range(101) if pace.is_over(number, done)))
        assert pace.progress(number, lengths[-1]) == pytest.approx(sum(lengths) / 100, abs=0.01)
    assert lengths == [10, 20, 30, 40]


def test_where_guessing_takes_long_there_are_fewer_rounds() -> None:
    clock = [0.0]
    pace = Pace(rounds=12, steps=0, seconds=100.0, now=lambda: clock[0])
    number = 0
    while number < pace.rounds:
        pace.begin_round()
        clock[0] += 20.0
        pace.begin_learning(number)
        done = 0
        while not pace.is_over(number, done):
            clock[0] += 1.0
            done += 1
        number += 1
    assert number == 3
    assert clock[0] <= 100


def test_clusters_of_one_camera_teach_less() -> None:
    people = np.array([0, 0, 0, 0, 1, 1, -1])
    cameras = np.array([0, 0, 1, 1, 0, 0, 1])
    np.testing.assert_allclose(cluster_weights(people, cameras, share=0.8), [1.0 / 0.6, 0.2 / 0.6], rtol=1e-6)
    np.testing.assert_allclose(cluster_weights(people, cameras, share=0.0), [1.0, 1.0])
    np.testing.assert_allclose(cluster_weights(people, np.zeros(7, np.int64), share=0.8), [1.0, 1.0])
    assert camera_purity(people, cameras) == 0.75


def test_the_sheet_shows_a_row_for_each_cluster() -> None:
    crops = crops_of(3)
    sheet = cluster_sheet(crops, np.repeat(np.arange(3), 8))
    assert sheet.shape[0] == 300
    assert cluster_sheet(crops, np.full(24, -1)).shape[0] == 100


@pytest.mark.parametrize("name", ["passerby", "learn-by-guessing", "cluster-contrast"])
def test_shipped_recipes_are_read(name: str) -> None:
    assert read_recipe(name).about


def test_wrong_recipes_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean passerby"):
        read_recipe("passersby")
    (tmp_path / "r.yaml").write_text("about: x\nround: 3\n")
    with pytest.raises(ConfigError, match="unknown field `round`"):
        read_recipe(str(tmp_path / "r.yaml"))
    with pytest.raises(ConfigError, match="cannot read the recipe"):
        read_recipe(str(tmp_path / "nowhere.yaml"))
