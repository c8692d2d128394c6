"""The reproduction of the STT-MTJ generator: claims, closed forms, figures, and every experiment run for a look."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from paper_pages import check_pages
from scipy.special import expit

from mtjspice.papers import runner
from mtjspice.papers.experiment import Context
from mtjspice.papers.findings import Status
from mtjspice.papers.sections import Section, section_of
from mtjspice.papers.stt_trng import (
    ageing,
    array,
    array_figures,
    attacks,
    boundary,
    cells,
    claims,
    controller_figures,
    controllers,
    counts,
    devices,
    drift,
    drifting,
    gigabit,
    health,
    heat,
    heating_figures,
    images,
    limits,
    long_streams,
    loops,
    outcomes,
    power,
    supply,
    temperature,
    tokens,
)
from mtjspice.papers.stt_trng.columns import add, empty
from mtjspice.papers.stt_trng.image_figures import CLASS_COLUMNS, RATIO_COLUMNS, SWEEP_COLUMNS
from mtjspice.papers.stt_trng.paper import PAPER
from mtjspice.reports import style

QUICK = Context(True, 5)
ROW_LOOKS = 1024  # rows of an array share a voltage, so that cells are not independent
CHEAP = (attacks, array, controllers, power, tokens)


def _value(section: Section, key: str) -> float:
    found = next(one for one in section.findings if one.key == key).ours
    assert not isinstance(found, str)
    return found.value


def test_derived_claims_follow_from_the_others() -> None:
    power_claim, rate, devices = claims.POWER.value, claims.RATE.value, claims.DEVICES.value
    assert power_claim
    assert rate
    assert devices
    assert claims.DEVICE_RATE.value
    assert rate == devices * claims.DEVICE_RATE.value
    assert claims.ENERGY_AVERAGE.value == pytest.approx(power_claim / rate, rel=1e-9)
    assert power.on_pulse_energy() == pytest.approx(power_claim / devices * 1e-8, rel=1e-9)
    assert claims.MILLION_CELLS.value
    assert claims.MILLION_RATE.value == claims.MILLION_CELLS.value * 1e5


def test_limits_of_the_frequency_test() -> None:
    assert limits.raw_limit() == pytest.approx(1.288e-3, rel=1e-3)
    assert limits.xor_limit() == pytest.approx(0.0685, rel=1e-2)
    assert limits.xor_limit(1e9) == pytest.approx(0.0217, rel=1e-2)
    assert limits.pass_rate(0.0) == pytest.approx(0.99, abs=1e-9)
    assert limits.pass_rate(limits.raw_limit()) == pytest.approx(0.5, abs=1e-4)
    assert limits.pass_rate(-0.002) == pytest.approx(limits.pass_rate(0.002), abs=1e-12)


def test_powers_of_ten_as_text() -> None:
    assert [limits.power_of_ten(one) for one in (1e8, 5.76e5, 1e-6, 3e-7)] == ["10⁸", "5.8·10⁵", "10⁻⁶", "3·10⁻⁷"]


def test_curve_of_another_device() -> None:
    half, slope = limits.other_device()
    assert half == pytest.approx(0.2812, abs=2e-4)
    assert slope == pytest.approx(5.1e-3, rel=0.03)


def test_trims_of_an_array_against_normal_integrals() -> None:
    from scipy.special import ndtr

    rng = np.random.default_rng(3)
    limit, width, spread = limits.xor_limit(), 0.1, 0.05
    inside = np.abs(cells.sampled(rng, 1 << 18, width, spread, cells.TRIMS[0], 1e-6, np.zeros(1))) < limit
    edge = width * np.log((0.5 + limit) / (0.5 - limit)) / spread
    assert inside.mean() == pytest.approx(2 * ndtr(edge) - 1, abs=4e-3)
    fine = cells.sampled(rng, 1 << 16, width, spread, cells.TRIMS[2], 0.003, np.zeros(1))
    assert np.abs(fine).max() <= expit(0.0015 / width) - 0.5 + 1e-12


@pytest.mark.parametrize("trim", cells.TRIMS)
def test_exact_law_of_an_array_against_drawn_cells(trim: str) -> None:
    drop = cells.Lines(4553.0, 631.0, 0.772).voltages()
    limit, width, spread, step = limits.xor_limit(), 0.05, 0.03, 0.04
    error = cells.sampled(np.random.default_rng(5), 1 << 20, width, spread, trim, step, drop)
    law = cells.usable(limit, width, spread, trim, step, drop)
    assert (np.abs(error) < limit).mean() == pytest.approx(law, abs=5 * np.sqrt(law * (1 - law) / ROW_LOOKS))


def test_voltage_along_a_line() -> None:
    line = cells.Lines(1000.0, 200.0, 0.5)
    volts = line.voltages(101)
    assert (1 + volts[100]) / (1 + volts[0]) == pytest.approx(1200 / 1250, rel=1e-12)
    assert volts.mean() == pytest.approx(0, abs=1e-12)
    known = cells.lines()
    assert known.per_row == pytest.approx(0.772, rel=1e-9)  # bit and source line of gf180mcu, 0.386 ohm each


def test_xors_with_stuck_cells() -> None:
    rng = np.random.default_rng(8)
    error = 0.06 * rng.standard_normal(900_000)
    stuck = rng.random(error.size) < 0.2
    every = np.where(stuck, 0.5, error).reshape(-1, 3)
    counted = (np.abs(4 * every.prod(axis=1)) < limits.raw_limit()).mean()
    assert cells.with_stuck(cells.triples(error, limits.raw_limit()), 0.2) == pytest.approx(counted, abs=4e-3)


def test_a_loop_of_logits() -> None:
    rng, gain = np.random.default_rng(2), loops.GAIN
    wander = loops.Wander(0.0, 0.02, 0.0, 1000.0)
    x, squares = np.zeros(4000), []
    for step in range(300):
        noise = 2 / np.sqrt(1000.0) * rng.standard_normal(x.size)
        x = (1 - gain) * x - gain * noise + 0.02 * rng.standard_normal(x.size)
        if step > 60:
            squares.append((x**2).mean())
    assert np.mean(squares) == pytest.approx(loops.held(1, wander), rel=0.02)


def test_controllers_keep_what_they_see() -> None:
    wander = controllers.wander(0.1)
    limit, long = limits.xor_limit(), 1e6
    shifted = loops.fraction(limit, "none", wander, 1.0, 1.0)
    assert shifted < 1e-6
    assert loops.fraction(limit, "one for all", wander, 1.0) == pytest.approx(1, abs=1e-9)
    assert loops.fraction(limit, "one a cell", wander, long) == pytest.approx(1, abs=1e-6)
    free = loops.fraction(limit, "none", wander, long)
    assert free < 0.7
    assert loops.fraction(limit, "one a row", wander, long) == pytest.approx(free, abs=0.01)


def test_heat_of_the_next_cell() -> None:
    found = supply.warmth(5e-12, 1e-12, 1e6)
    assert found.chip == pytest.approx(5e-12 * devices.RATE * 1e6 * supply.PACKAGE, rel=1e-9)
    times = np.geomspace(1e-8, 1e-5, 20_001)
    spread = 4 * supply.CONDUCTIVITY / supply.CAPACITY * times
    rise = 2 * 1e-12 / supply.CAPACITY / (np.pi * spread) ** 1.5 * np.exp(-(min(supply.PITCH) ** 2) / spread)
    assert found.neighbour == pytest.approx(rise.max(), rel=1e-5)
    assert found.neighbour_time == pytest.approx(times[rise.argmax()], rel=1e-2)


def test_readings_of_the_power() -> None:
    found = supply.readings()
    assert found["average"] == pytest.approx(claims.ENERGY_AVERAGE.value, rel=1e-9)
    assert found["average"] / found["on pulses"] == pytest.approx(1 / (devices.RATE * devices.PULSE), rel=1e-9)
    assert claims.power_text() == "7.2 mW"
    assert 2 ** supply.dac_bits() * cells.DAC >= supply.RANGE > 2 ** (supply.dac_bits() - 1) * cells.DAC


@pytest.mark.parametrize("wiring", ["consecutive", "lane"])
def test_bias_that_drift_leaves_against_drawn_drifts(wiring: str) -> None:
    rng, drift_of_p, bias = np.random.default_rng(4), 0.05, 0.03
    intervals = round(3e6 / devices.LANES / drifting.INTERVAL)
    times = drifting.INTERVAL / 2 * 2.0 ** np.arange(drifting.octaves())
    kept = np.exp(-drifting.INTERVAL / times)[:, None, None]
    each = drift_of_p / np.sqrt(len(times))
    state = each * rng.standard_normal((len(times), 4000, devices.LANES))
    left = np.zeros(4000)
    at = (3 * np.arange(devices.LANES)[:, None] + np.arange(3)) % devices.LANES
    for _ in range(intervals):
        u = bias + state.sum(axis=0)
        left += (4 * u**3 if wiring == "lane" else 4 * u[:, at].prod(axis=2)).mean(axis=1) / intervals
        state = kept * state + each * np.sqrt(1 - kept**2) * rng.standard_normal(state.shape)
    law = drifting.law(wiring, bias, 0.0, drift_of_p)
    assert left.mean() == pytest.approx(law.mean, abs=4 * law.deviation / np.sqrt(4000))
    assert left.std() == pytest.approx(law.deviation, rel=0.06)


def test_closed_form_without_drift_is_that_of_the_frequency_test() -> None:
    for bias in (0.0, 0.05, 0.0685):
        found = drifting.law("consecutive", bias, 0.1, 0.0).pass_rate()
        assert found == pytest.approx(limits.pass_rate(4 * bias**3), abs=1e-4)
    assert drifting.limit("lane", 0.1) < drifting.limit("lane", 0.0) < drifting.limit("consecutive", 0.0)


def test_bias_of_every_place_of_a_stream() -> None:
    equal = long_streams.Case("x", bias=0.03)
    assert equal.remaining(equal.open(1)) == pytest.approx(np.full(16, 4 * 0.03**3), rel=1e-9)
    one = long_streams.Case("x", bias=0.01, memory=0.01, wiring="lane")
    assert one.remaining(one.open(1)).mean() == pytest.approx(0.01 * 0.01 * 1.99, rel=0.03)


def test_lengths_of_a_stream() -> None:
    assert long_streams.lengths_to(10**8).tolist() == [1e6, 3e6, 1e7, 3e7, 1e8]


def test_what_a_loop_leaves_of_flicker() -> None:
    rng = np.random.default_rng(6)
    times = ageing.times()[:, None]
    kept, each = np.exp(-ageing.WINDOW / times), np.sqrt(np.log10(2))
    state = each * rng.standard_normal((len(times), 3000))
    correction, squares = state.sum(axis=0), []
    for step in range(200):
        left = state.sum(axis=0) - correction
        if step > 40:
            squares.append((left**2).mean())
        correction = correction + ageing.GAIN * left
        state = kept * state + each * np.sqrt(1 - kept**2) * rng.standard_normal(state.shape)
    assert np.mean(squares) == pytest.approx(ageing.held_flicker(1.0), rel=0.03)


def test_ageing_crosses_the_limit_when_its_power_does() -> None:
    level = 4.0  # logits after all pulses: the mean bias passes the limit of a test between two tests
    found = np.median(ageing.first_failures("ageing after 10¹² pulses", level, 20, np.random.default_rng(1)), axis=1)
    assert found[0] == ageing.FIRST
    cubic = (drift.BIAS / 4) ** (1 / 3)
    expected = ageing.LAST * (4 * cubic / level) ** (1 / ageing.EXPONENT)
    assert np.log10(found[2]) == pytest.approx(np.log10(expected), abs=0.35)
    assert found[3] > found[2]


def test_alarm_rate_of_health_tests_against_counts() -> None:
    from mtjspice.bits.sources.catalogue import open_source
    from mtjspice.bits.sp800_90b.health import HealthMonitor

    monitor, bits = HealthMonitor(health.ENTROPY), 4_000_000
    monitor.feed(open_source("emulated:fair,p=0.64", 4).stream(bits))
    expected = bits * health.alarm_rate(0.14)
    assert expected > 100
    assert len(monitor.alarms) == pytest.approx(expected, abs=5 * np.sqrt(expected))


def test_ones_behind_an_xor_of_wandering_junctions() -> None:
    p = np.full((400, devices.LANES), 0.6)
    ones = counts.xored(p, np.random.default_rng(2))
    assert ones.mean() == pytest.approx(counts.BITS * (0.5 + 4 * 0.1**3), abs=5 * 500 / np.sqrt(400))


def test_feedback_lengthens_the_time_to_failure() -> None:
    found = drift._first_failures(0.3, 8, 2.0, np.random.default_rng(1))
    raw, _, xor, held = np.median(found, axis=1)
    assert raw < xor <= held == 2.0


def test_crossing_of_the_law_itself() -> None:
    columns = empty(("bits of a test", "bias of the raw bits", "sequences", "pass rate", "low", "high", "closed form"))
    for bias in boundary.BIASES:
        rate = limits.pass_rate(4 * (1.02 * bias) ** 3)
        add(columns, 1e6, float(bias), 400, rate, rate, rate, rate)
    from mtjspice.papers.sections import Plate

    (low, found, high), law = boundary.crossing(Plate(key="x", caption="", alt="", columns=columns))
    assert found == pytest.approx(law / 1.02, rel=2e-3)
    assert low < found < high


def test_tests_that_were_not_applied_are_not_passed() -> None:
    from mtjspice.bits.sp800_22.suite import NAMES

    assert len(NAMES) == outcomes.TESTS
    applied = dict.fromkeys(NAMES[:13], (60, 60))
    assert outcomes.outcome(applied, []) == "13 of 13 tests pass, 2 not applicable"
    assert outcomes.outcome(applied, ["frequency"]) == "12 of 13 tests pass (not frequency), 2 not applicable"
    assert outcomes.outcome(dict.fromkeys(NAMES, (60, 60)), []) == "15 of 15 tests pass"


def test_random_excursions_are_judged_on_the_sequences_they_apply_to() -> None:
    from types import SimpleNamespace

    nan = np.nan
    values = {
        "frequency": np.array([[0.5], [0.2], [0.001], [0.6]]),
        "random-excursions": np.array([[0.5, 0.4], [nan, nan], [nan, nan], [0.3, 0.004]]),
        "random-excursions-variant": np.array([[0.5], [nan], [nan], [nan]]),
    }
    found = outcomes.per_test(SimpleNamespace(p_values=values))  # type: ignore[arg-type]
    assert found == {"frequency": (3, 4), "random-excursions": (1, 2)}  # 0.004 < 1 - 0.99^(1/2)
    assert outcomes.failing_of({"frequency": (60, 60), "runs": (50, 60)}) == ["runs"]


def test_distinct_latents_of_registers() -> None:
    from mtjspice.generative.gan.latent_sets import Pattern, predicted_distinct

    for length in (8, 10, 12, 16):
        expected = predicted_distinct(length, Pattern(), 50_000, images.LATENT, images.WORD)
        assert images._states(length) == expected


def test_power_of_a_sweep() -> None:
    assert drift._exponent([100.0, *(walk**-1.5 for walk in drift.WALKS[1:])], 100.0 * 3) != pytest.approx(-1.5)
    assert drift._exponent([100.0, *(walk**-1.5 for walk in drift.WALKS[1:])], 100.0) == pytest.approx(-1.5)
    assert drift._exponent([100.0] * len(drift.WALKS), 100.0) is None


@pytest.mark.slow
def test_long_pulses_are_solved_finely_enough() -> None:
    """Solutions of 5 µs pulses to 1e-3 can be off by 0.3; those used here must agree with finer ones."""
    from mtjspice.device.card import load_card

    card = load_card("stt_trng_long").replace(**temperature.LAWS["with M(T), K(T), ξ(T)"])
    volts = np.array([-0.28309])
    used, finer = (temperature._probability(card, volts, 5e-6, 273.15, tolerance)[0, 0] for tolerance in (1e-3, 1e-11))
    assert used == pytest.approx(finer, abs=1e-6)
    assert 0.005 < used < 0.03


def test_a_hot_junction_reset_from_either_state() -> None:
    cycle = heat.Cycle(0.8, 8e-9, 6e-9, 0.28, 1e-8, 3e-8)
    cold = heat.follow(cycle, 0.0, 4, 8, 1)
    hot = heat.follow(cycle, 3e5, 4, 8, 1)
    assert cold.rise == 0
    assert cold.failed_resets == 0
    # V² G R_th (1 - exp(-8 ns/tau)) exp(-6 ns/tau) for the conductance of P, 0.8 V, an upper limit
    parallel = 0.64 / 4553 * 3e5 * (1 - np.exp(-0.8)) * np.exp(-0.595)
    assert 0.5 * parallel < hot.rise < 1.4 * parallel


@pytest.mark.slow
def test_voltage_that_a_short_pulse_needs() -> None:
    from mtjspice.device.half_voltage import half_voltage

    assert heat.needed(3e-9, 0.5) == pytest.approx(abs(half_voltage(devices.CARD, 3e-9).voltage), rel=2e-3)


def test_bits_that_warm_and_bits_that_count() -> None:
    bits = np.array([[1, 0, 1, 1, 0], [0, 1, 0, 1, 1]], np.uint8)
    rises = np.array([[0.0, 2.0, 1.0, 2.0, 2.0], [0.0, 1.0, 2.0, 1.0, 2.0]])
    found = heat.Followed(bits, rises, rises, bits == 2, 1)
    assert found.counted.shape == (2, 4)
    # bits 0 1 1 and 1 0 1 count, rises 1 2 2 and 2 1 2 follow them
    assert found.difference() == pytest.approx(2 - 1)
    assert heat.Followed(np.ones_like(bits), rises, rises, bits == 2, 1).correlation() == (0.0, 1.0)


def test_columns_check_their_rows() -> None:
    columns = empty(("a", "b"))
    add(columns, 1, "x")
    assert columns == {"a": [1.0], "b": ["x"]}
    with pytest.raises(ValueError, match="shorter"):
        add(columns, 1)


def _synthetic() -> dict[tuple[str, str], dict[str, np.ndarray]]:  # type: ignore[type-arg]
    """Columns with the shapes that figures get."""
    rows: dict[tuple[str, str], tuple[tuple[str, ...], list[tuple[float | str, ...]]]] = {
        ("images", "ratios"): (
            RATIO_COLUMNS, [("a", 0.0, 0.0, 0.0, 3.0, 1.0, 400), ("b", 0.5, 40.0, 20.0, 900.0, 0.0, 400)],
        ),
        ("images", "classes"): (
            CLASS_COLUMNS,
            [(s, c, 1.5, 0.4, 4.0, k, 2.0, 4.0, 3.0) for s in images.BY_CLASS for k, c in enumerate(("bag", "coat"))],
        ),
        ("images", "sweep"): (
            SWEEP_COLUMNS, [(f"s{k}", t, t, t / 2, 2 * t, 0.1) for k in range(6) for t in (0.05, 0.1, 0.3)],
        ),
        ("randomness", "maps"): (
            ("wiring", "bias of the raw bits", "correlation of the raw bits", "pass rate"),
            [(w, b, r, 0.5) for w in ("three junctions", "one junction") for b in (0.0, 0.1) for r in (0.0, 0.1)],
        ),
        ("drift", "hours"): (
            ("walk [logit after 1 h]", "bits", "hours to failure", "low", "high", "runs", "hours simulated"),
            [(w, m, h, h / 2, h, 9, 24.0) for w, h in ((0.01, 24.0), (1.0, 0.1)) for m in drift.MODES],
        ),
        ("drift", "pulses"): (
            ageing.COLUMNS,
            [(kind, level, curve, mode, 1e8 if level > 1e-3 else 1e13, 1e7, 1e13) for kind in ageing.KINDS
             for level in (1e-3, 1e-2) for curve in ("a", "b") for mode in counts.MODES],
        ),
        ("array", "cells"): (
            array_figures.CELL_COLUMNS,
            [(c, t, s, d, 0.5, 0.5, 0.4, 0.6) for c in ("a", "b") for t in cells.TRIMS
             for s, d in ((0.05, 0.003), (0.1, 0.003), (0.05, 0.01))],
        ),
        ("array", "lines"): (
            array_figures.LINE_COLUMNS,
            [(p, c, t, x, 0.5) for p, at in (("rows", (16, 1024)), ("stuck", (0.0, 1e-2))) for c in ("a", "b")
             for t in cells.TRIMS for x in at],
        ),
        ("controllers", "kept"): (
            controller_figures.KEPT_COLUMNS,
            [(p, c, one, x, 0.5) for p in ("hours", "kelvin") for c in ("a", "b") for one in loops.LOOPS
             for x in (1.0, 10.0)],
        ),
        ("controllers", "cost"): (
            controller_figures.COST_COLUMNS, [("circuit", 100.0, 90.0, 110.0), ("7.2 mW, average", 0.2, 0.2, 0.2)],
        ),
        ("gigabit", "length"): (
            gigabit.COLUMNS,
            [(s, t, n, 2.0, 1.0) for s in [case.label for case in long_streams.CASES] + [long_streams.GOOD]
             for t in ("all ones", "16 places") for n in (1e6, 1e9)],
        ),
        ("gigabit", "drifting"): (
            drifting.COLUMNS,
            [(w, r, b, d, 0.5, 0.5) for w in ("three junctions", "one junction") for r in (0.0, 0.1)
             for b in (0.0, 0.08) for d in (0.0, 0.16)],
        ),
        ("heating", "rate"): (
            heating_figures.RATE_COLUMNS,
            [(f, r, t, 0.0, -0.1, 0.1, 1.0, 0.5, 0.4, 0.6, 3.0, 0.0) for f in (1e5, 1e8) for r in (0.0, 3e5)
             for t in (1e-8, 1e-7)],
        ),
        ("heating", "memory"): (
            heating_figures.MEMORY_COLUMNS,
            [(p, t, x, 0.1, 0.0, 0.2, 0.1) for p, t in (("lag", 1e-9), ("lag", 1e-8), ("burst", 1e-7)) for x in (1, 9)],
        ),
        ("drift", "health"): (
            ("bias of P", "alarms per hour of a junction", "low", "high", "alarms per hour, closed form",
             "fraction of tests that fail"),
            [(0.0, 0.0, 0.0, 60.0, 5.0, 0.0), (0.1, 300.0, 200.0, 400.0, 310.0, 1.0)],
        ),
        ("power", "energy"): (
            ("phase", "energy [J/bit]", "low [J/bit]", "high [J/bit]", "junctions [J/bit]"),
            [(p, 3e-12, 2e-12, 4e-12, 1e-13) for p in ("reset", "perturb", "read", "all")],
        ),
    }  # fmt: skip
    return {key: {name: np.array([row[k] for row in table]) for k, name in enumerate(names)}
            for key, (names, table) in rows.items()}  # fmt: skip


@pytest.mark.parametrize(("experiment", "figure"), list(_synthetic()))
def test_figures_are_drawn_from_their_columns(experiment: str, figure: str) -> None:
    columns = _synthetic()[experiment, figure]
    drawn = style.render(style.styled(PAPER.experiment(experiment).draw[figure])(columns))
    assert drawn.startswith(b"\x89PNG")
    assert len(drawn) > 5000


@pytest.mark.slow
def test_attacks_break_what_has_a_short_state() -> None:
    section = attacks.run(QUICK)
    for key in ("lfsr-of-16", "lfsr-of-32", "lcg-ansi-c", "lcg-randu", "mt19937"):
        assert _value(section, key) == 1.0
    for key in ("pcg64", "chacha20", "junctions-xor-of-three", "junctions-toeplitz"):
        assert _value(section, key) == pytest.approx(0.5, abs=0.02)
    assert _value(section, "junctions-p--060") == pytest.approx(0.6, abs=0.02)


def test_tokens_cost_what_exact_laws_say() -> None:
    section = tokens.run(QUICK)
    columns = next(plate for plate in section.plates if plate.key == "cost").arrays()
    words = (columns["sampler"] == "inverse-cdf") & (columns["bits of a word"] == 24) & (columns["memory"] == 0)
    bias, cost = columns["bias"][words], columns["KL [bit/token]"][words]
    ratio = cost[bias == 0.02] / cost[bias == 0.01]  # quadratic
    assert ratio == pytest.approx(4, rel=0.15)
    assert next(one for one in section.findings if one.key == "suitable").status is Status.NOT_COMPARABLE


@pytest.mark.slow
@pytest.mark.parametrize("module", CHEAP)
def test_the_same_seed_gives_the_same_section(module: object) -> None:
    run = module.EXPERIMENT.run  # type: ignore[attr-defined]
    first, second = run(QUICK).as_dict(), run(QUICK).as_dict()
    assert json.dumps(first) == json.dumps(second)
    assert section_of(json.loads(json.dumps(first))).setting


@pytest.mark.slow
def test_every_experiment_runs_and_is_drawn(tmp_path: Path, fetched: Callable[[str], Path]) -> None:
    for name in ("faces", "lpips"):
        fetched(name)
    report = runner.reproduce(runner.chosen(("stt-trng",), ()), tmp_path, quick=True, seed=3, workers=1)
    assert not report.failed
    assert not report.left_out
    check_pages("stt-trng", tmp_path, inputs=("DEVICES", "DEVICE_RATE"))
