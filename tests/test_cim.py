"""Compute-in-memory columns: sums, P-bits drawn in place and beside the array, what both cost, decks, bad input."""

import re
import subprocess
from dataclasses import replace
from functools import cache
from math import sqrt

import numpy as np
import pytest
from scipy.stats import binom

from mtjspice.circuits import catalogue
from mtjspice.circuits.benches.cim import CimBench, ExSituBench
from mtjspice.circuits.benches.cim_figures import cost, in_situ_against_ex_situ, refresh, weighted_sum
from mtjspice.circuits.library.cells import DifferentialPair
from mtjspice.circuits.library.cim import CimColumn, ExSituColumn
from mtjspice.circuits.library.gates import Inverter
from mtjspice.circuits.library.pulse import StarvedPulseGenerator
from mtjspice.circuits.technology import technologies, technology
from mtjspice.device import derived
from mtjspice.device.card import load_card
from mtjspice.errors import InputError
from mtjspice.generative.sde import cost as sde_cost

IMEC = load_card("imec_iedm24")
MERAM = load_card("meram100")
GF180 = technology("gf180mcu")
IN_SITU = CimColumn(GF180, card=IMEC, rows=4)
EX_SITU = ExSituColumn(GF180, card=IMEC, rows=4)
# data bit, bit that the pair holds, P-bit beside it: all four combinations of the last two
COMBINATIONS = (1, 1, 1, -1, 1, -1, 1, -1, 1, -1, -1, -1)


@cache
def comparison():
    return in_situ_against_ex_situ(GF180, IMEC, 4)


# --- sums ----------------------------------------------------------------------------------------------------


def test_sum_against_the_ideal_one():
    """Fixed draws: within 0.4 weights of a straight line (4 rows), every sign right, 3 mV a weight.

    The line's gain is the current of one weight at the read voltage through the load, within the loss in the line.
    """
    found = weighted_sum(IN_SITU, seed=1, arrays=3, patterns=4)
    assert len(found.ideal) == 12
    assert found.max_error < 0.4
    assert found.rms_error < 0.2
    assert found.wrong_signs.count == 0
    assert abs(found.offset) < 0.2 * found.gain
    volts = CimBench(IN_SITU, parts="compute").testbench().run().attrs["read_voltage"]
    step = derived.conductance(IMEC, 1, volts) - derived.conductance(IMEC, -1, volts)
    current = -volts * step
    assert 0.7 < found.gain / (current * IN_SITU.read_out.load) < 1.1


def test_exchanged_bit_lines_change_the_sign():
    """Exchanging data bit and P-bit of every pair mirrors the column: the same sum with the other sign, within 3 %."""
    outputs = []
    for states in ((1, -1, 1, 1, -1, -1, 1, -1), (-1, 1, 1, 1, -1, -1, -1, 1)):
        bench = CimBench(IN_SITU, parts="compute", states=states, inputs="1011")
        found = bench.testbench().run().attrs
        assert bench.ideal(0) == states[0] * 2
        outputs.append(found["difference0"])
        assert (found["sign0"] > GF180.supply_voltage / 2) == (states[0] > 0)
        assert 0 < found["delay"] < 1e-9
    assert outputs[0] == pytest.approx(-outputs[1], rel=0.03)
    assert outputs[0] > 0


def test_a_read_has_the_sign_that_does_not_disturb():
    """-0.2 V, and for moments of switching less than a quarter of the voltage that removes the anisotropy."""
    found = CimBench(IN_SITU, parts="compute", inputs="0110").testbench().run().attrs
    assert -0.3 < found["read_voltage"] < 0.05
    assert found["disturb"] < derived.derive(IMEC).compensation_voltage / 4


@pytest.mark.slow
def test_error_grows_with_the_rows():
    errors = [weighted_sum(replace(IN_SITU, rows=rows), seed=1).max_error for rows in (4, 8, 16)]
    assert errors[0] < errors[1] < errors[2]
    assert errors[1] < 0.6


# --- P-bits in place -----------------------------------------------------------------------------------------


def check_refresh(cycles, parts, card=IMEC):
    """False alarm 1e-4: the interval of a binomial with P between 0.4 and 0.6, the accuracy of the 50 % setting."""
    found = refresh(CimBench(CimColumn(GF180, card=card, rows=8), cycles=cycles, parts=parts), seed=5)
    count, trials = found.switched.count, found.switched.trials
    assert trials == 8 * cycles
    assert binom.ppf(5e-5, trials, 0.4) <= count <= binom.ppf(1 - 5e-5, trials, 0.6)
    assert not found.data_changed
    np.testing.assert_array_equal(found.data_before, found.data_after)
    np.testing.assert_array_equal(found.before[1:], found.after[:-1])
    assert found.pulse_width == pytest.approx(0.7e-9, rel=0.05)
    return found


def test_refresh_draws_all_pbits():
    found = check_refresh(20, "refresh")
    switched = found.before != found.after
    # at 1/2 a row that never or always switches in 20 pulses has a chance of 2e-6
    assert np.all(switched.any(axis=0) & ~switched.all(axis=0))


def test_equal_seeds_give_equal_draws():
    bench = CimBench(CimColumn(GF180, card=IMEC, rows=2), cycles=2, parts="refresh")
    first, again, other = (refresh(bench, seed=seed).after for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


@pytest.mark.slow
@pytest.mark.parametrize("card", [IMEC, MERAM], ids=lambda card: card.name)
def test_whole_cycles_draw_all_pbits(card):
    """With sums between the pulses; rows do not follow each other: correlation of two within five sigmas of zero."""
    found = check_refresh(60, "both", card)
    switched = (found.before != found.after) * 1.0
    correlation = np.corrcoef(switched.T)[np.triu_indices(8, 1)]
    assert np.abs(correlation).max() < 5 / sqrt(60)


# --- P-bits from beside --------------------------------------------------------------------------------------


def test_write_in_reaches_only_bits_that_differ():
    """Junctions that stand still: the toggling pulse is on those that differ, a tenth of it on the others."""
    bench = ExSituBench(EX_SITU, states=COMBINATIONS)
    testbench = bench.testbench()
    data = testbench.run()
    start, write = bench.starts()[0], bench.phases()[3]
    assert write.name == "write"
    during = data.sel(time=slice(start + write.begin, start + write.end))
    for row in range(4):
        drawn, held = COMBINATIONS[3 * row + 2], COMBINATIONS[3 * row + 1]
        assert (data.attrs[f"sampled{row}_volts"] > GF180.supply_voltage / 2) == (drawn == -1)
        assert np.sign(data.attrs[f"sense_margin{row}"]) == -drawn
        assert np.sign(data.attrs[f"compare_margin{row}"]) == -held
        peaks = [
            float((during[f"v({one.top})"] - during[f"v({one.bottom})"]).max())
            for one in testbench.junctions()[3 * row : 3 * row + 3]
        ]
        assert peaks[0] < 0.05
        assert peaks[2] < 0.05
        assert peaks[1] > 2.2 if drawn != held else peaks[1] < 0.3


@pytest.mark.parametrize("seed", [1, 2])
def test_write_in_writes_what_was_sampled(seed):
    """Co-simulated, card meram100, whose toggling pulse fails in less than 1 % (its P-bits are drawn here, too)."""
    column = ExSituColumn(GF180, card=MERAM, rows=4)
    bench = ExSituBench(column, states=COMBINATIONS, parts="refresh")
    data = bench.testbench().run("cosim", seed=seed)
    states = np.where(data["magnetization"].sel(component="z").values[-1] > 0, 1, -1).reshape(4, 3)
    np.testing.assert_array_equal(states[:, 0], COMBINATIONS[::3])
    np.testing.assert_array_equal(states[:, 1], states[:, 2])
    sampled = [-1 if data.attrs[f"sampled{row}_volts"] > GF180.supply_voltage / 2 else 1 for row in range(4)]
    np.testing.assert_array_equal(states[:, 2], sampled)


# --- cost ----------------------------------------------------------------------------------------------------


def test_in_situ_is_cheaper_and_faster():
    """The paper's ratios, of other circuits, are shown and not asserted."""
    found = comparison()
    print(found.table())
    assert found.time_ratio > 2
    assert found.energy_ratio > 2
    assert found.draw_ratios[0] > found.time_ratio
    assert found.draw_ratios[1] > found.energy_ratio
    assert found.in_situ.throughput(64) == pytest.approx(64 / found.in_situ.cycle_time)
    for word in ("cycle (ns)", "junctions (%)", "compare", "vt", "paper"):
        assert word in found.table()


def test_both_columns_have_the_same_pulse():
    """Width within 5 %, amplitude within 3 %: the load differs a little."""
    found = comparison()
    assert found.ex_situ.pulse_width == pytest.approx(found.in_situ.pulse_width, rel=0.05)
    assert found.ex_situ.amplitude == pytest.approx(found.in_situ.amplitude, rel=0.03)


def test_energies_add_up():
    """Phases and supplies make the total; junctions have a small share; no supply gives back more than a thousandth."""
    bench = CimBench(IN_SITU, cycles=2)
    attrs = bench.testbench().run().attrs
    found = cost(bench)
    assert found.energy * 4 == pytest.approx(attrs["energy"], rel=1e-3, abs=0)
    for one in (found, comparison().in_situ, comparison().ex_situ):
        assert sum(one.by_source().values()) == pytest.approx(one.energy, rel=1e-6, abs=0)
        assert all(sum(by.values()) > 0 for by in one.energies.values())
        assert all(value > -1e-3 * one.energy for value in one.by_source().values())
        assert 0 < one.junction_share < 0.05
        assert sum(one.times.values()) == pytest.approx(one.cycle_time)


# --- decks, technologies, bad input --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bench",
    [CimBench(IN_SITU), ExSituBench(ExSituColumn(GF180, card=IMEC, rows=1), parts="refresh")],
    ids=["in situ", "ex situ"],
)
def test_deck_runs_in_plain_ngspice(bench, tmp_path):
    """Every measurement is printed; energy and pulse are those of the Python side within 1 %."""
    testbench = bench.testbench()
    deck = tmp_path / "deck.cir"
    deck.write_text(catalogue.deck(testbench), encoding="ascii")
    command = ["ngspice", "-n", "-b", deck.name]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0, result.stderr
    printed = dict(re.findall(r"^(\w+) *= +(\S+)", result.stdout, re.MULTILINE))
    expected = testbench.run().attrs
    for name in ("energy", "pulse_width", "amplitude"):
        assert float(printed[name]) == pytest.approx(expected[name], rel=0.01)
    assert {name for name in testbench.measurements if name not in printed} <= {"delay", "toggle_width"}


@pytest.mark.parametrize("name", technologies())
@pytest.mark.parametrize("kind", [CimColumn, ExSituColumn])
def test_builds_in_every_technology(name, kind):
    column = kind(technology(name), card=IMEC, rows=3)
    assert len(column.own_junctions) == (6 if kind is CimColumn else 9)
    assert column.name.endswith("column3")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sky130", "freepdk45"])
def test_other_technologies_work(name):
    tech = technology(name)
    found = weighted_sum(CimColumn(tech, card=IMEC, rows=4), seed=1, arrays=2, patterns=4)
    assert found.max_error < 0.5
    assert found.wrong_signs.count == 0
    attrs = ExSituBench(ExSituColumn(tech, card=IMEC, rows=4), states=COMBINATIONS).testbench().run().attrs
    assert [attrs[f"sampled{row}_volts"] > tech.supply_voltage / 2 for row in range(4)] == [False, True, False, True]
    assert attrs["pulse_width"] == pytest.approx(0.7e-9, rel=0.15)


def test_parameters_by_name():
    bench = catalogue.parameters.with_parameters(CimBench(IN_SITU), {"settle": "3 ns", "parts": "compute"})
    assert bench.settle == 3e-9
    assert bench.phases()[0].name == "compute"
    assert IN_SITU.source.startswith("Y. Xiao")
    assumed = {one.name for one in IN_SITU.parameters() if one.assumed}
    assert {"line_capacitance", "row_capacitance", "word_line_capacitance"} <= assumed


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: CimBench(IN_SITU, inputs="101"), r"inputs '101' must be 4 digits"),
        (lambda: CimBench(IN_SITU, inputs="10x1"), r"inputs '10x1' must be 4 digits"),
        (lambda: CimBench(IN_SITU, inputs="1011,0000"), "2 inputs were given for 1 cycles"),
        (lambda: CimBench(IN_SITU, settle=0.5e-9), "settle = 5e-10 s must be at least"),
        (lambda: CimBench(IN_SITU, parts="none"), "unknown CimBench: parts 'none'"),
        (lambda: CimBench(IN_SITU, write_rail=4.0), "write_rail = 4 V is out of range"),
        (lambda: CimBench(EX_SITU), "ex_situ_column4 is no in-situ column"),
        (lambda: ExSituBench(IN_SITU), "cim_column4 is no ex-situ column"),
        (lambda: CimBench(Inverter(GF180)), "inverter is no compute-in-memory column"),
        (lambda: CimBench(IN_SITU, states=(1, -1)), "2 states were given for the 8 junctions"),
        (lambda: CimColumn(GF180, card=IMEC, rows=0), "rows = 0 is out of range"),
        (
            lambda: CimColumn(GF180, card=IMEC, cell=DifferentialPair(GF180, card=MERAM)),
            "has the card imec_iedm24, its pairs meram100",
        ),
        (
            lambda: CimColumn(GF180, card=IMEC, generator=StarvedPulseGenerator(technology("sky130"))),
            "generator is in sky130",
        ),
        (lambda: weighted_sum(IN_SITU, seed=1, arrays=1, patterns=1), "must make at least two sums"),
        (lambda: refresh(CimBench(IN_SITU, parts="compute"), seed=1), "cycles of computing alone"),
        (lambda: cost(CimBench(IN_SITU, parts="compute")), "the cost is that of whole cycles"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_costs_of_the_neural_sde_are_those_of_the_columns():
    """What `mtjspice sde` takes for a P-bit is what the columns of 8 rows measure, to the digits of its table."""
    found = in_situ_against_ex_situ(GF180, IMEC, 8)
    for known, column in ((sde_cost.IN_SITU, found.in_situ), (sde_cost.EX_SITU, found.ex_situ)):
        drawing = column.energy - sum(column.energies["compute"].values()) / column.rows
        assert known.cycle_time == pytest.approx(column.cycle_time, rel=0.01, abs=0)
        assert known.draw_time == pytest.approx(column.cycle_time - column.times["compute"], rel=0.01, abs=0)
        assert known.energy == pytest.approx(column.energy, rel=0.01, abs=0)
        assert known.draw_energy == pytest.approx(drawing, rel=0.01, abs=0)
