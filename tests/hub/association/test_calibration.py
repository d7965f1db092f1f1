"""What looks are worth on a site: near what is usual while pairs are few, and what they show when there are many."""

import itertools

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.association.calibration import KEPT, SETTINGS, Calibration, Line, Setting, expected_line, fitted_line
from passerby.ids import ModelId
from tests.hub.association import reference_calibration

FITS = st.lists(st.floats(-40, 40), max_size=25)


def usual(setting: Setting) -> dict[str, tuple[float, float]]:
    line = expected_line(setting)
    return {
        "expected": (line.slope, line.offset),
        "deviation": (float(np.sqrt(line.covariance[0])), float(np.sqrt(line.covariance[2]))),
    }


@settings(max_examples=60, deadline=None)
@given(genuine=FITS, impostors=FITS, setting=st.sampled_from(SETTINGS))
def test_no_line_near_it_is_more_probable(genuine: list[float], impostors: list[float], setting: Setting) -> None:
    line = fitted_line(genuine, impostors, expected=expected_line(setting))

    def cost(slope: float, offset: float, share: float) -> float:
        mistaken = (share, reference_calibration.MISTAKEN[1])
        found = reference_calibration.cost((slope, offset), genuine, impostors, **usual(setting), mistaken=mistaken)
        return found + reference_calibration.surprise(share)

    least = cost(line.slope, line.offset, line.mistaken)
    for slope, offset, times in itertools.product((-0.02, 0.0, 0.02), (-0.1, 0.0, 0.1), (0.9, 1.0, 1.1)):
        if line.slope + slope >= 0.05 and 0.0025 < line.mistaken * times < 0.5:
            # Pairs that are mistaken for what they are not may make two lines as good as equally probable.
            assert cost(line.slope + slope, line.offset + offset, line.mistaken * times) >= least - 1e-4


@settings(max_examples=30, deadline=None)
@given(genuine=FITS, impostors=FITS)
def test_its_uncertainty_is_what_the_curvature_says(genuine: list[float], impostors: list[float]) -> None:
    line = fitted_line(genuine, impostors, expected=expected_line("other"))
    expected = reference_calibration.covariance((line.slope, line.offset), genuine, impostors, **usual("other"))
    found = np.array([[line.covariance[0], line.covariance[1]], [line.covariance[1], line.covariance[2]]])
    np.testing.assert_allclose(found, expected, rtol=1e-2, atol=1e-5)


@pytest.mark.parametrize("setting", SETTINGS)
def test_without_pairs_of_both_kinds_a_site_is_as_any_other(setting: Setting) -> None:
    usual_line = expected_line(setting)
    for genuine, impostors in ([], []), ([5.0] * 50, []), ([], [-30.0] * 400):
        line = fitted_line(genuine, impostors, expected=expected_line(setting))
        assert (line.slope, line.offset) == pytest.approx((usual_line.slope, usual_line.offset))
        assert line.pairs == (len(genuine), len(impostors))


def drawn(rng: np.random.Generator, mean: float, sd: float, count: int, *, mistaken: float = 0.0) -> list[float]:
    """Fits of normal distribution about `mean`; the share that is `mistaken` about the opposite."""
    signs = np.where(np.arange(count) < round(mistaken * count), -1.0, 1.0)
    values: list[float] = (rng.normal(mean, sd, count) * signs).tolist()
    return values


@pytest.mark.parametrize("per_kind", [(400, 400), (400, 60)])
@pytest.mark.parametrize("mistaken", [reference_calibration.MISTAKEN, (0.0, 0.0)], ids=["as usual", "nothing mistaken"])
def test_with_many_pairs_evidence_means_what_it_says(per_kind: tuple[int, int], mistaken: tuple[float, float]) -> None:
    """Fits of normal distribution about +m and -m have the ratio 2 m x / sd^2, however many there are of each kind."""
    rng, mean, sd = np.random.default_rng(3), 4.0, 4.5
    genuine = drawn(rng, mean, sd, per_kind[0], mistaken=mistaken[0])
    impostors = drawn(rng, -mean, sd, per_kind[1], mistaken=mistaken[1])
    line = fitted_line(genuine, impostors, expected=expected_line("own"))
    # Where nothing is mistaken those that lie far out are taken to be, and the line is a little steep.
    assert line.slope == pytest.approx(2 * mean / sd**2, rel=0.25 if mistaken[0] else 0.3)
    assert line.offset == pytest.approx(0.0, abs=0.6)
    for fit in (-8.0, 0.0, 8.0):
        assert line.evidence(fit) == pytest.approx(2 * mean * fit / sd**2, abs=1.2)


@pytest.mark.parametrize("kind", ["genuine", "impostors"])
def test_a_few_that_are_mistaken_do_not_lay_the_line(kind: str) -> None:
    rng = np.random.default_rng(5)
    pairs = {"genuine": drawn(rng, 6.0, 4.0, 400), "impostors": drawn(rng, -6.0, 4.0, 400)}
    clean = fitted_line(pairs["genuine"], pairs["impostors"], expected=expected_line("own"))
    count = 12 if kind == "genuine" else 4
    far_out = -40.0 if kind == "genuine" else 40.0
    pairs[kind][:count] = [far_out] * count
    line = fitted_line(pairs["genuine"], pairs["impostors"], expected=expected_line("own"))
    assert line.slope == pytest.approx(clean.slope, rel=0.1)
    assert line.offset == pytest.approx(clean.offset, abs=0.3)
    plain, _ = reference_calibration.plain(pairs["genuine"], pairs["impostors"], **usual("own"))
    assert plain < 0.7 * line.slope, "or it would have been nothing to withstand"


@pytest.mark.parametrize("share", [0.01, 0.06, 0.25])
def test_how_many_are_mistaken_is_found_by_their_looks(share: float) -> None:
    rng = np.random.default_rng(11)
    genuine, impostors = drawn(rng, 6.0, 4.0, 400, mistaken=share), drawn(rng, -6.0, 4.0, 400)
    line = fitted_line(genuine, impostors, expected=expected_line("own"))
    assert line.mistaken == pytest.approx(share, rel=0.3, abs=0.015)
    few = fitted_line(genuine[:4], impostors[:4], expected=expected_line("own"))
    assert 0.03 < few.mistaken < 0.2


@pytest.mark.parametrize("away", [0.0, 0.3])
def test_who_look_like_everybody_are_not_taken_to_be_mistaken(away: float) -> None:
    """Where looks tell little, a line that says so is as good as one for half of the pairs."""
    rng = np.random.default_rng(12)
    line = fitted_line(drawn(rng, away, 4.0, 200), drawn(rng, -away, 4.0, 200), expected=expected_line("other"))
    assert line.mistaken < 0.2
    assert abs(line.evidence(0.0)) < 0.5


def test_of_both_settings_and_what_is_usual_the_mistakes_are_weighed() -> None:
    rng = np.random.default_rng(13)
    known = Calibration()
    assert known.mistaken == pytest.approx(0.06)
    for seen_here in (True, False):
        for genuine, fits in ((True, drawn(rng, 6.0, 4.0, 200, mistaken=0.2)), (False, drawn(rng, -6.0, 4.0, 200))):
            for fit in fits:
                known.learn(fit, seen_here=seen_here, genuine=genuine)
    known.refit()
    assert 0.15 < known.mistaken < 0.25
    assert Calibration.after(known, ModelId("x@1")).mistaken == pytest.approx(known.mistaken, abs=0.01)


def test_a_line_is_about_as_sure_as_it_is_alike_for_other_pairs() -> None:
    lines = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        genuine = drawn(rng, 5.0, 4.5, 300, mistaken=reference_calibration.MISTAKEN[0])
        impostors = drawn(rng, -5.0, 4.5, 300, mistaken=reference_calibration.MISTAKEN[1])
        lines.append(fitted_line(genuine, impostors, expected=expected_line("own")))
    slopes, offsets = np.std([line.slope for line in lines]), np.std([line.offset for line in lines])
    said = np.sqrt(np.mean([line.covariance[::2] for line in lines], axis=0))
    assert 0.5 < slopes / said[0] < 1.5
    assert 0.5 < offsets / said[1] < 1.5


@settings(max_examples=100, deadline=None)
@given(fit=st.floats(-1e6, 1e6), slope=st.floats(0.05, 3.0), offset=st.floats(-5, 5))
def test_uncertainty_makes_evidence_weaker_and_never_turns_it(fit: float, slope: float, offset: float) -> None:
    sure, unsure = Line(slope, offset, (0.0, 0.0, 0.0), (0, 0)), Line(slope, offset, (0.04, 0.01, 0.5), (0, 0))
    assert sure.evidence(fit) == pytest.approx(slope * fit + offset)
    assert abs(unsure.evidence(fit)) <= abs(sure.evidence(fit))
    assert unsure.evidence(fit) * sure.evidence(fit) >= 0.0


def test_more_pairs_make_it_more_certain() -> None:
    rng = np.random.default_rng(0)
    genuine, impostors = rng.normal(6, 4, 400).tolist(), rng.normal(-6, 4, 400).tolist()
    variances = [
        fitted_line(genuine[:count], impostors[:count], expected=expected_line("own")).covariance[0]
        for count in (0, 5, 50, 400)
    ]
    assert variances == sorted(variances, reverse=True)


def test_pairs_that_contradict_all_sense_do_not_turn_looks_round() -> None:
    for away in (0.5, 3.0, 30.0):
        line = fitted_line([-away] * 100, [away] * 100, expected=expected_line("own"))
        assert 0.05 <= line.slope <= expected_line("own").slope
    rng = np.random.default_rng(6)
    line = fitted_line(drawn(rng, -3.0, 4.0, 400), drawn(rng, 3.0, 4.0, 400), expected=expected_line("own"))
    assert 0.05 <= line.slope < 0.1


def test_duplicate_and_huge_fits_give_numbers() -> None:
    for genuine, impostors in ([3.0] * 400, [3.0] * 400), ([1e8] * 30, [-1e8] * 30), ([0.0], [0.0]):
        line = fitted_line(genuine, impostors, expected=expected_line("other"))
        assert np.isfinite([line.slope, line.offset, *line.covariance]).all()
        assert np.isfinite([line.evidence(fit) for fit in (-1e9, 0.0, 1e9)]).all()


def test_the_two_settings_do_not_learn_from_each_other() -> None:
    calibration, rng = Calibration(), np.random.default_rng(1)
    for _ in range(100):
        calibration.learn(float(rng.normal(9, 2)), seen_here=True, genuine=True)
        calibration.learn(float(rng.normal(3, 2)), seen_here=True, genuine=False)
    assert calibration.refit()
    assert calibration.version == 1
    assert calibration.lines["other"] == expected_line("other")
    expected = expected_line("own").evidence(3.0)
    assert calibration.evidence(3.0, seen_here=True) < expected / 2
    assert calibration.evidence(9.0, seen_here=True) > 1.0
    assert calibration.evidence(3.0, seen_here=False) == expected_line("other").evidence(3.0)


def learned(seed: int) -> Calibration:
    """Of a site on which looks tell less than is expected anywhere."""
    calibration, rng = Calibration(), np.random.default_rng(seed)
    for _ in range(200):
        for seen_here in (True, False):
            calibration.learn(float(rng.normal(6, 4)), seen_here=seen_here, genuine=True)
            calibration.learn(float(rng.normal(-6, 4)), seen_here=seen_here, genuine=False)
    calibration.measured.impostors.learn(0.3)
    assert calibration.refit()
    return calibration


def test_an_adapted_model_is_expected_to_be_about_like_the_one_before() -> None:
    former = learned(3)
    after = Calibration.after(former, ModelId("former@1"))
    assert after.shares(ModelId("adapted@1")) == former.shares(ModelId("former@1"))
    for setting in SETTINGS:
        line, known = after.lines[setting], former.lines[setting]
        assert (line.slope, line.offset) == (known.slope, known.offset)
        assert line.covariance[0] > known.covariance[0]
        assert line.covariance[2] > known.covariance[2]
        assert line.pairs == (0, 0)
    for fit in (8.0, -8.0):
        assert 0.0 < after.evidence(fit, seen_here=True) / former.evidence(fit, seen_here=True) < 1.0
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(after), type=Calibration) == after


def test_people_who_are_seen_together_now_tell_what_is_common_until_there_are_lessons() -> None:
    model_id = ModelId("looks@1")
    new = Calibration()
    usual = new.shares(model_id).common
    assert new.shares(model_id, two_people=[usual] * 5) == new.shares(model_id)
    found = new.shares(model_id, two_people=[-0.4] * 4 + [0.0] * 4).common
    assert 0.0 <= found < usual
    assert new.shares(model_id, two_people=[0.6] * 400).common == pytest.approx(0.6, abs=0.01)
    assert new.shares(model_id, two_people=[-1.0] * 400).common == 0.0
    for _ in range(600):
        new.measured.impostors.learn(0.2)
    assert new.shares(model_id, two_people=[0.6] * 400).common == pytest.approx(0.2, abs=0.05)


def test_few_pairs_of_an_adapted_model_leave_it_near_the_one_before_and_many_do_not() -> None:
    former, rng = learned(5), np.random.default_rng(6)
    slopes = []
    for count in (10, 400):
        after = Calibration.after(former, ModelId("former@1"))
        for _ in range(count):
            after.learn(float(rng.normal(2, 1)), seen_here=False, genuine=True)
            after.learn(float(rng.normal(-2, 1)), seen_here=False, genuine=False)
        assert after.refit()
        slopes.append(after.lines["other"].slope)
        assert after.lines["own"] == Calibration.after(former, ModelId("former@1")).lines["own"]
    assert former.lines["other"].slope < slopes[0] < slopes[1]
    assert slopes[0] - former.lines["other"].slope < 0.3 * (slopes[1] - former.lines["other"].slope)


def test_it_is_bounded_and_fitted_seldom() -> None:
    calibration, rng = Calibration(), np.random.default_rng(2)
    fittings = 0
    for count in range(5000):
        calibration.learn(float(rng.normal()), seen_here=False, genuine=count % 3 == 0)
        fittings += calibration.refit()
    assert 10 < fittings < 50
    assert fittings == calibration.version
    assert len(calibration.genuine["other"]) == len(calibration.impostors["other"]) == KEPT


def test_what_is_stored_and_read_again_goes_on_the_same_to_the_last_bit() -> None:
    rng, kept = np.random.default_rng(4), Calibration()
    fits = rng.normal(size=300).tolist()
    again = kept
    for index, fit in enumerate(fits):
        for one in {id(kept): kept, id(again): again}.values():
            one.learn(fit, seen_here=index % 2 == 0, genuine=index % 3 == 0)
            one.refit()
        again = msgspec.msgpack.decode(msgspec.msgpack.encode(again), type=Calibration)
        assert again == kept
