"""What studies evaluate: closed forms, agreement with the functions behind them, and replays of single points."""

import numpy as np
import pytest

from mtjspice import switching_probability
from mtjspice.circuits import catalogue
from mtjspice.circuits.measurements import At, Crossing, Energy, Power, Voltage
from mtjspice.device.card import load_card
from mtjspice.device.macrospin import pulse
from mtjspice.errors import InputError
from mtjspice.spice.runs import Status
from mtjspice.studies.space import Point, Space, Sweep
from mtjspice.studies.study import keyed
from mtjspice.studies.subjects import on_waveform
from mtjspice.studies.subjects.circuit import CircuitSubject
from mtjspice.studies.subjects.deck import DeckSubject
from mtjspice.studies.subjects.junction import JunctionSubject
from mtjspice.studies.subjects.on_waveform import Switching
from mtjspice.studies.subjects.train import TrainSubject

FILTER = """filter
.param r=1k c=1p rise={2*r*c}
Vin in 0 pwl(0 0 1p 1)
R1 in out {r}
C1 out 0 {c}
.tran 10p 10n 0 5p
.end
"""
MEASURED = {"half": Crossing(Voltage("out"), 0.5, "rise"), "spent": Energy(Power(("in",)))}
POINTS = [Point((k,), {"r": 1e3 * (1 + 0.2 * k), "c": 1e-12 * (1 + 0.1 * k)}, k) for k in range(6)]


# --- decks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["batch", "replicas"])
def test_a_filter_has_its_delay_and_its_energy(engine):
    """R C ln 2 after the middle of the step of 1 ps, and C V^2; the steps of 5 ps leave 1e-3 of either."""
    subject = DeckSubject(FILTER, MEASURED, engine=engine)
    for point, outcome in zip(POINTS, subject.evaluate(POINTS), strict=True):
        assert outcome.status is Status.OK
        r, c = point.values["r"], point.values["c"]
        assert outcome.results["half"] == pytest.approx(r * c * np.log(2) + 0.5e-12, rel=1e-3, abs=0)
        assert outcome.results["spent"] == pytest.approx(c * (1 - np.exp(-1e-8 / (r * c))), rel=2e-3, abs=0)


def test_a_deck_of_a_point_runs_by_itself_and_gives_the_same():
    subject = DeckSubject(FILTER, MEASURED, values={"c": 2e-12})
    point = Point((0,), {"r": 1.5e3}, 1)
    (outcome,) = subject.evaluate([point])
    data = subject.waveforms(point)
    vectors = {str(name): data[name].values for name in data.data_vars}
    assert {n: one.evaluate(data["time"].values, vectors) for n, one in MEASURED.items()} == outcome.results
    assert "r=1500" in subject.deck(point)
    assert "c=2e-12" in subject.deck(point)


def test_temperature_and_what_ngspice_draws_are_dimensions_of_a_deck():
    """A resistor with tc1 = 1e-3 at 27 and 127 degC, and one drawn by gauss, which its seed repeats."""
    deck = "drawn\n.param x=gauss(1,0.1,1)\nI1 0 a 1m\nR1 a 0 1k tc1=1m\nI2 0 b 1m\nR2 b 0 {1k*x}\n.tran 1n 10n\n.end\n"
    subject = DeckSubject(deck, {"a": At(Voltage("a"), 5e-9), "b": At(Voltage("b"), 5e-9)})
    points = [
        Point((), {"temperature": kelvin, "mismatch": seed}, 0)
        for kelvin, seed in ((300.15, 5), (300.15, 6), (400.15, 5), (300.15, 5))
    ]
    found = [outcome.results for outcome in subject.evaluate(points)]
    assert [one["a"] for one in found] == pytest.approx([1.0, 1.0, 1.1, 1.0], rel=1e-4)
    assert found[0]["b"] == found[2]["b"] == found[3]["b"]
    assert abs(found[0]["b"] - found[1]["b"]) > 1e-3


def test_a_deck_with_junctions_is_cosimulated():
    """In P under 0.1 V: the current is V G(V) of the card; nothing switches."""
    deck = "one\n.param v=0.1\nV1 a 0 {v}\nXj a 0 mtj_cell\n.tran 10p 1n\n.end\n"
    subject = DeckSubject(deck, {"spent": Energy(Power(("1",)))}, card="meram100", values={"card.tmr": 1.5})
    with pytest.raises(InputError, match="the deck has no parameter 'w'"):
        subject.dimension("w")
    subject = DeckSubject(deck.replace("V1", "Va"), {"spent": Energy(Power(("a",)))}, card="meram100")
    (outcome,) = subject.evaluate([Point((), {"v": 0.2}, 3)])
    assert outcome.status is Status.OK
    assert outcome.results["switched0"] == 0
    card = load_card("meram100")
    resistance = card.resistance_area_product / (np.pi / 4 * card.diameter**2)
    # thermal tilt lowers the conductance of P by about 1 %
    assert outcome.results["spent"] == pytest.approx(0.04 / resistance * 1e-9, rel=0.05, abs=0)
    assert outcome.results["junction_energy"] == pytest.approx(outcome.results["spent"], rel=0.02, abs=0)


# --- junctions alone -----------------------------------------------------------------------------------------


def test_a_junction_is_switching_probability():
    subject = JunctionSubject(values={"pulse_width": 5e-10, "edge": 4e-11}, method="macrospin", trials=300)
    point = Point((), {"voltage": 1.2, "temperature": 320.0, "card.damping": 0.04}, 9)
    (outcome,) = subject.evaluate([point])
    expected = switching_probability(
        load_card("meram100").replace(damping=0.04), 1.2, 5e-10, "macrospin", temperature=320.0, trials=300, seed=9,
        edge=4e-11,
    )  # fmt: skip
    assert outcome.results["probability"] == pytest.approx(float(expected.probability[0, 0]))
    assert outcome.results["low"] == pytest.approx(float(expected.low[0, 0]))
    assert outcome.results["write_error_rate"] == pytest.approx(1 - outcome.results["probability"])


def test_a_junction_without_a_voltage_is_a_failed_point():
    (outcome,) = JunctionSubject().evaluate([Point((), {"pulse_width": 1e-9}, 1)])
    assert outcome.status is Status.BAD_DECK
    assert outcome.reason == "the study says nothing of voltage"


# --- on waveforms --------------------------------------------------------------------------------------------


def test_the_corners_of_a_waveform_are_found_and_hold_the_tolerance():
    """A trapezoid sampled at 400 points has its four corners; what is rougher is followed within 1 mV, and what
    stands still but for less than the tolerance stands still."""  # fmt: skip
    wave = pulse(1.2, 1e-9, delay=2e-10)
    times = np.unique(np.concatenate((np.linspace(0, 2e-9, 400), wave.times)))
    volts = np.interp(times, wave.times, wave.volts)
    t, v = on_waveform.corners(times, volts)
    np.testing.assert_allclose(t, wave.times[1:5], rtol=1e-12)
    np.testing.assert_allclose(v, [0, 1.2, 1.2, 0], rtol=1e-12)
    rng = np.random.default_rng(1)
    rough = volts + np.where(volts > 0, 2e-3, 0) * rng.standard_normal(len(volts))
    t, v = on_waveform.corners(times, rough)
    inside = (times >= t[0]) & (times <= t[-1])
    assert np.max(np.abs(np.interp(times, t, v) - rough)[inside]) <= 2 * on_waveform.CORNER_TOLERANCE
    still = volts + 1e-7 * rng.standard_normal(len(volts))
    t, v = on_waveform.corners(times, still)
    assert len(t) == 4
    assert v[1] == v[2]
    t, v = on_waveform.corners(times, 0 * volts)
    assert (t[0], t[-1]) == (0, 2e-9)
    assert not np.any(v)


def test_a_waveform_by_fokker_planck_by_macrospin_and_as_an_ideal_pulse_agree():
    """4000 trials: within 4 standard errors of the solution, false alarms 6e-5."""
    card = load_card("meram100")
    wave = pulse(1.2, 5e-10)
    solved = on_waveform.switching("fokker-planck", card, wave.times, wave.volts, 1, 300.0, Switching(), 1)
    counted = on_waveform.switching("macrospin", card, wave.times, wave.volts, 1, 300.0, Switching(trials=4000), 1)
    ideal = switching_probability(card, 1.2, 5e-10)
    assert solved["probability"] == pytest.approx(float(ideal.probability[0, 0]), abs=2e-4)
    assert solved["probability"] + solved["write_error_rate"] == pytest.approx(1)
    p = solved["probability"]
    assert abs(counted["probability"] - p) < 4 * np.sqrt(p * (1 - p) / 4000)


def test_the_corner_tolerance_moves_a_probability_by_less_than_a_thousandth():
    """The waveform of a circuit, whole and with its corners, by the same macrospins."""
    bench = catalogue.bench("cell_1t1m", values={"bench.pulse_width": 5e-10}).testbench()
    data, junction = bench.run(), bench.junctions()[0]
    times = data["time"].values
    volts = Voltage(junction.top, junction.bottom).values({str(n): data[n].values for n in data.data_vars})
    found = []
    for tolerance in (on_waveform.CORNER_TOLERANCE, 0.0):
        t, v = on_waveform.corners(times, volts, tolerance)
        solved = on_waveform.switching("macrospin", junction.card, t, v, 1, 300.0, Switching(trials=20_000), 1)
        found.append(solved["probability"])
    assert abs(found[0] - found[1]) < 1e-3  # with common noise: the difference itself, not two samplings


# --- circuits ------------------------------------------------------------------------------------------------


def test_a_circuit_measures_what_its_bench_measures():
    subject = CircuitSubject("pulse_writer", "sky130", values={"bench.longest": 4e-9})
    (outcome,) = subject.evaluate([Point((), {"corner": "ss", "temperature": 350.0}, 1)])
    bench = catalogue.bench(
        "pulse_writer", technology="sky130", corner="ss", temperature=350.0, values={"bench.longest": 4e-9}
    ).testbench()
    data = bench.run()
    for name in bench.measurements:
        assert outcome.results[name] == data.attrs[name]
    delivered = {name: value for name, value in outcome.results.items() if name.startswith("delivered_")}
    assert sum(delivered.values()) == pytest.approx(float(data["delivered"].values[-1].sum()), rel=1e-6, abs=0)


def test_cosimulated_trials_are_single_runs_of_other_seeds():
    subject = CircuitSubject("cell_1t1m", fidelity="cosim", values={"bench.pulse_width": 5e-10})
    one = subject.evaluate([Point((), {"bench.voltage": 1.2}, seed) for seed in range(1, 9)])
    by_hand = [
        subject.testbench(Point((), {"bench.voltage": 1.2}, seed)).run("cosim", seed=seed) for seed in range(1, 9)
    ]
    switched = [float(data["magnetization"].values[-1, 0, 2] < 0) for data in by_hand]
    assert [outcome.results["probability0"] for outcome in one] == switched
    assert 0 < sum(switched) < 8
    several = CircuitSubject(
        "cell_1t1m", fidelity="cosim", values={"bench.pulse_width": 5e-10}, switching=Switching(trials=8)
    )
    (outcome,) = several.evaluate([Point((), {"bench.voltage": 1.2}, 1)])
    assert outcome.results["probability0"] * 8 == pytest.approx(round(outcome.results["probability0"] * 8))


def test_results_do_not_depend_on_neighbours():
    subject = CircuitSubject("read_current_latched")
    points = [Point((k,), {"mismatch": 100 + k, "states": str(k % 2)}, k) for k in range(4)]
    together = [outcome.results for outcome in subject.evaluate(points)]
    alone = [subject.evaluate([point])[0].results for point in points]
    assert together == alone


def test_a_junction_that_is_not_there():
    subject = CircuitSubject("cell_1t1m", fidelity="macrospin", switching=Switching(junctions=(3,)))
    (outcome,) = subject.evaluate([Point((), {}, 1)])
    assert outcome.status is Status.BAD_DECK
    assert outcome.reason == "there is no junction 3; cell_1t1m has 1"


# --- trains of pulses ----------------------------------------------------------------------------------------


def test_heat_of_a_train_is_that_of_a_thermal_rc():
    """P = V^2 G warms R_th with tau = R_th C_th; before the last of n pulses the rise is a geometric sum.

    A pulse of 0.3 V and of 1 ns does not move the junction, so that its power is that of P.
    """
    rth, tau = 2e6, 2e-9
    values = {
        "voltage": 0.3,
        "pulse_width": 1e-9,
        "card.thermal_resistance": rth,
        "card.thermal_capacitance": tau / rth,
    }
    subject = TrainSubject(pulses=6, junctions=20, values=values)
    (outcome,) = subject.evaluate([Point((), {"period": 3e-9}, 4)])
    assert outcome.status is Status.OK, outcome.reason
    card = load_card("meram100")
    conductance = np.pi / 4 * card.diameter**2 / card.resistance_area_product
    # at its end a rectangular pulse of width w leaves P R (1 - exp(-w/tau)); a period T later exp(-T/tau) of it
    single = 0.09 * conductance * rth * (1 - np.exp(-1e-9 / tau)) * np.exp(-(3e-9 - 1e-9) / tau)
    expected = single * (1 - np.exp(-5 * 3e-9 / tau)) / (1 - np.exp(-3e-9 / tau))
    assert outcome.results["temperature_rise"] == pytest.approx(expected, rel=0.05)
    assert outcome.results["probability"] == 0


def test_pulses_must_fit_into_the_period():
    subject = TrainSubject(values={"voltage": 1.0, "pulse_width": 2e-9})
    (outcome,) = subject.evaluate([Point((), {"period": 2e-9}, 1)])
    assert "does not fit into a period" in outcome.reason


# --- keys ----------------------------------------------------------------------------------------------------


def test_keys_depend_on_what_results_depend_on():
    """Seed, value, setting, card and models change the key; place and neighbours do not."""

    def key(subject, point):
        return next(keyed(subject, [point]))[0]

    subject = CircuitSubject("cell_1t1m")
    point = Point((3,), {"temperature": 300.0}, 7)
    keys = {
        key(subject, point),
        key(subject, Point((3,), {"temperature": 301.0}, 7)),
        key(subject, Point((3,), {"temperature": 300.0}, 8)),
        key(subject, Point((3,), {"temperature": 300.0, "corner": "ss"}, 7)),
        key(CircuitSubject("cell_1t1m", values={"bench.voltage": 1.1}), point),
        key(CircuitSubject("cell_1t1m", card="imec_iedm24"), point),
        key(CircuitSubject("cell_1t1m", fidelity="cosim"), point),
        key(CircuitSubject("cell_1t1m", fidelity="macrospin", switching=Switching(trials=5)), point),
    }
    assert len(keys) == 8
    assert key(subject, point) == key(CircuitSubject("cell_1t1m"), Point((0, 1), {"temperature": 300.0}, 7))


def test_keys_of_a_swept_fidelity_know_the_engine_of_each():
    """Two points of one study: the engine's file is that of the point's own fidelity, not of the first point's."""
    subject = CircuitSubject("cell_1t1m")
    points = [Point((k,), {"fidelity": name}, 7) for k, name in enumerate(("resistor", "cosim"))]
    together = [key for key, _ in keyed(subject, points)]
    assert together == [next(keyed(subject, [point]))[0] for point in points]


def test_what_a_deck_includes_is_part_of_its_key(tmp_path):
    (tmp_path / "outer.inc").write_text('.include "inner.inc"\n')
    (tmp_path / "inner.inc").write_text("C2 out 0 1p\n")
    deck = FILTER.replace(".tran", '.include "outer.inc"\n.tran')
    keys = []
    for _ in range(2):
        subject = DeckSubject(deck, MEASURED, folder=tmp_path)
        keys.append(next(keyed(subject, POINTS))[0])
        (tmp_path / "inner.inc").write_text("C2 out 0 2p\n")
    assert keys[0] != keys[1]


def test_circuits_at_rest_need_no_libngspice(monkeypatch):
    def missing():
        raise AssertionError("nothing is co-simulated")

    monkeypatch.setattr("mtjspice.studies.subjects.circuit.find_libngspice", missing)
    (outcome,) = CircuitSubject("cell_1t1m").evaluate([Point((), {}, 1)])
    assert outcome.status is Status.OK


def test_a_space_with_a_dimension_that_a_subject_does_not_have():
    for subject in (CircuitSubject("cell_1t1m"), JunctionSubject(), TrainSubject()):
        with pytest.raises(InputError, match="no dimension 'colour'"):
            subject.check(Space((Sweep("colour", (1.0,)),)))
    with pytest.raises(InputError, match="'voltage' has the value 'a lot'; it must be a number in V"):
        JunctionSubject().check(Space((Sweep("voltage", ("a lot",)),)))
