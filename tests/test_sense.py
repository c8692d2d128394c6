"""Sense amplifiers: both decisions in all technologies and corners, energy, delay and voltage within bounds."""

import pytest

from mtjspice.circuits.benches.read import AMPLIFIERS, conditions, read, read_bench, read_path
from mtjspice.circuits.circuit import Circuit
from mtjspice.circuits.library.sense import (
    CurrentLatchedSenseAmplifier,
    PrechargeSenseAmplifier,
    StrongArm,
    VoltageSenseAmplifier,
)
from mtjspice.circuits.stimulus import Signal
from mtjspice.circuits.technology import technologies, technology
from mtjspice.circuits.testbench import Testbench
from mtjspice.device import derived
from mtjspice.device.card import load_card
from mtjspice.errors import InputError

MERAM = load_card("meram100")
GF180 = technology("gf180mcu")
CASES = [(name, technology(name).default_corner) for name in technologies()] + [
    ("gf180mcu", corner) for corner in ("ff", "ss", "fs", "sf")
]


@pytest.mark.parametrize("amplifier", AMPLIFIERS)
@pytest.mark.parametrize(("name", "corner"), CASES)
def test_decides_both_states(name, corner, amplifier):
    """The bounds: C V^2 of some 10 fF from below, a picojoule from above; between a gate delay and the window."""
    path = read_path(technology(name), MERAM, amplifier)
    setup = conditions(path)
    for state in (1, -1):
        result = read(path, state, corner=corner)
        assert result.correct
        assert result.difference * state < -0.85 * setup.supply
        assert 20e-12 < result.delay < 0.5 * setup.window
        assert 10e-15 * setup.supply**2 < result.energy < 1e-12
        assert 0.1 < result.junction_voltage < setup.supply
        # what is clamped or fed a current stays where the TMR is large
        if amplifier == "current_latched":
            assert result.junction_voltage < 1.6 * MERAM.tmr_half_voltage
            assert result.margin * state < -0.05
        if amplifier == "voltage":
            assert result.junction_voltage < 1.6 * MERAM.tmr_half_voltage


@pytest.mark.parametrize("amplifier", AMPLIFIERS)
def test_both_outputs_are_high_before(amplifier):
    path = read_path(GF180, MERAM, amplifier)
    bench = read_bench(path, state=-1)
    data = bench.run()
    rise = bench.points("sense")[1][0]
    before = data.sel(time=slice(0, rise))
    assert float(before["v(q)"].min()) > 0.9 * conditions(path).supply
    assert float(before["v(qb)"].min()) > 0.9 * conditions(path).supply


def test_the_precharge_amplifier_draws_nothing_after_its_decision():
    data = read_bench(read_path(GF180, MERAM), state=1, window=30e-9).run()
    decided = data.sel(time=slice(25e-9, 30e-9))
    assert float(abs(decided["i(vvdd)"]).max()) < 0.1e-6


def test_the_read_current_follows_the_bias_resistor():
    """At rest the voltage on the junction is its resistance times the current, whatever the supply."""
    path = read_path(GF180, MERAM, "voltage")
    low, high = (read(path, 1, supply=supply, settle=20e-9) for supply in (1.8, 2.4))
    assert low.correct
    assert high.correct
    # of 0.6 V more most stand at the resistor: (2.4 - V_SG)/(1.8 - V_SG) with V_SG of 0.9 to 1.2 V
    assert 1.3 < high.junction_voltage / low.junction_voltage < 2.1


@pytest.mark.parametrize("name", technologies())
@pytest.mark.parametrize(("channel", "common_mode"), [("n", 0.65), ("p", 0.25)])
@pytest.mark.parametrize("sign", [1, -1])
def test_strong_arm(name, channel, common_mode, sign):
    """30 mV decide; before the clock both outputs are at the rail of the loads, which pair "p" has at ground."""
    tech = technology(name)
    supply = tech.supply_voltage
    idle, active = (0.0, supply) if channel == "n" else (supply, 0.0)
    bench = Testbench(
        StrongArm(tech, channel=channel),
        stop=6e-9,
        drives={
            "a": common_mode * supply + sign * 0.015, "b": common_mode * supply - sign * 0.015,
            "clock": Signal(idle).to(1e-9, active), "vdd": supply, "vss": 0.0,
        },
        loads={"y": 2e-15, "yb": 2e-15},
    )  # fmt: skip
    data = bench.run()
    rail = supply if channel == "n" else 0.0
    for out in ("y", "yb"):
        assert float(data[f"v({out})"].sel(time=0.9e-9, method="nearest")) == pytest.approx(rail, abs=0.01)
    difference = float(data["v(y)"][-1] - data["v(yb)"][-1])
    assert difference * sign == pytest.approx(supply, rel=0.02)


@pytest.mark.parametrize("kind", [PrechargeSenseAmplifier, CurrentLatchedSenseAmplifier, VoltageSenseAmplifier])
def test_common_ports(kind):
    ports = {port.name: port.direction for port in kind(GF180).ports()}
    assert ports["q"] == ports["qb"] == "output"
    assert ports["cell"] == ports["reference"] == "inout"
    assert ports["sense"] == "input"
    assert ports["vdd"] == ports["vss"] == "supply"
    assert kind.source


@pytest.mark.parametrize("kind", [PrechargeSenseAmplifier, CurrentLatchedSenseAmplifier, VoltageSenseAmplifier])
def test_sizes_scale_with_the_technology(kind):
    def widths(circuit: Circuit) -> dict[str, float]:
        return {
            p.name: p.value / circuit.technology.unit_width
            for p in circuit.parameters()
            if p.unit == "m" and "length" not in p.name
        }

    assert widths(kind(GF180)) == pytest.approx(widths(kind(technology("freepdk45"))))


def test_the_bias_resistor_is_made_for_the_card():
    """Half of the supply over the reference's current at the read voltage."""
    imec = load_card("imec_iedm24")
    resistances = [read_path(GF180, card, "voltage").amplifier.bias_resistance for card in (MERAM, imec)]
    for card, volts, resistance in zip((MERAM, imec), (0.4, 0.192), resistances, strict=True):
        current = volts * derived.conductance(card, 0.0, volts)
        assert resistance == pytest.approx(0.9 / current)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: PrechargeSenseAmplifier(GF180, latch_n=1e-9), "PrechargeSenseAmplifier: latch_n = 0.001 um is out"),
        (lambda: StrongArm(GF180, channel="m"), "unknown StrongArm: channel 'm'; available: n, p"),
        (lambda: VoltageSenseAmplifier(GF180, bias_resistance=1.0), "bias_resistance = .* is out of range"),
        (lambda: VoltageSenseAmplifier(GF180, mirror_length=1e-3), "mirror_length = 1000 um is out of range"),
        (lambda: VoltageSenseAmplifier(GF180, comparator=3), "comparator = 3 is not a circuit"),
        (lambda: read_path(GF180, MERAM, "current"), "unknown sense amplifier 'current'"),
    ],
)
def test_bad_input(build, message):
    with pytest.raises(InputError, match=message) as error:
        build()
    assert "\n" not in str(error.value)
