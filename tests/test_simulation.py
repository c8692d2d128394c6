"""One call, four fidelities: the same deck, the same seed, the same trajectories."""

from dataclasses import replace

import numpy as np
import pytest

from mtjspice.circuits.simulation import FIDELITIES, simulate
from mtjspice.device import derived
from mtjspice.device.card import load_card
from mtjspice.errors import InputError, SimulatorError

CARD = load_card("meram100")
# junctions at three depths, one of them AP, behind resistances, so that their voltages depend on their states
DECK = """three junctions
.subckt cell a b state=1
Xm a x mtj_cell state={state}
Ra x b 5k
.ends
V1 in 0 pwl(0 0 0.2n 0 0.25n 1.6 1.25n 1.6 1.3n 0)
Rs in n 2k
X1 n 0 cell
X2 n 0 cell state=-1
Xt n 0 mtj_cell
.save v(n) i(v1)
.tran 1p 1.6n
.end
"""
MOVING = [name for name in FIDELITIES if name != "resistor"]


@pytest.fixture(scope="module")
def runs():
    return {name: simulate(DECK, CARD, fidelity=name, seed=5) for name in FIDELITIES}


def test_layout_of_the_result(runs):
    for name, run in runs.items():
        assert run.sizes["junction"] == 3
        assert list(run.junction.values) == ["x1.xm", "x2.xm", "xt"]
        assert set(run.data_vars) == {
            "magnetization", "voltage", "conductance", "current", "energy", "temperature_rise", "v(n)", "i(v1)",
        }  # fmt: skip
        assert run.attrs["fidelity"] == name
        assert run.attrs["engine"].startswith("ngspice-")
        assert run.attrs["seed"] == 5
        assert run.time.values[-1] == pytest.approx(1.6e-9, rel=1e-6)
        assert run["voltage"].attrs["units"] == "V"
        np.testing.assert_allclose(np.linalg.norm(run.magnetization, axis=-1), 1, atol=1e-12)


@pytest.mark.parametrize("name", ["verilog-a", "behavioral"])
def test_one_trajectory_in_every_fidelity(runs, name):
    """Compared at the time points of the co-simulation, where the others' are interpolated."""
    reference, run = runs["cosim"], runs[name].interp(time=runs["cosim"].time)
    difference = np.abs(run.magnetization - reference.magnetization).max(dim=("time", "component"))
    assert reference.magnetization.sel(component="z").std(dim="time").min() > 0.01  # they do move
    assert np.all(difference < 5e-3)
    assert np.all(np.abs(run.voltage - reference.voltage).max(dim="time") < 5e-3)
    np.testing.assert_allclose(run.energy.isel(time=-1), reference.energy.isel(time=-1), rtol=2e-3)


def test_resistors_stand_still(runs):
    run = runs["resistor"]
    np.testing.assert_array_equal(run.magnetization.isel(time=-1).sel(component="z"), [1, -1, 1])
    for k, state in enumerate((1.0, -1.0, 1.0)):
        plateau = run.sel(time=1e-9, method="nearest").isel(junction=k)
        volt = float(plateau.voltage)
        assert float(plateau.conductance) == pytest.approx(derived.conductance(CARD, state, volt), rel=1e-9)


@pytest.mark.parametrize("name", FIDELITIES)
def test_energy_balance(runs, name):
    """The source delivers what junctions and resistors turn into heat; the capacitances are empty at the end."""
    run = runs[name]
    time = run.time.values
    delivered = -np.trapezoid(
        run["i(v1)"] * np.interp(time, [0, 2e-10, 2.5e-10, 1.25e-9, 1.3e-9], [0, 0, 1.6, 1.6, 0]), time
    )
    series = np.trapezoid(run["i(v1)"] ** 2 * 2e3, time)
    cells = (np.trapezoid(run.current[:, :2] ** 2, time, axis=0) * 5e3).sum()
    heat = float(run.energy.isel(time=-1).sum()) + series + cells
    assert delivered > 5e-14
    assert heat == pytest.approx(delivered, rel=1e-3)


def test_seeds_noise_and_initial_states():
    start = [0.6, 0.0, 0.8]
    first, second = (
        simulate(DECK, "meram100", seed=seed, initial=start, noise=False).magnetization.values[-1] for seed in (1, 2)
    )
    np.testing.assert_array_equal(first, second)
    noisy = simulate(DECK, "meram100", seed=2, initial=start)
    assert np.abs(noisy.magnetization.values[-1] - first).max() > 0.01
    np.testing.assert_allclose(noisy.magnetization.values[0], [start] * 3, atol=1e-15)
    drawn = simulate(DECK, "meram100", seed=2).magnetization.values[0]
    assert np.sign(drawn[:, 2]).tolist() == [1, -1, 1]


def test_a_card_for_each_junction():
    cards = [
        CARD,
        replace(CARD, name="other", tmr=1.0),
        replace(CARD, name="hot", thermal_resistance=1e6, thermal_capacitance=1e-16),
    ]
    for name in ("cosim", "verilog-a"):
        run = simulate(DECK, cards, fidelity=name, seed=5)
        assert run.attrs["card"] == "meram100, other, hot"
        state = run.isel(time=0)
        for k, card in enumerate(cards):
            expected = derived.conductance(card, float(state.magnetization[k, 2]), 0.0)
            assert float(state.conductance[k]) == pytest.approx(expected, rel=1e-6)
        rise = run.temperature_rise.max(dim="time").values
        assert rise[2] > 5
        assert rise[0] == pytest.approx(0, abs=1e-9)


def test_temperature_acts_on_junctions_and_circuit():
    card = CARD.replace(curie_temperature=1100.0)
    deck = DECK.replace("Rs in n 2k", "Rs in n 2k tc1=0.01")
    cold, hot = (simulate(deck, card, fidelity="resistor", temperature=t, seed=5) for t in (300.0, 358.0))
    assert float(cold["v(n)"].max()) > float(hot["v(n)"].max()) * 1.02
    hot_cosim = simulate(deck, card, temperature=358.0, seed=5)
    assert hot_cosim.attrs["temperature"] == 358.0
    hot_model = simulate(deck, card, fidelity="verilog-a", temperature=358.0, seed=5).interp(time=hot_cosim.time)
    assert float(np.abs(hot_model.magnetization - hot_cosim.magnetization).max()) < 5e-3


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (("mtj_cell", "resistor_cell"), {}, "no junction"),
        ((".tran 1p 1.6n", ""), {}, r"\.tran"),
        (("Xt n 0 mtj_cell", "Xt n 0 m mtj_cell"), {}, "xt has 3 nodes"),
        (("state=-1", "state=2"), {}, "x2.xm: state=2 must be 1"),
        (("state=-1", "state={2*w}"), {}, "pass `initial`"),
        (("", ""), {"fidelity": "spectre"}, "spectre"),
        (("", ""), {"seed": -1}, "seed"),
        (("", ""), {"temperature": 600.0}, "temperature"),
        (("", ""), {"initial": [1.0, 1.0, 0.0]}, "unit vectors"),
        (("", ""), {"initial": np.zeros((2, 3))}, "unit vectors"),
        (("", ""), {"card": [CARD]}, "1 cards were given for 3"),
        (("", ""), {"active_step": 0.0}, "active step"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(change, arguments, message):
    deck = DECK.replace(*change) if change[0] else DECK
    with pytest.raises(InputError, match=message) as caught:
        simulate(deck, **{"card": CARD, **arguments})
    assert "\n" not in str(caught.value)


def test_a_vector_that_is_not_there():
    for name in ("cosim", "resistor"):
        with pytest.raises(SimulatorError, match="nowhere"):
            simulate(DECK, CARD, fidelity=name, vectors=["v(nowhere)"])
