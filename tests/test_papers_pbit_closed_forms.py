"""Chains without a reset, reading, weights that differ, sense time: closed forms of the reproduction of IEDM 2024."""

from math import sqrt

import numpy as np
import pytest
from scipy.special import ndtri

from mtjspice.bits.sources.catalogue import open_source
from mtjspice.circuits.benches.offset import Offset
from mtjspice.generative.sde import cost as sde_cost
from mtjspice.generative.sde import regression
from mtjspice.generative.sde.network import DropConnectNetwork, drawn_pass
from mtjspice.papers.pbit import (
    cells,
    chains,
    columns,
    drawn_networks,
    ranges,
    sense_time,
    sensing_reads,
    weights_findings,
)
from mtjspice.statistics import wilson

LARGEST_DISTANCE = float(ndtri(1 - 5e-6))  # standard errors, false alarm 1e-5


def _network(widths, seed):
    """A network that nobody trained."""
    rng = np.random.default_rng(seed)
    shapes = list(zip(widths[1:], widths[:-1], strict=True))
    weight, amplitude = ([rng.normal(0, 0.5, shape) for shape in shapes] for _ in range(2))
    return DropConnectNetwork(tuple(weight), tuple(amplitude), tuple(rng.normal(0, 0.1, n) for n in widths[1:]))


# --- chains --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", [-0.5, 0.0, 0.3, 0.8])
def test_variance_of_a_mean_is_the_sum_of_all_covariances(memory):
    lags = np.abs(np.subtract.outer(np.arange(20), np.arange(20)))
    assert chains.inflation(memory, 20) == pytest.approx((float(memory) ** lags).sum() / 20)
    assert chains.inflation(memory, 10**6) == pytest.approx(chains.inflation(memory), rel=1e-4)


@pytest.mark.parametrize("memory", [-0.5, 0.3, 0.8])
def test_relaxing_sum_is_the_sum_of_all_that_came_before(memory):
    """x_t = sum_i c^i n_(t-i): its variance and the covariance of neighbours, term by term."""
    kept = 0.9
    weight = kept ** np.arange(400)
    lags = np.abs(np.subtract.outer(np.arange(400), np.arange(400)))
    variance = weight @ memory**lags @ weight
    neighbours = weight @ memory ** np.abs(np.subtract.outer(np.arange(400), np.arange(400)) + 1) @ weight
    ratio, lag = chains.relaxed(memory, kept)
    assert ratio == pytest.approx(variance * (1 - kept**2))
    assert lag == pytest.approx(neighbours / variance)


def test_emulated_chains_follow_the_closed_form():
    x = chains.driven(0.3, 0.2, 0.9, 5, steps=3000, runs=64)
    variance = (x**2).mean(axis=0) * (1 - 0.9**2)
    assert abs(variance.mean() - chains.relaxed(0.5, 0.9)[0]) < LARGEST_DISTANCE * variance.std(ddof=1) / sqrt(64)


def test_drive_without_memory():
    """p01 + p10 crosses 1 halfway between the second and the third drive; P(AP) is p01 there."""
    chain = chains.Chain(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.3, 0.5]), np.array([0.2, 0.5, 0.7]), 0.0)
    assert chain.without_memory() == pytest.approx((2.5, 0.4))
    assert chain.ones == pytest.approx([1 / 3, 3 / 8, 5 / 12])
    never = chains.Chain(np.array([1.0, 2.0]), np.array([0.1, 0.2]), np.array([0.0, 0.0]), 0.0)
    assert np.isnan(never.without_memory()).all()


def test_chains_are_refined_where_they_have_no_memory():
    """p01 = v^2, p10 = v^3: v^2 + v^3 = 1 at 0.754878."""

    def make(drives):
        return chains.Chain(drives, drives**2, drives**3, 0.0)

    found = chains.refined(make, np.array([0.2, 0.6, 1.0]), 2)
    at, ones = found.without_memory()
    assert len(found.drives) == 7
    assert (np.diff(found.drives) > 0).all()
    assert at == pytest.approx(0.754878, abs=5e-4)
    assert ones == pytest.approx(0.754878**2, abs=5e-4)


def test_torque_by_the_voltage_treats_both_states_alike_and_one_polarity_flips_one_way():
    volts = np.array([0.24, 0.28, 0.32])
    equal = chains.of_spin_torque(volts, chains.VOLTAGE_TORQUE)
    assert equal.p01 == pytest.approx(equal.p10, abs=2e-3)
    current = chains.of_spin_torque(volts, chains.CURRENT_TORQUE)
    assert (current.p01 > current.p10 + 0.1).all()  # P conducts more
    assert chains.of_spin_torque(volts, chains.CURRENT_TORQUE, towards_other=False).p01.max() < 1e-3


def test_sums_that_are_linear_in_the_p_bits_are_the_limit_of_the_network():
    """One layer: neighbouring outputs correlate by the memory, and means of 50 scatter as the closed form says."""
    found = drawn_networks.regression_output(_network((2, 1), 3), 0.25, 0.25, 10_000, 7)
    assert found.correlation[0] == pytest.approx(0.5, abs=0.03)
    count = 7 * 200
    assert found.inflation[0] == pytest.approx(drawn_networks.bound(0.5), rel=LARGEST_DISTANCE * sqrt(2 / count))
    assert found.inflation[1] < found.inflation[0] < found.inflation[2]


# --- intervals -----------------------------------------------------------------------------------------------


def test_intervals_of_two_proportions_are_those_of_newcombe():
    """56 of 70 against 48 of 80: 0.20 (0.0524 to 0.3339), Newcombe 1998, table II, method 10."""
    one, other = wilson(56, 70), wilson(48, 80)
    half = ranges.half_difference(one, other)
    assert (half.value * 2, *(2 * end for end in half.limits)) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    # 1 - p01 - p10 with p10 = 1 - 56/70: the same difference
    memory = ranges.memory_value(other, wilson(14, 70))
    assert (memory.value, *memory.limits) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)


# --- reading -------------------------------------------------------------------------------------------------


def test_wrong_reads_are_the_offsets_beyond_the_signal():
    mean, deviation, above, below = 0.02, 0.05, 0.06, -0.05
    offsets = np.random.default_rng(1).normal(mean, deviation, 200_000)
    of_parallel, of_antiparallel = sensing_reads.wrong(mean, deviation, above, below)
    for found, expected in (((offsets > above).mean(), of_parallel), ((offsets < below).mean(), of_antiparallel)):
        assert abs(found - expected) < LARGEST_DISTANCE * sqrt(expected * (1 - expected) / 200_000)
    ones = np.random.default_rng(2).random(200_000) < 0.5
    read = np.where(ones, offsets >= below, offsets > above)
    expected = 0.5 + sensing_reads.shift(of_parallel, of_antiparallel)
    assert abs(read.mean() - expected) < LARGEST_DISTANCE * sqrt(0.25 / 200_000)


def test_law_of_offsets_gives_margin_and_dead_paths():
    """A path with an offset beyond the signal of a state reads both states alike."""
    offsets = np.random.default_rng(4).normal(0.05, 0.2, 40)
    found = Offset(tuple(range(40)), offsets, 0.3, -0.2, (0.4, 0.4))
    law = sensing_reads.predicted(sensing_reads.Amplifier("a", 1.8, found, wilson(0, 12), wilson(0, 12)), seed=3)
    assert law.dead.value == pytest.approx(law.of_parallel.value + law.of_antiparallel.value)
    assert law.margin.value == pytest.approx(min(found.margins))
    drawn = np.random.default_rng(5).normal(found.mean, found.deviation, 200_000)
    share = float(((drawn > found.parallel) | (drawn < found.antiparallel)).mean())
    assert abs(law.dead.value - share) < LARGEST_DISTANCE * sqrt(0.25 / drawn.size)
    for one in (law.dead, law.margin, law.shift):
        assert one.limits[0] < one.value < one.limits[1]


def test_relative_deviation_has_the_limits_of_chi_squared():
    """Of 10 normal numbers the limits are 0.688 and 1.826 times the deviation (tables)."""
    values = 100 + np.arange(10.0)
    spread = float(values.std(ddof=1) / values.mean()) * 100
    shown = ranges.relative_deviation(values)
    assert shown == f"{spread:.2g} % ({0.6878 * spread:.2g} to {1.8256 * spread:.2g})"


def test_signal_is_that_of_the_tmr_and_largest_at_its_own_voltage():
    """V TMR/(1 + TMR) with TMR = T/(1 + (V/V_h)^2) is largest at V_h sqrt(1 + T)."""
    card = cells.card()
    volts = np.linspace(0.2, 0.6, 401)
    current = [sensing_reads.signal(card, float(v), 300.0)[0] for v in volts]
    assert volts[int(np.argmax(current))] == pytest.approx(card.tmr_half_voltage * sqrt(1 + card.tmr), abs=2e-3)
    tmr = card.tmr / (1 + (0.2 / card.tmr_half_voltage) ** 2)
    assert sensing_reads.signal(card, 0.2, 300.0)[1] == pytest.approx(tmr / (2 + tmr))
    assert sensing_reads.signal(card, 0.2, 398.0)[1] < sensing_reads.signal(card, 0.2, 300.0)[1]


# --- weights and converters ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "size"), [(columns.KEEP, 0.05), (columns.CONDUCTANCE, 0.04), (columns.LOW_TMR, 0.08)])
def test_errors_of_single_weights(kind, size):
    drawn, expected = columns.weight_errors(kind, size, 40_000, 3), columns.expected_errors(kind, size)
    assert drawn == pytest.approx(expected, rel=0.04)


def test_regression_without_a_converter_is_that_of_the_package():
    network = _network((2, 6, 1), 5)
    flaws = columns.flaws_of(columns.CONDUCTANCE, 0.02, 7)
    settings = regression.Settings(1, 100, 100, 0)
    found = regression.predict(network, open_source("pcg64", 7), settings, flaws).errors()
    expected = (found["mean_rms_error"], found["deviation_rms_error"])
    assert columns.regression_errors(network, flaws, 100, 7) == pytest.approx(expected)
    assert columns.regression_errors(network, flaws, 100, 7, 16) == pytest.approx(expected, abs=1e-3)
    assert columns.regression_errors(network, flaws, 100, 7, 2) != pytest.approx(expected, abs=1e-3)


def test_converter_rounds_to_half_a_step_and_cuts():
    converter = columns.Converter(4, (8.0,))
    sums = np.random.default_rng(1).uniform(-7.4, 7.4, 100_000)
    error = converter(sums, 0) - sums
    assert np.abs(error).max() <= 0.5
    assert error.std() == pytest.approx(1 / sqrt(12), rel=0.01)
    assert converter(np.array([-100.0, 100.0]), 0).tolist() == [-8.0, 7.0]
    assert columns.ideal_rms(4, 8) == pytest.approx(1 / sqrt(12))


def test_pass_without_a_converter():
    network, rng = _network((3, 5, 2), 2), np.random.default_rng(1)
    x, bits = rng.normal(size=(40, 3)), rng.integers(0, 2, (40, network.pbits), dtype=np.uint8)
    largest = [0.0, 0.0]
    found = columns.passed(network.levels(), network.biases, x, bits, None, largest)
    assert found == pytest.approx(drawn_pass(network.levels(), network.biases, x, bits))
    assert largest[1] == pytest.approx(np.abs(found - network.biases[1]).max())


def test_bits_that_are_enough():
    assert weights_findings.enough_bits((3, 4, 5, 6), (0.9, 0.1, 0.4, 0.1), 0.2) == 6
    assert weights_findings.enough_bits((3, 4, 5, 6), (0.9, 0.1, 0.1, 0.1), 0.2) == 4
    assert weights_findings.enough_bits((3, 4), (0.1, 0.3), 0.2) == float("inf")


# --- sense time ----------------------------------------------------------------------------------------------


def test_sense_time_against_the_costs_of_the_package():
    """Where words are said to be as fast, `cost.costs` has equal times; the ratio is that of its cycles."""
    one = sense_time.Sensing([], 8e-9, 3.8e-9, 6.1e-9, (0.3e-12, 3e-12), 1.9e-9, 4.2e-9, 0.01, [])
    reads = 18e-9
    assert one.ratio(one.seconds_for(6.0)) == pytest.approx(6.0)
    inside = sde_cost.Column(6.1e-9, 1.2e-12, 1.9e-9, 0.3e-12)
    beside = sde_cost.Column(8e-9 + reads, 4e-12, 3.8e-9 + reads, 3e-12)
    numbers = round(one.words(reads) * 100_000 / 8)
    in_place, written, words = sde_cost.costs(sde_cost.Demand(100_000, 1, numbers), 1, inside, beside)
    assert words.time / in_place.time == pytest.approx(1.0, rel=1e-3)
    assert written.time / in_place.time == pytest.approx(one.ratio(reads))
    assert one.overlapped(0.0) == pytest.approx((4.2 + 1.9) / 6.1)
    assert one.overlapped(reads) < one.ratio(reads)


@pytest.mark.parametrize(("writing", "expected"), [(1.9e-9, "not faster"), (0.5e-9, "0.77 of the time in place")])
def test_answer_on_reads_follows_the_cycles(writing, expected):
    """Without reads the cycle is computing and writing: 4.7 ns of 6.1 ns are 0.77."""
    stands = [("latches", 3e-9), ("here", 18e-9), ("two reads at 1 MS/s", 2e-6)]
    one = sense_time.Sensing([], 8e-9, 3.8e-9, 6.1e-9, (0.3e-12, 3e-12), writing, 4.2e-9, 0.01, stands)
    answer = sense_time.answer(one)
    assert expected in answer
    assert f"fewer than {6.1 / (3.8 + 18) / 0.01:.0f} weights" in answer
    assert f"{0.01 * (3.8e-9 + 2e-6) / 6.1e-9:.1f} generators a weight" in answer
