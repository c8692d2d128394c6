"""Switching probability, write error rate and trajectory: contract, agreement of the methods, seeds, bad input."""

import warnings
from math import sqrt

import numpy as np
import pytest
from scipy.stats import norm

import mtjspice
import mtjspice.device
from mtjspice.device import derived, llg, macrospin, switching
from mtjspice.device.card import from_toml, load_card
from mtjspice.device.macrospin import ANTIPARALLEL, PARALLEL, Waveform, pulse
from mtjspice.device.switching import METHODS, Answer, Estimate, switching_probability, trajectory, write_error_rate
from mtjspice.errors import InputError
from mtjspice.statistics import wilson

MERAM = load_card("meram100")
# smaller and more damped: the Fokker-Planck equation needs low degrees only
SMALL = MERAM.replace(diameter=60e-9, damping=0.15, cycle_to_cycle_spread=0.0)
VOLTS, WIDTHS = [1.4, 1.6, 1.5], [9e-10, 6e-10]


@pytest.fixture(scope="module")
def solved():
    return switching_probability(SMALL, VOLTS, WIDTHS, tolerance=1e-6)


@pytest.fixture(scope="module")
def counted():
    return switching_probability(SMALL, VOLTS, WIDTHS, "macrospin", trials=4000, seed=3)


class TestContract:
    def test_dataset(self, solved, counted):
        for data in (solved, counted):
            assert dict(data.sizes) == {"voltage": 3, "pulse_width": 2}
            assert list(data.data_vars) == ["probability", "low", "high", "trials"]
            for name in data.data_vars:
                assert data[name].dims == ("voltage", "pulse_width")
            # the order given is kept
            np.testing.assert_array_equal(data["voltage"], VOLTS)
            np.testing.assert_array_equal(data["pulse_width"], WIDTHS)
            assert (data["voltage"].attrs["units"], data["pulse_width"].attrs["units"]) == ("V", "s")
            assert bool(((data["low"] <= data["probability"]) & (data["probability"] <= data["high"])).all())
            assert bool(((data["low"] >= 0) & (data["high"] <= 1)).all())

    def test_limits(self, solved, counted):
        assert bool((solved["trials"] == 0).all())
        assert 0 < float((solved["high"] - solved["low"]).max()) < 1e-5
        assert bool((counted["trials"] == 4000).all())
        count = round(float(counted["probability"][0, 0]) * 4000)
        expected = wilson(count, 4000)
        assert float(counted["low"][0, 0]) == expected.low
        assert float(counted["high"][0, 0]) == expected.high

    def test_provenance(self, solved, counted):
        common = {
            "title": "switching probability, P to AP", "card": "meram100", "direction": "p-ap", "temperature": 300.0,
            "edge": 5e-11, "mtjspice": mtjspice.__version__,
        }  # fmt: skip
        for data, method in ((solved, "fokker-planck"), (counted, "macrospin")):
            assert common.items() <= data.attrs.items()
            assert data.attrs["method"] == method
            assert from_toml(data.attrs["card_toml"], "provenance") == SMALL
        assert solved.attrs["tolerance"] == 1e-6
        assert solved.attrs["degree"] >= 20
        assert not {"seed", "confidence"} & solved.attrs.keys()
        assert counted.attrs["confidence"] == 0.95
        assert (counted.attrs["seed"], counted.attrs["precision"], counted.attrs["undecided"]) == (3, "float64", 0)

    def test_netcdf_keeps_everything(self, counted, tmp_path):
        import xarray as xr

        path = tmp_path / "psw.nc"
        path.write_bytes(bytes(counted.to_netcdf()))
        with xr.open_dataset(path) as back:
            xr.testing.assert_equal(back, counted)
            assert back.attrs["card_toml"] == counted.attrs["card_toml"]

    def test_the_largest_seed_can_be_written(self, tmp_path):
        import xarray as xr

        largest = 2**32 - 1
        for name, data in (
            ("psw", switching_probability(SMALL, 1.5, 6e-10, "macrospin", trials=10, seed=largest)),
            ("path", trajectory(SMALL, None, largest, voltage=1.5, pulse_width=6e-10, duration=1e-9)),
        ):
            (tmp_path / name).write_bytes(bytes(data.to_netcdf()))
            with xr.open_dataset(tmp_path / name) as back:
                assert back.attrs["seed"] == largest

    def test_numbers_names_and_files(self, tmp_path):
        path = tmp_path / "small.toml"
        path.write_text(SMALL.to_toml())
        data = [switching_probability(card, 1.7, 6e-10, tolerance=1e-3) for card in (SMALL, path, str(path))]
        assert data[0].sizes == {"voltage": 1, "pulse_width": 1}
        for other in data[1:]:
            assert other["probability"].item() == data[0]["probability"].item()

    def test_lazy_names(self):
        for package in (mtjspice, mtjspice.device):
            assert package.switching_probability is switching_probability
            assert package.write_error_rate is write_error_rate
            assert package.trajectory is trajectory
            assert package.load_card is load_card
            assert set(package.__all__) <= set(dir(package))
            with pytest.raises(AttributeError, match="no attribute 'switching_probabilty'"):
                _ = package.switching_probabilty

    def test_progress_runs_to_one(self):
        for method in METHODS:
            told = []
            switching_probability(SMALL, [1.6, 1.7], 6e-10, method, trials=10, tolerance=1e-3, progress=told.append)
            assert told[-1] == pytest.approx(1.0)
            assert told == sorted(told)

    def test_methods_can_be_added(self):
        """A method is a function; the dataset and the error rate take its numbers as they are."""
        asked = []

        def constant(question, progress):
            asked.append(question)
            shape = (len(question.voltages), len(question.widths))
            tiny, rest = np.full(shape, 1e-30), np.ones(shape)
            return Answer(Estimate(rest, rest, rest), Estimate(tiny, 0 * tiny, 2 * tiny), 0, {"engine": "none"})

        rate = write_error_rate(
            SMALL, [1.0, 2.0], [1e-9], "constant", "ap-p", 350.0, methods={**METHODS, "constant": constant}
        )
        assert rate["write_error_rate"].values.tolist() == [[1e-30], [1e-30]]
        assert rate["high"].values.tolist() == [[2e-30], [2e-30]]
        assert (rate.attrs["method"], rate.attrs["engine"]) == ("constant", "none")
        assert rate.attrs["title"] == "write error rate, AP to P"
        assert (asked[0].state, asked[0].temperature) == (ANTIPARALLEL, 350.0)


class TestPhysics:
    @pytest.mark.parametrize(("direction", "temperature"), [("p-ap", 300.0), ("ap-p", 300.0), ("p-ap", 350.0)])
    def test_methods_agree(self, direction, temperature):
        """Six points; the largest |z| exceeds 4 by chance in 4e-4 of all seeds."""
        points = (SMALL, VOLTS, WIDTHS)
        exact = switching_probability(*points, direction=direction, temperature=temperature)["probability"].values
        trials = 4000
        found = switching_probability(*points, "macrospin", direction, temperature, trials, 5)["probability"].values
        z = (found - exact) / np.sqrt(exact * (1 - exact) / trials)
        print("probabilities", exact.round(4).tolist(), "z", z.round(2).tolist())
        assert np.all((exact > 0.02) & (exact < 0.98))
        assert np.all(np.abs(z) < 4)

    def test_methods_agree_on_the_card_as_it_is(self):
        """With the spread of the drive; 4 standard errors, 6e-5."""
        exact = switching_probability(MERAM, 1.2, 5e-10, tolerance=1e-3)["probability"].item()
        found = switching_probability(MERAM, 1.2, 5e-10, "macrospin", trials=4000)
        z = (found["probability"].item() - exact) / sqrt(exact * (1 - exact) / 4000)
        print("P_sw", exact, "z", z)
        assert abs(z) < 4

    @pytest.mark.slow  # compiling another engine takes longer than using it
    def test_single_precision_has_the_same_law(self, solved):
        """4 standard errors, 6e-5."""
        exact = float(solved["probability"][2, 1])
        found = switching_probability(SMALL, 1.5, 6e-10, "macrospin", trials=4000, seed=2, precision="float32")
        assert found.attrs["precision"] == "float32"
        assert abs(found["probability"].item() - exact) < 4 * sqrt(exact * (1 - exact) / 4000)

    def test_the_edge_counts(self, solved):
        slow = switching_probability(SMALL, 1.5, 6e-10, edge=3e-10)
        assert abs(slow["probability"].item() - float(solved["probability"][2, 1])) > 1e-3
        assert slow.attrs["edge"] == 3e-10


class TestWriteErrorRate:
    def test_complements_the_probability(self, solved, counted):
        rate = write_error_rate(SMALL, VOLTS, WIDTHS)
        assert list(rate.data_vars) == ["write_error_rate", "low", "high", "trials"]
        assert rate.attrs["title"] == "write error rate, P to AP"
        assert rate.attrs["tolerance"] == 1e-13
        assert float((rate["high"] - rate["low"]).max()) < 1e-9  # e^-barrier
        np.testing.assert_allclose(rate["write_error_rate"], 1 - solved["probability"], atol=2e-6)
        from_counts = write_error_rate(SMALL, VOLTS, WIDTHS, "macrospin", trials=4000, seed=3)
        np.testing.assert_array_equal(
            np.rint(from_counts["write_error_rate"] * 4000), 4000 - np.rint(counted["probability"] * 4000)
        )
        np.testing.assert_allclose(from_counts["low"], 1 - counted["high"], atol=1e-12)

    def test_small_rates_have_digits(self):
        """A rate of 5e-5 to nine digits, which two tolerances agree on."""
        card = SMALL.replace(diameter=80e-9)
        coarse, fine = (write_error_rate(card, 1.5, 9e-10, tolerance=tolerance) for tolerance in (1e-9, 1e-13))
        value, error = fine["write_error_rate"].item(), (fine["high"] - fine["write_error_rate"]).item()
        print("rate", value, "error", error)
        assert abs(value - coarse["write_error_rate"].item()) <= (coarse["high"] - coarse["low"]).item()
        assert 0 < value < 1e-4
        assert error < 1e-9 * value


class TestSeeds:
    def test_same_seed_same_counts(self, counted):
        again = switching_probability(SMALL, VOLTS, WIDTHS, "macrospin", trials=4000, seed=3)
        np.testing.assert_array_equal(again["probability"], counted["probability"])
        other = switching_probability(SMALL, VOLTS, WIDTHS, "macrospin", trials=4000, seed=4)
        assert not np.array_equal(other["probability"], counted["probability"])

    def test_more_widths_change_no_other(self, counted):
        one = switching_probability(SMALL, VOLTS, WIDTHS[1], "macrospin", trials=4000, seed=3)
        np.testing.assert_array_equal(one["probability"][:, 0], counted["probability"][:, 1])

    def test_points_are_independent(self):
        """Eight voltages within a microvolt, 40 seeds of widths: the counts scatter as binomial numbers do.

        Correlated noise would make the voltages of a width alike, so that the widths scatter more than the points.
        chi-square of either, beyond its 1e-4 quantiles.
        """
        volts = 1.5 + 1e-7 * np.arange(8)
        widths = 6e-10 + 1e-17 * np.arange(40)
        trials = 100
        found = switching_probability(SMALL, volts, widths, "macrospin", trials=trials, seed=8)["probability"].values
        mean = found.mean()
        of_widths = found.mean(axis=0)
        z = norm.isf(1e-4)
        points = ((found - of_widths) ** 2).sum() * trials / (mean * (1 - mean))
        across = ((of_widths - mean) ** 2).sum() * 8 * trials / (mean * (1 - mean))
        print("chi-square of points", points, "of 280, of widths", across, "of 39")
        assert abs(points - 280) < z * sqrt(2 * 280)
        assert abs(across - 39) < z * sqrt(2 * 39) + 5  # the law of 39 degrees of freedom is still skewed


class TestTrajectory:
    def test_dataset(self):
        path = trajectory(MERAM, voltage=1.2, pulse_width=1e-9, seed=1)
        assert list(path.data_vars) == ["magnetization", "voltage", "conductance"]
        assert path["magnetization"].dims == ("time", "component")
        assert path["component"].values.tolist() == ["x", "y", "z"]
        np.testing.assert_allclose(np.diff(path["time"])[:-1], 1e-12, rtol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(path["magnetization"], axis=1), 1, atol=1e-9)
        assert [path[name].attrs["units"] for name in ("time", "voltage", "conductance")] == ["s", "V", "S"]
        assert float(path["voltage"].max()) == 1.2
        assert float(path["voltage"][-1]) == 0.0
        rest = 3 * derived.derive(MERAM).relaxation_time
        assert float(path["time"][-1]) == pytest.approx(1.05e-9 + rest, abs=1e-15)
        row = llg.parameters(MERAM)
        for k in (0, 500, 2000):
            m_z, volts = float(path["magnetization"][k, 2]), float(path["voltage"][k])
            assert float(path["conductance"][k]) == pytest.approx(llg.conductance(row, m_z, volts), rel=1e-12)
        assert {"card": "meram100", "seed": 1, "device": 0, "temperature": 300.0}.items() <= path.attrs.items()
        assert from_toml(path.attrs["card_toml"], "provenance") == MERAM

    @pytest.mark.parametrize("interval", [1e-12, 3.7e-12])
    def test_ends_where_the_engine_ends(self, interval):
        wave, seed = pulse(1.2, 7.3e-10), 11
        start = macrospin.thermal_states(MERAM, np.ones(5), np.random.default_rng(1))
        ends = macrospin.run(llg.parameters(MERAM), start, wave.times, wave.volts, seed, relaxing=False).magnetization
        for device in (0, 3):
            path = trajectory(
                MERAM, wave, seed, device, initial=start[device], duration=float(wave.times[-1]), interval=interval
            )
            # samples between the noise nodes cut steps, which changes the integration error
            tolerance = 1e-9 if interval == 1e-12 else 2e-3
            np.testing.assert_allclose(path["magnetization"][-1], ends[device], atol=tolerance)
            assert float(path["time"][-1]) == pytest.approx(float(wave.times[-1]), rel=1e-12)

    def test_goes_on_as_the_engine_relaxes(self):
        wave = pulse(1.2, 5e-10)
        start = macrospin.thermal_states(MERAM, np.ones(20), np.random.default_rng(1))
        ends = macrospin.run(llg.parameters(MERAM), start, wave.times, wave.volts, 2)
        for device in range(0, 20, 4):
            path = trajectory(MERAM, wave, 2, device, initial=start[device], duration=1.2e-8)
            np.testing.assert_allclose(
                np.abs(path["magnetization"].values - ends.magnetization[device]).max(axis=1).min(), 0, atol=1e-7
            )

    def test_self_heating_and_lag(self):
        card = MERAM.replace(
            thermal_resistance=2e6, thermal_capacitance=2e-16, vcma_lag=5e-11, polarization_coefficient=2e-5
        )
        wave = pulse(1.2, 7e-10)
        start = macrospin.thermal_states(card, np.ones(2), np.random.default_rng(1))
        ends = macrospin.run(llg.parameters(card), start, wave.times, wave.volts, 4, relaxing=False).magnetization
        path = trajectory(card, wave, 4, 1, initial=start[1], duration=float(wave.times[-1]))
        np.testing.assert_allclose(path["magnetization"][-1], ends[1], atol=1e-8)
        rise = path["temperature"].values - 300
        assert path["temperature"].attrs["units"] == "K"
        assert rise[0] == 0
        assert rise.max() > 1
        # the heat that came in is stored or has left
        power = path["conductance"].values * path["voltage"].values ** 2
        stored = np.trapezoid(power - rise / 2e6, path["time"]) / 2e-16
        assert rise[-1] == pytest.approx(stored, rel=0.01)
        # and the warm junction has less TMR than the cold law says
        cold = llg.conductance(llg.parameters(card), float(path["magnetization"][-1, 2]), 0.0)
        assert float(path["conductance"][-1]) > cold

    def test_line_current(self):
        card = MERAM.replace(spin_hall_angle=0.3, spin_orbit_line_width=1e-7, spin_orbit_line_thickness=5e-9)
        wave = Waveform(np.array([0, 1e-10, 6e-10]), np.array([0.0, 0.0, 0.0]))
        currents = np.array([0.0, 2e-4, 2e-4])
        start = macrospin.thermal_states(card, [1], np.random.default_rng(1))
        ends = macrospin.run(
            llg.parameters(card), start, wave.times, wave.volts, 4, relaxing=False, lines=currents
        ).magnetization
        path = trajectory(card, wave, 4, initial=start[0], duration=6e-10, line_current=currents)
        np.testing.assert_allclose(path["magnetization"][-1], ends[0], atol=1e-8)
        without = trajectory(card, wave, 4, initial=start[0], duration=6e-10)
        assert float(np.abs(without["magnetization"] - path["magnetization"]).max()) > 1e-3

    def test_starts(self):
        def short(**settings):
            return trajectory(MERAM, voltage=1.0, pulse_width=1e-10, duration=2e-10, **settings)["magnetization"].values

        assert short()[0, 2] > 0.5
        assert short(state=ANTIPARALLEL)[0, 2] < -0.5
        np.testing.assert_array_equal(short(seed=5), short(seed=5))
        assert not np.array_equal(short(seed=5)[0], short(seed=6)[0])
        assert not np.array_equal(short(device=1)[0], short(device=2)[0])
        np.testing.assert_allclose(short(initial=[0, 0, -2.0])[0], [0, 0, -1])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({}, "needs a waveform, or both a voltage and a pulse width"),
            ({"voltage": 1.2}, "needs a waveform, or both"),
            ({"waveform": pulse(1, 1e-9), "voltage": 1.0}, "not both"),
            ({"voltage": [1.0, 1.2], "pulse_width": 1e-9}, "one voltage and one pulse width"),
            ({"voltage": float("nan"), "pulse_width": 1e-9}, "voltage nan V is not finite"),
            ({"voltage": 1.2, "pulse_width": 1e-12}, "shorter than the edge time 5e-11 s"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "duration": 0.0}, "duration 0 s must be positive"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "interval": -1.0}, "sampling interval -1 s must be positive"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "interval": 1e-20}, "more than 10000000 samples"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "seed": -1}, "seed -1 is out of range"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "device": -1}, "device -1 must be"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "state": 0}, "initial state is"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "temperature": 0.0}, "temperature 0 K is out of range"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "initial": [0, 0]}, "three finite numbers"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "initial": [0, 0, 0]}, "three finite numbers"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "line_current": 1e-4}, "has no spin-orbit line"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "line_current": [1e-4, 0]}, "one for each time"),
            ({"voltage": 1.2, "pulse_width": 1e-9, "noise_step": 1e-11}, "does not resolve"),
        ],
    )
    def test_refuses(self, arguments, message):
        with pytest.raises(InputError, match=message):
            trajectory(MERAM, **arguments)


class TestBadInput:
    @pytest.mark.parametrize("function", [switching_probability, write_error_rate])
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"voltage": []}, ["voltage: the sweep is empty"]),
            ({"pulse_width": []}, ["pulse width: the sweep is empty"]),
            ({"voltage": float("nan")}, ["voltage nan V is not finite"]),
            ({"voltage": [1.0, float("inf")]}, ["voltage inf V is not finite"]),
            ({"pulse_width": float("inf")}, ["pulse width inf s is not finite"]),
            ({"voltage": [[1.0, 1.2]]}, ["one-dimensional", "(1, 2)"]),
            ({"voltage": "many"}, ["voltage 'many'", "a number in V"]),
            ({"voltage": [1.0, 1.2, 1.0]}, ["voltage 1 V is given more than once"]),
            ({"pulse_width": 1e-11}, ["pulse width 1e-11 s is shorter than the edge time 5e-11 s"]),
            ({"pulse_width": -1e-9}, ["pulse width -1e-09 s"]),
            ({"edge": 0.0}, ["edge time 0 s must be positive"]),
            ({"edge": float("nan")}, ["edge time nan s must be positive"]),
            ({"trials": 0}, ["number of trials", "not 0"]),
            ({"trials": 1.5}, ["number of trials", "not 1.5"]),
            ({"method": "magic"}, ["unknown method 'magic'", "fokker-planck, macrospin"]),
            ({"direction": "up"}, ["unknown direction 'up'", "ap-p, p-ap"]),
            ({"precision": "float16"}, ["unknown precision 'float16'", "float32, float64"]),
            ({"temperature": 0.5}, ["temperature 0.5 K is out of range", "1 to 500 K"]),
            ({"temperature": float("nan")}, ["temperature nan K is out of range"]),
            ({"seed": -1}, ["seed -1 is out of range", "0 to 4294967295"]),
            ({"seed": 2**32}, ["seed 4294967296 is out of range"]),
            ({"card": "nope"}, ["unknown card 'nope'", "meram100"]),
            ({"card": "missing.toml"}, ["missing.toml"]),
            ({"tolerance": 0.0}, ["tolerance 0 is out of range", "1e-15"]),
            ({"method": "macrospin", "voltage": 60.0}, ["noise step 1e-12 s does not resolve", "at most"]),
            ({"method": "macrospin", "noise_step": 0.0}, ["noise step", "must be positive"]),
            ({"card": SMALL.replace(bias_field=0.2)}, ["meram100", "too low to hold a state"]),
            ({"card": SMALL.replace(diameter=15e-9)}, ["too low to hold a state; at least 5 kT"]),
            ({"card": SMALL.replace(perpendicular_field=0.042)}, ["meram100", "fields along z", "at least 5 kT"]),
            ({"card": SMALL.replace(perpendicular_field=0.5)}, ["meram100", "no two stable states"]),
        ],
    )
    @pytest.mark.filterwarnings("ignore::mtjspice.device.derived.BreakdownWarning")
    def test_one_clear_line(self, function, changes, words):
        arguments = {"card": SMALL, "voltage": 1.2, "pulse_width": 1e-9} | changes
        with pytest.raises(InputError) as caught:
            function(**arguments)
        message = str(caught.value)
        assert "\n" not in message
        for word in words:
            assert word in message

    def test_self_heating_is_for_the_macrospin(self):
        card = SMALL.replace(thermal_resistance=1e6, thermal_capacitance=1e-16)
        with pytest.raises(InputError, match=r"does not cover self-heating; use the macrospin method"):
            switching_probability(card, 1.7, 6e-10)

    def test_above_breakdown_warns_once(self):
        card = SMALL.replace(breakdown_voltage=1.5)
        with pytest.warns(derived.BreakdownWarning, match=r"\|V\| = 1.7 V exceeds") as caught:
            switching_probability(card, [1.0, 1.6, 1.7], 6e-10, tolerance=1e-2)
        assert len(caught) == 1
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            switching_probability(card, 1.0, 6e-10, tolerance=1e-2)


def test_the_engine_is_the_macrospin_itself():
    """One point is `macrospin.run` on the documented seeds, whatever the batches."""
    trials = 100
    data = switching_probability(SMALL, [1.6, 1.7], [6e-10], "macrospin", trials=trials, seed=9)
    wave = pulse(1.0, 6e-10)
    bits = switching._bits(6e-10)
    rng = np.random.Generator(np.random.Philox(np.random.SeedSequence(9, spawn_key=(2, *bits, 0))))
    noise = int(np.random.SeedSequence(9, spawn_key=(1, *bits)).generate_state(1)[0])
    start = macrospin.thermal_states(SMALL, np.full(2 * trials, PARALLEL), rng)
    second = macrospin.run(
        llg.parameters(SMALL), start[trials:], wave.times, 1.7 * wave.volts, noise, first_device=trials
    )
    assert float(data["probability"][1, 0]) == np.mean(second.states == ANTIPARALLEL)
