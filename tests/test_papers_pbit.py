"""The reproduction of IEDM 2024 (in-situ P-bits): claims, closed forms, figures, and that every experiment runs."""

import json
import subprocess
import sys
from math import exp, log, sqrt
from types import SimpleNamespace

import numpy as np
import pytest
from paper_pages import check_pages
from scipy.special import expit, ndtr, ndtri
from scipy.stats import binom, norm

from mtjspice.circuits.benches.offset import Offset
from mtjspice.device import macrospin
from mtjspice.device.switching import switching_probability
from mtjspice.papers import runner, store
from mtjspice.papers.catalogue import PAPERS
from mtjspice.papers.experiment import Context
from mtjspice.papers.findings import Origin, Status, judge
from mtjspice.papers.pbit import (
    bits,
    bits_figures,
    cells,
    chains,
    claims,
    columns,
    cost,
    cost_figures,
    cost_runs,
    drawn_networks,
    endurance,
    images,
    memory,
    memory_figures,
    ranges,
    read,
    read_figures,
    read_findings,
    sde,
    sde_figures,
    sense_time,
    sense_time_figures,
    sensing,
    sensing_figures,
    sensing_reads,
    states,
    states_figures,
    switching_figures,
    table_one,
    table_one_figures,
    table_two,
    weights,
    weights_figures,
    weights_findings,
    windows,
)
from mtjspice.papers.pbit.paper import PAPER
from mtjspice.reports.style import render, styled
from mtjspice.statistics import wilson

LARGEST_DISTANCE = float(ndtri(1 - 5e-6))  # standard errors, false alarm 1e-5


# --- claims --------------------------------------------------------------------------------------------------


def test_ratios_of_the_text_follow_from_table_two():
    """The ratios are what puts its rows in order; the one row that no ratio confirms is not used."""
    first, second, best = claims.IN_SITU, claims.EX_SITU, claims.BEST_CMOS
    assert first.rate / second.rate == pytest.approx(claims.FASTER_RATIO, rel=0.01)
    assert second.energy / first.energy == pytest.approx(2.19, rel=0.01)
    assert first.rate / best.rate == pytest.approx(3, rel=0.01)
    assert best.energy / first.energy == pytest.approx(1.36, rel=0.01)
    assert first.rate / claims.SLOWEST.rate == pytest.approx(9.3e5, rel=0.01)
    assert claims.LEAST_EFFICIENT.energy / first.energy == pytest.approx(1.89e5, rel=0.01)
    assert [row.work for row in claims.TABLE_TWO if not row.usable] == ["NC 2024, in plane"]
    assert claims.IN_SITU_RATE.origin is claims.IN_SITU_ENERGY.origin is Origin.DERIVED


def test_table_one_has_ten_tests():
    from mtjspice.bits.sp800_22.suite import NAMES

    assert len(claims.LISTED) == 10
    assert set(claims.LISTED) < set(NAMES)
    assert sum(value >= 0.8 for value in claims.P_VALUES.values()) == 8
    assert len(claims.P_VALUES) == 9


def test_paper_loads_fast():
    """Nothing heavy is imported for a list of experiments."""
    code = (
        "import sys; from mtjspice.papers.pbit.paper import PAPER;"
        "print([m for m in ('torch', 'matplotlib', 'xarray', 'scipy.stats', 'klayout') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    keys = [one.key for one in PAPER.experiments]
    assert len(set(keys)) == len(keys)
    assert keys[0] == "switching"


# --- closed forms --------------------------------------------------------------------------------------------


def test_window_of_a_logistic():
    volts = np.linspace(0, 3, 3001)
    curve = expit((volts - 1.5) / 0.1)
    assert windows.window(volts, curve, (0.1, 0.9)) == pytest.approx(0.2 * log(9), rel=1e-3)
    assert windows.crossing(volts, curve, 0.5) == pytest.approx(1.5)
    assert np.isnan(windows.window(volts, 0.8 * curve, (0.1, 0.9)))


def test_broadening_adds_variances():
    """A normal curve with a drive of relative spread s: standard deviation sqrt(sigma^2 + (s V)^2) at V = V50."""
    volts = np.linspace(0, 4, 4001)
    curve = ndtr((volts - 1.5) / 0.1)
    wide = windows.broadened(volts, curve, 0.1)
    assert wide[1500] == pytest.approx(0.5, abs=1e-6)
    slope = (wide[1501] - wide[1499]) / (volts[1501] - volts[1499])
    assert slope == pytest.approx(norm.pdf(0) / sqrt(0.1**2 + 0.15**2), rel=0.01)
    assert windows.broadened(volts, curve, 0.0) == pytest.approx(curve)


def test_broadening_is_what_the_solver_makes_of_the_spread():
    """The card's cycle-to-cycle spread in the Fokker-Planck solver against the mean over drives."""
    volts = np.arange(0.9, 3.31, 0.05)
    alone = switching_probability(cells.card(spread=False), volts, [7e-10], tolerance=1e-3).probability.values[:, 0]
    mean = windows.broadened(volts, alone, cells.card().cycle_to_cycle_spread)
    solved = switching_probability(cells.card(), [1.5, 1.8], [7e-10], tolerance=1e-3).probability.values[:, 0]
    assert np.interp([1.5, 1.8], volts, mean) == pytest.approx(solved, abs=5e-3)


def test_first_peak_and_spread_for():
    widths = np.linspace(0.05, 2, 79) * 1e-9
    at, height = windows.first_peak(widths, 0.5 - 0.45 * np.cos(np.pi * widths / 0.7e-9))
    assert at == pytest.approx(0.7e-9, rel=1e-3)
    assert height == pytest.approx(0.95, abs=1e-3)
    assert windows.spread_for(0.2 + 4 * windows.SPREADS, 1.0) == pytest.approx(0.2)
    assert np.isnan(windows.spread_for(np.where(windows.SPREADS < 0.1, 0.2, np.nan), 1.0))


def test_spread_behind_six_sigma():
    """TMR 65 %: a step of 0.394 G_P is 6 (or 12) times sqrt(2) sigma_G: 4.6 and 2.3 %."""
    loose, strict = read_findings.spreads_of_margin(6, 0.65)
    assert loose == pytest.approx((1 - 1 / 1.65) / 6 / sqrt(2))
    assert (loose, strict) == pytest.approx((0.0464, 0.0232), abs=1e-4)


def test_entropy_and_what_it_bounds():
    bias = bits.bias_of(claims.ENTROPY_VALUE)
    assert bias == pytest.approx(0.0022, abs=1e-4)
    assert bits.entropy(0.5 + bias) == pytest.approx(claims.ENTROPY_VALUE, abs=1e-9)
    assert bits.entropy(0.0) == 0.0
    expected = binom.cdf(2148, 4096, 0.51) - binom.cdf(1947, 4096, 0.51)
    assert bits_figures.within(0.01, 4096, 100 / 4096) == pytest.approx(expected)


def test_chance_of_table_one_if_tests_were_independent():
    assert table_one.independent(9)[8] == pytest.approx(9 * 0.2**8 * 0.8 + 0.2**9, rel=1e-9, abs=0)
    assert table_one.independent(9)[8] == pytest.approx(1.9e-5, rel=0.01, abs=0)
    assert table_one.independent(3)[0] == 1.0


def test_p_values_are_uniform_and_correlated():
    """False alarm 1e-5: the mean of uniform numbers; frequency and cumulative sums share their walk."""
    found = table_one._p_values(("frequency", "cumulative-sums"), 400, 4096, 5)
    assert abs(found.mean(axis=0) - 0.5).max() < LARGEST_DISTANCE / sqrt(12 * 400)
    assert np.corrcoef(found.T)[0, 1] > 0.3


def test_rounding_of_ratios():
    found = table_two.rounding(29.8, 4.97, (3, 3))
    assert found.value == pytest.approx(29.8 / 4.97)
    assert found.limits == pytest.approx((29.75 / 4.975, 29.85 / 4.965))
    assert table_two.rounding(16800, 0.089, (3, 2)).limits[0] == pytest.approx(16750 / 0.0895)


def test_ratios_of_the_text_are_the_papers_own():
    """All follow from the rows within their rounding; a row beside ours says what the table says."""
    assert all(judge(claim, ratio) is Status.AGREES for claim, ratio in table_two._ratios())
    assert claims.row_claim(claims.IN_SITU).text == "29.8 bit/ns, 0.089 pJ/bit"
    assert claims.row_claim(claims.LEAST_EFFICIENT).text == "0.0005 bit/ns, 16800 pJ/bit"
    inside = SimpleNamespace(time=64 / 10e9, energy=1.21e-12)
    assert table_two._other(2, claims.BEST_CMOS, inside).ours == "here: 1 times its rate, 10 times its energy a bit"
    assert table_two._row("in-situ", claims.IN_SITU, inside).ours == "10 bit/ns, 1.21 pJ/bit"


def test_limits_are_told_from_their_number():
    assert windows.digits_of(1.49338, 1.49328, 1.49350) == 5
    assert windows.digits_of(2.878e-11, 2.876e-11, 2.8802e-11) == 4
    assert windows.digits_of(0.5, 0.4, 0.6) == 3
    assert windows.digits_of(1.0, 1.0, 1.0) == 3


def test_nearness_of_two_ranges():
    assert ranges.nearness([0.05, 0.07], [0.1, 0.12]) == "nearer in every draw"
    assert ranges.nearness([0.1, 0.12], [0.05, 0.07]) == "farther off in every draw"
    assert ranges.nearness([0.06, 0.12], [0.05, 0.07]) == "not told apart by the draws"


def test_computing_time_for_a_ratio():
    found = SimpleNamespace(in_situ=SimpleNamespace(draw_time=2e-9), ex_situ=SimpleNamespace(draw_time=22e-9))
    seconds = cost_runs.computing_for(found, 6.0)
    assert (22e-9 + seconds) / (2e-9 + seconds) == pytest.approx(6.0)


def test_what_four_devices_exclude():
    share = endurance.failing_at_most(4)
    assert (1 - share) ** 4 == pytest.approx(0.05)
    assert exp(-endurance.hazard_at_most(4e12) * 4e12) == pytest.approx(0.05)


def test_limit_of_a_flaw():
    assert weights_findings.first_beyond((0.01, 0.1), (0.0, 1.0), 0.5) == pytest.approx(sqrt(0.001))
    assert weights_findings.first_beyond((0.01, 0.1), (0.7, 1.0), 0.5) == 0.01
    assert weights_findings.first_beyond((0.01, 0.1), (0.1, 0.2), 0.5) == float("inf")
    assert columns.flaws_of(columns.LOW_TMR, 0.04, 3).tmr == 0.30
    assert columns.flaws_of(columns.KEEP, 0.04, 3).keep_spread == 0.04


def test_spread_between_cells_without_the_noise_of_counting():
    """Equal cells have none; cells of standard deviation 0.1 have it back, within a fifth."""
    rng = np.random.default_rng(1)
    assert states._true_deviation(rng.binomial(1000, 0.5, 2000) / 1000, 1000) < 0.006
    q = np.clip(0.5 + 0.1 * rng.standard_normal(2000), 0, 1)
    counted = rng.binomial(200, q) / 200
    assert states._true_deviation(counted, 200) == pytest.approx(0.1, rel=0.2)


def test_macrospins_on_a_waveform_agree_with_the_equation():
    """A trapezoid as a cell's waveform, both directions; false alarm 1e-5 each."""
    shape = macrospin.pulse(1.5, 7e-10, 5e-11)
    pulse = cells.CellPulses(shape.times, shape.volts[None], 1.5, 7e-10)
    for state, direction in ((cells.P, "p-ap"), (cells.AP, "ap-p")):
        (found,) = cells.switched(cells.card(spread=False), pulse, 4000, 3, state)
        exact = float(
            switching_probability(
                cells.card(spread=False), 1.5, 7e-10, direction=direction, tolerance=1e-3
            ).probability.item()
        )
        assert abs(found.value - exact) < LARGEST_DISTANCE * sqrt(exact * (1 - exact) / 4000) + 1e-3


# --- cheap experiments ---------------------------------------------------------------------------------------


def test_endurance_is_arithmetic():
    section = endurance.run(Context(quick=True, seed=3))
    found = {one.key: one for one in section.findings}
    assert found["images"].ours.value == pytest.approx(1e12 / 20)
    assert found["paper"].ours.value == pytest.approx(1e12 * 64 / 29.8e9)
    assert found["devices"].ours.value == pytest.approx(1 - 0.05**0.25)
    assert section.as_dict() == endurance.run(Context(quick=True, seed=3)).as_dict()
    assert {plate.key for plate in section.plates} == set(endurance.EXPERIMENT.draw)


# --- figures -------------------------------------------------------------------------------------------------


def _drawn(draw, columns):
    arrays = {name: np.asarray(column) for name, column in columns.items()}
    assert render(styled(draw)(arrays)).startswith(b"\x89PNG")


def _compared(error):
    covariance = [
        SimpleNamespace(case=case, dimensions=size, time=t, error=error, low=error / 2, high=error * 2)
        for case in ("exact transition", "ex situ, fair", "in situ, trained, fair", "in situ, mean only, fair")
        for size in (1, 2)
        for t in (0.2, 0.5)
    ]
    trials = [SimpleNamespace(label="software noise (null)", draw=0, distances={"energy": 0.03})]
    trials += [
        SimpleNamespace(label=f"{case}, fair", draw=k, distances={"energy": 0.1 + 0.01 * k})
        for case in ("ex situ", "in situ, trained", "in situ, mean only")
        for k in range(2)
    ]
    outcome = SimpleNamespace(null={1: trials[:1]}, trials={1: trials[1:]}, floor={1: {"energy": 0.02}})
    return covariance, outcome


def _column(compute):
    phases = {"refresh": {"vdd": 2e-15}, "compute": {"vdd": compute}}
    return SimpleNamespace(energies=phases, rows=4, times={"refresh": 2e-9, "compute": 4e-9})


MADE_UP = sense_time.Sensing(
    [sense_time.Sensed(5e-9, 5e-12, right=False, margin=0.01), sense_time.Sensed(18e-9, 5e-12, right=True, margin=0.1)],
    8e-9, 3.8e-9, 6e-9, (0.3e-12, 3e-12), 1.9e-9, 4.2e-9, 0.01, [("latches", 3e-9), ("here", 18e-9), ("slow", 2e-6)],
)  # fmt: skip


def _of_weights():
    null = np.array([[0.01, 0.01, 0.1], [0.02, 0.02, 0.2]])
    errors = {kind: np.full((len(sizes), 2, 3), 0.05) for kind, sizes in weights_findings.SIZES.items()}
    converted = np.full((len(weights_findings.CONVERTERS), 2, 3), 0.05)
    singles = {kind: [(size, size, size**2) for size in sizes] for kind, sizes in weights_findings.SIZES.items()}
    return (
        weights_figures.errors_plate(null, weights_findings.SIZES, errors), weights_figures.weights_plate(singles),
        weights_figures.converters_plate(weights_findings.CONVERTERS, null, converted, 24),
    )  # fmt: skip


def _of_memory():
    chain = chains.Chain(np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.5, 0.9]), np.array([0.2, 0.6, 0.8]), 1e-3)
    limits = (1.0, 0.9, 1.1)
    output = drawn_networks.Output(limits, limits, 0.01, 0.01)
    return (
        memory_figures.chains_plate(chain, chain, chain), memory_figures.products_plate(chain),
        memory_figures.outputs_plate(
            dict.fromkeys((0.0, 0.5), (limits, limits)), dict.fromkeys((0.0, 0.5), output),
            {0.0: [(0.1, 1.0)], 0.5: [(0.2, 2.0), (0.3, 3.0)]}, 0.95,
        ),
    )  # fmt: skip


def _of_sensing():
    offset = Offset((1, 2, 3), np.array([-0.01, 0.0, 0.02]), 0.1, -0.1, (-1.0, -1.0))
    amplifiers = [sensing_reads.Amplifier(name, 1.8, offset, wilson(1, 20), wilson(2, 20)) for name in "abc"]
    signals = {t: np.ones((len(sensing_reads.VOLTS), 2)) for t in sensing_reads.TEMPERATURES}
    return (
        sensing_figures.margin_plate(sensing_reads.VOLTS, signals, amplifiers),
        sensing_figures.errors_plate(cells.card(), amplifiers),
    )


def _synthetic():
    one = wilson(5, 10)
    covariance, outcome = _compared(0.3)
    results = {
        case: [dict.fromkeys(("frequency", "rank"), (0.5, 0.001)) | {"universal": ()}] for case in table_one.CASES
    }
    comparison = SimpleNamespace(
        in_situ=_column(1e-15), ex_situ=_column(5e-15), time_ratio=1.0, energy_ratio=7 / 3
    )  # fmt: skip
    column = SimpleNamespace(energy=2e-12, draw_energy=1e-12)
    costs = tuple(SimpleNamespace(scheme=name, parallel=4, time=1e-3, images_per_second=1e3) for name in "abc")
    demand = SimpleNamespace(word_bits=100, pbits=10_000)
    generators = [SimpleNamespace(name="P-bit in situ, drawn", time=2e-9, energy=1e-12)]
    published = [SimpleNamespace(name="TRNG", throughput=1e9, energy=1e-12)]
    curves = {name: np.linspace(0, 1, 5) for name in (switching_figures.IDEAL, switching_figures.SPREAD)}
    counted = {name: [one] * 3 for name in (switching_figures.CIRCUIT, switching_figures.BOTH)}
    fives = np.linspace(0.9, 2.5, 5)
    needed = dict.fromkeys(windows.WINDOWS, 0.2 + windows.SPREADS)
    check = (np.array([5e-10]), [(0.5,), (0.4,), (0.6,)], 100)
    marks = [(f"{switching_figures.IDEAL}, macrospins", 1.5, 0.5, 0.4, 0.6)]
    columns = switching_figures.plates(
        fives, curves, marks, np.array([1.0, 1.5, 2.0]), counted, np.linspace(1e-10, 2e-9, 5), fives[:4],
        np.full((4, 5), 0.5), needed, check,
    )  # fmt: skip
    levels = {name: np.array([1e-3, 2e-3]) for name in read_figures.STATES}
    groups = {"a": np.array([0.4, 0.5]), "b": np.array([0.5])}
    by_rows = [(rows, 1.5, one, states._deviation_value(np.array([0.4, 0.5, 0.6]), 100)) for rows in (4, 8)]
    of_images = {
        images._GROUP: ["software noise (null)", "ideal pairs", *(f"flaw {k}" for k in range(3))],
        images._SIZE: [0.0, 0.0, 0.1, 0.1, 0.1], images._DRAW: [0] * 5, images._LATENT: [0.1, 0.1, 0.3, 0.4, 0.5],
        images._IMAGE: [100.0, 101.0, 120.0, 130.0, 140.0],
    }  # fmt: skip
    disturb = [(d, v, 10.0 ** (5 * v - 10), 2 * 10.0 ** (5 * v - 10)) for d in ("p-ap", "ap-p") for v in (-0.2, 0.4)]
    return {
        **{f"switching {plate.key}": (PAPER.experiment("switching"), plate) for plate in columns},
        "levels": (read.EXPERIMENT, read_figures.level_plate(levels, 1e-3)),
        "disturb": (read.EXPERIMENT, read_figures.disturb_plate(disturb)),
        "power": (bits.EXPERIMENT, bits_figures.power_plate(0.002)),
        "autocorrelation": (
            bits.EXPERIMENT,
            bits_figures.autocorrelation_plate(
                np.zeros(bits_figures.LAGS), np.zeros(bits_figures.LAGS), 0.03, "made up"
            ),
        ),
        "chance": (table_one.EXPERIMENT, table_one_figures.chance_plate([one] * 9, table_one.independent(8), 8, 7)),
        "million": (table_one.EXPERIMENT, table_one_figures.million_plate(results, 64)),
        "spread": (states.EXPERIMENT, states_figures.spread_plate(groups, 100)),
        "memory": (states.EXPERIMENT, states_figures.memory_plate(by_rows, 100)),
        "phases": (cost.EXPERIMENT, cost_figures.phase_plate({"here, 4 rows": comparison})),
        "width": (cost.EXPERIMENT, cost_figures.width_plate([costs], demand, column, column)),
        "table": (table_two.EXPERIMENT, table_two._plate(generators, published)),
        "covariance": (sde.EXPERIMENT, sde_figures.covariance_plate(covariance)),
        "distance": (sde.EXPERIMENT, sde_figures.distance_plate({20: outcome})),
        **{f"weights {plate.key}": (weights.EXPERIMENT, plate) for plate in _of_weights()},
        **{f"memory {plate.key}": (memory.EXPERIMENT, plate) for plate in _of_memory()},
        **{f"sensing {plate.key}": (sensing.EXPERIMENT, plate) for plate in _of_sensing()},
        "sense time": (cost.EXPERIMENT, sense_time_figures.plate(MADE_UP)),
        "images": (images.EXPERIMENT, SimpleNamespace(key="distance", columns=of_images)),
        "life": (endurance.EXPERIMENT, endurance.run(Context(quick=True, seed=1)).plates[0]),
    }  # fmt: skip


@pytest.fixture(scope="module")
def synthetic():
    return _synthetic()


def test_every_figure_is_drawn_from_made_up_columns(synthetic):
    """Warnings are errors; every figure of every experiment is there."""
    for experiment, plate in synthetic.values():
        _drawn(experiment.draw[plate.key], plate.columns)
    drawn = {(experiment.key, plate.key) for experiment, plate in synthetic.values()}
    assert drawn == {(one.key, name) for one in PAPER.experiments for name in one.draw}


# --- everything ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_experiment_runs_quick(tmp_path, fetched):
    """Nothing fails, every section has its figures, inputs of the card are no evidence, pages are written."""
    fetched("fashion-mnist")
    tasks = runner.chosen(["pbit"], ())
    report = runner.reproduce(tasks, tmp_path, quick=True, seed=2, workers=1)
    assert report.failed == {}
    assert report.left_out == {}
    sections = {}
    for _, experiment in tasks:
        stored = store.load(store.path_of(tmp_path, "pbit", experiment.key))
        assert stored is not None
        assert stored.section is not None
        sections[experiment.key] = stored.section
        assert {plate.key for plate in stored.section.plates} == set(experiment.draw)
    fitted = {one.key: one.status for one in (*sections["switching"].findings, *sections["read"].findings)}
    for key in ("peak", "half", "window", "tmr", "standalone"):
        assert fitted[key] is Status.NOT_COMPARABLE
    _check_against_closed_forms(sections)
    check_pages("pbit", tmp_path, inputs=("LARGEST_SPEED", "LARGEST_EFFICIENCY"))
    assert json.loads((tmp_path / "pbit" / "bits.json").read_text(encoding="utf-8"))["quick"] is True


def _check_against_closed_forms(sections):
    """Other ways to the same numbers; false alarms well below 1e-4."""
    bit = {one.key: one.ours for one in sections["bits"].findings}
    assert bit["bound"].value == pytest.approx(sqrt((1 - claims.ENTROPY_VALUE) * log(2) / 2))
    assert 0.3 < bit["toggle"].value < 0.7
    state = {one.key: one.ours for one in sections["states"].findings}
    assert abs(state["lag"].value - state["memory"].value) < 4.5 / sqrt(8 * 24) + 0.05
    memory_found = {one.key: one.ours for one in sections["memory"].findings}
    low, high = memory_found["sum"].limits
    distance = abs(memory_found["sum"].value - chains.relaxed(0.5, 0.95)[0])
    assert distance < LARGEST_DISTANCE * (high - low) / (2 * 1.96)
    assert memory_found["average"].limits[0] < chains.inflation(0.5)
    sde_found = {one.key: one.ours for one in sections["sde"].findings}
    for steps in sde.STEPS:
        assert sde_found[f"mean-{steps}"].value > sde_found[f"law-{steps}"].value
    assert sde_found["covariance-outside"].value < sde_found["covariance-mean"].value


@pytest.mark.slow
@pytest.mark.parametrize("key", ["endurance", "tests"])
def test_equal_seeds_give_equal_sections(key):
    experiment = PAPERS["pbit"]().experiment(key)
    first, again = (experiment.run(Context(quick=True, seed=11)).as_dict() for _ in range(2))
    assert first == again
