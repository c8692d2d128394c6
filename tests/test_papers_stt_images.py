"""Near images, classes, orders and attacks of the reproduction of the STT-MTJ generator: parts against closed forms."""

import numpy as np
import pytest
from scipy import stats

from mtjspice.generative.attack.victim import Plan, Victim
from mtjspice.generative.attack.words import known_bits
from mtjspice.generative.gan.conditional import ClassDistances
from mtjspice.generative.gaussian import quantiles
from mtjspice.papers.stt_trng import (
    attack_prediction,
    attack_queries,
    attacks,
    class_ratios,
    image_sources,
    model_attack,
    near_images,
    ranks,
)
from mtjspice.papers.stt_trng.class_figures import COMPARED, RANK_COLUMNS
from mtjspice.papers.stt_trng.paper import PAPER
from mtjspice.papers.stt_trng.seed_ratios import seed_ratio
from mtjspice.reports import style


def test_a_ratio_over_seeds_is_welchs_t_of_logarithms() -> None:
    found = seed_ratio(np.array([100.0, 140.0, 60.0]), np.array([50.0, 40.0, 60.0]), 1e6)
    a, b = 1600 / 3 / 100**2, 100 / 3 / 50**2  # relative variances of the means
    freedom = (a + b) ** 2 / (a**2 / 2 + b**2 / 2)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(a + b)
    assert found.value == pytest.approx(2)
    assert np.log(found.high / found.value) == pytest.approx(half, rel=1e-9)
    assert np.log(found.value / found.low) == pytest.approx(half, rel=1e-9)
    assert found.resolved == pytest.approx(np.exp((1.959964 + 0.841621) * found.error), rel=1e-5)
    assert found.contains_one


def test_a_ratio_over_seeds_does_not_trust_equal_counts() -> None:
    found = seed_ratio(np.full(5, 2.0), np.full(5, 2.0), 1e6)
    assert found.error == pytest.approx(np.sqrt(1 / 10 + 1 / 10), rel=1e-4)  # ten pairs on either side
    certain = seed_ratio(np.full(5, 80.0), np.full(5, 80.0), 80)  # all pairs are near: nothing is left to chance
    assert (certain.low, certain.high, certain.error) == (1, 1, 0)


def test_a_ratio_without_pairs_has_limits() -> None:
    found = seed_ratio(np.zeros(5), np.full(5, 4.0), 1e6)
    assert found.value == pytest.approx(0.5 / 20)
    assert 0 < found.low < found.value
    assert found.high * 20 > 3  # pairs: the rule of three
    both = seed_ratio(np.zeros(5), np.zeros(5), 1e6)
    assert both.low < both.value == 1 < both.high


def test_limits_over_seeds_hold_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    held = sum(
        seed_ratio(mine, other, 1e6).contains_one
        for mine, other in zip(rng.poisson(2, (600, 8)), rng.poisson(2, (600, 12)), strict=True)
    )
    assert held / 600 > 0.92


def test_two_maps_of_words() -> None:
    words = quantiles(8)
    assert near_images.quantile(words) is words
    assert near_images.linear(words) == pytest.approx((2 * np.arange(256) + 1) / 256 - 1, abs=1e-12)


def test_orders_of_sources() -> None:
    rng = np.random.default_rng(1)
    same = np.outer(np.arange(1, 13), np.full(6, 100.0))
    assert ranks.agreement(same, 3 * same, rng).tau == pytest.approx(1)
    assert ranks.agreement(same, same[::-1], rng).tau == pytest.approx(-1)
    assert ranks.agreement(same, np.ones_like(same), rng).tau == 0
    assert ranks.repeated(same, rng).low == pytest.approx(1)
    noise = ranks.repeated(rng.poisson(100, (40, 8)).astype(float), rng)
    assert abs(noise.tau) < 0.3
    assert noise.low < noise.tau < noise.high


def test_thresholds_on_the_grid() -> None:
    below = np.tile(np.arange(1.0, 401.0), (3, 1))
    place = ranks.at_rate(below, 0.25)
    assert below[0, place] / below[0, -1] == pytest.approx(0.25)
    assert near_images.GRID[ranks.at(0.3)] == pytest.approx(0.3, rel=0.01)


def test_shuffled_classes_keep_their_pairs_on_average() -> None:
    rng = np.random.default_rng(2)
    points = rng.random((40, 1))
    distances = np.abs(points - points.T).astype(np.float32)
    effort = class_ratios.Effort(20, 1, 4000)
    found = class_ratios._counted([ClassDistances("bag", 20, distances)], 0.1, effort, rng)
    upper = np.triu_indices(20, 1)
    assert found.near[0, 0] == (distances[:20, :20][upper] < 0.1).sum()
    assert found.near[1, 0] == (distances[20:, 20:][upper] < 0.1).sum()
    near = (distances[np.triu_indices(40, 1)] < 0.1).sum()
    expected = near * (20 * 19) / (40 * 39)  # a pair falls into one half
    for side in found.shuffled[:, :, 0]:
        assert side.mean() == pytest.approx(expected, abs=4 * side.std() / np.sqrt(4000))
    assert (found.below[:, -1] == 190).all()


def test_the_largest_class_is_held_against_the_largest_of_permutations() -> None:
    counts, good = np.full((1, 2, 2), 10.0), np.full((2, 2), 10.0)
    counts[0, :, 1] = 20
    study = class_ratios.Study(
        class_ratios.Effort(40, 2, 4), ("a",), ("bag", "coat"), 0.1, counts, good,
        np.array([[1.0, 1.5, 2.0, 2.5]]), np.zeros((1, 2, 400)), np.zeros((2, 400)), np.ones(1),
    )  # fmt: skip
    found = study.largest("a")
    assert found.name == "coat"
    assert found.ratio == pytest.approx(40.5 / 20.5)
    assert found.p_value == pytest.approx((1 + 2) / 5)  # 2.0 and 2.5 are as large
    assert study.of_class("a", "coat").value == pytest.approx(found.ratio)


@pytest.mark.parametrize(("text", "bits", "broken"), [
    ("lfsr:16", 64, True), ("lfsr:16", 16, False), ("lcg:ansi-c", 256, True), ("pcg64", 512, False),
])  # fmt: skip
def test_starts_are_broken_from_enough_bits(text: str, bits: int, broken: bool) -> None:
    assert [attack_queries._broken(text, bits, seed, False) for seed in (1, 2)] == [broken, broken]


def test_fewest_bits_that_break_all_starts() -> None:
    from mtjspice.statistics import wilson

    found = [attack_queries.Broken("a", bits, wilson(hits, 4)) for bits, hits in ((16, 0), (32, 3), (64, 4), (128, 4))]
    assert attack_queries.needed(found, "a") == 64
    assert attack_queries.needed(found[:2], "a") is None
    assert attack_queries.unbroken(found, ["a"], 32).value == 0.75


def test_models_guess_recurrences_and_bias_and_nothing_else() -> None:
    found = attack_prediction.guesses((2000,), 20_000, 3)
    assert found.best("LFSR of 32").right.value == 1
    assert found.guessed("LFSR of 32") == 0
    assert found.best("junctions, P = 0.60").right.value == pytest.approx(0.6, abs=0.06)
    assert found.best("ChaCha20").right.value == pytest.approx(0.5, abs=0.06)
    assert found.entropy["LFSR of 32"] > 0.5  # the estimators do not see it


def test_correlations_are_spearmans() -> None:
    from mtjspice.statistics import wilson

    right = (100, 50, 55, 90, 52, 70)
    near = (8.0, 1.0, 1.5, 1.2, 0.5, 3.0)
    sources = [
        model_attack.Attacked(
            str(k), (model_attack.Tried(str(k), 1, wilson(0, 1), wilson(hits, 100)),), wilson(1, 1), wilson(0, 9),
            1 - k / 10, 0.5, ratio, 16.0 if k else None,
        )
        for k, (hits, ratio) in enumerate(zip(right, near, strict=True))
    ]  # fmt: skip
    found = {one.measure: one for one in model_attack.correlations(sources, 1, 400)}
    expected = stats.spearmanr(right, near).statistic
    assert found["near images"].rho == pytest.approx(expected)
    assert found["near images"].low <= expected <= found["near images"].high
    assert found["bits of the state"].rho == pytest.approx(stats.spearmanr(right, [1, 0, 0, 0, 0, 0]).statistic)
    assert 0.05 < found["near images"].p_value < 0.5  # by all 720 permutations 0.15 or so


@pytest.mark.parametrize(("text", "broken"), [("lfsr:16", 4), ("lfsr:16+reseed:10", 4), ("chacha20", 0)])
def test_runs_of_images_with_known_bits(text: str, broken: int) -> None:
    victim = Victim.of(Plan.parse(text), 5, 64, 8, 2)
    soft = known_bits(victim.latents[:4], 8)
    attack = model_attack._seeds if "reseed" in text else model_attack._following
    found = attack("a", victim, soft, 1, 3)
    assert (found.broken.count, found.broken.trials) == (broken, 4)
    assert found.right.value == 1 if broken else abs(found.right.value - 0.5) < 0.1


def test_near_images_and_attacks_have_the_same_sources() -> None:
    assert set(image_sources.SOURCES) < set(model_attack.SOURCES)
    assert set(image_sources.GOOD) < set(image_sources.SOURCES)
    assert set(attacks.DETERMINISTIC) < set(attacks.SOURCES)


def _columns() -> dict[tuple[str, str], tuple[tuple[str, ...], list[tuple[float | str, ...]]]]:
    """Columns with the shapes that figures get."""
    return {
        ("images", "ranks"): (
            RANK_COLUMNS,
            [(g, key, t, t, 0.5, 0.1, 0.9) for g in ("faces", "garments") for key in COMPARED for t in (0.1, 0.3)],
        ),
        ("attacks", "queries"): (
            attack_queries._COLUMNS,
            [(s, b, r, 0.0, 1.0, 4) for s, r in (("a", 0.0), ("b", 1.0)) for b in (16, 20_000)],
        ),
        ("attacks", "guesses"): (
            attack_prediction._COLUMNS,
            [(s, m, n, 0.5, 0.4, 0.6, 0.5, 0.9) for s in "ab" for m in attack_prediction.MODELS for n in (200, 2000)],
        ),
        ("image-attack", "sources"): (
            image_attack_rows(), [("a", 1.0, 0.9, 1.0, 0.5, 30.0, 3.0, 300.0, 0.0, 1.0),
                                  ("b", 0.5, 0.4, 0.6, 0.5, 1.0, 0.1, 10.0, 0.9, 0.0)],
        ),
        ("image-attack", "success"): (
            ("source", "images seen", "runs broken", "low", "high", "runs"),
            [(s, n, r, 0.0, 1.0, 4) for s, r in (("a", 0.0), ("b", 1.0)) for n in (1, 2, 4)],
        ),
    }  # fmt: skip


def image_attack_rows() -> tuple[str, ...]:
    from mtjspice.papers.stt_trng import image_attack_figures

    return image_attack_figures.ROWS


@pytest.mark.parametrize(("experiment", "figure"), list(_columns()))
def test_figures_are_drawn_from_their_columns(experiment: str, figure: str) -> None:
    names, rows = _columns()[experiment, figure]
    columns = {name: np.array([row[k] for row in rows]) for k, name in enumerate(names)}
    drawn = style.render(style.styled(PAPER.experiment(experiment).draw[figure])(columns))
    assert drawn.startswith(b"\x89PNG")
    assert len(drawn) > 5000


def test_holms_correction_of_the_largest_classes() -> None:
    from types import SimpleNamespace

    from mtjspice.papers.stt_trng.image_findings import Found

    values = {"a": 0.001, "b": 0.02, "c": 0.03, "d": 0.5}
    study = SimpleNamespace(
        labels=tuple(values), largest=lambda label: class_ratios.Largest(2, "bag", 1, 2, values[label])
    )
    found = Found(None, None, {"m": study}, {})  # type: ignore[arg-type, dict-item]
    assert found.beyond("m") == ["a"]  # 3 x 0.02 is above 5 %
    assert found.beyond("m", corrected=False) == ["a", "b", "c"]
