"""The reproduction of Nat. Commun. 16, 5022 (MeRAM noise): claims, closed forms, figures, and that it runs."""

import json
import subprocess
import sys
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from paper_pages import check_pages
from scipy.integrate import quad
from scipy.special import ndtri
from scipy.stats import binom, norm, poisson_binom, ttest_1samp

from mtjspice.generative.law import Law
from mtjspice.papers import runner, store
from mtjspice.papers.catalogue import PAPERS
from mtjspice.papers.experiment import Context
from mtjspice.papers.findings import Claim, Status
from mtjspice.papers.meram import (
    chance,
    claims,
    converters,
    diffusion_grid,
    exact,
    gaussian,
    gaussian_formats,
    independence,
    matrices_findings,
    noises,
    samples,
    slots,
    switching,
    variability_images,
    width,
)
from mtjspice.papers.meram.detection import largest_gap, numbers_needed, rejected
from mtjspice.papers.meram.paper import PAPER
from mtjspice.papers.sections import section_of
from mtjspice.reports.style import render, styled
from mtjspice.statistics import wilson

LARGEST_DISTANCE = float(ndtri(1 - 5e-6))  # standard errors, false alarm 1e-5


# --- claims --------------------------------------------------------------------------------------------------


def test_derived_claims_follow_from_the_others():
    hardware, software = claims.FIDS
    ratio = claims.FID_RATIO
    assert ratio.value == pytest.approx(hardware / software, rel=1e-3, abs=0)
    # both FIDs are rounded to 0.1
    assert ratio.low == pytest.approx((hardware - 0.05) / (software + 0.05), rel=1e-3, abs=0)
    assert ratio.high == pytest.approx((hardware + 0.05) / (software - 0.05), rel=1e-3, abs=0)
    assert claims.FACTOR.value * (1 - claims.SAVING.value) == pytest.approx(claims.AREA_FACTOR.value, rel=1e-9)


def test_no_claim_has_a_number_that_no_text_has():
    numbers = {one.value for one in vars(claims).values() if isinstance(one, Claim) and one.value is not None}
    assert numbers == {1.0, 0.5, 1.083, 0.8, 1e3, 200.0}


# --- switching -----------------------------------------------------------------------------------------------


def test_a_damped_oscillation_settles_where_its_envelope_does():
    widths = np.linspace(0, 20e-9, 2001)
    tau, period = 3e-9, 1.8e-9
    curve = 0.5 - 0.5 * np.exp(-widths / tau) * np.cos(2 * np.pi * widths / period)
    envelope = tau * np.log(0.5 / 0.05)
    settled = switching.settles(widths, curve)
    assert envelope - period / 2 <= settled <= envelope
    assert np.isinf(switching.settles(widths, curve + 0.06))
    # extremes after which it moves by more than 0.02; the first swing leads to the first of them
    half = np.arange(1, 40) * period / 2
    swings = 0.5 * (np.exp(-half / tau) + np.exp(-(half - period / 2) / tau))
    assert switching.turning_points(curve) == np.count_nonzero(swings > 0.02) - 1


def test_a_straight_rise_does_not_turn():
    assert switching.turning_points(np.linspace(0, 1, 50)) == 0


# --- independence --------------------------------------------------------------------------------------------


def word(pulses, common, seed, bits=8, probability=0.5, coupling=0.0):
    """States of a word whose flips share a shift with that deviation; ``coupling`` to what the next bit holds."""
    rng = np.random.default_rng(seed)
    states = np.zeros((pulses + 1, bits), np.int64)
    for k in range(pulses):
        chance = probability + common * rng.standard_normal() + coupling * (np.roll(states[k], 1) - 0.5)
        states[k + 1] = states[k] ^ (rng.random(bits) < np.clip(chance, 0, 1))
    return states[:-1], states[1:]


def test_false_alarms_are_as_stated():
    rng = np.random.default_rng(5)
    found = [independence.test(*word(60, 0.0, seed, probability=0.4), 99, rng) for seed in range(80)]
    for name in ("common", "pairs", "neighbours"):
        p = np.array([getattr(one, name) for one in found])
        alarms = int(np.count_nonzero(p <= 0.1))
        assert binom.sf(alarms - 1, len(p), 0.1) > 1e-5
        assert np.mean(p) == pytest.approx(0.5, abs=LARGEST_DISTANCE * np.sqrt(1 / 12 / len(p)) + 0.01)


def test_common_flips_and_coupled_bits_are_seen():
    rng = np.random.default_rng(6)
    together = independence.test(*word(200, 0.3, 1), 199, rng)
    assert together.common == pytest.approx(1 / 200)
    assert together.correlation > 0.1
    coupled = independence.test(*word(400, 0.0, 2, coupling=0.6), 199, rng)
    assert coupled.neighbours == pytest.approx(1 / 200)
    before, _ = word(200, 0.0, 3)
    halves = np.tile([[0.5, 0.5], [0.5, 0.5]], (8, 1, 1))
    weak, strong = independence.detectable(before, halves, np.array([0.0, 0.3]), rng, 60)
    assert weak < 0.3
    assert strong > 0.95


def test_the_kronecker_product_flips_a_poisson_binomial_number_of_bits():
    rises, falls = np.linspace(0.1, 0.8, 8), np.linspace(0.9, 0.3, 8)
    table = np.array([[[1 - a, a], [b, 1 - b]] for a, b in zip(rises, falls, strict=True)])
    states = np.array([[0] * 8, [1] * 8, [0, 1] * 4])
    expected = sum(
        poisson_binom.pmf(np.arange(9), np.where(one == 0, rises, falls)) for one in states
    )  # fmt: skip
    assert independence.flip_law(states, table) == pytest.approx(expected, rel=1e-9)


def test_memory_joins_both_intervals():
    rise, fall = wilson(40, 100), wilson(30, 100)
    found = matrices_findings.memory_of(rise, fall)
    assert found.value == pytest.approx(0.3)
    assert found.low < found.value < found.high
    # as wide as the intervals' root of sum of squares
    wide = np.hypot(rise.high - rise.low, fall.high - fall.low)
    assert found.high - found.low == pytest.approx(wide, rel=0.05)


def test_bits_that_are_independent_in_the_model_are_no_evidence():
    def measured(least):
        return SimpleNamespace(
            tests=independence.Independence(least, 0.5, 0.6, 0.0), train=SimpleNamespace(before=np.zeros((48, 8))),
            power=np.linspace(0.3, 1, matrices_findings.SHIFTS.size), slope=1e9,
        )  # fmt: skip

    # an alarm is a value below 0.05 of six tests together
    for least, status in ((0.009, Status.NOT_COMPARABLE), (0.008, Status.DIFFERS)):
        assert matrices_findings._independent([measured(least), measured(0.7)]).status is status


# --- laws ----------------------------------------------------------------------------------------------------


def test_twos_complement_is_uniform_whatever_the_range():
    for reach in (2.0, 4.0):
        divergence, uneven = gaussian_formats.twos_complement(8, reach)
        assert uneven < 1e-12
        edges = np.linspace(-reach, reach, 257)
        edges[0], edges[-1] = -np.inf, np.inf
        cells = np.diff(norm.cdf(edges))
        assert divergence == pytest.approx(float(np.sum(cells * np.log2(cells * 256))), rel=1e-9)


def test_the_gaussian_experiment_decays_to_the_uniform_law():
    found = gaussian.EXPERIMENT.run(Context(True, 3))
    assert section_of(json.loads(json.dumps(found.as_dict()))).as_dict() == found.as_dict()
    status = {one.key: one.status for one in found.findings}
    assert (status["steps"], status["lopsided"]) == (Status.DIFFERS, Status.LEFT_OPEN)
    decay = next(plate for plate in found.plates if plate.key == "decay").arrays()
    fixed = decay["chain"] == decay["chain"][0]
    values = dict(zip(decay["pulses"][fixed].tolist(), decay["KL(N, words) [bit]"][fixed].tolist(), strict=True))
    assert values[8] == pytest.approx(0.226, abs=5e-4)
    assert values[256] == pytest.approx(0.699, abs=1e-3)
    later = [values[n] for n in sorted(values) if n >= 16]
    assert all(a < b for a, b in pairwise(later))
    asymmetric = decay["chain"] == decay["chain"][-1]
    stays = decay["KL(N, words) [bit]"][asymmetric]
    assert stays[-1] == pytest.approx(values[16], rel=1e-6)  # the product law itself
    # the limit: all bits fair
    assert later[-1] < gaussian_formats.twos_complement(8, 4.0)[0]
    assert gaussian.EXPERIMENT.run(Context(True, 3)).as_dict() == found.as_dict()


def test_memory_of_the_slowest_bit():
    from mtjspice.generative.encodings.toggled import ToggleWords

    words = ToggleWords(8, 16)
    top = norm.sf(2) * 2  # marginal of the highest bit of the magnitude
    assert gaussian_formats.slowest_memory(words) == pytest.approx((1 - 2 * top) ** (1 / 16), rel=1e-9)


def test_quantile_error_of_a_two_valued_law():
    law = Law(np.array([-1.0, 1.0]), np.array([0.5, 0.5]))
    # E(x - sign x)^2 = 2 - 2 E|x|
    whole, beyond = width.errors(law, 2.0)
    assert whole == pytest.approx(np.sqrt(2 - 2 * np.sqrt(2 / np.pi)), rel=1e-9)
    tail = 2 * quad(lambda x: (x - 1) ** 2 * norm.pdf(x), 2, 12)[0]
    assert beyond == pytest.approx(np.sqrt(tail), rel=1e-6)


def test_a_fine_grid_has_the_error_of_rounding():
    step = 2.0**-6
    values = np.arange(-8, 8, step) + step / 2
    cells = np.diff(norm.cdf(np.append(values - step / 2, 8.0)))
    found, beyond = width.errors(Law(values, cells / cells.sum()), 8.0)
    assert found == pytest.approx(step / np.sqrt(12), rel=1e-3)
    assert beyond < 1e-6


def test_the_first_width_whose_range_decides():
    found = [(1.0, 0.1)] * 3 + [(1.0, 0.8)] * (len(width.BITS) - 3)
    assert width.turning_bits(found) == width.BITS[3]
    assert width.turning_bits([(1.0, 0.1)] * len(width.BITS)) == 0


def test_slots_are_counted_as_the_circuit_needs_them():
    one = slots.SlotCost(1.0, 0.0, 0.0)
    costs = slots.Costs(one, one, one, 1.0, 0.0)
    counted = {slots.QUANTILE: 3, slots.PRODUCT: 10, slots.TREE: 17, slots.CHAIN: 130, slots.SUM: 12}
    for encoding, expected in counted.items():
        assert costs.number(encoding, 8) == (pytest.approx(expected), pytest.approx(expected)), encoding


def test_lines_through_exact_costs():
    rows = np.array([[n, k, 3.0 + 2.0 * n + 0.5 * k] for n, k in ((4, 4), (4, 1), (8, 8), (8, 1))])
    fitted, miss = slots.fit(rows)
    assert (fitted.constant, fitted.column, fitted.pulsed) == pytest.approx((3.0, 2.0, 0.5))
    assert miss < 1e-9


# --- detection -----------------------------------------------------------------------------------------------


def test_the_critical_value_holds_for_the_law_itself():
    """A very fine law is rejected as often as the level says."""
    edges = np.linspace(-8, 8, 16001)
    law = Law((edges[1:] + edges[:-1]) / 2, np.diff(norm.cdf(edges)) / np.diff(norm.cdf(edges)).sum())
    found = rejected(law, 2000, 800, np.random.default_rng(1))
    # the asymptotic value is conservative by a few per cent of the level at this size
    assert binom.sf(found - 1, 800, 0.05) > 1e-5
    assert binom.cdf(found, 800, 0.035) > 1e-5


def test_a_gap_is_seen_at_the_predicted_size():
    law = Law(np.array([-1.0, 1.0]), np.array([0.5, 0.5]))
    gap = largest_gap(law)
    assert gap == pytest.approx(norm.cdf(1) - 0.5)
    needed = numbers_needed(gap)
    assert needed == pytest.approx((1.3581 / gap) ** 2, rel=1e-3)
    assert rejected(law, round(needed), 200, np.random.default_rng(1)) > 150


# --- variability ---------------------------------------------------------------------------------------------


def test_offsets_of_the_sign_move_the_mean():
    """A product word whose sign alone errs by e has the mean -2 e E|x|."""
    from mtjspice.generative.encodings.programmed import ProductWords

    words = ProductWords(8)
    ideal = words.law()
    absolute = float(ideal.probabilities @ np.abs(ideal.values))
    errors = np.zeros((1, 8))
    errors[0, 0] = 1.0
    found = exact.devices("product:8", 0.02, errors, np.random.default_rng(1))
    assert found[exact.OFFSETS].value == pytest.approx(2 * 0.02 * absolute, rel=1e-9)
    assert found[exact.SCATTER].value == 0.0
    assert found[exact.TRIMMED].value == pytest.approx(found[exact.RAW].value, abs=0.01)


def test_where_a_curve_reaches_a_limit():
    spreads = np.array([0.0, 0.01, 0.02])
    assert exact.reached(spreads, np.array([0.0, 1.0, 3.0]), 2.0) == pytest.approx(0.015)
    assert np.isinf(exact.reached(spreads, np.array([0.0, 1.0, 3.0]), 4.0))
    found = exact.Reached(0.017, 0.0, np.inf, 0.1)
    assert found.ranged() == "0.017 (0 to above 0.1)"
    assert found.shown() == "0.017 (95 %: 0 to above 0.1)"


def test_perfect_cells_are_not_the_worst_calibrated():
    from mtjspice.papers.meram.variability_results import Results

    effects = [
        variability_images.Effect(variability_images.ONE, calibrated, spread, value, value, value)
        for calibrated, spread, value in ((True, 0.0, 1.3), (True, 0.02, 1.1), (True, 0.1, 1.2), (False, 0.1, 4.0))
    ]
    found = Results(1, {}, {}, SimpleNamespace(effects=effects), [], (), None)
    assert found.worst_calibrated == effects[2]


# --- figures -------------------------------------------------------------------------------------------------


def columns_of(name):
    """Columns that a figure may get; the shapes matter, not the numbers."""
    from mtjspice.papers.meram import (
        diffusion_figures,
        energy_figures,
        gaussian_figures,
        matrices_figures,
        samples_figures,
        switching_figures,
        variability_figures,
        width_figures,
    )

    widths = np.linspace(1e-10, switching_figures.LONGEST, 40)
    volts = np.array([0.9, 1.2, 1.5])
    over = switching_figures.OVERDRIVES
    law = np.repeat(gaussian.OTHERS, 3)
    share = np.linspace(0.1, 0.9, law.size)
    bits = np.arange(8)
    trees = np.repeat(variability_figures.ENCODINGS, 9)
    figures = {
        "map": {
            "voltage [V]": np.repeat(volts, 40), "pulse width [s]": np.tile(widths, 3),
            "switching probability": np.linspace(0, 1, 120), "V_c [V]": np.full(120, 1.5),
            "V_dyn [V]": np.full(120, 0.95),
        },
        "curves": {
            "voltage over V_c": np.repeat(over, 40), "pulse width [s]": np.tile(widths, len(over)),
            "switching probability": np.linspace(0, 1, 40 * len(over)),
        },
        "settled": {
            "device": np.array([one for one, _ in switching_figures.VARIANTS]),
            "voltage over V_c": np.full(5, over[0]), "settled from [s]": np.linspace(5e-9, 20e-9, 5),
            "settled within 20 ns": np.array(["yes"] * 4 + ["no"]),
        },
        "flips": {
            "pulse [s]": np.repeat([4e-10, 5e-10], 9), "bits flipped": np.tile(np.arange(9), 2),
            "pulses counted": np.full(18, 5), "expected": np.full(18, 5.0), "2.5 %": np.full(18, 2.0),
            "97.5 %": np.full(18, 9.0),
        },
        "matrices": {
            "pulse [s]": np.full(16, 4e-10), "bit": np.tile(bits, 2), "from": np.repeat(["P", "AP"], 8),
            "switched": np.full(16, 0.5), "low": np.full(16, 0.4), "high": np.full(16, 0.6),
            "macrospin": np.full(16, 0.5),
        },
        "decay": {
            "pulses": np.tile([1, 16, 64], 3), "chain": np.repeat(gaussian_figures._KINDS, 3),
            "KL(N, words) [bit]": np.geomspace(0.01, 1, 9),
        },
        "tails": {
            "law": law, "limit [standard deviations]": np.tile([1.0, 2.0, 3.0], 7),
            "P(|x| > limit) over the normal": np.where(share > 0.8, 0.0, share),
        },
        "power": {
            "law": law, "numbers": np.tile([100, 1000, 10000], 7), "rejected": share, "low": share - 0.05,
            "high": share + 0.05, "predicted numbers": np.full(law.size, 2000.0),
        },
        "formats": {
            "bits": np.tile([4, 8], 3), "integer bits": np.repeat([1, 2, 3], 2),
            "error [standard deviations]": np.geomspace(1e-4, 0.1, 6), "of which beyond the range": np.full(6, 1e-5),
        },
        "pareto": {
            "encoding": np.repeat([slots.QUANTILE, slots.PRODUCT, slots.TREE, slots.CHAIN, slots.SUM], 2),
            "bits": np.tile([4, 8], 5), "energy times latency [J s]": np.geomspace(1e-19, 1e-16, 10),
            "error [standard deviations]": np.geomspace(0.1, 0.001, 10),
            "KL(N, words) [bit]": np.geomspace(1e-1, 1e-12, 10),
        },
        "spread": {
            "encoding": trees, "spread of P": np.tile([0.0, 0.01, 0.1], 9),
            "quantity": np.tile(np.repeat([exact.OFFSETS, exact.RAW, exact.TRIMMED], 3), 3),
            "value": np.full(27, 0.1), "low": np.full(27, 0.05), "high": np.full(27, 0.2),
        },
        "allowed": {
            "parameter": np.repeat(["damping", "diameter"], 3), "P": np.tile([0.05, 0.28, 0.5], 2),
            "spread for 0.02 of P": np.full(6, 0.01), "low": np.full(6, 0.005), "high": np.full(6, 0.02),
        },
        "mismatch": {
            "word": np.repeat([0, 1], 8), "column": np.tile(bits, 2), "P to AP": np.linspace(0.4, 0.5, 16),
        },
        "ratios": {
            "against": np.array(["LFSR-8, 3.3 V", "ChaCha8, 3.3 V", "TRNG"]),
            "status": np.array(["measured", "counted", "published"]), "energy ratio": np.array([1.2, 6.0, 50.0]),
            "area ratio": np.array([3.4, 0.8, 5.0]),
        },
        "phases": {
            "phase": np.tile(["reset", "write", "read"], 4), "source": np.repeat(energy_figures._SOURCES, 3),
            "energy [J/bit]": np.full(12, 1e-13), "95 % [J/bit]": np.full(12, 1e-14),
        },
        "images": {
            "noise of": np.repeat(list(variability_images.CASES), 4),
            "calibrated": np.tile(["no", "no", "yes", "yes"], 5),
            "spread of P": np.tile([0.0, 0.1], 10), "distance over software noise": np.tile([1.0, 5.0, 1.0, 1.1], 5),
            "low": np.full(20, 0.9), "high": np.full(20, 9.0), "standard deviation of a single run": np.full(20, 0.1),
        },
        "samples": {
            "node": np.array([samples.OLD, samples.OLD, samples.NEW, samples.NEW]),
            "bits of": np.array([samples.FAIR, "LFSR-8, 1.8 V", samples.PRODUCT_WORDS, "LFSR-8, 0.9 V"]),
            "converter": np.array([converters.TABLE, converters.POLAR, samples.NOTHING, converters.SUM]),
            "energy [J]": np.array([2e-11, 1e-10, 1e-12, 3e-13]), "cheapest with junctions [J]": np.full(4, 1e-11),
        },
        "effects": {
            "noise": np.array(["chain", "sum", "fault"]), "replaced in": np.array(["training", "both", "sampling"]),
            "distance over software noise": np.array([1.0, 1.1, 8.0]), "low": np.array([0.8, 0.9, 6.0]),
            "high": np.array([1.2, 1.3, 10.0]), "standard deviation of a single run": np.full(3, 0.06),
        },
        "null": {"training": np.array([1, 1, 2]), "distance over software noise": np.array([0.9, 1.1, 1.0])},
    }  # fmt: skip
    modules = (switching_figures, matrices_figures, gaussian_figures, width_figures, variability_figures,
               energy_figures, samples_figures, diffusion_figures)  # fmt: skip
    assert all(hasattr(one, "TYPE_CHECKING") for one in modules)
    return figures[name]


@pytest.mark.parametrize(
    ("experiment", "figure"), [(one.key, figure) for one in PAPER.experiments for figure in one.draw]
)
def test_figures_are_drawn_from_their_columns_alone(experiment, figure):
    name = "curves" if (experiment, figure) == ("switching", "decay") else figure
    picture = styled(PAPER.experiment(experiment).draw[figure])(columns_of(name))
    axes = [axis for axis in picture.axes if axis.get_label() != "<colorbar>"]
    assert all(axis.get_xlabel() for axis in axes[-1:])
    assert any(axis.get_ylabel() or axis.get_yticklabels() for axis in axes)
    assert len(render(picture)) > 5000


# --- the paper -----------------------------------------------------------------------------------------------


def test_nothing_heavy_is_imported_to_list_experiments():
    code = (
        "import sys; from mtjspice.papers.meram.paper import PAPER;"
        "print([m for m in ('torch', 'matplotlib', 'xarray', 'scipy.stats', 'klayout') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_order_of_the_experiments():
    assert PAPERS["meram"]() is PAPER
    expected = ["switching", "matrices", "gaussian", "width", "variability", "energy", "diffusion"]
    assert [one.key for one in PAPER.experiments] == expected


def test_the_spread_of_software_noise_has_its_parts():
    """Two trainings that differ by their means alone: the single run has that variance."""
    found = chance.spread(np.array([[9.0, 11.0], [9.0, 11.0]]))
    assert found.draws == pytest.approx(np.sqrt(2) / 10)
    assert found.single == pytest.approx(np.sqrt(2 / 2) / 10)  # (1 - 1/2) of the variance within, nothing between
    assert found.low < found.single < found.high
    assert (found.trainings, found.p) == (0.0, 1.0)  # equal means: trainings add nothing
    apart = chance.spread(np.array([[9.0, 9.0], [11.0, 11.0]]))
    assert apart.single == pytest.approx(np.sqrt(2) / 10)


def test_effects_are_paired_over_trainings():
    trials = [
        diffusion_grid.Trial(noise, where, training, value * factor)
        for training, value in enumerate((10.0, 20.0, 15.0))
        for noise, where, factor in ((diffusion_grid.SOFTWARE, diffusion_grid.NOWHERE, 1.0), ("a", "both", 1.1))
    ]
    found = diffusion_grid.effect(trials, "a", "both")
    assert (found.value, found.low, found.high) == pytest.approx((1.1, 1.1, 1.1))  # all trainings say the same
    assert found.p < 1e-9
    logs = np.log([1.0, 1.2, 1.1])
    value, low, high, p = chance.geometric(logs)
    assert value == pytest.approx((1.0 * 1.2 * 1.1) ** (1 / 3))
    assert (low * high) ** 0.5 == pytest.approx(value)
    assert p == pytest.approx(ttest_1samp(logs, 0.0).pvalue)


def test_intervals_of_effects_cover():
    rng = np.random.default_rng(4)
    cases = 2000
    missed = sum(
        not low <= 1.1 <= high
        for _, low, high, _ in (chance.geometric(np.log(1.1) + 0.05 * rng.standard_normal(5)) for _ in range(cases))
    )
    assert binom.cdf(missed, cases, 0.05) > 1e-5
    assert binom.sf(missed - 1, cases, 0.05) > 1e-5


def test_what_trainings_add_is_estimated_with_its_limit():
    """Draws and trainings of known variances: the estimate is unbiased, the limit is passed in 2.5 % of cases."""
    rng = np.random.default_rng(3)
    cases, added, missed, alarms = 400, [], 0, 0
    for _ in range(cases):
        noise = rng.normal(0, 5, (5, 3))
        for deviation in (0.0, 5.0):
            table = 100 + noise + deviation * rng.standard_normal((5, 1))
            found = chance.spread(table)
            if deviation:
                added.append(found.single**2)
                missed += found.trainings_high * table.mean() < deviation
            else:
                alarms += found.p < 0.05
    assert np.mean(added) == pytest.approx(2 * 0.05**2, rel=0.2)
    assert binom.cdf(missed, cases, 0.025) < 1 - 1e-5
    assert binom.sf(missed, cases, 0.025) < 1 - 1e-5
    assert binom.cdf(alarms, cases, 0.05) < 1 - 1e-5
    assert binom.sf(alarms, cases, 0.05) < 1 - 1e-5


# --- noise of diffusion models -------------------------------------------------------------------------------


def test_a_chain_that_is_reset_makes_product_words():
    """What stands for the chain has its very law, and its words are independent by construction."""
    from mtjspice.generative.encodings.catalogue import encoding_of

    chain = encoding_of("toggle:8,pulses=16")
    assert chain.independent
    stands = exact.law_of(noises.WORDS[noises.CHAIN])
    assert chain.law().values == pytest.approx(stands.values)
    assert chain.law().probabilities == pytest.approx(stands.probabilities, abs=1e-15)


def test_one_pulse_stands_for_sixteen_without_a_reset():
    from mtjspice.generative.encodings.catalogue import encoding_of

    sixteen, one = encoding_of("toggle:8,pulses=16,reset=no"), encoding_of(noises.WORDS[noises.UNRESET])
    assert not one.reset
    for long, short in zip(sixteen.matrices(), one.matrices(), strict=True):
        assert np.linalg.matrix_power(long, 16) == pytest.approx(short, abs=1e-12)


def test_noises_have_the_moments_of_their_laws():
    numbers = 40_000
    for name in (*noises.WORDS, noises.CHECK):
        source = noises.open_words(name, 5)
        law, drawn = source.law(), source.normal((numbers,))
        assert set(np.unique(drawn.round(9))) <= set(law.values.round(9)), name
        if name != noises.UNRESET:  # whose magnitudes remember; its signs do not
            z = (drawn.mean() - law.mean) / (law.standard_deviation / np.sqrt(numbers))
            assert abs(z) < LARGEST_DISTANCE, name
        assert drawn.std() == pytest.approx(law.standard_deviation, rel=0.03), name
    magnitudes = np.abs(noises.open_words(noises.UNRESET, 5).normal((numbers,)))
    assert np.corrcoef(magnitudes[1:], magnitudes[:-1])[0, 1] > 0.6


def test_devices_have_the_laws_of_their_cells():
    """A sign that is off by e, in one of two words that take turns; calibration centres every word."""
    words = exact.programmed("product:8")
    offsets = np.zeros((2, 8))
    offsets[1, 0] = 0.2
    shape = (20_000, 2)
    raw = variability_images.device(words, offsets, noises.bits(3), False)(shape)
    absolute = float(words.law().probabilities @ np.abs(words.law().values))
    error = LARGEST_DISTANCE * 1.1 / np.sqrt(len(raw))
    assert raw[:, 0].mean() == pytest.approx(0.0, abs=error)
    assert raw[:, 1].mean() == pytest.approx(-2 * 0.2 * absolute, abs=error)
    calibrated = variability_images.device(words, offsets, noises.bits(3), True)(shape)
    assert calibrated.mean(axis=0) == pytest.approx([0.0, 0.0], abs=error)
    assert calibrated.std(axis=0) == pytest.approx([1.0, 1.0], abs=0.03)


def test_errors_share_what_their_arrangement_says():
    rng = np.random.default_rng(1)
    shapes = {case: variability_images._errors(case, rng) for case in variability_images.CASES}
    assert all(one.shape[1] == 8 for one in shapes.values())
    assert shapes[variability_images.ONE].shape[0] == 1
    assert len(np.unique(shapes[variability_images.ROW][0])) == 1
    assert len(np.unique(shapes[variability_images.ROW][:, 0])) == exact.ROWS
    assert len(np.unique(shapes[variability_images.OWN])) == 8 * exact.ROWS


def test_a_quadratic_curve_reaches_its_limit_where_it_does():
    size = variability_images.Size(2, (0.02, 0.1), 100, 2, 1, 2)
    effects = tuple(
        variability_images.Effect(variability_images.ONE, False, one, 1 + 25 * one**2, 1 + 20 * one**2, 1 + 36 * one**2)
        for one in (0.0, 0.02, 0.1)
    )
    images = variability_images.Images(size, effects, chance.spread(np.array([[1.0, 1.1], [1.0, 0.9]])), 0.1)
    found = images.reached(variability_images.ONE, False, 1.09)
    assert (found.value, found.low) == pytest.approx((np.sqrt(0.09 / 25), 0.05))
    assert found.high == pytest.approx(np.sqrt(0.09 / 20))
    never = images.reached(variability_images.ONE, False, 3.0)
    assert np.isinf(never.value)
    assert "above 0.1" in never.shown()
    assert never.said() == "more than 0.1"


# --- Gaussian numbers ----------------------------------------------------------------------------------------


def test_converters_switch_as_random_bits_make_them():
    found = converters.converters(3)
    summed = found[converters.SUM].core
    assert summed.clocks == 12
    assert summed.cells["full_adder"] == 12  # 12 words of 8 bits reach 3060
    # settled: a multiplexer with random inputs and select changes in every second step at most
    table = found[converters.TABLE]
    assert 0 < table.core.settled["multiplexer"] <= 0.5 * table.core.cells["multiplexer"]
    for one in found.values():
        assert all(one.core.toggles[name] >= number for name, number in one.core.settled.items()), one.name
    # an accumulator's register is cleared from a mean sum of 12 x 127.5: its low bits change in half of the clocks
    assert 0.2 * 12 * 8 < summed.toggles["flip_flop"] < 0.6 * 12 * 12


def test_the_table_is_the_quantiles_to_its_step():
    law = converters.table_law()
    exact_quantiles = ndtri((np.arange(256) + 0.5) / 256)
    every = np.repeat(law.values, np.rint(law.probabilities * 256).astype(int))
    assert every.size == 256
    assert np.abs(every - exact_quantiles).max() <= 1 / 64 + 1e-12
    assert converters.quantiles().max() < 128


def test_adders_of_the_multiplier_multiply():
    """The gates settle to the product, whose bits are the lowest of each row and all of the last one."""
    from mtjspice.layout.cores import _settle

    rng, n, times = np.random.default_rng(2), converters.MULTIPLIED, 20
    a, b = rng.integers(0, 2**n, times), rng.integers(0, 2**n, times)
    inputs = {"a": converters._binary(a, n), "b": converters._binary(b, n)}
    rest = {f"row{k}.{out}": np.zeros((times, n), bool) for k in range(1, n) for out in ("sum", "carry")}
    settled, _ = _settle(converters.multiplier_gates(inputs), rest)
    last = settled[f"row{n - 1}.sum"]
    made = [inputs["a"][:, 0] & inputs["b"][:, 0], *(settled[f"row{k}.sum"][:, 0] for k in range(1, n - 1))]
    made += [*last.T, settled[f"row{n - 1}.carry"][:, -1]]
    assert sum(bit.astype(object) * 2**k for k, bit in enumerate(made)).tolist() == (a.astype(object) * b).tolist()


def test_where_junctions_stop_winning():
    def way(source, bit, part, rate=None, area=None):
        return samples.Way(samples.OLD, source, converters.TABLE, 8, bit, part, rate, area, "measured", None)

    word = way(samples.FAIR, 3.0, 2.0, 50.0, 20.0)
    register = way("LFSR", 1.0, 2.0, 25.0, 30.0)
    cipher = way("ChaCha", 5.0, 30.0)
    first, second = samples.break_even([word, register, cipher])
    assert (first.way, first.cheapest) == (register, word)
    # with the same converter, bits decide
    assert first.bit_energy == pytest.approx(3.0)
    assert first.lost
    # a register of 10 would make as much for its area as the word; words for the register's area make 75
    assert (first.area, first.rate) == pytest.approx((10.0, 75.0))
    assert second.bit_energy < 0  # its converter alone takes more
    assert not second.lost
    assert (second.area, second.rate) == (None, None)


def test_a_scaled_word_keeps_the_heat_of_its_junctions():
    energy = np.array([[[8.0, 2.0]]])
    cycles = SimpleNamespace(energy=energy, junction_energy=np.array([[0.5]]), sources=("vdd", "vw"))
    assert samples.shrunk(cycles, 0.01) == pytest.approx((8 * 0.01 + 1.5 * samples.LENGTH + 0.5) / 10)


def test_true_generators_are_counted_by_work():
    from mtjspice.layout.area import baseline_row
    from mtjspice.layout.baselines import PUBLISHED
    from mtjspice.papers.meram.energy import true_generators

    found = true_generators([baseline_row(one) for one in PUBLISHED])
    assert len(found) == 6
    assert found["uRNG"] == pytest.approx(3e-12)
    assert not [name for name in found if "chaos" in name or "JSSC" in name or "VCMA" in name]


def test_a_saving_has_the_limits_of_its_energies():
    from mtjspice.papers.meram.energy_measured import saving

    word, register = SimpleNamespace(energy=2.0), SimpleNamespace(energy=10.0)
    found = saving(word, register, 0.1)
    assert (found.low, found.value, found.high) == pytest.approx((0.78, 0.8, 0.82))


def test_what_a_change_of_the_device_does_is_said_as_found():
    card, never = [np.inf, 6e-9, 7e-9, 8e-9, 8e-9, 8e-9], float("inf")
    said = switching._lost(card, [never, 1e-8, never, 9e-9, never, 9e-9])
    assert said == "it no longer does so at 0.9, 1.2 V_c"
    assert switching._lost(card, [5e-9] * 6) == "it still does so wherever the card does, from 5.0 to 5.0 ns on"


@pytest.mark.slow
def test_every_experiment_runs_quick(tmp_path):
    tasks = runner.chosen(["meram"], ())
    report = runner.reproduce(tasks, tmp_path, quick=True, seed=1)
    assert not report.failed
    assert set(report.made) == {f"meram/{one.key}" for one in PAPER.experiments}
    found = {one.key: store.load(store.path_of(tmp_path, "meram", one.key)).section for one in PAPER.experiments}
    energy = {one.key: one for one in found["energy"].findings}
    assert (energy["saving0"].status, energy["factor"].status) == (Status.DIFFERS, Status.DIFFERS)
    assert energy["saving0"].ours.high < 0.5  # against a register of 8 stages, whatever the wires
    assert 0.005 < energy["junctions"].ours.value < 0.05
    check_pages("meram", tmp_path)
    # with the same seed the cheap ones give the same section
    again = runner.reproduce(runner.chosen(["meram"], ["width"]), tmp_path / "again", quick=True, seed=1)
    assert again.made == ("meram/width",)
    repeated = store.load(store.path_of(tmp_path / "again", "meram", "width")).section
    assert repeated.as_dict() == found["width"].as_dict()
