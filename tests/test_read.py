"""Read paths: what is read, how the answer is measured, offsets under mismatch, wrong reads, the trap of a resistor."""

from dataclasses import replace
from math import isnan, sqrt

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import binom

from mtjspice.circuits.benches.offset import Offset, mismatch_seeds, offset, read_yield
from mtjspice.circuits.benches.read import AMPLIFIERS, conditions, read, read_bench, read_path
from mtjspice.circuits.library.cells import Cell1T1M, ReferenceCell, STTCell
from mtjspice.circuits.library.gates import Inverter
from mtjspice.circuits.library.read import ComplementaryReadPath, ReadPath
from mtjspice.circuits.library.sense import CurrentLatchedSenseAmplifier
from mtjspice.circuits.measurements import Voltage
from mtjspice.circuits.technology import technologies, technology
from mtjspice.device import derived
from mtjspice.device.card import load_card
from mtjspice.errors import InputError

MERAM = load_card("meram100")
IMEC = load_card("imec_iedm24")
MERAM_COMPENSATION = derived.derive(MERAM).compensation_voltage
GF180 = technology("gf180mcu")
PRECHARGE = ReadPath(GF180, card=MERAM)
BORDER = 0.003  # relative conductance


def junction_voltage(data, path):
    junction = path.junctions("dut")[0]
    return Voltage(junction.top, junction.bottom).values({name: data[name].values for name in data.data_vars})


# --- one read ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["sl", "bl"])
@pytest.mark.parametrize("amplifier", AMPLIFIERS)
def test_the_side_sets_the_sign_of_the_voltage(side, amplifier):
    """The other sign appears for less than 1 ns, when the falling word line takes the node in the cell along.

    It is gone with the time constant of that node and stays below a third of the voltage that removes the barrier.
    """
    path = read_path(GF180, MERAM, amplifier, side=side)
    for state in (1, -1):
        result = read(path, state)
        assert result.correct
        volts = junction_voltage(result.waveforms, path) * (1 if side == "bl" else -1)
        assert volts.max() == pytest.approx(result.junction_voltage)
        assert volts.min() > -MERAM_COMPENSATION / 3
        assert np.trapezoid(volts < -0.1, result.waveforms["time"]) < 1e-9


def test_a_read_at_the_source_line_disturbs_nothing():
    """A precharge amplifier leaves 1.3 V on the junction: at the bit line that is a write, at the source line none.

    Thermal seeds are fixed; the barrier at -1.4 V is 60 kT higher than at rest, at +1.3 V it is almost gone.
    """
    for side in ("sl", "bl"):
        path = ReadPath(GF180, card=MERAM, side=side)
        data = read_bench(path, state=-1).run("cosim", seed=3)
        m_z = float(data["magnetization"].sel(component="z")[-1, 0])
        assert (m_z < -0.9) == (side == "sl")
        assert (data.attrs["difference"] > 0) == (side == "sl")


@pytest.mark.parametrize("amplifier", AMPLIFIERS)
def test_the_step_is_fine_enough(amplifier):
    """10 ps against 1 ps: delay within 0.1 %, energy within 0.3 %."""
    path = read_path(GF180, MERAM, amplifier)
    coarse, fine = (read(path, -1, max_step=step) for step in (1e-11, 1e-12))
    assert coarse.delay == pytest.approx(fine.delay, rel=1e-3, abs=0)
    assert coarse.energy == pytest.approx(fine.energy, rel=3e-3, abs=0)
    assert coarse.junction_voltage == pytest.approx(fine.junction_voltage, rel=1e-3)


@pytest.mark.parametrize("name", technologies())
def test_complementary_junctions(name):
    """Both directions are the same circuit mirrored, and faster than against a reference."""
    tech = technology(name)
    parallel, antiparallel = (read(ComplementaryReadPath(tech, card=MERAM), state) for state in (1, -1))
    assert parallel.correct
    assert antiparallel.correct
    assert parallel.delay == pytest.approx(antiparallel.delay, rel=2e-2)
    assert parallel.difference == pytest.approx(-antiparallel.difference, rel=1e-3)
    assert antiparallel.delay < read(ReadPath(tech, card=MERAM, side="bl"), -1).delay


def test_energy_is_that_of_all_sources():
    """Sum over sources of the integral of -v i, with the trapezoidal rule on the saved points."""
    result = read(read_path(GF180, MERAM, "current_latched"), 1)
    data = result.waveforms
    sources = ("wl", "sense", "latch", "bias", "vdd")
    power = -sum(data[f"v({name})"].values * data[f"i(v{name})"].values for name in sources)
    assert result.energy == pytest.approx(float(np.trapezoid(power, data["time"].values)), rel=1e-9, abs=0)


def test_margin_is_the_difference_when_the_latch_closes():
    path = read_path(GF180, MERAM, "current_latched")
    bench = read_bench(path, state=-1)
    data = bench.run()
    latch = bench.points("latch")[1][0]
    difference = data["v(q)"] - data["v(qb)"]
    assert data.attrs["margin"] == pytest.approx(float(difference.interp(time=latch)), rel=1e-6)
    assert isnan(read(PRECHARGE, 1).margin)


def test_a_hot_read():
    result = read(PRECHARGE, -1, temperature=398.0)
    assert result.correct
    assert result.delay != pytest.approx(read(PRECHARGE, -1).delay, rel=1e-3)


@pytest.mark.parametrize("supply", [1.2, 1.8, 3.3])
def test_the_trap_of_a_fixed_resistor(supply):
    """174 kohm lies between R_P and R_AP at 0 V; at the voltage of a read R_AP has fallen to less."""
    for kind, antiparallel_is_right in (("mtj", True), ("resistor", False)):
        path = ReadPath(GF180, card=MERAM, reference=ReferenceCell(GF180, card=MERAM, kind=kind))
        parallel, antiparallel = (read(path, state, supply=supply) for state in (1, -1))
        assert parallel.correct
        assert antiparallel.correct is antiparallel_is_right
        assert (antiparallel.difference > 0) is antiparallel_is_right
        assert antiparallel.junction_voltage > 1.0


# --- offset --------------------------------------------------------------------------------------------------


def test_offset():
    """The same seeds give the same offsets; eight draws of some per cent about zero, far from the signal."""
    seeds = mismatch_seeds(8, 1)
    found = offset(PRECHARGE, seeds)
    assert found.seeds == seeds
    assert np.array_equal(offset(PRECHARGE, seeds[:2]).offsets, found.offsets[:2])
    assert 0.005 < found.deviation < 0.03
    # 5 standard errors of the mean, and 1 % systematic
    assert abs(found.mean) < 5 * found.deviation / sqrt(8) + 0.01
    assert found.parallel > 0.1
    assert found.antiparallel < -0.1
    assert min(found.margins) > 6
    assert all(volts < 0 for volts in found.voltages)  # read at the source line


def test_an_offset_turns_the_decision():
    """On either side of a measured offset the same transistors decide differently."""
    (seed,) = mismatch_seeds(1, 2)
    found = offset(PRECHARGE, (seed, seed), resolution=1e-3)
    assert found.offsets[0] == found.offsets[1]
    for step in (-2e-3, 2e-3):
        product = MERAM.resistance_area_product / (1 + found.offsets[0] + step)
        cell = ReferenceCell(GF180, card=MERAM.replace(resistance_area_product=product))
        difference = read_bench(replace(PRECHARGE, cell=cell), state=None, mismatch_seed=seed).run().attrs["difference"]
        assert np.sign(difference) == -np.sign(step)


def test_a_resistor_as_reference_has_no_margin():
    path = replace(PRECHARGE, reference=ReferenceCell(GF180, card=MERAM, kind="resistor"))
    found = offset(path, mismatch_seeds(3, 1))
    assert found.antiparallel > 0.1
    assert found.margins[1] < -5
    assert found.error_rate == pytest.approx(0.5, abs=1e-3)


def test_statistics_of_an_offset():
    """Against the formulas: Student and chi-squared quantiles of tables for n = 5 (2.776; 11.143, 0.484)."""
    values = np.array([-0.02, -0.01, 0.0, 0.01, 0.03])
    found = Offset((1, 2, 3, 4, 5), values, 0.04, -0.05, (-0.5, -0.5))
    sd = values.std(ddof=1)
    assert found.mean == pytest.approx(0.002)
    assert found.deviation == pytest.approx(sd)
    assert found.mean_interval[1] - 0.002 == pytest.approx(2.7764 * sd / sqrt(5), rel=1e-4)
    assert found.deviation_interval == pytest.approx((sd * sqrt(4 / 11.1433), sd * sqrt(4 / 0.48442)), rel=1e-4)
    assert found.margins == pytest.approx((0.038 / sd, 0.052 / sd))
    assert found.error_rate == pytest.approx((ndtr(-0.038 / sd) + ndtr(-0.052 / sd)) / 2)
    low, high = found.error_rate_interval
    assert low < found.error_rate < high


# --- wrong reads ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amplifier", ["precharge", "voltage"])
def test_a_few_reads_with_mismatch(amplifier):
    """None of 20 wrong, where the margins are above 6 standard deviations."""
    shares = []
    counted = read_yield(read_path(GF180, MERAM, amplifier), 20, 7, progress=shares.append)
    assert counted.wrong.count == 0
    assert counted.wrong.trials == 20
    assert counted.wrong_parallel.trials == counted.wrong_antiparallel.trials == 10
    assert counted.value == 1
    assert shares[-1] == 1
    assert shares == sorted(shares)
    assert isnan(counted.predicted)


def test_wrong_reads_are_counted():
    """The fixed resistor reads each AP cell wrong and each P cell right, whatever the mismatch."""
    path = replace(PRECHARGE, reference=ReferenceCell(GF180, card=MERAM, kind="resistor"))
    counted = read_yield(path, 10, 3)
    assert counted.wrong_parallel.count == 0
    assert counted.wrong_antiparallel.count == counted.wrong_antiparallel.trials == 5
    assert counted.wrong.low < 0.5 < counted.wrong.high


@pytest.mark.slow
@pytest.mark.parametrize("amplifier", ["precharge", "voltage"])
def test_no_wrong_read_of_a_thousand(amplifier):
    """meram100: 0 of 1000. The margins, above 5 standard deviations of 40 offsets, make one wrong read 1e-4 likely."""
    path = read_path(GF180, MERAM, amplifier)
    distribution = offset(path, mismatch_seeds(40, 1), resolution=4e-3)
    counted = read_yield(path, 1000, 2, offsets=distribution)
    assert counted.wrong.count == 0
    assert counted.wrong.high < 0.004
    assert min(distribution.margins) > 5
    assert counted.predicted < 1e-6


@pytest.mark.slow
def test_the_predicted_yield():
    """imec_iedm24 (TMR 65 % at 0.2 V, 7 % at the 0.9 V of a precharge amplifier): 600 reads, some of them wrong.

    The count must lie in the central 1 - 1e-3 of the binomial distributions that the prediction allows, with the
    standard deviation of 60 offsets anywhere in its 95 % interval: false alarms below 1e-3 or so.
    """
    path = read_path(GF180, IMEC)
    distribution = offset(path, mismatch_seeds(60, 1), resolution=2e-3)
    counted = read_yield(path, 600, 2, offsets=distribution)
    low, high = distribution.error_rate_interval
    assert counted.predicted == pytest.approx(distribution.error_rate)
    assert 1e-3 < distribution.error_rate < 0.05
    assert binom.ppf(5e-4, 600, low) <= counted.wrong.count <= binom.ppf(1 - 5e-4, 600, high)


@pytest.mark.slow
def test_draws_agree_one_by_one():
    """The offset of a draw says whether P and AP are misread with these transistors.

    A TMR of 50 % leaves a contrast of 1.3 % at this voltage, so that some are. Draws closer than BORDER to it are left
    out: the contrast is a mean over the decision, good to a tenth or two. Not a statistical test: each read must agree.
    """
    path = read_path(GF180, IMEC.replace(tmr=0.5))
    options = {"window": 25e-9}
    seeds = mismatch_seeds(40, 5)
    found = offset(path, seeds, **options)
    expected, seen = [], []
    for seed, value in zip(seeds, found.offsets, strict=True):
        for state, contrast in ((1, found.parallel), (-1, found.antiparallel)):
            if abs(contrast - value) > BORDER:
                expected.append((contrast > value) == (state == 1))
                seen.append(read(path, state, mismatch_seed=seed, **options).correct)
    assert len(expected) > 60
    assert expected.count(False) >= 3
    assert seen == expected


# --- parts and bad input -------------------------------------------------------------------------------------


def test_parts():
    path = ReadPath(
        GF180, card=MERAM, cell=STTCell(GF180, card=MERAM), amplifier=CurrentLatchedSenseAmplifier(GF180)
    )  # fmt: skip
    assert path.controls == ("sense", "latch", "bias")
    assert [port.name for port in path.ports()] == ["q", "qb", "wl", "sense", "latch", "bias", "vdd", "vss"]
    assert [junction.path for junction in path.junctions("dut")] == ["xdut.xcell.xmtj"]
    assert len(ComplementaryReadPath(GF180, card=MERAM).own_junctions) == 2
    assumed = {p.name for p in path.parameters() if p.assumed}
    assert {"line_capacitance", "output_capacitance"} <= assumed


def test_conditions_follow_the_card():
    """Slower for a larger resistance, a lower clamp for a TMR that falls sooner; what is given takes precedence."""
    meram, imec = (conditions(read_path(GF180, card, "current_latched")) for card in (MERAM, IMEC))
    assert imec.latch_delay > 2 * meram.latch_delay
    assert imec.window > meram.window
    assert imec.bias == pytest.approx(meram.bias - 0.4 + 0.192)
    bench = read_bench(PRECHARGE, state=1, supply=1.5, word_line=2.0)
    assert bench.points("vdd") == ((0.0, 1.5),)
    assert max(volts for _, volts in bench.points("wl")) == 2.0


def test_seeds_are_reproducible_and_in_range():
    assert mismatch_seeds(5, 1) == mismatch_seeds(5, 1) != mismatch_seeds(5, 2)
    assert all(0 < seed < 2**31 for seed in mismatch_seeds(1000, 3))


COMPLEMENTARY = ComplementaryReadPath(GF180, card=MERAM)
SKY130 = ReadPath(technology("sky130"), card=MERAM)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: read(PRECHARGE, 0), r"state 0 must be 1 \(P\) or -1 \(AP\)"),
        (lambda: read_bench(PRECHARGE, state=None), "state None, but read_path has 1 junctions"),
        (lambda: read_bench(PRECHARGE, state=1, settle=-1e-9), "settle = -1e-09 must not be negative"),
        (lambda: read_bench(PRECHARGE, state=1, supply=0.0), "supply = 0 must be positive"),
        (lambda: read_bench(PRECHARGE, state=1, window=float("nan")), "window = nan must be positive"),
        (lambda: read_bench(PRECHARGE, state=1, bias=float("inf")), "bias = inf is no voltage"),
        (lambda: read_bench(PRECHARGE, state=1, latch_delay=1.0), "latch_delay = 1 s must be shorter than window"),
        (lambda: read_bench(PRECHARGE, state=1, corner="tt"), "unknown gf180mcu corner 'tt'"),
        (lambda: read(SKY130, 1, mismatch_seed=1), "the model cards of sky130 have no mismatch"),
        (lambda: offset(SKY130, (1, 2)), "the model cards of sky130 have no mismatch"),
        (lambda: read_yield(SKY130, 2, 1), "the model cards of sky130 have no mismatch"),
        (lambda: offset(PRECHARGE, (1,)), "at least two mismatch seeds, not 1"),
        (lambda: offset(PRECHARGE, (1, 2), resolution=0.0), "resolution = 0 is out of range"),
        (lambda: offset(COMPLEMENTARY, (1, 2)), "complementary_read_path has no reference"),
        (lambda: read_yield(PRECHARGE, 1, 1), "at least two reads, not 1"),
        (lambda: ReadPath(GF180, card=MERAM, side="wl"), "unknown ReadPath: side 'wl'; available: bl, sl"),
        (lambda: ReadPath(GF180, card=MERAM, cell=Inverter(GF180)), "the cell inverter has no port bl, sl, wl"),
        (lambda: ReadPath(GF180, card=MERAM, amplifier=Inverter(GF180)), "the amplifier inverter has no port"),
        (lambda: ComplementaryReadPath(GF180, card=MERAM, cell=Cell1T1M(GF180, card=MERAM)), "has no port blb"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(InputError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_an_amplifier_with_unknown_inputs():
    class Odd(CurrentLatchedSenseAmplifier):
        def ports(self):
            return tuple(replace(port, name="gate") if port.name == "latch" else port for port in super().ports())

        def build(self, add):
            same = {name: name for name in ("q", "qb", "cell", "reference", "sense", "bias")}
            add.use("inner", CurrentLatchedSenseAmplifier(self.technology), latch="gate", **same)

    path = ReadPath(GF180, card=MERAM, amplifier=Odd(GF180))
    with pytest.raises(InputError, match="odd: no drive is known for its input gate"):
        read_bench(path, state=1)
